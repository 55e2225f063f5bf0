"""The stopwatch: which changes it times, and from when to when, in virtual time."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.demo.propagation import MAX_WAITING, Propagation, Stopwatch, summary
from trio_argoagent.model.resources import APPLICATIONS, NAMESPACES
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.runtime.world import seeded_env
from trio_argoagent.sync import names
from trio_argoagent.sync.marker import Marker
from trio_argoagent.testing.argocd.applications import application


class Pair:
    """A source and a replica, each an API server, with a stopwatch between them."""

    def __init__(self) -> None:
        self.connected = True
        self.watch = Stopwatch(lambda: self.connected, lambda actor: actor == "agent")
        env = seeded_env("pair")
        self.servers = [argocd_server(entropy=env.entropy) for _ in range(2)]
        for server, note in zip(self.servers, (self.watch.at_source, self.watch.at_replica), strict=True):
            server.subscribe(lambda entry, note=note: note(entry) if entry.resource == APPLICATIONS else None)  # type: ignore[misc]
        self._env = env

    def cluster(self, index: int, actor: str) -> LocalCluster:
        """One side, as that actor."""
        return LocalCluster(self.servers[index], env=self._env, actor=actor)

    async def open(self) -> None:
        """Make the namespaces, and one Application on both sides."""
        for index in (0, 1):
            head = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}}
            await self.cluster(index, "setup").create(NAMESPACES, head)
        await self.cluster(1, "agent").create(APPLICATIONS, application("shop"))
        version = await self.create()
        await self.copy(version)

    async def create(self) -> str:
        """Somebody creates it; its resourceVersion."""
        made = await self.cluster(0, "you").create(APPLICATIONS, application("shop"))
        return made.meta.resource_version

    async def edit(self, actor: str = "you", **change: Any) -> str:
        """An edit of the source; its resourceVersion."""
        patch = MergePatch(change)
        made = await self.cluster(0, actor).patch(APPLICATIONS, "argocd", "shop", patch)
        return made.meta.resource_version

    async def edit_spec(self, revision: str, actor: str = "you") -> str:
        """An edit of its spec."""
        return await self.edit(actor, spec={"source": {"targetRevision": revision}})

    async def copy(self, version: str) -> None:
        """The copy is written, as of that version of the source."""
        text = str(Marker("digest", f"ap{version}", version, "1"))
        patch = MergePatch({"metadata": {"annotations": {names.MARKER: text}}})
        await self.cluster(1, "agent").patch(APPLICATIONS, "argocd", "shop", patch)


@pytest.fixture
async def pair() -> Pair:
    """One Application that is the same on both sides; nothing timed yet."""
    pair = Pair()
    await pair.open()
    pair.watch.samples.clear()
    return pair


async def test_a_change_is_timed_until_its_copy_is_written(pair: Pair, autojump_clock: MockClock) -> None:
    """Milliseconds from the write at the source to the write of the copy with its version."""
    version = await pair.edit_spec("v1")
    await trio.sleep(0.25)
    await pair.copy(version)
    assert list(pair.watch.samples) == [pytest.approx(250.0)]
    assert pair.watch.last == pytest.approx(250.0)


async def test_changes_that_travel_together_are_each_timed(pair: Pair, autojump_clock: MockClock) -> None:
    """Two edits, one record: the first has waited longer. A copy of an older version ends nothing."""
    old = await pair.edit(metadata={"labels": {"a": "b"}})
    await pair.edit_spec("v1")
    await trio.sleep(1.0)
    newest = await pair.edit_spec("v2")
    await trio.sleep(0.5)
    await pair.copy(old)
    assert not pair.watch.samples
    await pair.copy(newest)
    assert list(pair.watch.samples) == [pytest.approx(1500.0), pytest.approx(500.0)]


async def test_what_is_not_timed(pair: Pair, autojump_clock: MockClock) -> None:
    """Labels, our own writes, and edits while the link is down: a cut says itself how long it took."""
    await pair.edit(metadata={"labels": {"a": "b"}})
    await pair.edit_spec("ours", actor="agent")
    pair.connected = False
    last = await pair.edit_spec("cut")
    pair.connected = True
    await pair.copy(last)
    assert not pair.watch.samples


async def test_what_is_on_its_way_is_forgotten_with_the_link(pair: Pair, autojump_clock: MockClock) -> None:
    """After a cut the clock does not run for what was sent before it."""
    version = await pair.edit_spec("v1")
    pair.watch.forget()
    await pair.copy(version)
    assert not pair.watch.samples


async def test_a_deletion_ends_what_is_on_its_way(pair: Pair, autojump_clock: MockClock) -> None:
    """The next object of that name is not measured from its predecessor's last edit."""
    await pair.edit(metadata={"finalizers": []})
    await pair.edit_spec("v1")
    await pair.cluster(0, "you").delete(APPLICATIONS, "argocd", "shop")
    await trio.sleep(60.0)
    version = await pair.create()
    await trio.sleep(0.1)
    await pair.copy(version)
    assert list(pair.watch.samples) == [pytest.approx(100.0)]


async def test_what_waits_is_bounded(pair: Pair, autojump_clock: MockClock) -> None:
    """A copy that never comes, because somebody contests it, does not grow the demo."""
    for number in range(MAX_WAITING + 10):
        version = await pair.edit_spec(f"v{number}")
    await pair.copy(version)
    assert len(pair.watch.samples) == MAX_WAITING


def test_the_summary() -> None:
    """Median and 99th percentile of what there is; zeros of nothing."""
    assert summary([]) == Propagation(0.0, 0.0, 0)
    assert summary([3.14159]) == Propagation(3.142, 3.142, 1)
    assert summary([float(n) for n in reversed(range(1000))]) == Propagation(500.0, 990.0, 1000)
