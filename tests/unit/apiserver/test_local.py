"""The in-process cluster: what it adds to the server, in virtual time."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
import trio.testing
from trio.abc import Clock

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import Call, LocalCluster, run_collector
from trio_argoagent.errors import BadRequest, Expired, NotFound, OutcomeUnknown, Unavailable
from trio_argoagent.model.resources import APPLICATIONS, CONFIG_MAPS, NAMESPACES
from trio_argoagent.ports.cluster import Cluster, EventType, JsonPatch, MergePatch
from trio_argoagent.ports.env import Env

NS = "argocd"


def config_map(name: str = "c", **data: str) -> dict[str, Any]:
    """A ConfigMap."""
    return {"metadata": {"name": name, "namespace": NS}, "data": data}


def environment() -> Env:
    """Virtual time and repeatable chance."""
    chance = random.Random(1)
    return Env(now=trio.current_time, random=chance, entropy=chance.randbytes)


@pytest.fixture
async def cluster() -> LocalCluster:
    """A client of a fresh server with the namespace ``argocd``."""
    env = environment()
    made = LocalCluster(argocd_server(entropy=env.entropy), env=env, actor="one")
    await made.create(NAMESPACES, {"metadata": {"name": NS}})
    return made


async def test_it_is_a_cluster(cluster: LocalCluster) -> None:
    """It has the shape of the port (mypy checks the assignment), and says who writes."""
    port: Cluster = cluster
    await port.create(CONFIG_MAPS, config_map())
    other = cluster.impersonate("two")
    await other.patch(CONFIG_MAPS, NS, "c", MergePatch({"data": {"a": "1"}}))
    assert other.server is cluster.server
    assert [entry.actor for entry in cluster.server.log[-2:]] == ["one", "two"]


async def test_nothing_is_shared(cluster: LocalCluster) -> None:
    """Changing what was given or what was got changes nothing in the store."""
    value = config_map(a="1")
    made = await cluster.create(CONFIG_MAPS, value)
    value["data"]["a"] = "changed"
    made.get("data")["a"] = "changed"
    operations = [{"op": "add", "path": "/data", "value": {"b": "2"}}]
    await cluster.patch(CONFIG_MAPS, NS, "c", JsonPatch(operations))
    operations[0]["value"]["b"] = "changed"  # type: ignore[index]
    assert (await cluster.get(CONFIG_MAPS, NS, "c")).get("data") == {"b": "2"}


async def test_every_call_is_a_checkpoint(cluster: LocalCluster) -> None:
    """A cancelled call raises Cancelled and has done nothing."""
    before = cluster.server.rv
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: cluster.get(NAMESPACES, "", NS),
        lambda: cluster.list(NAMESPACES),
        lambda: cluster.create(CONFIG_MAPS, config_map()),
        lambda: cluster.replace(NAMESPACES, {"metadata": {"name": NS, "labels": {"a": "1"}}}),
        lambda: cluster.patch(NAMESPACES, "", NS, MergePatch({"metadata": {"labels": {"a": "1"}}})),
        lambda: cluster.delete(NAMESPACES, "", NS),
    ]
    for call in calls:
        with trio.CancelScope() as scope:
            scope.cancel()
            await call()
        assert scope.cancelled_caught
    assert cluster.server.rv == before


async def test_a_watch_brings_bookmarks_and_ends(autojump_clock: Clock, cluster: LocalCluster) -> None:
    """Every 60 s of silence or not there is a bookmark, and after its timeout the watch ends cleanly."""
    start = trio.current_time()
    seen = []
    version = str(cluster.server.rv)
    async with cluster.watch(CONFIG_MAPS, NS, resource_version=version, timeout=150) as events:
        async for event in events:
            seen.append((event.type, event.object.meta.resource_version, round(trio.current_time() - start)))
    assert seen == [
        (EventType.BOOKMARK, version, 60),
        (EventType.BOOKMARK, version, 120),
    ]
    assert trio.current_time() - start == pytest.approx(150)
    assert cluster.server.statistics().watches == 0


async def test_a_watch_waits_for_writes(
    autojump_clock: Clock, cluster: LocalCluster, nursery: trio.Nursery
) -> None:
    """An event arrives at the moment of the write, between two bookmarks."""
    start = trio.current_time()

    async def write_later() -> None:
        await trio.sleep(70)
        await cluster.create(CONFIG_MAPS, config_map())

    nursery.start_soon(write_later)
    seen = []
    async with cluster.watch(CONFIG_MAPS, NS, resource_version=str(cluster.server.rv), timeout=130) as events:
        async for event in events:
            seen.append((event.type.value, round(trio.current_time() - start)))
    assert seen == [("BOOKMARK", 60), ("ADDED", 70), ("BOOKMARK", 120)]


async def test_leaving_a_watch_closes_it(cluster: LocalCluster) -> None:
    """The server forgets a watch whose context was left, also by an exception."""
    with pytest.raises(ZeroDivisionError):
        async with cluster.watch(CONFIG_MAPS, NS, resource_version="1"):
            assert cluster.server.statistics().watches == 1
            raise ZeroDivisionError
    assert cluster.server.statistics().watches == 0


async def test_expired_comes_from_the_iterator(cluster: LocalCluster) -> None:
    """A version that was compacted is reported by the stream; a bad selector when the watch is opened."""
    cluster.server.compact(cluster.server.rv)
    async with cluster.watch(CONFIG_MAPS, NS, resource_version="1") as events:
        with pytest.raises(Expired):
            await anext(events)
    with pytest.raises(BadRequest):
        async with cluster.watch(CONFIG_MAPS, NS, selector="=", resource_version="1"):
            pass


async def test_a_dropped_watch_raises(cluster: LocalCluster) -> None:
    """What was buffered is delivered first, then the error that ended the watch."""
    async with cluster.watch(CONFIG_MAPS, NS, resource_version=str(cluster.server.rv)) as events:
        await cluster.create(CONFIG_MAPS, config_map())
        cluster.server.drop_watches(Unavailable("the connection broke"))
        assert (await anext(events)).type is EventType.ADDED
        with pytest.raises(Unavailable):
            await anext(events)


class Trouble:
    """A gate that refuses gets, delays lists and loses the answers to creates."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    async def before(self, call: Call) -> None:
        """Refuse or delay."""
        self.calls.append((call.actor, call.verb))
        if call.verb == "get":
            raise Unavailable("refused")
        if call.verb == "list":
            await trio.sleep(5)

    async def after(self, call: Call) -> None:
        """Lose the answer."""
        if call.verb == "create":
            raise OutcomeUnknown("lost")


