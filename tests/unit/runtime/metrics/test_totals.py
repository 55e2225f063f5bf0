"""Sums of counters never fall, whoever comes, goes, or begins anew."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.runtime.metrics.totals import Totals


def test_an_agent_that_is_forgotten_takes_nothing_along() -> None:
    """And what it does when it has come again is added."""
    totals = Totals()
    totals.note("east", "x", 10)
    totals.note("west", "x", 5)
    totals.keep(("west",))
    totals.note("west", "x", 6)
    assert totals.sum("x") == 16
    totals.note("east", "x", 2)
    assert totals.sum("x") == 18


def test_a_counter_that_begins_anew_is_added() -> None:
    """Its agent was forgotten and came again between two looks."""
    totals = Totals()
    totals.note("east", "x", 10)
    totals.note("east", "x", 3)
    assert totals.sum("x") == 13


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9) | st.none())))
def test_a_sum_never_falls(steps: list[tuple[str, int | None]]) -> None:
    """It is the sum of all increases of each agent's counter; None: the agent has gone."""
    totals, last, expected, before = Totals(), dict[str, int](), 0, 0.0
    for agent, value in steps:
        if value is None:
            last.pop(agent, None)
            totals.keep(last)
        else:
            known = last.get(agent, 0)
            expected += value - known if value >= known else value
            last[agent] = value
            totals.note(agent, "x", value)
        assert totals.sum("x") == expected >= before
        before = totals.sum("x")
