"""When to dial again: bounded, growing, spread, and never before what was asked for."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.runtime.backoff import CAP, FIRST, Backoff


class Extreme:
    """Randomness that always draws the most, and remembers the bounds it was given."""

    def __init__(self) -> None:
        self.bounds: list[tuple[float, float]] = []

    def random(self) -> float:
        """See ``ports.env.Random``."""
        return 1.0

    def uniform(self, a: float, b: float) -> float:
        """See ``ports.env.Random``."""
        self.bounds.append((a, b))
        return b


@settings(deadline=None)
@given(
    seed=st.integers(0, 1000),
    script=st.lists(st.one_of(st.none(), st.floats(0.0, 3600.0)), max_size=40),
)
def test_every_wait_is_within_its_bound(seed: int, script: list[float | None]) -> None:
    """After n failures a wait is at most 2 s doubled n times, at most 30 s, on top of what was asked."""
    backoff, bound = Backoff(Random(seed)), FIRST
    for asked in script:
        if asked is None:
            backoff.succeeded()
            bound = FIRST
        else:
            assert asked <= backoff.next_wait(asked) <= asked + bound
            bound = min(CAP, 2 * bound)


def test_the_bound_doubles_up_to_the_cap_and_starts_anew() -> None:
    """Full jitter: each wait is drawn from zero to its bound."""
    chance = Extreme()
    backoff = Backoff(chance)
    assert [backoff.next_wait() for _ in range(6)] == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    backoff.succeeded()
    assert backoff.next_wait() == 2.0
    assert {a for a, _ in chance.bounds} == {0.0}


def test_a_thousand_agents_come_back_spread() -> None:
    """A second's share of those who lost their principal at once is half of them, give or take."""
    first = [Backoff(Random(number)).next_wait() for number in range(1000)]
    assert 400 < sum(wait < 1.0 for wait in first) < 600
