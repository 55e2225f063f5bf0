"""What may be under way unanswered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.sync.flow import Budget, Flow
from trio_argoagent.sync.kinds import Rank


def key(name: str) -> Key:
    """The status of an Application."""
    return Key(Kind.STATUS, "argocd", name)


def test_what_people_wait_for_does_not_count() -> None:
    """However much of it is under way."""
    flow = Flow(Budget(records=1, size=1, cosmetic=1))
    for rank in (Rank.INTENT, Rank.DELETION, Rank.PROJECT, Rank.SPEC):
        flow.sent(key(rank.name), rank, 1_000_000)
    assert flow.last() is Rank.COSMETIC


@pytest.mark.parametrize(
    ("rank", "count", "size", "last"),
    [
        (Rank.STATUS, 3, 10, Rank.COSMETIC),
        (Rank.STATUS, 4, 10, Rank.SPEC),
        (Rank.STATUS, 1, 100, Rank.SPEC),
        (Rank.COSMETIC, 1, 10, Rank.COSMETIC),
        (Rank.COSMETIC, 2, 10, Rank.STATUS),
        (Rank.COSMETIC, 4, 10, Rank.SPEC),
    ],
)
def test_each_limit(rank: Rank, count: int, size: int, last: Rank) -> None:
    """Time stamps stop first; then statuses; an answer to each makes room for all."""
    flow = Flow(Budget(records=4, size=100, cosmetic=2))
    for number in range(count):
        flow.sent(key(str(number)), rank, size)
    assert flow.last() is last
    for number in range(count):
        flow.answered(key(str(number)))
        flow.answered(key(str(number)))
    assert flow.last() is Rank.COSMETIC
    assert flow.statistics().records == flow.statistics().size == flow.statistics().cosmetic == 0


def test_the_end_of_a_link_makes_room() -> None:
    """What was under way is not any more."""
    flow = Flow(Budget(records=1))
    flow.sent(key("a"), Rank.STATUS, 5)
    assert (flow.last(), flow.statistics().waits) == (Rank.SPEC, 1)
    flow.clear()
    assert flow.last() is Rank.COSMETIC


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from([None, *Rank]), st.integers(0, 9))))
def test_what_is_counted_is_what_was_sent_last(steps: list[tuple[str, Rank | None, int]]) -> None:
    """A newer record of a key replaces the one before."""
    flow, plain = Flow(Budget()), dict[str, tuple[Rank, int]]()
    for name, rank, size in steps:
        plain.pop(name, None)
        if rank is None:
            flow.answered(key(name))
        else:
            flow.sent(key(name), rank, size)
            if rank >= Rank.STATUS:
                plain[name] = (rank, size)
    found = flow.statistics()
    assert (found.records, found.size) == (len(plain), sum(size for _, size in plain.values()))
    assert found.cosmetic == sum(rank is Rank.COSMETIC for rank, _ in plain.values())
