"""The client over HTTPS against the embedded server keeps the contract of every ``Cluster``."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.kube.client import HttpCluster
from trio_argoagent.kube.session import Session, open_session
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.testing.contracts import ClusterContract, application

from ..unit.apiserver.http.world import served


class Reached(HttpCluster):
    """A client that lets a test see what is behind the server."""

    def __init__(self, session: Session, server: ApiServer) -> None:
        super().__init__(session)
        self.server = server


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
