"""A whole collection at one moment."""

from __future__ import annotations

import pytest

from trio_argoagent.errors import Expired, RemoteProtocolError
from trio_argoagent.kube.informer import identity
from trio_argoagent.kube.snapshot import Collection, read_snapshot
from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.ports.cluster import ObjectList

from .fakes import FakeCluster, thing


async def test_pages_make_one_snapshot() -> None:
    """In the server's order, each object transformed, at the version of the first page."""
    cluster = FakeCluster()
    for name in "abcde":
        cluster.put(name)
    source = Collection(cluster, CONFIG_MAPS)
    items, version = await read_snapshot(source, page=2, transform=lambda item: thing(item.meta.name, 0))
    assert [item.meta.name for item in items] == list("abcde")
    assert {item.meta.resource_version for item in items} == {"0"}
    assert version == "5"
    assert len(cluster.requests) == 3


async def test_a_snapshot_that_expires_even_in_one_page() -> None:
    """Then it is the caller's to wait."""
    cluster = FakeCluster()
    cluster.list_faults.extend([Expired("gone"), Expired("gone")])
    with pytest.raises(Expired):
        await read_snapshot(Collection(cluster, CONFIG_MAPS), transform=identity)
    assert [what for _, _, what in cluster.requests] == ["/500", "/0"]


async def test_a_list_without_a_version_is_no_snapshot() -> None:
    """What a proxy makes up is empty and says nothing of when: taken at its word, it would delete a fleet."""

    class Proxy(FakeCluster):
        async def list(self, *args: object, **options: object) -> ObjectList:
            return ObjectList((), "")

    with pytest.raises(RemoteProtocolError, match="names no resourceVersion"):
        await read_snapshot(Collection(Proxy(), CONFIG_MAPS), transform=identity)
