"""How an agent's connection gets where Argo CD's UI looks, and what is not written there."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import msgspec
import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.kube.informer import Informer
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import NAMESPACES, SECRETS
from trio_argoagent.principal import clusters
from trio_argoagent.principal.clusterinfo import (
    GRACE,
    LOOK,
    RENEWAL,
    ClusterInfos,
    Sight,
    Standing,
    shown,
)
from trio_argoagent.redis.client import open_redis
from trio_argoagent.redis.protocol import argocache
from trio_argoagent.redis.protocol.argocache import ClusterInfo, Compression, Counts, State
from trio_argoagent.stream.protocol import messages
from trio_argoagent.testing.redisfake import FakeRedis

from .hub import make_env

URL = "https://proxy:9090?agentName=edge"
KEY = argocache.key(URL, Compression.GZIP)
UP = Sight(True, 1)


@attrs.define
class World:
    """A hub's API and Redis, and what the peer of ``edge`` shows."""

    cluster: LocalCluster
    redis: FakeRedis = attrs.field(factory=FakeRedis)
    sight: Sight | None = None
    lines: list[tuple[str, ...]] = attrs.field(factory=list)
    secrets: Informer = attrs.field(init=False)
    infos: ClusterInfos = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        redis, env = self.redis.server(), make_env()
        self.secrets = Informer(
            self.cluster, SECRETS, "argocd", selector=clusters.SELECTOR, env=env, transform=clusters.lean
        )
        self.infos = ClusterInfos(self.secrets, redis, lambda agent: self.sight, env, self.tell)

    def tell(self, *line: str) -> None:
        """One line of the log."""
        self.lines.append(line)

    async def register(self) -> None:
        """Make the cluster secret of ``edge``."""
        await self.cluster.create(SECRETS, clusters.make_secret("edge", "argocd", "proxy:9090"))

    async def show(self, sight: Sight | None) -> None:
        """The peer shows this from now on, and says that something has changed."""
        self.sight = sight
        self.infos.look()
        await trio.sleep(0.1)

    @property
    def info(self) -> dict[str, Any]:
        """What argocd-server reads; empty: nothing."""
        data = self.redis.peek(KEY)
        return msgspec.json.decode(gzip.decompress(data)) if data is not None else {}

    @property
    def status(self) -> str:
        """Of the connection."""
        return str((self.info.get("connectionState") or {}).get("status", ""))

    @property
    def writes(self) -> int:
        """How often something was written."""
        return self.redis.commands.get("SET", 0)


@asynccontextmanager
async def open_world(*, registered: bool = True) -> AsyncIterator[World]:
    """All of it at work."""
    server = ApiServer(entropy=make_env().entropy)
    world = World(LocalCluster(server, env=make_env(), actor="test"))
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}}
    await world.cluster.create(NAMESPACES, namespace)
    if registered:
        await world.register()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.redis.run)
        await nursery.start(world.secrets.run)
        nursery.start_soon(world.infos.run)
        await trio.sleep(0.1)
        yield world
        nursery.cancel_scope.cancel()


async def test_it_follows_the_link(autojump_clock: MockClock) -> None:
    """At once, with the time since when it is so, and again only when something has changed."""
    async with open_world() as world:
        assert world.info == {}  # It may be about to come back: nobody is called away in the first seconds.
        await world.show(UP)
        assert world.status == "Successful"
        since = world.info["connectionState"]["attemptedAt"]
        await trio.sleep(30)
        assert (world.writes, world.info["connectionState"]["attemptedAt"]) == (1, since)
        await world.show(Sight(False, 1))
        assert world.status == "Failed"
        assert world.info["connectionState"]["attemptedAt"] > since
        await world.show(Sight(True, 2))
        assert (world.status, world.writes) == ("Successful", 3)


async def test_s857_the_end_of_an_old_link_says_nothing(autojump_clock: MockClock) -> None:
    """Report 857: an agent is back before the end of its old link is noticed, and then that end is told.

    Naive: each event writes its own state, and the last to be heard wins: Failed, for hours. Here whatever is
    heard only makes us look, and the link that lives is what is seen.
    """
    async with open_world() as world:
        await world.show(UP)
        await world.show(Sight(True, 2))
        assert world.status == "Successful"
        for _ in range(3):
            world.infos.look()  # The late news of the first link.
            await trio.sleep(1)
            assert world.status == "Successful"
        await trio.sleep(10 * RENEWAL)
        assert world.status == "Successful"


async def test_s857_while_the_write_was_on_its_way(autojump_clock: MockClock) -> None:
    """What is sent is what is seen then, although something was read from Redis in between."""
    async with open_world() as world:
        reads = world.redis.commands.get("GET", 0)
        world.sight = Sight(False, 1)
        world.infos.look()
        while world.redis.commands.get("GET", 0) == reads:
            await trio.lowlevel.checkpoint()
        world.sight = Sight(True, 2)
        await trio.sleep(0.1)
        assert world.status == "Successful"


