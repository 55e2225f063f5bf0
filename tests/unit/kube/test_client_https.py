"""The client over TLS and HTTP/2 on loopback: the contract of every Cluster, and the informer on top."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from functools import partial

import attrs
import pytest
import trio

from trio_argoagent import errors
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import LocalCluster, run_collector
from trio_argoagent.kube.client import HttpCluster, open_cluster
from trio_argoagent.kube.credentials import Credentials
from trio_argoagent.kube.informer import Informer
from trio_argoagent.kube.session import Session, open_session
from trio_argoagent.model.resources import APPLICATIONS, CONFIG_MAPS
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.ports.env import Env
from trio_argoagent.testing.contracts import ClusterContract, application

from ..net.identities import Authority
from .fakes import env
from .frontend import Frontend, served


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Who certifies both sides."""
    return Authority.make()


@pytest.fixture
async def local(nursery: trio.Nursery) -> LocalCluster:
    """What is behind the server."""
    chance = random.Random(1)
    env = Env(now=trio.current_time, random=chance, entropy=chance.randbytes)
    server = argocd_server(entropy=chance.randbytes)
    nursery.start_soon(partial(run_collector, server, env=env, delay=0.01))
    return LocalCluster(server, env=env, actor="contract")


@pytest.fixture
async def frontend(local: LocalCluster) -> Frontend:
    """The server."""
    return Frontend(local, "t1")


@pytest.fixture
async def credentials(frontend: Frontend, authority: Authority) -> AsyncIterator[Credentials]:
    """How to get in."""
    async with served(frontend, authority) as found:
        yield found


class Reached(HttpCluster):
    """A client that lets a test see what is behind the server."""

    def __init__(self, session: Session, server: ApiServer) -> None:
        super().__init__(session)
        self.server = server


class TestOverHttps(ClusterContract):
    """The suite, with everything between."""

    @pytest.fixture
    async def cluster(self, credentials: Credentials, local: LocalCluster) -> AsyncIterator[Reached]:
        """A client."""
        async with open_session(credentials) as session:
            yield Reached(session, local.server)

    async def expired_version(self, cluster: Cluster, namespace: str) -> str:
        """Compaction makes a version that was just written too old."""
        assert isinstance(cluster, Reached)
        made = await cluster.create(APPLICATIONS, application(namespace))
        await cluster.create(APPLICATIONS, application(namespace, "a2"))
        cluster.server.compact(cluster.server.rv)
        return made.meta.resource_version


async def test_an_informer_over_https(credentials: Credentials, local: LocalCluster) -> None:
    """List and watch over one connection; a change arrives, and a dropped watch is opened again."""
    async with open_cluster(credentials) as cluster, trio.open_nursery() as nursery:
        informer = Informer(cluster, CONFIG_MAPS, "default", env=env())
        arrived = trio.Event()
        informer.on_change(lambda change: arrived.set())
        await nursery.start(informer.run)
        for number in range(2):
            value = {"metadata": {"name": f"c{number}", "namespace": "default"}}
            await local.create(CONFIG_MAPS, value)
            with trio.fail_after(60):
                await arrived.wait()
            assert informer.get("default", f"c{number}") is not None
            arrived = trio.Event()
            local.server.drop_watches()
        assert informer.statistics().lists == 1
        nursery.cancel_scope.cancel()


async def test_a_new_token_is_taken_up(credentials: Credentials, frontend: Frontend) -> None:
    """The server's token changes: one 401, one reading, and the call succeeds."""

    async def reload() -> Credentials:
        await trio.lowlevel.checkpoint()
        return attrs.evolve(credentials, token="t2", reload=reload)

    async with open_cluster(attrs.evolve(credentials, reload=reload)) as cluster:
        await cluster.list(CONFIG_MAPS)
        frontend.token = "t2"
        await cluster.list(CONFIG_MAPS)
        assert cluster.session.reloads == 1


async def test_a_server_that_is_not_there(credentials: Credentials) -> None:
    """Nobody listens: a write certainly was not done."""
    listener = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener[0].socket.getsockname()[1]
    await listener[0].aclose()
    async with open_cluster(attrs.evolve(credentials, port=port)) as cluster:
        with pytest.raises(errors.Unavailable):
            await cluster.delete(CONFIG_MAPS, "default", "a")


async def test_a_server_that_is_not_certified(credentials: Credentials) -> None:
    """It is never told our token."""
    other = Authority.make("another CA")
    async with open_cluster(attrs.evolve(credentials, ca=other.certificate)) as cluster:
        with pytest.raises(errors.Unavailable, match=r"(?i)certificate"):
            await cluster.list(CONFIG_MAPS)