async def test_a_gate_makes_trouble(autojump_clock: Clock, cluster: LocalCluster) -> None:
    """A gate can refuse a call, delay it, or lose the answer to a write that was done."""
    gate = Trouble()
    troubled = LocalCluster(cluster.server, env=environment(), actor="three", gate=gate)
    with pytest.raises(Unavailable):
        await troubled.get(NAMESPACES, "", NS)
    start = trio.current_time()
    await troubled.list(NAMESPACES)
    assert trio.current_time() - start == pytest.approx(5)
    with pytest.raises(OutcomeUnknown):
        await troubled.impersonate("four").create(CONFIG_MAPS, config_map())
    assert (await cluster.get(CONFIG_MAPS, NS, "c")).meta.name == "c"
    assert gate.calls == [("three", "get"), ("three", "list"), ("four", "create")]


async def test_the_collector_works_after_its_delay(
    autojump_clock: Clock, cluster: LocalCluster, nursery: trio.Nursery
) -> None:
    """A namespace is Terminating for the collector's delay, and then gone."""
    server: ApiServer = cluster.server
    nursery.start_soon(lambda: run_collector(server, env=environment(), delay=7))
    await cluster.create(CONFIG_MAPS, config_map())
    for _ in range(2):
        await trio.testing.wait_all_tasks_blocked()
        start = trio.current_time()
        await cluster.delete(NAMESPACES, "", NS)
        version = str(server.rv)
        assert (await cluster.get(NAMESPACES, "", NS)).get("status") == {"phase": "Terminating"}
        async with cluster.watch(NAMESPACES, resource_version=version, timeout=60) as events:
            assert (await anext(events)).type is EventType.DELETED
        assert trio.current_time() - start == pytest.approx(7)
        with pytest.raises(NotFound):
            await cluster.get(CONFIG_MAPS, NS, "c")
        await cluster.create(NAMESPACES, {"metadata": {"name": NS}})


async def test_replace_needs_a_name(cluster: LocalCluster) -> None:
    """A PUT without a name has no path to go to."""
    with pytest.raises(BadRequest):
        await cluster.replace(APPLICATIONS, {"metadata": {"namespace": NS}})
