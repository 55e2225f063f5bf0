"""When an agent renews its certificate: every cell."""

from __future__ import annotations

import itertools
import random

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_argoagent.agent.renewing import (
    BACKOFF,
    DAY,
    DENIED_WAIT,
    THRESHOLDS,
    TRANSITIONS,
    Outcome,
    Renewing,
    State,
    Validity,
)

NEVER = float("inf")


@attrs.frozen
class Fixed:
    """Chance that always says the same part of what is possible."""

    part: float

    def random(self) -> float:
        """See ``Random``."""
        return self.part

    def uniform(self, a: float, b: float) -> float:
        """See ``Random``."""
        return a + (b - a) * self.part


@pytest.mark.parametrize("life", [3600.0, 7 * DAY, 90 * DAY, 180 * DAY])
def test_two_thirds_of_a_life(life: float) -> None:
    """A tenth of that earlier or later; never so late that nothing is left to try again in."""
    validity = Validity(1000.0, 1000.0 + life)
    parts = [(Renewing.of(validity, Fixed(part)).due - 1000.0) / life for part in (0.0, 0.5, 1.0)]
    assert parts == pytest.approx([0.6, 2 / 3, 0.7333], abs=1e-3)


S, OUT = State, Outcome
CELLS = {
    (S.FRESH, OUT.FAILED): (S.RETRYING, True),
    (S.FRESH, OUT.NOT_ISSUING): (S.OFF, True),
    (S.FRESH, OUT.REFUSED): (S.DENIED, True),
    (S.RETRYING, OUT.FAILED): (S.RETRYING, True),
    (S.RETRYING, OUT.NOT_ISSUING): (S.OFF, True),
    (S.RETRYING, OUT.REFUSED): (S.DENIED, True),
    (S.OFF, OUT.FAILED): (S.RETRYING, True),
    (S.OFF, OUT.NOT_ISSUING): (S.OFF, False),
    (S.OFF, OUT.REFUSED): (S.DENIED, True),
    (S.DENIED, OUT.FAILED): (S.RETRYING, True),
    (S.DENIED, OUT.NOT_ISSUING): (S.OFF, True),
    (S.DENIED, OUT.REFUSED): (S.DENIED, False),
}


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell[0].value}-{cell[1].value}")
def test_every_cell(cell: tuple[State, Outcome]) -> None:
    """Where it leads, who hears of it, and how long it is waited: never less than the hub wants."""
    state, outcome = cell
    least = {OUT.FAILED: 30.0, OUT.NOT_ISSUING: DAY, OUT.REFUSED: DENIED_WAIT}[outcome]
    for part, told in itertools.product((0.0, 1.0), (0.0, 7200.0)):
        after, tells = Renewing(0.0, state).ended(outcome, 500.0, Fixed(part), told=told)
        assert (after.state, tells) == CELLS[cell]
        assert max(least, told) <= after.due - 500.0 <= max(2 * least, told) + 0.1 * DAY
    assert set(TRANSITIONS) == set(CELLS) == set(itertools.product(State, Outcome))


def test_the_waits_grow_and_begin_anew() -> None:
    """From a minute to an hour; whatever else happens in between, the next failure is the first."""
    plan, waits = Renewing(0.0), []
    for _ in range(9):
        plan, _ = plan.ended(OUT.FAILED, 0.0, Fixed(1.0))
        waits.append(plan.due)
    assert waits == [60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 3600.0, 3600.0, 3600.0]
    plan, _ = plan.ended(OUT.REFUSED, 0.0, Fixed(0.0))
    assert plan.bound == BACKOFF[0]


@pytest.mark.parametrize(
    ("life", "passed"),
    [
        (3600.0, []),
        (4 * DAY, [DAY]),
        (7 * DAY, [DAY]),
        (28 * DAY, [7 * DAY, DAY]),
        (90 * DAY, [7 * DAY, DAY]),
        (180 * DAY, list(THRESHOLDS)),
    ],
)
def test_what_is_warned_of(life: float, passed: list[float]) -> None:
    """A month, a week, a day, as far as that is not most of its life; and then that it is over."""
    validity = Validity(0.0, life)
    assert validity.threshold(0.0) == NEVER
    assert [each for each in THRESHOLDS if validity.threshold(life - each) == each] == passed
    assert [each for each in passed if validity.threshold(life - each - 1.0) == each] == []
    assert validity.threshold(life) == 0.0 and validity.threshold(life - 0.5) != 0.0


@given(st.lists(st.sampled_from(Outcome), max_size=30), st.integers(0, 1000))
def test_whatever_happens(outcomes: list[Outcome], seed: int) -> None:
    """It is tried again, within a minute at the earliest and some 26 hours at the latest."""
    plan, now, chance = Renewing(0.0), 0.0, random.Random(seed)
    for outcome in outcomes:
        plan, _ = plan.ended(outcome, now, chance)
        assert 30.0 <= plan.due - now <= 1.1 * DAY
        now = plan.due
