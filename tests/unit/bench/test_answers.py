"""Figures, goals and what is made of them."""

from __future__ import annotations

import pytest

from trio_argoagent.bench.answers import Answer, Row
from trio_argoagent.bench.figures import CPU, Figure, Sense, beyond, percentiles
from trio_argoagent.bench.questions import Goal, Question, Side

from .conftest import unasked


def row(side: str, case: int = 200, **figures: float) -> Row:
    """One with single values."""
    return Row(side, case, {name: Figure("us", (value,)) for name, value in figures.items()})


def question(*goals: Goal) -> Question:
    """Of two sides."""
    sides = (Side("ours", "", ""), Side("peer", "", ""))
    return Question("q", "family", "what", (200,), "B", unasked, sides, "ours", goals=goals)


def test_figure() -> None:
    """The middle is what counts, and how far the values lie apart says what it is worth."""
    figure = Figure("us", (4.0, 2.0, 3.0))
    assert figure.median == 3.0
    assert figure.spread == pytest.approx(2 / 3)
    assert Figure("us", (5.0,)).spread == 0
    assert Figure("us", (0.0, 0.0)).spread == 0
    assert figure.as_json() == {
        "unit": "us",
        "n": 3,
        "median": 3.0,
        "spread": 0.6667,
        "values": [4.0, 2.0, 3.0],
    }


def test_percentiles() -> None:
    """By order, in the unit that is asked for; the greatest at most."""
    assert percentiles([2e-6, 1e-6], "us") == {"p50": ("us", 2.0), "p99": ("us", 2.0)}
    values = percentiles([n / 1e3 for n in range(100)], "ms", "spec")
    assert {name: (unit, round(value)) for name, (unit, value) in values.items()} == {
        "spec p50": ("ms", 50),
        "spec p99": ("ms", 99),
    }


def test_beyond() -> None:
    """What each one adds, without what the least case takes anyhow."""
    found = [(case, {"rss": ("MiB", 30.0 + 2 * case)}) for case in (40, 1, 10)]
    assert [values.get("of one") for _, values in beyond(found, "rss", "of one", "KiB", 1024)] == [
        ("KiB", 2048.0),
        None,
        ("KiB", 2048.0),
    ]
    assert [case for case, _ in beyond(found, "rss", "of one", "KiB", 1024)] == [40, 1, 10]


@pytest.mark.parametrize(
    ("sense", "bound", "met"),
    [
        (Sense.AT_LEAST, 10.0, True),
        (Sense.AT_LEAST, 10.1, False),
        (Sense.AT_MOST, 10.0, True),
        (Sense.AT_MOST, 9.9, False),
    ],
)
def test_goal(sense: Sense, bound: float, met: bool) -> None:
    """The bound itself is good enough, either way."""
    goal = Goal("it", "ours", 200, "rate", sense, bound)
    (verdict,) = Answer(question(goal), (row("ours", rate=10.0),), {}).verdicts
    assert (verdict.value, verdict.met) == (10.0, met)


def test_goal_of_a_peer() -> None:
    """Of a goal that is relative, the multiple counts."""
    goal = Goal("it", "ours", 200, CPU, Sense.AT_MOST, 0.1, "peer")
    rows = (row("ours", cpu=2.0), row("peer", cpu=40.0))
    (verdict,) = Answer(question(goal), rows, {}).verdicts
    assert (verdict.value, verdict.met) == (0.05, True)


@pytest.mark.parametrize(
    "rows",
    [
        (),
        (row("ours", cpu=2.0),),
        (row("peer", cpu=2.0),),
        (row("ours", rate=2.0), row("peer", cpu=2.0)),
        (row("ours", cpu=2.0), row("peer", rate=2.0)),
        (row("ours", case=9, cpu=2.0), row("peer", case=9, cpu=2.0)),
    ],
)
def test_goal_without_figures(rows: tuple[Row, ...]) -> None:
    """What was not measured is neither met nor missed."""
    goal = Goal("it", "ours", 200, CPU, Sense.AT_MOST, 0.1, "peer")
    (verdict,) = Answer(question(goal), rows, {}).verdicts
    assert verdict.value is None
    assert verdict.met is None


def test_ratio() -> None:
    """By CPU, with ours in the same case; nothing where either is missing."""
    ours, peer, other = row("ours", cpu=2.0), row("peer", cpu=5.0), row("peer", case=9, cpu=5.0)
    answer = Answer(question(), (ours, peer, other), {"gone": "not installed"})
    assert [answer.ratio(r) for r in (ours, peer, other, row("peer", rate=1.0))] == [1.0, 2.5, None, None]
    told = answer.as_json()
    assert [r["cpu_ratio"] for r in told["rows"]] == [1.0, 2.5, None]
    assert told["absent"] == {"gone": "not installed"}
