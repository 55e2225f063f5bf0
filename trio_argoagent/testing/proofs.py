"""Do the programs of a fleet know that both sides agree? Of a thousand agents that is soon asked."""

from __future__ import annotations

from typing import Final

import trio

from trio_argoagent.agent import Agent
from trio_argoagent.principal import Principal
from trio_argoagent.testing.fleet import POLL, Fleet

LOOK: Final = 0.1
"""Seconds between two looks at what the programs know."""


def proven(fleet: Fleet) -> bool:
    """Does every program know of every agent that the other side holds all that it should?

    They may not have seen the newest yet: ``Fleet.differences`` compares.
    """
    principal = fleet.principal.instance
    return isinstance(principal, Principal) and all(
        isinstance(agent := program.instance, Agent)
        and agent.spoke.outlet.core.proven
        and (peer := principal.peers.get(name)) is not None
        and peer.link is not None
        and peer.outlet.core.proven
        for name, program in fleet.agents.items()
    )


async def wait_proven(fleet: Fleet, timeout: float = 300.0) -> float:
    """Wait until every program knows that both sides agree, and they do; returns how many seconds it took.

    All objects are compared only once the programs say that it is worth it.

    Raises:
        AssertionError: it is not so after ``timeout`` seconds.
    """
    began = trio.current_time()
    while not (told := proven(fleet)) or fleet.limbo.requests or fleet.differences():
        if trio.current_time() >= began + timeout:
            fleet.assert_consistent()
            raise AssertionError(f"seed {fleet.seed}, after {timeout:g} s: a program does not know it yet")
        await trio.sleep(POLL if told else LOOK)
    return trio.current_time() - began
