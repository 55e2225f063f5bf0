"""So many writes a second."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trio_argoagent.replication.pace import BURST, Pace


def test_a_second_may_go_at_once_and_then_one_after_the_other() -> None:
    """After a rest as many again, and not more, however long the rest was."""
    pace = Pace(4.0)
    assert [pace.reserve(10.0) for _ in range(6)] == [10.0, 10.0, 10.0, 10.0, 10.25, 10.5]
    assert [pace.reserve(100.0) for _ in range(5)] == [100.0, 100.0, 100.0, 100.0, 100.25]


def test_less_than_one_a_second() -> None:
    """One at once, and then a long wait."""
    pace = Pace(0.5)
    assert [pace.reserve(0.0) for _ in range(3)] == [0.0, 2.0, 4.0]


@given(st.lists(st.integers(0, 20), min_size=1), st.sampled_from([0.5, 1.0, 4.0, 8.0]))
def test_no_second_has_more_than_two_seconds_worth(waits: list[int], rate: float) -> None:
    """The burst, and what the pace lets through; and nothing waits without need."""
    pace, now, went = Pace(rate), 0.0, list[float]()
    for wait in waits:
        now += wait / 4
        went.append(pace.reserve(now))
        assert went[-1] >= now
    assert went == sorted(went)
    for start in went:
        inside = sum(start <= each < start + 1.0 for each in went)
        assert inside <= rate * (BURST + 1.0) + 1
