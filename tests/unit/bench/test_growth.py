"""How a cost grows: the exponent beyond what is fixed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from trio_argoagent.bench.figures import Case, Figure
from trio_argoagent.bench.growth import STEEPEST, Fit, Trend, fitted
from trio_argoagent.bench.questions import Growth

GROWTH = Growth("it does not grow", "cost", 0.2)
Cost = Callable[[int], float]


def series(cost: Cost, *cases: Case) -> list[tuple[Case, Figure]]:
    """Three rounds that are equal."""
    return [(case, Figure("us", (cost(case) if isinstance(case, int) else 1.0,) * 3)) for case in cases]


def fit(cost: Cost, *cases: Case) -> Fit:
    """Of what can be fitted."""
    found = fitted(series(cost, *cases))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("cost", "least", "most"),
    [
        (lambda n: 7.0, 0, 0),
        (lambda n: 0.0, 0, 0),
        (lambda n: 7.0 + n % 3 * 0.2, 0, 0),
        (lambda n: 5.0 / n, 0, 0),
        (lambda n: n**0.2, 0.15, 0.2),
        (lambda n: 3.0 * n, 0.95, 1),
        (lambda n: n * n / 9, 1.9, 2),
        (lambda n: n**3.9 * n, 3.9, STEEPEST),
    ],
)
def test_exponent(cost: Cost, least: float, most: float) -> None:
    """The least that explains what was found, whatever the factor; what falls does not grow."""
    assert least <= fit(cost, 1, 10, 100, 1000).exponent <= most


@pytest.mark.parametrize(
    ("cost", "cases"),
    [
        (lambda n: 0.3 + 0.01 * n * n, (1, 3, 10)),
        (lambda n: 0.3 + 0.001 * n * n, (1, 4, 10, 40)),
        (lambda n: 1 + 2e-6 * n * n, (1, 10, 100, 1000)),
        (lambda n: 1 + 2e-6 * n * n, (0, 1, 10, 100, 1000)),
    ],
)
def test_fixed_part(cost: Cost, cases: tuple[int, ...]) -> None:
    """What grows faster than in proportion is seen behind a great fixed part, and what does not, is not."""
    assert fit(cost, *cases).exponent > 1.1
    line = fit(lambda n: cost(0) * (1 + n / 2), *cases)
    assert 0.5 < line.exponent <= 1
    assert line.fixed <= cost(0) * 1.5


def test_curve() -> None:
    """It goes through what was found, also where a case is 0."""
    found = fit(lambda n: 2.0 + 3.0 * n, 0, 10, 100)
    assert [found.at(case) for case in (0, 10, 100)] == pytest.approx([2, 32, 302], rel=0.1)
    assert found.told("us").startswith("n^0.9")
    assert found.told("us").endswith(" us")
    assert fit(lambda n: 2.0, 1, 10, 100).told("us") == "n^0.00"


def test_noise() -> None:
    """Rounds that lie apart, or a single one of seconds, leave more open: that is not taken for growth."""
    medians = {1: 10.0, 10: 11.4, 100: 12.4}
    sharp = [(case, Figure("us", (value,) * 3)) for case, value in medians.items()]
    blurred = [(case, Figure("us", (0.7 * value, value, 1.3 * value))) for case, value in medians.items()]
    exponents = [found.exponent for found in map(fitted, (sharp, blurred)) if found]
    assert exponents[0] > 0
    assert exponents[1] == 0
    lone = [[(case, Figure(unit, (value,))) for case, value in medians.items()] for unit in ("us", "B")]
    exponents = [found.exponent for found in map(fitted, lone) if found]
    assert exponents[0] == 0
    assert exponents[1] > 0


def test_bump() -> None:
    """What rises and falls again shows that there is more noise than its rounds say, and no growth."""
    found = fitted([(case, Figure("KiB", (cost,))) for case, cost in ((4, 461.0), (10, 365.0), (40, 461.0))])
    assert found is not None
    assert found.exponent == 0


def test_less_than_nothing() -> None:
    """One difference that chance made negative does not hide what the others say."""
    values = {1: -0.5, 10: 12.0, 100: 12.1, 1000: 11.9}
    assert fit(lambda n: values[n], *values).exponent <= 0.1
    assert fit(lambda n: -1.0 if n == 1 else float(n), 1, 10, 100, 1000).exponent > 0.8


@pytest.mark.parametrize("cases", [(), (1, 10), (10, 10, 10), ("a", "b", "c"), (0, 10)])
def test_too_little(cases: tuple[Case, ...]) -> None:
    """Nothing is said of fewer than three sizes."""
    assert fitted(series(lambda n: float(n), *cases)) is None


@pytest.mark.parametrize(("exponent", "met"), [(None, None), (0.1, True), (0.2, True), (0.3, False)])
def test_met(exponent: float | None, met: bool | None) -> None:
    """The bound itself is good enough."""
    trend = Trend(GROWTH, None if exponent is None else Fit(exponent, 1.0, 2.0), "us")
    assert trend.met is met
    told = trend.as_json()
    assert (told["met"], told["exponent"]) == (met, exponent)
    assert told["fixed"] == (None if exponent is None else 1.0)
