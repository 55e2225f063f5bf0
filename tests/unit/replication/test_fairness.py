"""Deficit round-robin: equal shares, no idle slot, nothing lost."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.replication.fairness import DEAREST, QUANTUM, WRITE, Fairness, Ticket

KB = 1024


def drain(core: Fairness) -> list[Ticket]:
    """Let the writes under way end one after the other, and say which come next."""
    order: list[Ticket] = []
    while core.statistics().running:
        core.done()
        order += core.admit()
    return order


def test_free_slots_need_no_turn() -> None:
    """Up to the number of slots everybody goes at once, whoever it is."""
    core = Fairness(slots=3)
    assert [core.ask("a", 10)[1] for _ in range(5)] == [True, True, True, False, False]
    assert core.admit() == []
    assert (core.statistics().running, core.statistics().waiting) == (3, 2)


def test_a_flooder_does_not_hold_up_the_quiet_one() -> None:
    """A hundred large writes wait; one of another agent is next but a turn."""
    core = Fairness(slots=1)
    core.ask("flood", 0)
    for _ in range(100):
        core.ask("flood", 30 * KB)
    core.ask("quiet", 1 * KB)
    order = [ticket.agent for ticket in drain(core)]
    assert order.index("quiet") <= 1
    assert len(order) == 101


def test_shares_are_of_bytes() -> None:
    """While both have writes waiting, small writes go more often than large ones, in proportion."""
    core = Fairness(slots=1)
    core.ask("x", 0)
    for _ in range(300):
        core.ask("small", 0)
    for _ in range(100):
        core.ask("large", 3 * WRITE)
    spent: Counter[str] = Counter()
    for ticket in drain(core)[:200]:
        spent[ticket.agent] += ticket.cost
    assert abs(spent["small"] - spent["large"]) <= 2 * QUANTUM


def test_a_write_dearer_than_a_turn_comes_all_the_same() -> None:
    """It is saved for; and its price is capped."""
    core = Fairness(slots=1)
    core.ask("x", 0)
    big, _ = core.ask("a", 50_000 * KB)
    assert big.cost == DEAREST
    for _ in range(1000):
        core.ask("b", 0)
    order = drain(core)
    assert order.index(big) <= DEAREST // WRITE


def test_savings_are_not_taken_along() -> None:
    """Who has nothing waiting starts afresh: no credit is hoarded while others wait."""
    core = Fairness(slots=1)
    core.ask("x", 0)
    waiting, _ = core.ask("a", 7 * QUANTUM)
    core.ask("b", 0)
    core.done()
    assert [ticket.agent for ticket in core.admit()] == ["b"]  # a has saved one quantum by now
    assert core.withdraw(waiting) and not core.withdraw(waiting)
    for _ in range(9):
        core.ask("a", 3 * WRITE)
        core.ask("b", 3 * WRITE)
    assert [ticket.agent for ticket in drain(core)][:4] == ["a", "b", "a", "b"]


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("ask"), st.integers(0, 4), st.integers(0, 400 * KB)),
            st.tuples(st.just("done"), st.just(0), st.just(0)),
            st.tuples(st.just("withdraw"), st.integers(0, 50), st.just(0)),
        ),
        max_size=120,
    ),
    st.integers(1, 5),
)
def test_the_laws(actions: list[tuple[str, int, int]], slots: int) -> None:
    """In any order of asking, ending and withdrawing no slot idles, an agent's order holds, none is lost."""
    core = Fairness(slots)
    waiting: list[Ticket] = []
    running = asked = 0
    for action, number, size in actions:
        if action == "ask":
            ticket, at_once = core.ask(str(number), size)
            asked += 1
            running += at_once
            waiting += [] if at_once else [ticket]
        elif action == "withdraw" and waiting:
            assert core.withdraw(waiting.pop(number % len(waiting)))
            asked -= 1
        elif action == "done" and running:
            core.done()
            running -= 1
            for ticket in core.admit():
                first = next(each for each in waiting if each.agent == ticket.agent)
                assert first is ticket
                waiting.remove(ticket)
                running += 1
        found = core.statistics()
        assert (found.running, found.waiting, found.admitted) == (running, len(waiting), asked - len(waiting))
        assert running <= slots and (running == slots or not waiting)
        assert found.agents == len({ticket.agent for ticket in waiting})
    assert len(drain(core)) == len(waiting)
