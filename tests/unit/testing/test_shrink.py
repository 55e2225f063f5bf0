"""Shrinking: nothing that matters is dropped, nothing that does not is kept."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.testing.shrink import Shrunk, ddmin


def shrink(
    items: tuple[int, ...], fails: Callable[[tuple[int, ...]], bool], budget: int = 10_000
) -> Shrunk[int]:
    """Answer every candidate at once."""
    search, verdict = ddmin(items, budget=budget), None
    while True:
        try:
            verdict = fails(search.send(verdict))
        except StopIteration as end:
            found: Shrunk[int] = end.value
            return found


@settings(deadline=None)
@given(st.integers(0, 60), st.data())
def test_what_is_needed_is_found_whatever_lies_between(count: int, data: st.DataObject) -> None:
    """Where exactly some items are needed together, exactly they are left, in their order."""
    needed = data.draw(st.sets(st.integers(0, count - 1), max_size=6)) if count else set()
    found = shrink(tuple(range(count)), lambda candidate: needed <= set(candidate))
    assert found.items == tuple(sorted(needed))
    assert found.minimal


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(0, 2**32))
def test_no_single_item_can_be_dropped(count: int, salt: int) -> None:
    """However erratic the failure is: the result fails, and no list that is one shorter does."""

    def fails(candidate: tuple[int, ...]) -> bool:
        return len(candidate) == count or hash((salt, candidate)) % 3 == 0

    found = shrink(tuple(range(count)), fails)
    assert fails(found.items)
    assert found.minimal
    shorter = [found.items[:at] + found.items[at + 1 :] for at in range(len(found.items))]
    assert not any(map(fails, shorter))


def test_a_failure_that_needs_nothing_takes_one_run() -> None:
    """The empty list is tried first."""
    assert shrink(tuple(range(100)), lambda candidate: True) == Shrunk((), 1, True)


def test_one_of_many_is_found_by_halving() -> None:
    """The number of runs grows with the logarithm, not with the length."""
    assert shrink(tuple(range(1024)), lambda candidate: 700 in candidate).runs <= 60


def test_a_budget_that_is_used_up_is_said() -> None:
    """What is left still fails, but nobody claims that it is the least."""
    found = shrink(tuple(range(64)), lambda candidate: {3, 60} <= set(candidate), budget=5)
    assert found.runs == 5
    assert not found.minimal
    assert {3, 60} <= set(found.items)
