"""How a cost grows: ``fixed + each * n ** exponent``, neither of them negative, through what was found.

O(1) shows as exponent 0, O(n) as 1. The fixed part is fitted, too: without it, what every case costs anyhow
would hide how the rest grows. Of the exponents that explain the medians as well as their noise lets anybody
tell, the least is taken: one above a bound is more than chance. Rejected: a line through the logarithms,
which a fixed part bends, and the very best exponent, which follows the noise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import attrs

from trio_argoagent.bench.figures import EXACT, Case, Figure
from trio_argoagent.bench.questions import Growth

LEAST_SIZES: Final = 3
"""Sizes without which nothing is said of growth: through two points any curve goes."""
NOISE: Final = 0.05
"""Of a median, at the least, as a share of it; more where its rounds lie farther apart."""
FEW_NOISE: Final = 0.1
"""The same of fewer than ``ROUNDS``, unless the figure is no matter of chance."""
ROUNDS: Final = 3
"""That show how far they lie apart."""
STEEPEST: Final = 4.0
"""The greatest exponent that is tried."""
STEPS: Final = 400
"""Exponents that are tried, beside 0."""


@attrs.frozen
class Fit:
    """A curve.

    Attributes:
        exponent: from 0 to ``STEEPEST``.
        fixed: what each case costs anyhow; with exponent 0, all of it.
        each: what stands before ``n ** exponent``.
    """

    exponent: float
    fixed: float
    each: float

    def at(self, case: float) -> float:
        """What a case should cost."""
        return self.fixed + self.each * math.pow(case, self.exponent)

    def told(self, unit: str) -> str:
        """For people."""
        beyond = f" beyond {self.fixed:.3g} {unit}".rstrip() if self.exponent and self.fixed else ""
        return f"n^{self.exponent:.2f}{beyond}"


@attrs.frozen
class Trend:
    """What became of an expectation about growth.

    Attributes:
        growth: which.
        fit: the curve; None: there were too few sizes.
        unit: of the figure.
    """

    growth: Growth
    fit: Fit | None
    unit: str = ""

    @property
    def met(self) -> bool | None:
        """None: not known."""
        return None if self.fit is None else self.fit.exponent <= self.growth.most

    @property
    def told(self) -> str:
        """What was found, for people; empty: nothing."""
        return "" if self.fit is None else self.fit.told(self.unit)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "growth": self.growth.text,
            "figure": self.growth.figure,
            "side": self.growth.side,
            "most": self.growth.most,
            "exponent": None if self.fit is None else self.fit.exponent,
            "fixed": None if self.fit is None else self.fit.fixed,
            "met": self.met,
        }


@attrs.frozen
class _Point:
    case: int
    cost: float
    noise: float


def fitted(series: Sequence[tuple[Case, Figure]]) -> Fit | None:
    """The curve of least exponent that goes through the medians, within their noise.

    Args:
        series: a figure over cases; those that have names are left out.

    Returns:
        None where there are fewer than ``LEAST_SIZES`` sizes.
    """
    sized = [(case, figure) for case, figure in series if isinstance(case, int)]
    if len({case for case, _ in sized}) < LEAST_SIZES:
        return None
    most = max(abs(figure.median) for _, figure in sized)
    if not most:
        return Fit(0.0, 0.0, 0.0)
    points = [_Point(case, figure.median, _noise(figure, most)) for case, figure in sized]
    tried = [_best(points, STEEPEST * step / STEPS) for step in range(STEPS + 1)]
    misses = [_miss(points, fit) for fit in tried]
    # What no curve explains (a bump in the middle) is noise as well.
    enough = math.hypot(1.0, min(misses))
    return next(fit for fit, miss in zip(tried, misses, strict=True) if miss <= enough)


def _noise(figure: Figure, most: float) -> float:
    """Of a median, in its unit. One that is no cost is what chance has made: it tells nothing."""
    if figure.median <= 0:
        return most
    sure = figure.unit in EXACT or len(figure.values) >= ROUNDS
    return figure.median * max(NOISE if sure else FEW_NOISE, figure.spread / 2)


def _best(points: Sequence[_Point], exponent: float) -> Fit:
    """The best curve of this exponent: least squares of the misses, in parts of their noise."""
    level = sum(p.cost / p.noise**2 for p in points) / sum(p.noise**-2 for p in points)
    flat = Fit(exponent, max(0.0, level), 0.0)
    if not exponent:
        return flat
    rows = [(1 / p.noise, math.pow(p.case, exponent) / p.noise, p.cost / p.noise) for p in points]
    ones, cross, powers = (sum(r[i] * r[j] for r in rows) for i, j in ((0, 0), (0, 1), (1, 1)))
    left, right = (sum(r[i] * r[2] for r in rows) for i in (0, 1))
    both = ones * powers - cross * cross
    bent = Fit(exponent, (left * powers - right * cross) / both, (ones * right - cross * left) / both)
    if bent.fixed >= 0 and bent.each >= 0:
        return bent
    # The best within bounds lies on one of them.
    through = Fit(exponent, 0.0, max(0.0, right / powers))
    return min(flat, through, key=lambda fit: _miss(points, fit))


def _miss(points: Sequence[_Point], fit: Fit) -> float:
    """How far a curve goes from what was found, in parts of the noise: the root of the mean square."""
    return math.sqrt(sum(((p.cost - fit.at(p.case)) / p.noise) ** 2 for p in points) / len(points))
