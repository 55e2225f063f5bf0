"""Fleets whose clusters have a Redis: trouble with it is no trouble for anything else."""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.principal.status import PeerStatus
from trio_argoagent.redis.protocol import argocache
from trio_argoagent.redis.protocol.argocache import Compression
from trio_argoagent.testing import Fleet, SpokePlan, application, automated, open_fleet, simulate

PLANS = [SpokePlan("east"), SpokePlan("edge", Mode.AUTONOMOUS)]


def play(story: Callable[[Fleet], Awaitable[None]], *, redis: bool = True, level: int = 1) -> Fleet:
    """Run a story with a managed and an autonomous agent, each with an Application."""
    made: list[Fleet] = []

    async def main() -> None:
        async with open_fleet(PLANS, seed=1, redis=redis, level=level) as fleet:
            made.append(fleet)
            await fleet.apply(application("web", namespace="east", syncPolicy=automated()))
            await fleet.apply(application("web", syncPolicy=automated()), "edge")
            await fleet.wait_synced()
            await story(fleet)

    simulate(main, seed=1)
    return made[0]


def info(fleet: Fleet, agent: str) -> dict[str, Any]:
    """What the UI shows of an agent's cluster; empty: nothing."""
    url = f"https://argocd-agent-resource-proxy:9090?agentName={agent}"
    data = fleet.redis["hub"].peek(argocache.key(url, Compression.GZIP))
    return msgspec.json.decode(gzip.decompress(data)) if data is not None else {}


def peer(fleet: Fleet) -> PeerStatus:
    """What the principal knows of the managed agent."""
    assert fleet.principal.instance is not None
    return next(each for each in fleet.principal.instance.status() if each.name == "east")


def is_shown(fleet: Fleet, agent: str, status: str, applications: int) -> Callable[[], bool]:
    """Does the UI show this?"""

    def shown() -> bool:
        found = info(fleet, agent)
        state = (found.get("connectionState") or {}).get("status")
        return (state, found.get("applicationsCount")) == (status, applications)

    return shown


def test_what_the_ui_shows_survives_every_program() -> None:
    """Principal, agents and Redis are killed in turn; each time the UI shows how it is, soon after."""

    async def story(fleet: Fleet) -> None:
        for agent in ("east", "edge"):
            await fleet.until(is_shown(fleet, agent, "Successful", 1))
        fleet.crash("principal")
        fleet.redis["hub"].off()
        fleet.crash("edge")
        await fleet.apply(application("more", namespace="east", syncPolicy=automated()))
        fleet.redis["hub"].on()
        fleet.start("principal")
        await fleet.until(is_shown(fleet, "east", "Successful", 2))
        await fleet.until(is_shown(fleet, "edge", "Failed", 0))
        fleet.start("edge")
        await fleet.until(is_shown(fleet, "edge", "Successful", 1))

    play(story)


def test_s857_what_the_ui_shows() -> None:
    """Report 857: the end of an old link, noticed after the next one was up, made the UI show Failed.

    A naive principal writes the state that each event means, in the order in which events come. Here the old
    link is dead in one direction: the principal takes it for a live one when the agent's next link comes.
    """

    async def story(fleet: Fleet) -> None:
        await fleet.until(is_shown(fleet, "east", "Successful", 1))
        links = peer(fleet).links
        fleet.half_open("east", up=False, down=True)
        await trio.sleep(45)
        fleet.half_open("east", up=True, down=True)
        await fleet.until(lambda: peer(fleet).links > links)
        for _ in range(60):
            assert peer(fleet).connected
            assert is_shown(fleet, "east", "Successful", 1)()
            await trio.sleep(30)

    play(story)


def test_without_redis_nothing_is_slower() -> None:
    """With every Redis away, objects are as soon in step as without any configured."""
    took: dict[bool, float] = {}

    async def story(fleet: Fleet) -> None:
        for redis in fleet.redis.values():
            redis.off()
        fleet.crash("principal")
        fleet.start("principal")
        await fleet.apply(application("late", namespace="east", syncPolicy=automated()))
        took[bool(fleet.redis)] = await fleet.wait_synced()
        if fleet.redis:
            lost = [event for _, program, event in fleet.events if event.name == "redis-lost"]
            assert len(lost) <= 2 * len(fleet.redis)

    for redis in (True, False):
        play(story, redis=redis)
    assert took[True] <= took[False] + 2


def test_over_http2_too() -> None:
    """The agent's word for what it holds crosses a real wire."""

    async def story(fleet: Fleet) -> None:
        await fleet.until(is_shown(fleet, "edge", "Successful", 1))

    play(story, level=2)


def test_the_same_seed_is_the_same_run() -> None:
    """Redis' connections draw nothing and order nothing by chance."""

    async def story(fleet: Fleet) -> None:
        fleet.redis["hub"].off()
        await fleet.until(lambda: any(event.name == "redis-lost" for _, _, event in fleet.events))
        fleet.redis["hub"].on()
        await fleet.until(is_shown(fleet, "east", "Successful", 1))

    first, second = (play(story) for _ in range(2))
    assert list(first.events) == list(second.events)
    assert first.redis["hub"].commands == second.redis["hub"].commands
