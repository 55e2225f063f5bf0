"""What counts as a change."""

from __future__ import annotations

import math

import pytest

from trio_argoagent.bench.comparing import Change, compare, interval, lacking, regressions
from trio_argoagent.bench.figures import Figure

KEY = ("q", "ours", "200", "cpu")


def test_interval() -> None:
    """Student's, of the mean: checked by hand for three rounds."""
    low, high = interval(Figure("us", (1.0, 2.0, 3.0))) or (math.nan, math.nan)
    assert (low, high) == pytest.approx((2 - 4.303 / math.sqrt(3), 2 + 4.303 / math.sqrt(3)))
    assert interval(Figure("us", (1.0,))) is None
    assert interval(Figure("us", (4.0,) * 50)) == (4.0, 4.0)


@pytest.mark.parametrize(
    ("unit", "before", "after", "change"),
    [
        ("us", (10.0, 10.1, 9.9), (20.0, 20.1, 19.9), Change.WORSE),
        ("us", (20.0, 20.1, 19.9), (10.0, 10.1, 9.9), Change.BETTER),
        ("/s", (10.0, 10.1, 9.9), (20.0, 20.1, 19.9), Change.BETTER),
        ("MiB/s", (20.0, 20.1, 19.9), (10.0, 10.1, 9.9), Change.WORSE),
        ("us", (10.0, 10.01, 9.99), (10.5, 10.51, 10.49), Change.SAME),
        ("us", (10.0, 20.0, 15.0), (20.0, 30.0, 25.0), Change.SAME),
        ("us", (10.0,), (20.0, 20.1, 19.9), Change.DIFFERS),
        ("us", (10.0,), (10.9,), Change.SAME),
        ("/s", (249.4, 344.0), (2.9, 3.1), Change.DIFFERS),
        ("/s", (10.0, 10.01), (20.0, 20.01), Change.BETTER),
        ("virtual s", (10.0,), (20.0,), Change.WORSE),
        ("instructions", (100.0,), (112.0,), Change.WORSE),
        ("instructions (valgrind)", (100.0,), (109.0,), Change.SAME),
        ("virtual s", (20.0,), (10.0,), Change.BETTER),
        ("virtual s", (10.0, 30.0), (12.0, 31.0), Change.SAME),
        ("", (0.0,), (1.0,), Change.WORSE),
        ("B", (233.0,), (290.0,), Change.SAME),
        ("B", (233.0,), (298.0,), Change.WORSE),
        ("drawn", (10.0,), (20.0,), Change.DIFFERS),
        ("us", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), Change.WORSE),
        ("us", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), Change.SAME),
    ],
)
def test_change(unit: str, before: tuple[float, ...], after: tuple[float, ...], change: Change) -> None:
    """Apart by more than chance and more than the threshold, in the direction that the unit says."""
    (found,) = compare({KEY: Figure(unit, before)}, {KEY: Figure(unit, after)}, 0.1)
    assert found.change is change
    assert bool(regressions([found])) is (change is Change.WORSE)


def test_exact_of_other_work() -> None:
    """A quick look has fewer of everything: its counts are no regression."""
    before, after = {KEY: Figure("B", (100.0,))}, {KEY: Figure("B", (1000.0,))}
    changes = [compare(before, after, 0.1, alike=alike)[0].change for alike in (True, False)]
    assert changes == [Change.WORSE, Change.DIFFERS]


@pytest.mark.parametrize(("before", "after", "ratio"), [(2.0, 5.0, 2.5), (0.0, 0.0, 1), (0.0, 1.0, math.inf)])
def test_ratio(before: float, after: float, ratio: float) -> None:
    """Of what was nothing, too."""
    (found,) = compare({KEY: Figure("us", (before,))}, {KEY: Figure("us", (after,))}, 0.1)
    assert found.ratio == ratio


def test_only_what_both_have() -> None:
    """A new figure is no change; of what is missing altogether the whole is named."""
    figure = Figure("us", (1.0,))
    assert compare({}, {KEY: figure}, 0.1) == []
    assert lacking({}, {KEY: figure}) == []
    others = ("q", "ours", "200", "rate"), ("q", "ours", "9", "cpu"), ("r", "a", "1", "x")
    keys = [KEY, *others, ("r", "b", "1", "x")]
    assert lacking(dict.fromkeys(keys, figure), {KEY: figure}) == ["q ours 200 rate", "q ours 9", "r"]
