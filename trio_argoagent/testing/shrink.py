"""Delta debugging (Zeller and Hildebrandt, 2002: ddmin): the least of a list that still fails.

The core asks and is told: it yields a candidate, is sent whether that one fails, and returns what is left. So
it knows neither how a candidate is run nor how long that takes.

Only complements are tried, never the parts by themselves: troubles mostly fail together, and the complement
of one half is the other half anyway.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from itertools import pairwise
from typing import Final, Generic, TypeVar

import attrs

MAX_RUNS: Final = 400
"""Candidates that are tried; some hundred troubles need about as many."""

T = TypeVar("T")


@attrs.frozen
class Shrunk(Generic[T]):
    """What is left.

    Attributes:
        items: in their order.
        runs: how many candidates were tried.
        minimal: no single item of it can be dropped; False: the budget was used up before that was known.
    """

    items: tuple[T, ...]
    runs: int
    minimal: bool


def ddmin(items: Sequence[T], *, budget: int = MAX_RUNS) -> Generator[tuple[T, ...], bool | None, Shrunk[T]]:
    """Shrink a list that is known to fail.

    Args:
        items: all of it.
        budget: how many candidates may be tried.

    Yields:
        A candidate; send True if it fails as the whole did. (The first ``send`` is None, as ever.)

    Returns:
        What is left.
    """
    kept, parts, runs = tuple(items), 1, 0
    while kept:
        for candidate in _complements(kept, parts):
            if runs == budget:
                return Shrunk(kept, runs, False)
            runs += 1
            if (yield candidate):
                kept, parts = candidate, min(max(parts - 1, 2), len(candidate))
                break
        else:
            if parts >= len(kept):
                return Shrunk(kept, runs, True)
            parts = min(2 * parts, len(kept))
    return Shrunk(kept, runs, True)


def _complements(items: tuple[T, ...], parts: int) -> Iterator[tuple[T, ...]]:
    """The list without its last part, without the one before, and so on; of one part: nothing.

    The last one first: what would happen after a failure can always be dropped.
    """
    bounds = [len(items) * number // parts for number in range(parts + 1)]
    for begin, end in reversed(list(pairwise(bounds))):
        yield items[:begin] + items[end:]
