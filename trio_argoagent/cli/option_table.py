"""The options of a program on the command line, made from its table."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import click

from trio_argoagent.cli.running import refuse
from trio_argoagent.runtime.options.reading import Reading, read
from trio_argoagent.runtime.options.rows import Option, Program

_NOT: Final = "not_"
"""Before the name of a value: its negative flag."""


class _Parameter(click.Option):
    """An option whose help is told as the table has it; its value is a text that the table reads."""

    def __init__(self, row: Option, flags: Sequence[str], **settings: Any) -> None:
        super().__init__(flags, help=row.help, metavar=row.metavar, default=None, **settings)
        self.row = row

    def get_help_record(self, ctx: click.Context) -> tuple[str, str]:
        """Flags, and what they do."""
        row = self.row
        flags = ", ".join(filter(None, (row.short, row.flag)))
        if row.negative:
            flags += f" / {row.negative}"
        elif not row.kind.is_switch or row.default == "true":
            flags += f" {row.metavar}"
        hints = []
        if row.shown and not (row.kind.is_switch and row.default == "false"):
            hints.append(f"default: {row.shown}")
        if row.required:
            hints.append("required")
        return flags, f"{row.help}  [{'; '.join(hints)}]" if hints else row.help


def table_options(program: Program) -> Callable[[Any], Any]:
    """All options of a program, for a command; it gets as one argument, ``typed``, what was typed of each."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        def packed(**given: Any) -> Any:
            typed = _typed(program, {name: given.pop(name) for name in list(given) if _is_of(program, name)})
            return command(typed=typed, **given)

        packed.__name__, packed.__doc__ = command.__name__, command.__doc__
        packed.__click_params__ = [  # type: ignore[attr-defined]
            *(each for option in program for each in _parameters(option)),
            *getattr(command, "__click_params__", ()),
        ]
        return packed

    return decorate


def _parameters(row: Option) -> Sequence[click.Option]:
    flags = [each for each in (row.short, row.flag) if each]
    if not flags:
        return ()
    hidden = bool(row.unused)
    if not row.kind.is_switch:
        return (_Parameter(row, [*flags, row.name], multiple=row.kind.is_list, hidden=hidden),)
    # As Go's flags: alone it is true, and =false may follow.
    found: list[click.Option] = [
        _Parameter(row, [*flags, row.name], is_flag=False, flag_value="true", hidden=bool(row.unused))
    ]
    if row.negative:
        names = [row.negative, _NOT + row.name]
        found.append(click.Option(names, is_flag=True, hidden=True, help=f"Not {row.flag}."))
    return found


def _is_of(program: Program, name: str) -> bool:
    return name.removeprefix(_NOT) in program.by_name


def _typed(program: Program, given: Mapping[str, Any]) -> dict[str, str]:
    """What was typed, by the options' names; several of a list are one list."""
    typed = {}
    for option in (each for each in program if each.flag):
        value = given[option.name]
        if given.get(_NOT + option.name):
            if value is not None:
                refuse([f"{option.flag} and {option.negative}: give one of the two"])
            value = "false"
        if option.kind.is_list:
            value = ",".join(value) if value else None
        if value is not None:
            typed[option.name] = value
    return typed


def readable(program: Program, typed: Mapping[str, str]) -> Reading:
    """What a program is to run with, of its flags and of the environment.

    Where a user asks which values there are, that is answered, and where something is wrong, that is said:
    the process ends.
    """
    reading = read(program, typed, os.environ)
    _print_listed(reading)
    if reading.mistakes:
        refuse([f"{each}; see trio-argoagent {program.name} --help" for each in reading.mistakes])
    return reading


def _print_listed(reading: Reading) -> None:
    for each in reading.settings:
        if each.option.kind.listed and each.text == "list":
            click.echo("\n".join(each.option.kind.listed))
            raise SystemExit(0)
