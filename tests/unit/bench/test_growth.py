"""The exponent of a cost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from trio_argoagent.bench.figures import Case, Figure
from trio_argoagent.bench.growth import Trend, fitted
from trio_argoagent.bench.questions import Growth

GROWTH = Growth("it does not grow", "cost", 0.2)


def series(cost: Callable[[int], float], *cases: Case) -> list[tuple[Case, Figure]]:
    """Single values."""
    return [(case, Figure("us", (cost(case) if isinstance(case, int) else 1.0,))) for case in cases]


@pytest.mark.parametrize(
    ("cost", "exponent"),
    [(lambda n: 7.0, 0.0), (lambda n: 3.0 * n, 1.0), (lambda n: n * n / 9, 2.0), (lambda n: 5.0 / n, -1.0)],
)
def test_fitted(cost: Callable[[int], float], exponent: float) -> None:
    """Whatever the factor."""
    assert fitted(series(cost, 1, 10, 100, 1000)) == pytest.approx(exponent, abs=1e-6)


@pytest.mark.parametrize("cases", [(), (1, 10), (10, 10, 10), ("a", "b", "c"), (0, 1, 10)])
def test_too_little(cases: tuple[Case, ...]) -> None:
    """Nothing is said of fewer than three sizes."""
    assert fitted(series(lambda n: float(n), *cases)) is None


def test_costs_nothing() -> None:
    """A figure that is 0 has no logarithm."""
    assert fitted(series(lambda n: 0.0, 1, 10, 100)) is None


@pytest.mark.parametrize(("exponent", "met"), [(None, None), (0.1, True), (0.2, True), (0.3, False)])
def test_met(exponent: float | None, met: bool | None) -> None:
    """The bound itself is good enough."""
    assert Trend(GROWTH, exponent).met is met
    assert Trend(GROWTH, exponent).as_json()["met"] is met
