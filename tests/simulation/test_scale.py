"""A fleet costs by its Applications, not by its agents times its agents. Counts, never times.

A hundred agents are a matter of minutes: ``bench scale`` plays them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import FrameType

import attrs
import pytest
import trio

from trio_argoagent.testing.fleet import PRINCIPAL, open_fleet
from trio_argoagent.testing.proofs import proven
from trio_argoagent.testing.scheduling import simulate, steps_taken
from trio_argoagent.testing.storms import create, spokes

APPS = 3
"""Of each agent."""
BACK = 10.0
"""Seconds within which all agents are in step with a principal that has started again."""
SLACK = 1.25
"""By how much more one Application may cost in the large fleet than in the small one."""


@attrs.frozen
class Cost:
    """What a fleet took until everything was Synced and Healthy on both sides."""

    seconds: float
    steps: float
    writes: float
    sent: float

    def per_app(self, agents: int) -> tuple[float, float, float]:
        """Steps of tasks, API writes and bytes, by Application."""
        count = agents * APPS
        return self.steps / count, self.writes / count, self.sent / count


@cache
def cost(agents: int, level: int) -> Cost:
    """Play a fleet of so many agents."""

    async def main() -> Cost:
        async with open_fleet(spokes(agents), seed=1, level=level) as fleet:
            await create(fleet, APPS)
            await fleet.wait_synced()
            writes = sum(len(server.log) for server, _ in fleet.clusters())
            return Cost(trio.current_time(), steps_taken(), writes, fleet.network.total.bytes_sent)

    return simulate(main, seed=1)


@pytest.fixture(params=[1, 2])
def level(request: pytest.FixtureRequest) -> Iterator[int]:
    """Both networks."""
    yield request.param


def test_a_large_fleet_converges_as_soon_as_a_small_one(level: int) -> None:
    """Agents do not wait for each other."""
    assert cost(20, level).seconds <= 2 * cost(5, level).seconds
    assert cost(20, level).seconds < 60.0


def test_an_application_costs_the_same_in_a_large_fleet(level: int) -> None:
    """Steps, writes and bytes for each are within a quarter of what they are in a fleet a fourth as large."""
    small, large = cost(5, level).per_app(5), cost(20, level).per_app(20)
    assert all(most <= SLACK * least for least, most in zip(small, large, strict=True)), (small, large)


@contextmanager
def counted_calls() -> Iterator[list[int]]:
    """How many functions are called within the block, in one cell."""
    found = [0]

    def note(frame: FrameType, event: str, what: object) -> None:
        found[0] += event == "call"

    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(None)


@cache
def restart(agents: int) -> float:
    """Functions called for each Application while the principal starts again, and its agents come back."""

    async def main() -> float:
        async with open_fleet(spokes(agents), seed=1) as fleet:
            await create(fleet, APPS)
            await fleet.wait_synced()
            fleet.kill(PRINCIPAL)
            with counted_calls() as calls:
                fleet.start(PRINCIPAL)
                await trio.sleep(BACK)
            assert proven(fleet)
            return calls[0] / (agents * APPS)

    return simulate(main, seed=1)


def test_a_restart_costs_an_application_the_same_in_a_large_fleet() -> None:
    """No agent looks at the Applications of all the others when the principal starts."""
    assert restart(20) <= SLACK * restart(5)
