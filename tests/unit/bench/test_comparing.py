"""What counts as a change."""

from __future__ import annotations

import math

import pytest

from trio_argoagent.bench.comparing import Change, compare, elsewhere, interval, lacking, regressions
from trio_argoagent.bench.figures import Figure
from trio_argoagent.errors import UserError

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
        ("us", (10.0,), (15.0, 15.1, 14.9), Change.DIFFERS),
        ("us", (10.0,), (20.0, 20.1, 19.9), Change.WORSE),
        ("us", (10.0,), (10.9,), Change.SAME),
        ("us", (10.0,), (17.0,), Change.DIFFERS),
        ("us", (10.0,), (20.0,), Change.WORSE),
        ("us", (20.0,), (10.0,), Change.BETTER),
        ("us", (0.0,), (10.0,), Change.DIFFERS),
        ("us", (-10.0,), (10.0,), Change.DIFFERS),
        ("us", (10.0, 30.0), (20.0, 60.0), Change.DIFFERS),
        ("/s", (249.4, 344.0), (2.9, 3.1), Change.WORSE),
        ("ms", (11.0, 13.8, 17.0), (33.0, 41.4, 51.0), Change.WORSE),
        ("ms", (11.0, 13.8, 17.0), (13.0, 18.0, 51.0), Change.SAME),
        ("MiB", (54.7,), (66.0,), Change.WORSE),
        ("MiB", (54.7,), (59.0,), Change.SAME),
        ("MiB", (3.0,), (4.9,), Change.SAME),
        ("KiB", (10.0,), (30.0,), Change.DIFFERS),
        ("KiB", (10.0, 10.1, 9.9), (30.0, 30.1, 29.9), Change.WORSE),
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
        ("drawn", (10.0,) * 3, (20.0,) * 3, Change.DIFFERS),
        ("us", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), Change.WORSE),
        ("us", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), Change.SAME),
    ],
)
def test_change(unit: str, before: tuple[float, ...], after: tuple[float, ...], change: Change) -> None:
    """Apart by more than chance and more than the threshold, in the direction that the unit says."""
    (found,) = compare({KEY: Figure(unit, before)}, {KEY: Figure(unit, after)}, 0.1)
    assert found.change is change
    assert bool(regressions([found])) is (change is Change.WORSE)


@pytest.mark.parametrize("unit", ["B", "MiB", "us"])
def test_other_work(unit: str) -> None:
    """A quick look has fewer of everything, and is coarse: what it lacks is no regression."""
    before, after = {KEY: Figure(unit, (100.0,))}, {KEY: Figure(unit, (1000.0,))}
    changes = [compare(before, after, 0.1, alike=alike)[0].change for alike in (True, False)]
    assert changes == [Change.WORSE, Change.DIFFERS]


@pytest.mark.parametrize(
    ("unit", "change"),
    [("us", "differs"), ("MiB", "differs"), ("instructions", "differs"), ("B", "worse"), ("x", "worse")],
)
def test_elsewhere(unit: str, change: str) -> None:
    """Of another machine only what does not depend on it is judged."""
    (found,) = compare({KEY: Figure(unit, (100.0,) * 3)}, {KEY: Figure(unit, (300.0,) * 3)}, 0.1, here=False)
    assert found.change.value.startswith(change)


def test_other_unit() -> None:
    """What perf has counted and what valgrind has are not compared."""
    before, after = Figure("instructions", (1.0,)), Figure("instructions (valgrind)", (1.0,))
    assert compare({KEY: before}, {KEY: after}, 0.1)[0].change is Change.DIFFERS


def test_no_threshold() -> None:
    """Nothing differs by more than what is no number."""
    with pytest.raises(UserError, match="--threshold: nan is no number"):
        compare({}, {}, math.nan)


def test_machines() -> None:
    """What tells that it is another one; how busy it was, and its versions, do not."""
    here = {"cpu": "aarch64", "cores": 2, "memory_gib": 23.5, "load": 1.0}
    assert elsewhere(here, here | {"load": 9.0}) == []
    assert elsewhere(here, here | {"cores": 4, "memory_gib": 8.0}) == ["cores", "memory_gib"]
    assert elsewhere(here, {}) == ["cpu", "cores", "memory_gib"]


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