async def test_an_agent_that_never_comes(autojump_clock: MockClock) -> None:
    """Once it could have been back it is said to be away, with what its predecessor's principal counted."""
    async with open_world(registered=False) as world:
        before = ClusterInfo(State.SUCCESSFUL, "", "2026-01-01T00:00:00Z", Counts(7, 40, 500))
        async with open_redis(world.redis.server()) as connection:
            await connection.set(KEY, argocache.dump(before, Compression.GZIP))
        await world.register()
        await trio.sleep(GRACE - LOOK)
        assert world.status == "Successful"
        await trio.sleep(2 * LOOK)
        assert (world.status, world.info["applicationsCount"]) == ("Failed", 7)


async def test_what_is_counted(autojump_clock: MockClock) -> None:
    """The agent's own counts go on when its link does not; how much is on its way is told while it is."""
    async with open_world() as world:
        counted = messages.ClusterInfo(3, 40, 500, "1.33", "2026-01-01T00:00:00Z")
        await world.show(Sight(True, 1, counted, waiting=4))
        assert world.info["cacheInfo"] == {
            "apisCount": 40, "resourcesCount": 500, "lastCacheSyncTime": "2026-01-01T00:00:00Z"
        }  # fmt: skip
        assert world.info["connectionState"]["message"].endswith("; 4 changes are on their way to it")
        await world.show(Sight(False, 1, counted))
        assert (world.info["applicationsCount"], world.info["serverVersion"]) == (3, "1.33")


async def test_it_never_expires(autojump_clock: MockClock) -> None:
    """Argo CD forgets it after ten minutes: it is written again before, and no oftener than needed."""
    async with open_world() as world:
        await world.show(UP)
        for _ in range(30):
            await trio.sleep(60)
            assert world.status == "Successful"
        assert 9 <= world.writes <= 11


async def test_a_redis_that_goes_and_comes(autojump_clock: MockClock) -> None:
    """One line when it goes, one when it is back, however long that was; then all is there again."""
    async with open_world() as world:
        await world.show(UP)
        world.redis.off()
        await trio.sleep(3600)
        assert [line[0] for line in world.lines] == ["redis-lost"]
        assert "the rest goes on" in world.lines[0][1]
        world.redis.on()
        await trio.sleep(60)
        assert [line[0] for line in world.lines] == ["redis-lost", "redis-found"]
        assert world.status == "Successful"


async def test_a_redis_that_has_forgotten(autojump_clock: MockClock) -> None:
    """One that was away for a moment is filled again at once, not when the next renewal is due."""
    async with open_world() as world:
        await world.show(UP)
        world.redis.off()
        world.redis.on()
        assert world.status == ""
        await trio.sleep(LOOK)
        assert world.status == "Successful"


async def test_a_redis_that_comes_and_goes(autojump_clock: MockClock) -> None:
    """One that breaks every few seconds does not fill the log: a loss a minute at most."""
    async with open_world() as world:
        for _ in range(200):
            world.redis.off()
            await trio.sleep(1)
            world.redis.on()
            await trio.sleep(2)
        assert 2 <= len([line for line in world.lines if line[0] == "redis-lost"]) <= 11


async def test_only_registered_agents(autojump_clock: MockClock) -> None:
    """Where there is no cluster secret, Argo CD shows no cluster; one that comes later is seen."""
    async with open_world(registered=False) as world:
        await world.show(UP)
        assert world.writes == 0
        await world.register()
        await trio.sleep(0.1)
        assert world.status == "Successful"


@pytest.mark.parametrize(
    ("data", "url"),
    [
        ({"server": "aHR0cHM6Ly94"}, "https://x"),
        ({}, ""),
        ({"server": "!"}, ""),
        ({"server": "/w=="}, ""),
        (7, ""),
    ],
)
def test_server_url(data: Any, url: str) -> None:
    """Whatever people write into a secret."""
    secret = Object.of({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": data})
    assert clusters.server_url(secret) == url


def test_messages() -> None:
    """They begin as argocd-agent's, for whoever looks for these words."""
    up, down = Standing(True, "t", Counts()), Standing(False, "t", Counts())
    begin = "Agent: 'edge' is connected with principal"
    assert shown("edge", up, "").message == begin
    assert shown("edge", up, "12").message == f"{begin}; it holds what it should as of resourceVersion 12"
    busy = attrs.evolve(up, waiting=2)
    assert shown("edge", busy, "12").message == f"{begin}; 2 changes are on their way to it"
    assert shown("edge", down, "12").message == "Agent: 'edge' is disconnected with principal"
