"""A real API server keeps the contract of every ``Cluster``."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from trio_argoagent.kube.client import HttpCluster
from trio_argoagent.testing.contracts import ClusterContract

from .conftest import Connect


class TestRealCluster(ClusterContract):
    """The suite over our client and Kubernetes' own server."""

    @pytest.fixture
    async def cluster(self, connect: Connect) -> AsyncIterator[HttpCluster]:
        """A client of the hub."""
        async with connect("hub") as cluster:
            yield cluster
