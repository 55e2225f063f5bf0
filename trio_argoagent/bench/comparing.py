"""Two sets of figures: what has become better or worse, and is it more than chance?

A figure's rounds give a mean and Student's 95 % confidence interval of it. Two figures differ when their
intervals do not overlap, which is stricter than a test of the difference: it errs on the side of silence.
Exact figures (``figures.EXACT``: counts, bytes, virtual seconds) are no matter of chance, so the threshold
alone judges them, where both runs did the same work. Of other figures one round has no interval, and that of
two is twelve times as wide as they lie apart: where it decides, that they differ is told, and not judged.
Whether better is more or less follows from the unit.
"""

from __future__ import annotations

import enum
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from trio_argoagent.bench.figures import EXACT, Figure, Sense
from trio_argoagent.bench.results import Key

STUDENT: Final = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
"""Two-sided 95 % quantiles of Student's t by degrees of freedom, from 1; beyond: the last one."""
JUDGED: Final = 3
"""Rounds of both, at the least, for their intervals to be judged by."""


class Change(enum.Enum):
    """What became of a figure."""

    BETTER = "better"
    WORSE = "worse"
    DIFFERS = "differs, few rounds"
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


def compare(
    before: Mapping[Key, Figure], after: Mapping[Key, Figure], threshold: float, *, alike: bool = True
) -> list[Difference]:
    """Every figure that both have, in the order of the older.

    Args:
        before: the older ones.
        after: the newer ones.
        threshold: what the medians must differ by, as a share of the older, to be more than the same.
        alike: both did the same work. A quick look does less of it, and its counts and bytes are others.
    """
    both = [(key, old, after[key]) for key, old in before.items() if key in after]
    return [Difference(key, old, new, _change(old, new, threshold, alike)) for key, old, new in both]


def lacking(before: Mapping[Key, Figure], after: Mapping[Key, Figure]) -> list[str]:
    """What only the older one has, in few words: of what is missing altogether, the name of the whole."""
    there = {key[:depth] for key in after for depth in range(1, len(key) + 1)}
    gone = (key for key in before if key not in after)
    parts = (next(key[:n] for n in range(1, len(key) + 1) if key[:n] not in there) for key in gone)
    return [" ".join(part) for part in dict.fromkeys(parts)]


def regressions(differences: Sequence[Difference]) -> list[Difference]:
    """Those that are worse."""
    return [each for each in differences if each.change is Change.WORSE]


def _change(old: Figure, new: Figure, threshold: float, alike: bool) -> Change:
    exact = alike and old.unit in EXACT and new.unit == old.unit
    beyond = abs(new.median - old.median) - threshold * abs(old.median)
    if beyond <= 0 or (exact and abs(new.median - old.median) <= EXACT[old.unit]):
        return Change.SAME
    if not exact:
        before, after = interval(old), interval(new)
        apart = before is not None and after is not None and (before[1] < after[0] or after[1] < before[0])
        if not apart:
            few = min(len(old.values), len(new.values)) < JUDGED
            return Change.DIFFERS if few else Change.SAME
    rises = new.median > old.median
    return Change.BETTER if rises == (old.better is Sense.AT_LEAST) else Change.WORSE
