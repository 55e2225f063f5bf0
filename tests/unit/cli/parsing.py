"""What a program would run with: its flags through the command line, its variables through the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from trio_argoagent.cli.option_table import ProgramCommand, Typed, table_options
from trio_argoagent.runtime.options.reading import Reading, read
from trio_argoagent.runtime.options.rows import Program

NEEDED: Mapping[str, Mapping[str, str]] = {
    "agent": {"ARGOCD_AGENT_REMOTE_SERVER": "hub"},
    "principal": {},
}
"""Variables without which a program does not start."""


def reading_of(program: Program, *arguments: str, **environ: str) -> Reading:
    """What was written, mistakes included."""
    found: dict[str, str] = {}

    @click.command(cls=ProgramCommand)
    @table_options(program)
    def command(typed: Typed) -> None:
        assert typed.mistakes == ()
        found.update(typed.texts)

    command.main(arguments, standalone_mode=False)
    return read(program, found, {**NEEDED[program.name], **environ})


def values_of(program: Program, *arguments: str, **environ: str) -> dict[str, Any]:
    """The values, where there is no mistake."""
    reading = reading_of(program, *arguments, **environ)
    assert reading.mistakes == ()
    return reading.values
