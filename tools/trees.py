"""The nursery trees that pages show: drawn from a fleet in virtual time, at moments of a link's life.

The fleet is the product over the simulator's HTTP/2 network, so everything is drawn as it runs but for the
listening socket, in whose place stands the simulator's ``WireListener``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

import trio

from trio_argoagent.agent.uplink import LinkState
from trio_argoagent.runtime.tasks import draw, grow
from trio_argoagent.testing.fleet import PRINCIPAL, Fleet, open_fleet
from trio_argoagent.testing.scheduling import simulate
from trio_argoagent.testing.spokes import SpokePlan

AGENT: Final = "east"
SEED: Final = 1
SETTLED: Final = 5.0
"""Seconds of virtual time after which a new link has nothing more to do that it does but once."""
LOOK: Final = 0.001
"""Seconds of virtual time between two looks for a moment that is soon over."""


@cache
def trees() -> Mapping[str, str]:
    """All of them, by name."""
    return simulate(_watch, seed=SEED)


async def _watch() -> Mapping[str, str]:
    async with open_fleet([SpokePlan(AGENT)], seed=SEED, level=2) as fleet:
        found = {}
        await _until(fleet, LinkState.LIVE)
        found["agent connected"], found["principal connected"] = _both()
        fleet.network.refuse(
            AGENT
        )  # So that the next link does not come before it can be seen that there is none.
        fleet.network.cut(AGENT)
        await _until(fleet, LinkState.WAITING)
        found["agent cut"], found["principal cut"] = _both()
        fleet.network.heal(AGENT)
        await _until(fleet, LinkState.LIVE)
        found["agent again"], found["principal again"] = _both()
        principal = fleet.principal.instance
        assert principal is not None
        principal.drain(AGENT)
        await fleet.until(lambda: "2 x Mooring.hold" in _drawn(AGENT), look=LOOK)
        found["agent moving"] = _drawn(AGENT)
        return found


async def _until(fleet: Fleet, state: LinkState) -> None:
    """Until the agent is there, and what belongs to getting there is over."""
    agent = fleet.agents[AGENT]
    await fleet.until(lambda: agent.instance is not None and agent.instance.status().link is state)
    await trio.sleep(SETTLED if state is LinkState.LIVE else 0.0)


def _both() -> tuple[str, str]:
    return _drawn(AGENT), _drawn(PRINCIPAL)


def _drawn(program: str) -> str:
    return draw(grow(_task(trio.lowlevel.current_root_task(), program)))


def _task(parent: trio.lowlevel.Task | None, name: str) -> trio.lowlevel.Task:
    assert parent is not None
    waiting = [parent]
    while waiting:
        task = waiting.pop()
        if task.name == name:
            return task
        waiting += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
    raise LookupError(f"there is no task {name}")
