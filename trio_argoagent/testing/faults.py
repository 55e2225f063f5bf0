"""A Kubernetes API that misbehaves as real ones do, by a seeded share of its calls.

A write travels through a ``Limbo`` that outlives whoever sent it. So a program that dies amid a request
leaves the request behind: it still lands, maybe seconds later, when a successor has long been at work.
"""

from __future__ import annotations

import contextlib
import contextvars
import enum
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, TypeVar

import attrs
import trio

from trio_argoagent.errors import ApiError, Conflict, OutcomeUnknown, Throttled, Unavailable
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import Resource
from trio_argoagent.ports.cluster import Cluster, JsonPatch, MergePatch, ObjectList, WatchEvent
from trio_argoagent.ports.env import Random

T = TypeVar("T")

QUICK: Final = (0.0005, 0.004)
"""Seconds one way between a program and its API server."""


@attrs.frozen
class Faults:
    """Shares of calls (0 to 1) that go wrong, and how.

    Attributes:
        refused: writes that the server turns down without doing them (503, 429).
        lost: writes that never arrive; the sender does not know.
        unanswered: writes that are done; the sender does not know.
        late: writes that are done up to ``late_by`` seconds after the sender was told nothing of use.
        conflicts: writes refused with 409 although nothing of note has happened.
        reads: reads that fail.
        breaks: watch events after which the watch breaks instead of showing them.
        stalls: watch events that come up to ``stall`` seconds late, and all after them, too.
        late_by: seconds.
        stall: seconds.
    """

    refused: float = 0.0
    lost: float = 0.0
    unanswered: float = 0.0
    late: float = 0.0
    conflicts: float = 0.0
    reads: float = 0.0
    breaks: float = 0.0
    stalls: float = 0.0
    late_by: float = 8.0
    stall: float = 5.0


NONE: Final = Faults()
ROUGH: Final = Faults(
    refused=0.03, lost=0.02, unanswered=0.03, late=0.02, conflicts=0.02, reads=0.03, breaks=0.02, stalls=0.03
)
"""What a bad day looks like."""


class _Fate(enum.Enum):
    DONE = "done"
    REFUSED = "refused"
    LOST = "lost"
    UNANSWERED = "unanswered"
    LATE = "late"
    CONFLICT = "conflict"


class Limbo:
    """Requests that are on their way, whoever sent them."""

    def __init__(self) -> None:
        self.requests = 0
        self._submitted: deque[Callable[[], Awaitable[None]]] = deque()
        self._bell = trio.Event()

    def submit(self, request: Callable[[], Awaitable[None]]) -> None:
        """Let it run to its end, whatever happens to its sender."""
        self._submitted.append(request)
        self._bell.set()

    async def run(self) -> None:
        """Carry requests until cancelled."""
        async with trio.open_nursery() as nursery:
            while True:
                await self._bell.wait()
                self._bell = trio.Event()
                while self._submitted:
                    nursery.start_soon(self._carry, self._submitted.popleft())

    async def _carry(self, request: Callable[[], Awaitable[None]]) -> None:
        self.requests += 1
        try:
            await request()
        finally:
            self.requests -= 1


@attrs.define
class _Answer:
    arrived: trio.Event = attrs.field(factory=trio.Event)
    value: Any = None
    error: ApiError | None = None
    abandoned: bool = False


_WRITING: contextvars.ContextVar[_Answer | None] = contextvars.ContextVar("writing", default=None)


def is_abandoned() -> bool:
    """Inside a commit: has whoever sent this write died, or given it up, before it landed?"""
    answer = _WRITING.get()
    return answer is not None and answer.abandoned


