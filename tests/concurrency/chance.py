"""What makes a run repeatable: its time, its order of steps, and its chance are all arguments."""

from __future__ import annotations

import trio

from trio_argoagent.errors import LinkBroken
from trio_argoagent.testing.fleet import open_fleet
from trio_argoagent.testing.scheduling import simulate
from trio_argoagent.testing.spokes import SpokePlan

from ..unit.replication.links import KEEPALIVE, End, greet, session
from .links import EMPTY


async def silence_is_found_in_virtual_time() -> None:
    """A peer that is silent for two intervals is given up then: a minute that takes no time."""
    end = End()
    pair = await greet(EMPTY, end.workers.core.link_up())
    began = trio.current_time()
    with trio.fail_after(10 * KEEPALIVE):
        try:
            await session(pair.principal, end).run(EMPTY)
        except* LinkBroken:
            pass
    assert abs(trio.current_time() - began - 2 * KEEPALIVE) < 0.1


def _order(seed: int) -> list[int]:
    """In which order a crowd of tasks takes its first step."""
    order: list[int] = []

    async def step(number: int) -> None:
        order.append(number)

    async def crowd() -> None:
        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(step, number)

    simulate(crowd, seed=seed)
    return order


def seed_is_the_schedule() -> None:
    """The same seed takes the same steps in the same order; another one, another order."""
    assert _order(1) == _order(1)
    assert _order(1) != _order(2)


def _links(seed: int) -> list[float]:
    """When an agent is connected, if its link is cut again and again."""
    times: list[float] = []

    async def story() -> None:
        async with open_fleet([SpokePlan("east")], seed=seed) as fleet:
            for _ in range(3):
                await trio.sleep(60)
                fleet.network.cut("east")
                fleet.network.heal("east")
            await trio.sleep(60)
            times.extend(at for at, _, event in fleet.events if event.name == "link-up")

    simulate(story, seed=seed)
    return times


def seed_is_the_chance() -> None:
    """How late an agent dials again is chance; the same seed draws the same."""
    assert len(_links(1)) >= 8, "it has not been connected again"
    assert _links(1) == _links(1)
