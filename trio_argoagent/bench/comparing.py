"""Two sets of figures: what has become better or worse, and is it more than chance?

Three rules, in their order; a change within the threshold is none by any of them:

- What is no matter of chance (``figures.EXACT``: counts, bytes, virtual seconds), and the memory of a whole
  process, which is the same within 2 %, is judged by the threshold alone, where both runs did the same work.
- A figure's rounds give a mean and Student's 95 % confidence interval of it. Two figures differ when their
  intervals do not overlap, which is stricter than a test of the difference: it errs on the side of silence.
- One round has no interval, and that of two is twelve times as wide as they lie apart. So medians that are
  ``FAR`` from each other differ, too, if no round of one is among those of the other.

What else differs is told and not judged where rounds are few. Whether better is more or less follows from the
unit.
"""

from __future__ import annotations

import enum
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from trio_argoagent.bench.figures import BY_VALGRIND, DRAWN, EXACT, INSTRUCTIONS, RATIO, Figure, Sense
from trio_argoagent.bench.results import Key
from trio_argoagent.errors import UserError

STUDENT: Final = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
"""Two-sided 95 % quantiles of Student's t by degrees of freedom, from 1; beyond: the last one."""
JUDGED: Final = 3
"""Rounds of both, at the least, for their intervals to say that nothing has changed."""
FAR: Final = 1.8
"""A ratio of medians that is no noise: rounds that are kept in benchmarks/history lie at most 1.6 apart."""
SURE: Final[Mapping[str, float]] = {**EXACT, "MiB": 2.0}
"""Units that the threshold alone judges, and by how much they may differ all the same: a process by two
arenas of its allocator."""
UNSURE: Final = ("KiB", "KiB each")
"""Units of memory that one of many adds: a small difference of great figures, which chance may double."""
LOCAL: Final = ("MiB", INSTRUCTIONS, BY_VALGRIND)
"""Units of ``SURE`` that another machine makes another figure of."""
MACHINE: Final = ("cpu", "cores", "memory_gib")
"""What tells machines apart."""


class Change(enum.Enum):
    """What became of a figure."""

    BETTER = "better"
    WORSE = "worse"
    DIFFERS = "differs, not judged"
    SAME = "same"


@attrs.frozen
class Difference:
    """One figure, before and after.

    Attributes:
        key: question, side, case and figure.
        before: the older one.
        after: the newer one.
        change: what became of it.
    """

    key: Key
    before: Figure
    after: Figure
    change: Change

    @property
    def ratio(self) -> float:
        """The newer median as a multiple of the older; infinite where that was nothing."""
        if self.before.median:
            return self.after.median / self.before.median
        return math.inf if self.after.median else 1.0


def interval(figure: Figure) -> tuple[float, float] | None:
    """95 % confidence of the mean; None for a single round."""
    count = len(figure.values)
    if count < 2:
        return None
    quantile = STUDENT[min(count - 1, len(STUDENT)) - 1]
    half = quantile * statistics.stdev(figure.values) / math.sqrt(count)
    mean = statistics.fmean(figure.values)
    return mean - half, mean + half


@attrs.frozen
class _Terms:
    """How two runs may be compared; see ``compare``."""

    threshold: float
    alike: bool
    here: bool


def compare(
    before: Mapping[Key, Figure],
    after: Mapping[Key, Figure],
    threshold: float,
    *,
    alike: bool = True,
    here: bool = True,
) -> list[Difference]:
    """Every figure that both have, in the order of the older.

    Args:
        before: the older ones.
        after: the newer ones.
        threshold: what the medians must differ by, as a share of the older, to be more than the same.
        alike: both did the same work. A quick look does less of it, and its counts and bytes are others.
        here: on the same machine. Of another one only what does not depend on it is judged: ratios to peers,
            and counts but for instructions.

    Raises:
        UserError: the threshold is no number.
    """
    if math.isnan(threshold):
        raise UserError(f"--threshold: {threshold} is no number")
    terms = _Terms(threshold, alike, here)
    both = [(key, old, after[key]) for key, old in before.items() if key in after]
    return [Difference(key, old, new, _change(old, new, terms)) for key, old, new in both]


def elsewhere(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What tells that two runs are from different machines; empty: nothing does."""
    return [name for name in MACHINE if before.get(name) is None or before[name] != after.get(name)]


def lacking(before: Mapping[Key, Figure], after: Mapping[Key, Figure]) -> list[str]:
    """What only the older one has, in few words: of what is missing altogether, the name of the whole."""
    there = {key[:depth] for key in after for depth in range(1, len(key) + 1)}
    gone = (key for key in before if key not in after)
    parts = (next(key[:n] for n in range(1, len(key) + 1) if key[:n] not in there) for key in gone)
    return [" ".join(part) for part in dict.fromkeys(parts)]


def regressions(differences: Sequence[Difference]) -> list[Difference]:
    """Those that are worse."""
    return [each for each in differences if each.change is Change.WORSE]


def _change(old: Figure, new: Figure, terms: _Terms) -> Change:
    unit, apart = old.unit, abs(new.median - old.median)
    if unit != new.unit:
        return Change.DIFFERS
    if apart <= terms.threshold * abs(old.median) or (terms.alike and apart <= SURE.get(unit, 0)):
        return Change.SAME
    if not _judged(unit, terms):
        return Change.DIFFERS
    if unit not in SURE and not _beyond_noise(old, new, terms):
        few = min(len(old.values), len(new.values)) < JUDGED
        return Change.DIFFERS if few else Change.SAME
    rises = new.median > old.median
    return Change.BETTER if rises == (old.better is Sense.AT_LEAST) else Change.WORSE


def _judged(unit: str, terms: _Terms) -> bool:
    """Does it say anything of the programs, if it differs?"""
    if unit == DRAWN or (unit in SURE and not terms.alike):
        return False
    return terms.here or unit == RATIO or (unit in SURE and unit not in LOCAL)


def _beyond_noise(old: Figure, new: Figure, terms: _Terms) -> bool:
    before, after = interval(old), interval(new)
    if before is not None and after is not None and _disjoint(before, after):
        return True
    less, more = sorted((old.median, new.median))
    far = terms.alike and old.unit not in UNSURE and 0 < FAR * less <= more
    return far and _disjoint((min(old.values), max(old.values)), (min(new.values), max(new.values)))


def _disjoint(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[1] < other[0] or other[1] < one[0]