class FaultyCluster:
    """Another cluster, seen through faults.

    Args:
        cluster: the cluster.
        limbo: what carries its writes.
        chance: which calls go wrong.
        faults: how many; change it at will (``NONE``: none).
    """

    def __init__(self, cluster: Cluster, limbo: Limbo, chance: Random, faults: Faults = NONE) -> None:
        self.faults = faults
        self.injected: dict[str, int] = {}
        self._cluster, self._limbo, self._chance = cluster, limbo, chance

    def _hit(self, share: float, what: str) -> bool:
        hit = self._chance.random() < share
        if hit:
            self.injected[what] = self.injected.get(what, 0) + 1
        return hit

    async def _delay(self) -> None:
        await trio.sleep(self._chance.uniform(*QUICK))

    # Reads

    async def _read(self, call: Callable[[], Awaitable[T]]) -> T:
        await self._delay()
        if self._hit(self.faults.reads, "read"):
            raise Unavailable("the simulated network lost the answer")
        answer = await call()
        await self._delay()
        return answer

    async def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """See ``Cluster``."""
        return await self._read(lambda: self._cluster.get(resource, namespace, name))

    async def list(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        selector: str = "",
        resource_version: str = "",
        limit: int = 0,
        continue_token: str = "",
    ) -> ObjectList:
        """See ``Cluster``."""
        return await self._read(
            lambda: self._cluster.list(
                resource,
                namespace,
                selector=selector,
                resource_version=resource_version,
                limit=limit,
                continue_token=continue_token,
            )
        )

    def watch(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        selector: str = "",
        resource_version: str,
        timeout: float = 300.0,
    ) -> AbstractAsyncContextManager[AsyncIterator[WatchEvent]]:
        """See ``Cluster``."""
        return self._watch(
            self._cluster.watch(
                resource, namespace, selector=selector, resource_version=resource_version, timeout=timeout
            )
        )

    @contextlib.asynccontextmanager
    async def _watch(
        self, opening: AbstractAsyncContextManager[AsyncIterator[WatchEvent]]
    ) -> AsyncIterator[AsyncIterator[WatchEvent]]:
        await self._delay()
        async with opening as events:
            yield _FaultyFeed(events, self)

    async def next_event(self, events: AsyncIterator[WatchEvent]) -> WatchEvent:
        """The next event of a watch, or what befalls it."""
        event = await events.__anext__()
        if self._hit(self.faults.stalls, "stall"):
            await trio.sleep(self._chance.uniform(0.0, self.faults.stall))
        if self._hit(self.faults.breaks, "break"):
            raise Unavailable("the simulated network broke the watch")
        return event

    # Writes

    def _fate(self) -> _Fate:
        faults, draw = self.faults, self._chance.random()
        for fate, share in (
            (_Fate.REFUSED, faults.refused),
            (_Fate.LOST, faults.lost),
            (_Fate.UNANSWERED, faults.unanswered),
            (_Fate.LATE, faults.late),
            (_Fate.CONFLICT, faults.conflicts),
        ):
            draw -= share
            if draw < 0:
                self.injected[fate.value] = self.injected.get(fate.value, 0) + 1
                return fate
        return _Fate.DONE

    async def _write(self, call: Callable[[], Awaitable[T]]) -> T:
        fate, answer = self._fate(), _Answer()
        there, back = self._chance.uniform(*QUICK), self._chance.uniform(*QUICK)
        if fate is _Fate.LATE:
            there += self._chance.uniform(0.0, self.faults.late_by)

        async def request() -> None:
            await trio.sleep(there)
            answer.error = self._refusal(fate)
            if answer.error is None and fate is not _Fate.LOST:
                _WRITING.set(answer)
                try:
                    answer.value = await call()
                except ApiError as exc:
                    answer.error = exc
            await trio.sleep(back)
            answer.arrived.set()

        self._limbo.submit(request)
        try:
            if fate in (_Fate.LOST, _Fate.UNANSWERED, _Fate.LATE):
                await trio.sleep(self._chance.uniform(*QUICK) + self._chance.random())
                raise OutcomeUnknown("the simulated network lost the answer to a write")
            await answer.arrived.wait()
        finally:
            answer.abandoned = True
        if answer.error is not None:
            raise answer.error
        value: T = answer.value
        return value

    def _refusal(self, fate: _Fate) -> ApiError | None:
        if fate is _Fate.CONFLICT:
            return Conflict("the object has been modified; please apply your changes to the latest version")
        if fate is _Fate.REFUSED:
            slow = self._chance.random() < 0.5
            return Throttled("too many requests", retry_after=1.0) if slow else Unavailable("overloaded")
        return None

    async def create(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        """See ``Cluster``."""
        return await self._write(lambda: self._cluster.create(resource, value))

    async def replace(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        """See ``Cluster``."""
        return await self._write(lambda: self._cluster.replace(resource, value))

    async def patch(
        self, resource: Resource, namespace: str, name: str, patch: JsonPatch | MergePatch
    ) -> Object:
        """See ``Cluster``."""
        return await self._write(lambda: self._cluster.patch(resource, namespace, name, patch))

    async def delete(
        self, resource: Resource, namespace: str, name: str, *, uid: str = "", resource_version: str = ""
    ) -> None:
        """See ``Cluster``."""
        return await self._write(
            lambda: self._cluster.delete(
                resource, namespace, name, uid=uid, resource_version=resource_version
            )
        )


class _FaultyFeed:
    def __init__(self, events: AsyncIterator[WatchEvent], cluster: FaultyCluster) -> None:
        self._events, self._cluster = events, cluster

    def __aiter__(self) -> AsyncIterator[WatchEvent]:
        return self

    async def __anext__(self) -> WatchEvent:
        return await self._cluster.next_event(self._events)
