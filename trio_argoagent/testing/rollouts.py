"""Processes of two times beside each other: an old principal and its successor, versions, certificates.

Troubles of ``chaos`` that take more than a rule for calls. Each undoes itself before it returns.
"""

from __future__ import annotations

import contextlib
from typing import Final

import trio

from trio_argoagent.agent import Agent
from trio_argoagent.principal import Principal
from trio_argoagent.runtime.config import PrincipalConfig
from trio_argoagent.testing.faults import Faults, FaultyCluster
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL
from trio_argoagent.testing.scheduling import make_env, stream
from trio_argoagent.testing.stage import Item, Stage
from trio_argoagent.testing.versions import Version

EXPIRED: Final = "the certificate has expired"
ROTATED: Final = "the certificate is of a CA that is not trusted any more"


# An old principal


async def stale_principal(stage: Stage, item: Item) -> None:
    """A principal that everybody holds for dead goes on with its view of then, beside its successor.

    Agents whose link breaks get to the successor; the others stay with the old one. What it sees of the hub
    comes ever later. In the end it dies, and so does the successor: the next one starts from nothing.
    """
    fleet, chance = stage.fleet, stage.chance(item)
    who = (PRINCIPAL, "successor", item.number)
    cluster = FaultyCluster(fleet.hub_as(PRINCIPAL), fleet.limbo, stream(fleet.seed, *who, "calls"))
    env, listener = make_env(fleet.seed, *who), fleet.network.listener()
    stage.doubled.update(list(fleet.spokes))
    try:
        with stage.rule(PRINCIPAL, Faults(stalls=1.0, stall=item.lasts * item.strength), chance):
            with trio.move_on_after(item.lasts):
                async with trio.open_nursery() as nursery:
                    successor = Principal(
                        PrincipalConfig(NAMESPACE), cluster=cluster, listener=listener, env=env
                    )
                    await nursery.start(_run, successor)
                    for agent in fleet.spokes:
                        if chance.random() < 0.6:
                            with stage.cut(agent):
                                await trio.sleep(chance.random())
    finally:
        with stage.crashed(PRINCIPAL):
            pass  # Nobody can dial it any more.


async def _run(principal: Principal, *, task_status: trio.TaskStatus[None]) -> None:
    await principal.run(task_status=task_status)


# Leaving in order


async def drained(stage: Stage, item: Item) -> None:
    """The principal asks an agent to go on over another connection."""
    principal = stage.fleet.principal.instance
    if principal is not None:
        principal.drain(item.target)
    await trio.lowlevel.checkpoint()


async def stopped(stage: Stage, item: Item) -> None:
    """A program is told to stop, takes leave, and comes back after a while."""
    program = stage.fleet.programs[item.target]
    with contextlib.ExitStack() as down:
        try:
            if isinstance(program.instance, Agent | Principal):
                await program.instance.stop()
        finally:
            # Also when the trouble ends amid the leave: whoever has been told to stop serves nobody.
            down.enter_context(stage.crashed(item.target))
        await trio.sleep(item.lasts)


# Certificates


async def expired(stage: Stage, item: Item) -> None:
    """An agent's certificate runs out amid a session, and it takes a while until it has another."""
    with stage.expired(item.target, EXPIRED):
        await trio.sleep(item.lasts)


async def rotated(stage: Stage, item: Item) -> None:
    """The principal trusts another CA from now on; each agent gets its certificate at a time of its own."""
    chance = stage.chance(item)
    async with trio.open_nursery() as nursery:
        for agent in stage.fleet.spokes:
            nursery.start_soon(_renewed, stage, agent, chance.uniform(0.0, item.lasts))


async def _renewed(stage: Stage, agent: str, after: float) -> None:
    with stage.expired(agent, ROTATED):
        await trio.sleep(after)


# Versions


async def other_version(stage: Stage, item: Item) -> None:
    """A program is replaced by one of the next version, or the last, and put back."""
    fleet = stage.fleet
    fleet.disguises[item.target] = Version.NEXT if item.strength < 0.5 else Version.LAST
    try:
        with stage.crashed(item.target):
            await trio.lowlevel.checkpoint()
        await trio.sleep(item.lasts)
    finally:
        fleet.disguises.pop(item.target, None)
        with stage.crashed(item.target):
            pass  # It starts again at once, as what it was.
