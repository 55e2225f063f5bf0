"""What a mutant is."""

from __future__ import annotations

import attrs

from .rewriting import Constant, Rewrite


@attrs.frozen
class Mutant:
    """The product with one thing wrong.

    Attributes:
        name: for tables and people.
        what: what is wrong, in one line.
        patches: that make it so.
    """

    name: str
    what: str
    patches: tuple[Rewrite | Constant, ...]


def mutant(name: str, what: str, *patches: Rewrite | Constant) -> Mutant:
    """One row of a table."""
    return Mutant(name, what, patches)
