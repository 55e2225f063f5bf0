"""People and pipelines at work while a timeline goes on: whom and what they touch follows from the seed."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import trio

from trio_argoagent.testing.fleet import NAMESPACE, Fleet
from trio_argoagent.testing.scenario.doing import ARGOCD_SERVER
from trio_argoagent.testing.scenario.values import Users
from trio_argoagent.testing.scheduling import stream
from trio_argoagent.testing.workload import Site, Workload


async def work(fleet: Fleet, users: Users, told: Callable[[str, str], None]) -> None:
    """Act for as long as these users do; in the end nobody waits for a project that is not there.

    Args:
        fleet: on which.
        users: who.
        told: of each action: the agent whose objects it is about, and what it is.
    """
    chance = stream(fleet.seed, "users")
    async with trio.open_nursery() as nursery:
        with trio.move_on_after(users.seconds):
            for number in itertools.count():
                await trio.sleep(chance.expovariate(1 / users.pace))
                kind, agent = chance.choice(users.actions), chance.choice(list(fleet.spokes))
                told(agent, kind)
                nursery.start_soon(_user(fleet, agent, number, users).act, kind)
    for agent in fleet.spokes:
        await _user(fleet, agent, -1, users).settle()


def _user(fleet: Fleet, agent: str, number: int, users: Users) -> Workload:
    """One action draws from a stream of its own, as in ``trial``."""
    spoke = fleet.spokes[agent]
    site = Site(agent, spoke.plan.mode, fleet.spoke_as(agent, "spoke-user"), NAMESPACE, spoke.world)
    chance = stream(fleet.seed, "user", agent, number)
    return Workload(fleet.hub_as(ARGOCD_SERVER), NAMESPACE, (site,), chance, fleet.env, users.apps)
