"""How often somebody may ask."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_argoagent.principal.rates import Rates, source


def test_a_burst_and_then_one_after_the_other() -> None:
    """So many at once; who waits as long as he is told gets one more."""
    rates = Rates(3, 10.0)
    assert [rates.take("a", 100.0) for _ in range(5)] == [0.0, 0.0, 0.0, 10.0, 10.0]
    assert rates.take("a", 109.0) == 1.0
    assert rates.take("a", 110.0) == 0.0
    assert rates.take("b", 110.0) == 0.0
    assert [rates.take("a", 200.0) for _ in range(4)] == [0.0, 0.0, 0.0, 10.0]


def test_what_is_given_back_does_not_count() -> None:
    """Nor can anybody give back what nobody has taken."""
    rates = Rates(1, 10.0)
    rates.give_back("a")
    for _ in range(5):
        assert rates.take("a", 0.0) == 0.0
        rates.give_back("a")
    assert [rates.take("a", 0.0), rates.take("a", 0.0)] == [0.0, 10.0]


def test_the_table_is_bounded() -> None:
    """Whoever has not asked for longest is forgotten; it shows if he still counted."""
    rates = Rates(1, 10.0, most=2)
    for key in ("a", "b", "c"):
        assert rates.take(key, 0.0) == 0.0
    assert len(rates) == 2 and rates.overflows == 1
    assert (rates.take("c", 0.0), rates.take("a", 0.0)) == (10.0, 0.0)
    assert rates.take("d", 50.0) == 0.0 and rates.overflows == 2  # "c" was long over; "b" was not.


@given(st.lists(st.floats(0, 5), min_size=1, max_size=60))
def test_never_more_than_that(steps: list[float]) -> None:
    """In any stretch of time, at most the burst and one for each interval."""
    rates, now, granted = Rates(3, 2.0), 0.0, list[float]()
    for step in steps:
        now += step
        if not rates.take("a", now):
            granted.append(now)
    for first, begin in enumerate(granted):
        for count, end in enumerate(granted[first:], 1):
            assert count <= 3 + (end - begin) / 2.0 + 1e-6


@pytest.mark.parametrize(
    ("address", "who"),
    [
        ("192.0.2.1:443", "192.0.2.1"),
        ("[2001:db8:1:2:3::4]:443", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2:ffff::1]:1", "2001:db8:1:2::/64"),
        ("[::ffff:192.0.2.1]:443", "192.0.2.1"),
        ("[fe80::1%eth0]:443", "fe80::/64"),
        ("", ""),
        ("pipe", ""),
    ],
)
def test_who_it_counts_for(address: str, who: str) -> None:
    """An IPv6 host has as many addresses as it likes; its network is what it is."""
    assert source(address) == who
