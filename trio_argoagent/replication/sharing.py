"""One cluster for many writers: each has a ``Cluster`` of its own, whose writes take turns (``fairness``)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import attrs
import msgspec
import trio

from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import Resource
from trio_argoagent.ports.cluster import Cluster, JsonPatch, MergePatch
from trio_argoagent.ports.forwarding import ForwardingCluster
from trio_argoagent.replication.fairness import SLOTS, Fairness, FairnessStatistics, Ticket
from trio_argoagent.replication.pace import Pace


class SharedWrites:
    """The turns of everybody who writes to one API server.

    Args:
        slots: writes under way at once.
        rate: writes a second of each of them; 0: as many as it likes.
    """

    def __init__(self, slots: int = SLOTS, rate: float = 0.0) -> None:
        self._core = Fairness(slots)
        self._rate = rate
        self._paces: dict[str, Pace] = {}
        self._paced = 0
        self._calls: dict[Ticket, trio.Event] = {}

    @asynccontextmanager
    async def turn(self, agent: str, size: int) -> AsyncIterator[None]:
        """Wait for this agent's turn; the write is done inside. Without a queue it is no checkpoint.

        Args:
            agent: whose write.
            size: of its body, in bytes.
        """
        if self._rate:
            await self._keep_pace(agent)
        ticket, at_once = self._core.ask(agent, size)
        if not at_once:
            await self._wait(ticket)
        try:
            yield
        finally:
            self._end()

    async def _keep_pace(self, agent: str) -> None:
        now = trio.current_time()
        due = self._paces.setdefault(agent, Pace(self._rate)).reserve(now)
        if due > now:
            self._paced += 1
            await trio.sleep_until(due)

    async def _wait(self, ticket: Ticket) -> None:
        call = self._calls[ticket] = trio.Event()
        try:
            await call.wait()
        except BaseException:
            # Cancelled: while it waited, or in the moment after it was called.
            if not self._core.withdraw(ticket):
                self._end()
            raise
        finally:
            del self._calls[ticket]

    def _end(self) -> None:
        self._core.done()
        for ticket in self._core.admit():
            self._calls[ticket].set()

    def cluster(self, agent: str, cluster: Cluster) -> SharedCluster:
        """The same cluster, for this agent's writes."""
        return SharedCluster(self, agent, cluster)

    def statistics(self) -> FairnessStatistics:
        """Counters."""
        return attrs.evolve(self._core.statistics(), paced=self._paced)


class SharedCluster(ForwardingCluster):
    """``ports.cluster.Cluster`` whose writes take turns. Reads do not: they are few, and not why we queue."""

    def __init__(self, writes: SharedWrites, agent: str, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._writes, self._agent = writes, agent

    async def create(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        """See the port."""
        async with self._turn(value):
            return await super().create(resource, value)

    async def replace(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        """See the port."""
        async with self._turn(value):
            return await super().replace(resource, value)

    async def patch(
        self, resource: Resource, namespace: str, name: str, patch: JsonPatch | MergePatch
    ) -> Object:
        """See the port."""
        async with self._turn(patch.operations if isinstance(patch, JsonPatch) else patch.value):
            return await super().patch(resource, namespace, name, patch)

    async def delete(
        self, resource: Resource, namespace: str, name: str, *, uid: str = "", resource_version: str = ""
    ) -> None:
        """See the port."""
        async with self._turn({}):
            await super().delete(resource, namespace, name, uid=uid, resource_version=resource_version)

    def _turn(self, body: Any) -> AbstractAsyncContextManager[None]:
        # Encoded once more just for its length: 30 us for 40 KB, against milliseconds of a write.
        return self._writes.turn(self._agent, len(msgspec.json.encode(body)))
