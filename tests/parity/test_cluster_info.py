"""What Argo CD's UI shows of the agents' clusters, read from the hub's Redis as argocd-server reads it."""

from __future__ import annotations

import gzip
from typing import Any

import msgspec

from trio_argoagent.model.identity import Mode
from trio_argoagent.redis.client import open_redis
from trio_argoagent.redis.protocol import argocache
from trio_argoagent.redis.protocol.argocache import ClusterInfo, Compression, Counts, State

from .play import play
from .stage import Side, Stage


def url(side: Side) -> str:
    """The server URL in the agent's cluster secret."""
    return f"https://argocd-agent-resource-proxy:9090?agentName={side.name}"


def info(side: Side) -> dict[str, Any]:
    """The ClusterInfo of an agent's cluster; empty: there is none."""
    data = side.stage.redis.peek(argocache.key(url(side), Compression.GZIP))
    return msgspec.json.decode(gzip.decompress(data)) if data is not None else {}


def state(side: Side) -> tuple[str, str]:
    """Status and message of the connection as the UI shows them, without what is on its way."""
    shown = info(side).get("connectionState") or {}
    return shown.get("status", ""), shown.get("message", "").partition(";")[0]


async def until_shown(side: Side, status: str, word: str) -> None:
    """Wait until the UI shows this connection state."""
    wanted = (status, f"Agent: '{side.name}' is {word} with principal")

    async def is_shown() -> bool:
        return state(side) == wanted

    await side.stage.until(is_shown)


async def connects_and_leaves(stage: Stage) -> None:
    """Connected, gone for longer than an entry lives, back: the UI shows it each time."""
    side = stage.side
    await until_shown(side, "Successful", "connected")
    began = info(side)["connectionState"]["attemptedAt"]
    side.cut()
    await until_shown(side, "Failed", "disconnected")
    side.heal()
    await until_shown(side, "Successful", "connected")
    assert info(side)["connectionState"]["attemptedAt"] >= began
    side.agent.crash()
    await until_shown(side, "Failed", "disconnected")
    side.agent.start()
    await until_shown(side, "Successful", "connected")


def test_cluster_info_managed() -> None:
    """Test_ClusterInfo_Managed: the connection's state follows the agent's link."""
    play(connects_and_leaves, mode=Mode.MANAGED)


def test_cluster_info_autonomous() -> None:
    """Test_ClusterInfo_Autonomous: likewise."""
    play(connects_and_leaves, mode=Mode.AUTONOMOUS)


async def counts(stage: Stage) -> None:
    """What the spoke's Argo CD counts, and how many Applications there are, follows."""
    side = stage.side
    await until_shown(side, "Successful", "connected")
    for applications, apis, resources in ((0, 40, 500), (2, 41, 730)):
        for number in range(applications):
            await side.create(f"app-{number}")
        there = ClusterInfo(State.SUCCESSFUL, "", "", Counts(0, apis, resources, "1.33"))
        async with open_redis(side.redis.server()) as connection:
            key = argocache.key(argocache.IN_CLUSTER, Compression.GZIP)
            await connection.set(key, argocache.dump(there, Compression.GZIP))
        wanted = (applications, {"apisCount": apis, "resourcesCount": resources}, "1.33")

        async def is_shown(wanted: tuple[Any, ...] = wanted) -> bool:
            shown = info(side)
            fields = ("applicationsCount", "cacheInfo", "serverVersion")
            return tuple(shown.get(field) for field in fields) == wanted

        await stage.until(is_shown)
    side.cut()
    await until_shown(side, "Failed", "disconnected")
    assert info(side)["applicationsCount"] == 2  # What was there is not forgotten with the link.


def test_cluster_cache_info() -> None:
    """Test_ClusterCacheInfo: Applications, APIs and resources of the spoke, on the hub."""
    play(counts)


def test_cluster_cache_info_autonomous() -> None:
    """argocd-agent counts on managed agents only; the UI shows autonomous ones just the same."""
    play(counts, mode=Mode.AUTONOMOUS)
