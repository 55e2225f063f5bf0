"""When to look again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trio_argoagent.principal.alarms import Alarms

A, B = ("m1", "a"), ("m1", "b")


def test_each_name_has_one_alarm() -> None:
    """The last that was set counts; what was taken is over."""
    alarms = Alarms()
    alarms.set(A, 5.0)
    alarms.set(B, 3.0)
    alarms.set(A, 7.0)
    assert alarms.next() == 3.0
    assert alarms.take(6.0) == [B]
    assert alarms.take(7.0) == [A]
    assert alarms.next() is None


def test_what_is_cleared_does_not_ring() -> None:
    """Also when it is set again for another time."""
    alarms = Alarms()
    alarms.set(A, 5.0)
    alarms.clear(A)
    alarms.clear(B)
    assert alarms.next() is None
    alarms.set(A, 9.0)
    assert alarms.take(8.0) == []
    assert alarms.take(9.0) == [A]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.one_of(st.none(), st.integers(0, 9)))))
def test_they_agree_with_a_plain_map(steps: list[tuple[str, int | None]]) -> None:
    """Whatever is set and cleared."""
    alarms, plain = Alarms(), {}
    for name, at in steps:
        if at is None:
            alarms.clear(("m1", name))
            plain.pop(("m1", name), None)
        else:
            alarms.set(("m1", name), float(at))
            plain["m1", name] = float(at)
    assert alarms.next() == min(plain.values(), default=None)
    assert sorted(alarms.take(5.0)) == sorted(name for name, at in plain.items() if at <= 5.0)
