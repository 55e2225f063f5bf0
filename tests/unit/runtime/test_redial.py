"""When to dial again: soon where it costs nobody anything, ever more rarely where it does, or as told."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.runtime.backoff import CAP, FIRST
from trio_argoagent.runtime.redial import MOST_TOLD, SHARE, SOONEST, Ended, Redial, Wait

SCRIPTS = st.lists(
    st.tuples(st.sampled_from(Ended), st.floats(0.0, 600.0), st.floats(0.0, 7200.0)), max_size=40
)
"""What comes of each attempt, how long it took, and what the principal says."""


@pytest.mark.parametrize(
    ("before", "how", "after", "wait"),
    [
        (Redial(), Ended.NOBODY, Redial(FIRST, 100.0), Wait(0.0, SOONEST)),
        (Redial(8.0, 97.0), Ended.NOBODY, Redial(8.0, 97.0), Wait(0.0, SOONEST)),
        (Redial(8.0, 60.0), Ended.NOBODY, Redial(8.0, 60.0), Wait(0.0, 10.0)),
        (Redial(8.0, -900.0), Ended.NOBODY, Redial(8.0, -900.0), Wait(0.0, CAP)),
        (Redial(), Ended.FAILED, Redial(4.0, 100.0), Wait(0.0, FIRST)),
        (Redial(16.0, 90.0), Ended.FAILED, Redial(CAP, 100.0), Wait(0.0, 16.0)),
        (Redial(CAP, 90.0), Ended.FAILED, Redial(CAP, 100.0), Wait(0.0, CAP)),
        (Redial(CAP, 20.0), Ended.LASTED, Redial(4.0, 100.0), Wait(0.0, FIRST)),
        (Redial(8.0, 20.0), Ended.TOLD, Redial(8.0, 100.0), Wait(7.0, FIRST)),
    ],
)
def test_cell(before: Redial, how: Ended, after: Redial, wait: Wait) -> None:
    """What is remembered, and the wait, at 100 s; the principal has said 7 s."""
    assert before.ended(how, 100.0, 7.0) == (after, wait)


@settings(deadline=None)
@given(SCRIPTS, st.integers(0, 1000))
def test_every_wait_is_within_its_bounds(script: list[tuple[Ended, float, float]], seed: int) -> None:
    """Never sooner than told, never later than the cap or the usual spread; never before it is due."""
    redial, chance, now = Redial(), Random(seed), 0.0
    for how, took, told in script:
        now += took
        redial, wait = redial.ended(how, now, told)
        drawn = wait.draw(chance)
        least = min(told, MOST_TOLD) if how is Ended.TOLD else 0.0
        assert least <= drawn <= least + (FIRST if how is Ended.TOLD else CAP)
        now += drawn


@settings(deadline=None)
@given(st.floats(0.0, 3000.0), st.integers(0, 1000))
def test_an_outage_is_made_longer_by_a_quarter_at_most(away: float, seed: int) -> None:
    """Or by a second; and never by more than the cap. However long it is, attempts are few."""
    chance, tries = Random(seed), 0
    redial, wait = Redial().ended(Ended.LASTED, 0.0)
    now = wait.draw(chance)
    while now < away:
        redial, wait = redial.ended(Ended.NOBODY, now)
        now += wait.draw(chance)
        tries += 1
    assert now <= max(FIRST, away + min(CAP, max(SOONEST, SHARE * away)))
    assert tries < 200 + away / 5


def test_links_that_die_at_once_become_rare() -> None:
    """The bound doubles up to the cap, also where nobody is there in between."""
    redial, spreads = Redial(), []
    for _ in range(6):
        redial, wait = redial.ended(Ended.FAILED, 0.0)
        spreads.append(wait.spread)
        redial, _ = redial.ended(Ended.NOBODY, 0.0)
    assert spreads == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_a_thousand_agents_come_back_spread() -> None:
    """Of those who lost their principal at once half come within a second, give or take."""
    _, wait = Redial(CAP).ended(Ended.LASTED, 0.0)
    first = [wait.draw(Random(number)) for number in range(1000)]
    assert 400 < sum(each < 1.0 for each in first) < 600
