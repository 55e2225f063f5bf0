"""The option table: a row says all that there is to know of an option, a program is a list of parts of rows.

The command line, the environment, the ConfigMap, the manifests' variables and docs/reference/ are made from
the rows, or tested against them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Final

import attrs

from trio_argoagent.runtime.options.kinds import Kind

FIRST: Final = "0.1.0"
"""The version that came with all options that name no other."""


@attrs.frozen
class Option:
    """One row. Names of variables and keys are without what all those of a program begin with.

    Attributes:
        flag: with its dashes; empty: there is none.
        variable: environment variable; empty: there is none.
        key: of the ConfigMap; empty: there is none.
        kind: of its value.
        default: as a user would write it; None: nothing, and the value is None.
        help: what it does, for the help and the reference.
        name: of the value; by default the flag's.
        short: another flag, of one letter.
        negative: a flag that says false.
        metavar: instead of the kind's.
        shown: the default in words, where the text would not tell it.
        also: variables with their whole names, which count after ``variable``.
        secret: is its value never shown?
        required: what to do when it is missing; empty: it may be.
        needs: the name of another option, without which this one does nothing; empty: of none.
        since: the version that brought it.
        unused: why it does nothing here, as the end of a sentence; empty: it does something.
    """

    flag: str
    variable: str
    key: str
    kind: Kind
    default: str | None
    help: str
    name: str = attrs.field(
        kw_only=True,
        default=attrs.Factory(lambda self: self.flag.lstrip("-").replace("-", "_"), takes_self=True),
    )
    short: str = attrs.field(default="", kw_only=True)
    negative: str = attrs.field(default="", kw_only=True)
    metavar: str = attrs.field(
        kw_only=True, default=attrs.Factory(lambda self: self.kind.metavar, takes_self=True)
    )
    shown: str = attrs.field(
        kw_only=True, default=attrs.Factory(lambda self: self.default or "", takes_self=True)
    )
    also: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    secret: bool = attrs.field(default=False, kw_only=True)
    required: str = attrs.field(default="", kw_only=True)
    needs: str = attrs.field(default="", kw_only=True)
    since: str = attrs.field(default=FIRST, kw_only=True)
    unused: str = attrs.field(default="", kw_only=True)


@attrs.frozen
class Part:
    """Rows that belong together.

    Attributes:
        title: of a section of the reference.
        options: in the order in which they are told.
    """

    title: str
    options: tuple[Option, ...]


@attrs.frozen(slots=False)
class Program:
    """One of the two programs.

    Attributes:
        name: of its command, and what its keys begin with.
        prefix: what its environment variables begin with.
        parts: all its options.
    """

    name: str
    prefix: str
    parts: tuple[Part, ...]

    def __iter__(self) -> Iterator[Option]:
        return (option for part in self.parts for option in part.options)

    @cached_property
    def by_name(self) -> dict[str, Option]:
        """Each option, by the name of its value."""
        return {option.name: option for option in self}

    def variables(self, option: Option) -> tuple[str, ...]:
        """An option's environment variables; the first that is set counts."""
        own = (f"{self.prefix}_{option.variable}",) if option.variable else ()
        return own + option.also

    def key(self, option: Option) -> str:
        """An option's key in the ConfigMap; empty: it has none."""
        return option.key and f"{self.name}.{option.key}"
