"""The client over HTTPS against the embedded server keeps the contract of every ``Cluster``."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.kube.client import HttpCluster
from trio_argoagent.kube.credentials import Credentials
from trio_argoagent.kube.session import Session, open_session
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.net.client import HttpClient, open_client
from trio_argoagent.net.contexts import client_context
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.testing.contracts import ClusterContract, application

from ..unit.apiserver.http.world import served


class Reached(HttpCluster):
    """A client that lets a test see what is behind the server."""

    def __init__(self, session: Session, server: ApiServer) -> None:
        super().__init__(session)
        self.server = server


def dial_http1(
    credentials: Credentials, context: ssl.SSLContext | None
) -> AbstractAsyncContextManager[HttpClient]:
    """A client that behaves as behind a load balancer without HTTP/2."""
    only = client_context(ca=credentials.ca, certificate=None, key=None, alpn=("http/1.1",))
    return open_client(host=credentials.host, port=credentials.port, context=only)


class TestHttpCluster(ClusterContract):
    """The suite over the whole way: client, HTTP/2, TLS, server."""

    @pytest.fixture
    async def cluster(self) -> AsyncIterator[Reached]:
        """A client of a fresh server."""
        async with served() as world, open_session(world.credentials()) as session:
            yield Reached(session, world.server)

    async def expired_version(self, cluster: Cluster, namespace: str) -> str:
        """Compaction makes a version that was just written too old."""
        assert isinstance(cluster, Reached)
        made = await cluster.create(APPLICATIONS, application(namespace))
        await cluster.create(APPLICATIONS, application(namespace, "a2"))
        cluster.server.compact(cluster.server.rv)
        return made.meta.resource_version


class TestHttp1Cluster(TestHttpCluster):
    """The same where the server, or what stands in front of it, speaks HTTP/1.1 only."""

    @pytest.fixture
    async def cluster(self) -> AsyncIterator[Reached]:
        """A client of a fresh server."""
        async with served() as world, open_session(world.credentials(), dial_http1) as session:
            yield Reached(session, world.server)
