"""The options of a program on the command line, made from its table."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import attrs
import click

from trio_argoagent.cli.running import refuse, refuse_if, usage, usage_line
from trio_argoagent.runtime.options import strays
from trio_argoagent.runtime.options.reading import Reading, read
from trio_argoagent.runtime.options.rows import Option, Program

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_NOT: Final = "not_"
"""Before the name of a value: its negative flag."""
_WRONG: Final = "trio_argoagent.wrong"
"""In the context of a command: what of its line could not be understood."""
_NUMBER: Final = re.compile(r"-\.?\d")
"""How a negative one begins; no flag does."""


class _Parameter(click.Option):
    """An option whose help is told as the table has it; its value is a text that the table reads."""

    def __init__(self, row: Option, title: str, flags: Sequence[str], **settings: Any) -> None:
        super().__init__(flags, help=row.help, metavar=row.metavar, default=None, **settings)
        self.row, self.title = row, title

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The words that a value may be."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(word) for word in self.row.kind.words if word.startswith(incomplete)]

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Flags, and what they do; None: it is not told."""
        if self.hidden:
            return None
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


class ProgramCommand(click.Command):
    """A command with the options of a program: in parts, and what it does not know is told with all else."""

    allow_extra_args = True  # They are told as mistakes, beside the others.

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The parts of the table, and then the options that are the command's own."""
        parts: dict[str, list[tuple[str, str]]] = {}
        for each in self.get_params(ctx):
            if record := each.get_help_record(ctx):
                parts.setdefault(each.title if isinstance(each, _Parameter) else "Options", []).append(record)
        for title, records in parts.items():
            with formatter.section(title):
                formatter.write_dl(records)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Like click's, but what it cannot understand is noted, and left out.

        Where it cannot be left out, all that was noted is told: the process ends.
        """
        wrong: list[str] = ctx.meta.setdefault(_WRONG, [])
        while True:
            try:
                rest = super().parse_args(ctx, list(args))
            except click.UsageError as exc:
                part = _part(args, exc)
                if part is None:
                    refuse([*wrong, usage_line(exc)])
                wrong.append(self._told(args[part.start], exc))
                args = [*args[: part.start], *args[part.stop :]]
            else:
                # A secret with a blank in it, and without quotes, is two words.
                rows = [each.row for each in self.params if isinstance(each, _Parameter)]
                secret = any(row.secret and ctx.params.get(row.name) is not None for row in rows)
                wrong += [f"{'a word' if secret else each}: belongs to no option" for each in rest]
                return []

    def _told(self, word: str, exc: click.UsageError) -> str:
        flag = word.partition("=")[0]
        if not isinstance(exc, click.NoSuchOption):
            return usage(exc)
        like = strays.likest(flag, [flag for each in self.params for flag in each.opts])
        return f"{flag}: there is no such option{meant(like)}"


def meant(like: str) -> str:
    """What is asked after a name that there is not, where it is like another one; empty: it is not."""
    return like and f"; did you mean {like}?"


def _part(args: Sequence[str], exc: click.UsageError) -> slice | None:
    """Of a command line: the word that is wrong, with what seems to be its value; None: it is not known."""
    if not isinstance(exc, click.NoSuchOption | click.BadOptionUsage):
        return None
    name = exc.option_name
    if isinstance(exc, click.BadOptionUsage) and args[-1] == name:
        return slice(len(args) - 1, len(args))  # Its value would follow.
    # Of a word with one dash click names the first letter.
    short = isinstance(exc, click.NoSuchOption) and not name.startswith("--")
    for at, word in enumerate(args):
        if word.partition("=")[0] == name or (short and word.startswith(name)):
            return slice(at, at + 1 + _has_value(args, at))
    return None


def _has_value(args: Sequence[str], at: int) -> bool:
    """Is the word after this one its value?"""
    after = args[at + 1 : at + 2]
    return "=" not in args[at] and bool(after) and (after[0][:1] != "-" or bool(_NUMBER.match(after[0])))


@attrs.frozen
class Typed:
    """What stands on a command line.

    Attributes:
        texts: by the options' names.
        mistakes: a line each.
    """

    texts: Mapping[str, str]
    mistakes: tuple[str, ...] = ()


def table_options(program: Program) -> Callable[[Any], Any]:
    """All options of a program, for a ``ProgramCommand``, which gets them as one argument, ``typed``."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        def packed(**given: Any) -> Any:
            wrong = click.get_current_context().meta.get(_WRONG, ())
            ours = {name: given.pop(name) for name in list(given) if _is_of(program, name)}
            return command(typed=_typed(program, ours, wrong), **given)

        packed.__name__, packed.__doc__ = command.__name__, command.__doc__
        rows = [
            each
            for part in program.parts
            for option in part.options
            for each in _parameters(option, part.title)
        ]
        # From the last to the first, as decorators leave them.
        packed.__click_params__ = [  # type: ignore[attr-defined]
            *getattr(command, "__click_params__", ()),
            *reversed(rows),
        ]
        return packed

    return decorate


def _parameters(row: Option, title: str) -> Sequence[click.Option]:
    flags = [each for each in (row.short, row.flag) if each]
    if not flags:
        return ()
    hidden = bool(row.unused)
    if not row.kind.is_switch:
        return (_Parameter(row, title, [*flags, row.name], multiple=row.kind.is_list, hidden=hidden),)
    # As Go's flags: alone it is true, and =false may follow.
    found: list[click.Option] = [
        _Parameter(row, title, [*flags, row.name], is_flag=False, flag_value="true", hidden=hidden)
    ]
    if row.negative:
        names = [row.negative, _NOT + row.name]
        found.append(click.Option(names, is_flag=True, hidden=True, help=f"Not {row.flag}."))
    return found


def _is_of(program: Program, name: str) -> bool:
    return name.removeprefix(_NOT) in program.by_name


def _typed(program: Program, given: Mapping[str, Any], wrong: Sequence[str]) -> Typed:
    """What was typed; several of a list are one list."""
    texts, mistakes = {}, list(wrong)
    for option in (each for each in program if each.flag):
        value = given[option.name]
        if given.get(_NOT + option.name):
            if value is not None:
                mistakes.append(f"{option.flag} and {option.negative}: give one of the two")
            value = "false"
        if option.kind.is_list:
            value = ",".join(value) if value else None
        if value is not None:
            texts[option.name] = value
    return Typed(texts, tuple(mistakes))


def readable(program: Program, typed: Typed) -> Reading:
    """What a program is to run with, of its flags and of the environment.

    Where a user asks which values there are, that is answered, and where something is wrong, that is said:
    the process ends.
    """
    reading = read(program, typed.texts, os.environ)
    _print_listed(reading)
    mistakes = (*typed.mistakes, *reading.mistakes)
    refuse_if([f"{each}; see trio-argoagent {program.name} --help" for each in mistakes])
    return reading


def _print_listed(reading: Reading) -> None:
    for each in reading.settings:
        if each.option.kind.listed and each.text == "list":
            click.echo("\n".join(each.option.kind.listed))
            raise SystemExit(0)
