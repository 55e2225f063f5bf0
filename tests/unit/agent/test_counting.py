"""What an agent says of its cluster's size."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from trio.testing import MockClock

from trio_argoagent.agent.counting import Counting
from trio_argoagent.agent.spoke import Spoke
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Kind
from trio_argoagent.model.resources import APPLICATIONS, NAMESPACES
from trio_argoagent.redis.client import open_redis
from trio_argoagent.redis.protocol import argocache
from trio_argoagent.redis.protocol.argocache import ClusterInfo, Compression, Counts, State
from trio_argoagent.runtime.config import AgentConfig
from trio_argoagent.stream.protocol import messages
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.redisfake import FakeRedis

from ..principal.hub import make_env

KEY = argocache.key(argocache.IN_CLUSTER, Compression.GZIP)


@asynccontextmanager
async def counting(redis: FakeRedis | None) -> AsyncIterator[tuple[Counting, LocalCluster, list[str]]]:
    """At work, with a look every ten seconds; and the cluster, and the log."""
    env = make_env()
    cluster = LocalCluster(argocd_server(entropy=env.entropy), env=env, actor="test")
    await cluster.create(
        NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}}
    )
    spoke, log = Spoke(cluster, AgentConfig("argocd", Mode.MANAGED), env, lambda name: None), list[str]()
    server = redis.server() if redis is not None else None
    counts = Counting(spoke, server, 10.0, env.random, lambda name, text, level: log.append(name))
    async with trio.open_nursery() as nursery:
        if redis is not None:
            nursery.start_soon(redis.run)
        await nursery.start(spoke.stores[Kind.APPLICATION].informer.run)
        nursery.start_soon(counts.run)
        await trio.sleep(0.1)
        yield counts, cluster, log
        nursery.cancel_scope.cancel()


async def count(redis: FakeRedis, counts: Counts) -> None:
    """The application-controller writes this."""
    info = ClusterInfo(State.SUCCESSFUL, "", "", counts)
    async with open_redis(redis.server()) as connection:
        await connection.set(KEY, argocache.dump(info, Compression.GZIP), expire=argocache.LIFETIME)


async def test_applications_without_redis(autojump_clock: MockClock) -> None:
    """They are counted every ten seconds: a burst is one change."""
    async with counting(None) as (counts, cluster, _):
        assert counts.info() == messages.ClusterInfo(0)
        for number in range(5):
            await cluster.create(APPLICATIONS, application(f"app-{number}", namespace="argocd"))
            await trio.sleep(1)
        assert counts.info() == messages.ClusterInfo(0)
        await trio.sleep(10)
        assert counts.info() == messages.ClusterInfo(5)


async def test_what_argocd_has_counted(autojump_clock: MockClock) -> None:
    """It is told as soon as it is seen, stays when Redis goes, and whatever else is there is no news."""
    redis = FakeRedis()
    async with counting(redis) as (counts, _, log):
        await count(redis, Counts(99, 40, 500, "1.33"))
        await trio.sleep(20)
        wanted = messages.ClusterInfo(0, 40, 500, "1.33")  # The Applications are those of the API server.
        assert counts.info() == wanted
        async with open_redis(redis.server()) as connection:
            await connection.set(KEY, b"\xff")
        await trio.sleep(20)
        assert counts.info() == wanted
        redis.off()
        await trio.sleep(120)
        assert (counts.info(), log) == (wanted, ["redis-lost"])
        redis.on()
        await count(redis, Counts(0, 41, 501))
        await trio.sleep(60)
        assert (counts.info(), log) == (messages.ClusterInfo(0, 41, 501), ["redis-lost", "redis-found"])
