"""Strikes fade, bans double, and what is remembered is bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_argoagent.principal import bans as module
from trio_argoagent.principal.bans import FADES, FIRST, FORGIVEN, LONGEST, Bans

STRIKES = 3
"""In a row: the third brings a ban."""
WHO = "east AB"


def ban(bans: Bans, now: float, who: str = WHO) -> float:
    """Misbehave until a ban begins; its seconds."""
    for _ in range(STRIKES):
        seconds = bans.strike(who, now)
        if seconds:
            return seconds
    raise AssertionError("no ban")


def test_the_third_strike() -> None:
    """Not the one before, though a moment has passed between them; the ban ends by itself, to the second."""
    bans = Bans()
    assert [bans.strike(WHO, moment) for moment in (3.0, 4.0, 5.0)] == [0.0, 0.0, FIRST]
    assert (bans.left(WHO, 5.0), bans.left(WHO, 14.0), bans.left(WHO, 15.0)) == (10.0, 1.0, 0.0)
    assert bans.left("west AB", 5.0) == 0.0


def test_strikes_fade() -> None:
    """One a minute does no harm, however long it goes on."""
    bans = Bans()
    assert not any(bans.strike(WHO, number * FADES) for number in range(1000))


def test_one_in_half_a_minute_does() -> None:
    """As an agent that breaks the protocol on each of its connections: it dials at most each half minute."""
    bans = Bans()
    assert any(bans.strike(WHO, number * 30.0) for number in range(5))


def test_bans_double() -> None:
    """Up to ten minutes, for whoever goes on right after each."""
    bans, now, told = Bans(), 0.0, []
    for _ in range(9):
        seconds = ban(bans, now)
        told.append(seconds)
        now += seconds + 1.0
    assert told == [10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 600.0, LONGEST, LONGEST]


def test_on_probation() -> None:
    """Whoever comes back has one strike less, for half a minute."""
    bans = Bans()
    ban(bans, 0.0)
    assert bans.strike(WHO, FIRST + 20.0) == 2 * FIRST
    later = Bans()
    ban(later, 0.0)
    assert later.strike(WHO, FIRST + 40.0) == 0.0


@pytest.mark.parametrize(("quiet", "next_one"), [(0.9, 80.0), (1.1, 40.0), (2.1, 20.0), (50.0, FIRST)])
def test_bans_are_forgiven(quiet: float, next_one: float) -> None:
    """A step for each ten minutes of peace after the last one's end."""
    bans = Bans()
    ban(bans, 0.0)
    ban(bans, 11.0)
    ban(bans, 32.0)
    assert ban(bans, 72.0 + quiet * FORGIVEN) == next_one


def test_who_is_out_gathers_no_strikes() -> None:
    """What is still under way of his connections makes nothing worse."""
    bans = Bans()
    ban(bans, 0.0)
    assert not any(bans.strike(WHO, 5.0) for _ in range(100))
    assert bans.left(WHO, 5.0) == 5.0


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one goes that has not misbehaved for longest."""
    monkeypatch.setattr(module, "MOST", 3)
    bans = Bans()
    ban(bans, 0.0, "a")
    for who in ("b", "c"):
        bans.strike(who, 1.0)
    bans.strike("b", 2.0)
    bans.strike("d", 3.0)
    assert bans.dropped == 1
    assert bans.left("a", 3.0) == 0.0
    assert [bans.strikes(who, 3.0) > 0 for who in "bcd"] == [True] * 3


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0.0, 100.0)), max_size=60))
def test_nobody_is_banned_for_another(steps: list[tuple[str, float]]) -> None:
    """What one does changes nothing for the other."""
    both, alone, now = Bans(), Bans(), 0.0
    for who, pause in steps:
        now += pause
        told = both.strike(who, now)
        if who == "a":
            assert told == alone.strike(who, now)
        assert both.left("a", now) == alone.left("a", now)
        assert 0.0 <= both.left(who, now) <= LONGEST
