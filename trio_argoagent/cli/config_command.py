"""The commands ``trio-argoagent config show`` and ``config check``: with a program's own options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

from trio_argoagent.cli.option_table import ProgramCommand, Typed, table_options
from trio_argoagent.cli.output import output_option
from trio_argoagent.runtime.options.programs import PROGRAMS
from trio_argoagent.runtime.options.rows import Program

_MAP: Final = click.option(
    "--config-map",
    default="",
    metavar="FILE",
    help="Take the keys of the ConfigMap argocd-agent-params in this YAML, and no variables.",
)


@click.group()
def config() -> None:
    """What a program would run with, and what is wrong with that.

    Flags are the program's own, and variables those of this environment. Nothing is connected to, and no
    file is read but --config-map's.
    """


@config.group()
def show() -> None:
    """Print each value, and where it comes from; secrets are not shown."""


@config.group()
def check() -> None:
    """Tell all mistakes, a line each. Exit code 0: there is none; 2: there are."""


def _show(program: Program) -> Callable[..., None]:
    @_MAP
    @output_option()
    def command(typed: Typed, config_map: str, output: str) -> None:
        from trio_argoagent.cli.config import run_show

        run_show(program, typed, config_map, output)

    return command


def _check(program: Program) -> Callable[..., None]:
    @_MAP
    def command(typed: Typed, config_map: str) -> None:
        from trio_argoagent.cli.config import run_check

        run_check(program, typed, config_map)

    return command


def _add(group: click.Group, program: Program, make: Callable[[Program], Any]) -> None:
    command = make(program)
    command.__doc__ = f"For the options of {program.name}."
    group.command(program.name, cls=ProgramCommand)(table_options(program)(command))


for each in PROGRAMS.values():
    _add(show, each, _show)
    _add(check, each, _check)
