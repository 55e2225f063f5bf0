"""A link whose other end has gone without a word: both sides find out in time, whatever the network is."""

from __future__ import annotations

import pytest
import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.runtime.backoff import FIRST
from trio_argoagent.runtime.config import KEEPALIVE
from trio_argoagent.testing.fleet import PRINCIPAL, Fleet, SpokePlan, open_fleet
from trio_argoagent.testing.scheduling import simulate

PLANS = (SpokePlan("m1"), SpokePlan("a1", Mode.AUTONOMOUS))


def reported(fleet: Fleet, program: str, name: str, since: float) -> list[float]:
    """When this program has told this since then."""
    return [at for at, who, event in fleet.events if (who, event.name) == (program, name) and at >= since]


@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize(("up", "down"), [(True, True), (True, False), (False, True)])
def test_a_half_open_link_is_found_out(level: int, up: bool, down: bool) -> None:
    """Not before silence has lasted, not after two intervals of it; the next link comes at once."""

    async def main() -> None:
        async with open_fleet(PLANS, seed=4, level=level) as fleet:
            await trio.sleep(100.0)
            began = trio.current_time()
            for agent in fleet.spokes:
                fleet.half_open(agent, up=up, down=down)
            await trio.sleep(5 * KEEPALIVE)
            for agent in fleet.spokes:
                # Who still hears the other side say that it hears nothing takes that for the end.
                broken = reported(fleet, agent, "link-broken", began)
                (found,) = broken or reported(fleet, agent, "link-ended", began)
                assert 0.5 * KEEPALIVE < found - began <= 3 * KEEPALIVE
                (again,) = reported(fleet, agent, "link-up", began)
                assert again - found <= FIRST + 0.1
                assert fleet.network.links(agent) == 1
            assert len(reported(fleet, PRINCIPAL, "link-down", began)) == len(PLANS)

    simulate(main, seed=4)


@pytest.mark.parametrize("level", [1, 2])
def test_a_quiet_link_stays(level: int) -> None:
    """For an hour in which nobody has anything to say."""

    async def main() -> None:
        async with open_fleet(PLANS, seed=4, level=level) as fleet:
            await trio.sleep(3600.0)
            assert not reported(fleet, PRINCIPAL, "link-down", 0.0)
            for agent in fleet.spokes:
                assert len(reported(fleet, agent, "link-up", 0.0)) == 1

    simulate(main, seed=4)
