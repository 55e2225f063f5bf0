"""How a cost grows: the exponent of ``cost = a * n ** exponent`` that fits best.

O(1) shows as an exponent about 0, O(n) as one about 1. A cost that has a fixed part bends: its exponent over
small cases is less than over great ones, so cases should lie far apart (a factor of ten and more in all).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any, Final

import attrs

from trio_argoagent.bench.figures import Case, Figure
from trio_argoagent.bench.questions import Growth

LEAST_SIZES: Final = 3
"""Sizes without which nothing is said of growth: through two points any curve goes."""


@attrs.frozen
class Trend:
    """What became of an expectation about growth.

    Attributes:
        growth: which.
        exponent: that fits best; None: there were too few sizes, or a cost that is not positive.
    """

    growth: Growth
    exponent: float | None

    @property
    def met(self) -> bool | None:
        """None: not known."""
        return None if self.exponent is None else self.exponent <= self.growth.most

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "growth": self.growth.text,
            "figure": self.growth.figure,
            "side": self.growth.side,
            "most": self.growth.most,
            "exponent": self.exponent,
            "met": self.met,
        }


def fitted(series: Sequence[tuple[Case, Figure]]) -> float | None:
    """The exponent that fits medians best, by least squares of the logarithms.

    Args:
        series: a figure over cases; those that are no positive number are left out.

    Returns:
        None where fewer than ``LEAST_SIZES`` sizes are left.
    """
    points = [
        (math.log(case), math.log(figure.median))
        for case, figure in series
        if isinstance(case, int) and case > 0 and figure.median > 0
    ]
    if len({x for x, _ in points}) < LEAST_SIZES:
        return None
    fit = statistics.linear_regression([x for x, _ in points], [y for _, y in points])
    return round(fit.slope, 3)
