"""Writes that take turns: who waits, who goes, and what cancellation leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from trio_argoagent import errors
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS, Resource
from trio_argoagent.ports.cluster import JsonPatch, MergePatch
from trio_argoagent.replication.sharing import SharedWrites

from ..kube.fakes import FakeCluster

LATENCY = 1.0
"""Seconds of a write."""


class Slow(FakeCluster):
    """A cluster whose writes take a second each, and are remembered in the order in which they began."""

    def __init__(self) -> None:
        super().__init__()
        self.began: list[str] = []
        self.running = self.most = 0

    async def _write(self, name: str) -> Object:
        self.began.append(name)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await trio.sleep(LATENCY)
        finally:
            self.running -= 1
        if name == "bad":
            raise errors.Conflict("no")
        return Object.of({"metadata": {"name": name}})

    async def create(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        """See the port."""
        return await self._write(value["metadata"]["name"])

    async def replace(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        """See the port."""
        return await self._write(value["metadata"]["name"])

    async def patch(
        self, resource: Resource, namespace: str, name: str, patch: JsonPatch | MergePatch
    ) -> Object:
        """See the port."""
        return await self._write(name)

    async def delete(
        self, resource: Resource, namespace: str, name: str, *, uid: str = "", resource_version: str = ""
    ) -> None:
        """See the port."""
        await self._write(name)


PATCH = MergePatch({"status": {"x": "y" * 10_000}})


async def test_a_quiet_agent_beside_a_flooder(autojump_clock: MockClock) -> None:
    """Two slots, forty writes wait: a write of somebody else takes two seconds, not twenty."""
    cluster, writes = Slow(), SharedWrites(slots=2)
    flood, quiet = writes.cluster("flood", cluster), writes.cluster("quiet", cluster)
    async with trio.open_nursery() as nursery:
        for number in range(40):
            nursery.start_soon(flood.patch, APPLICATIONS, "n", f"f{number}", PATCH)
        await trio.testing.wait_all_tasks_blocked()
        began = trio.current_time()
        await quiet.patch(APPLICATIONS, "n", "q", PATCH)
        assert trio.current_time() - began <= 3 * LATENCY
    assert cluster.most == 2
    assert sorted(cluster.began) == sorted(["q", *(f"f{number}" for number in range(40))])
    assert writes.statistics().admitted == 41 and writes.statistics().running == 0


async def test_every_write_takes_a_turn(autojump_clock: MockClock) -> None:
    """Also one that fails gives its turn back; reads take none."""
    cluster, writes = Slow(), SharedWrites(slots=1)
    shared = writes.cluster("a", cluster)
    value = {"metadata": {"name": "x"}}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(shared.create, APPLICATIONS, value)
        nursery.start_soon(shared.replace, APPLICATIONS, value)
        nursery.start_soon(shared.patch, APPLICATIONS, "n", "x", JsonPatch([]))
        nursery.start_soon(shared.delete, APPLICATIONS, "n", "x")
        await trio.testing.wait_all_tasks_blocked()
        assert (await shared.list(APPLICATIONS)).items == []
        with pytest.raises(errors.Conflict):
            await shared.delete(APPLICATIONS, "n", "bad")
    assert (cluster.most, len(cluster.began), writes.statistics().running) == (1, 5, 0)


@pytest.mark.parametrize("at", [0.5, LATENCY])
async def test_cancelled_writes_leave_no_slot_taken(at: float, autojump_clock: MockClock) -> None:
    """While they wait, while they run, and in the very moment in which their turn comes."""
    cluster, writes = Slow(), SharedWrites(slots=2)
    scopes = [trio.CancelScope(deadline=trio.current_time() + at) for _ in range(8)]

    async def write(number: int) -> None:
        with scopes[number] if number % 2 else trio.CancelScope():
            await writes.cluster("ab"[number // 8 % 2], cluster).delete(APPLICATIONS, "n", str(number))

    async with trio.open_nursery() as nursery:
        for number in range(8):
            nursery.start_soon(write, number)
    assert {"0", "2", "4", "6"} <= set(cluster.began)
    found = writes.statistics()
    assert (found.running, found.waiting, found.agents) == (0, 0, 0)
    await writes.cluster("c", cluster).delete(APPLICATIONS, "n", "after")


async def test_an_agent_keeps_its_pace(autojump_clock: MockClock) -> None:
    """Others do not wait for it; cancelled while it waits it takes no turn."""
    cluster, writes = Slow(), SharedWrites(slots=100, rate=4.0)
    busy, quiet = writes.cluster("busy", cluster), writes.cluster("quiet", cluster)
    async with trio.open_nursery() as nursery:
        for number in range(9):
            nursery.start_soon(busy.patch, APPLICATIONS, "n", f"b{number}", PATCH)
        await trio.testing.wait_all_tasks_blocked()
        assert len(cluster.began) == 4
        nursery.start_soon(quiet.patch, APPLICATIONS, "n", "q", PATCH)
        await trio.sleep(0.6)
        assert len(cluster.began) == 4 + 1 + 2
        nursery.cancel_scope.cancel()
    assert (writes.statistics().running, writes.statistics().paced) == (0, 5)
