"""The embedded server, in process, keeps the contract of every ``Cluster``."""

from __future__ import annotations

import random

import pytest
import trio

from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import LocalCluster, run_collector
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.ports.env import Env
from trio_argoagent.testing.contracts import ClusterContract, application


class TestLocalCluster(ClusterContract):
    """The suite over ``LocalCluster``."""

    @pytest.fixture
    async def cluster(self, nursery: trio.Nursery) -> LocalCluster:
        """A fresh server with its controllers."""
        chance = random.Random(1)
        env = Env(now=trio.current_time, random=chance, entropy=chance.randbytes)
        server = argocd_server(entropy=chance.randbytes)
        nursery.start_soon(lambda: run_collector(server, env=env, delay=0.01))
        return LocalCluster(server, env=env, actor="contract")

    async def expired_version(self, cluster: Cluster, namespace: str) -> str:
        """Compaction makes a version that was just written too old."""
        assert isinstance(cluster, LocalCluster)
        made = await cluster.create(APPLICATIONS, application(namespace))
        await cluster.create(APPLICATIONS, application(namespace, "a2"))
        cluster.server.compact(cluster.server.rv)
        return made.meta.resource_version
