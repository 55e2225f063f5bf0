"""The ``Cluster`` port in process: an ``ApiServer`` without a wire.

Every call has a checkpoint before it touches the server, none after: a cancelled call has done nothing.
Values cross as JSON, so nothing is shared with the caller. A ``Gate`` is where a simulation puts latency and
faults: what it raises before the call, the caller sees and the server does not; what it raises after a
write, the caller sees although the write is done.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Final, Protocol

import attrs
import msgspec
import trio

from trio_argoagent.apiserver.core import patches
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.values import LogEntry, Stored
from trio_argoagent.apiserver.core.watching import Watch
from trio_argoagent.errors import BadRequest, Expired
from trio_argoagent.model.objects import Object, decode
from trio_argoagent.model.resources import Resource
from trio_argoagent.ports.cluster import EventType, JsonPatch, MergePatch, ObjectList, WatchEvent
from trio_argoagent.ports.env import Env

BOOKMARK_INTERVAL: Final = 60.0  # seconds between the bookmarks of a watch
MAX_TIMEOUT: Final = 24 * 3600.0  # seconds that a watch may be asked to last


@attrs.frozen
class Call:
    """One call, as a gate sees it."""

    actor: str
    verb: str
    """get, list, watch, create, replace, patch or delete."""
    resource: Resource
    namespace: str
    name: str


class Gate(Protocol):
    """Where latency and faults are put."""

    async def before(self, call: Call) -> None:
        """Runs before the server is asked; it may wait, or raise an ``ApiError`` instead of the server."""

    async def after(self, call: Call) -> None:
        """Runs when the server has answered, but before the caller learns of it; it may wait or raise."""


class LocalCluster:
    """One client of a server in the same process.

    Args:
        server: the server.
        env: its wall clock.
        actor: who the client is, for the server's log.
        gate: latency and faults; None: neither.
    """

    def __init__(self, server: ApiServer, *, env: Env, actor: str, gate: Gate | None = None) -> None:
        self.server = server
        self.actor = actor
        self._env = env
        self._gate = gate

    def impersonate(self, actor: str) -> LocalCluster:
        """The same cluster as another client sees it."""
        return LocalCluster(self.server, env=self._env, actor=actor, gate=self._gate)

    @property
    def streams(self) -> bool:
        """See ``ports.cluster.Cluster.streams``."""
        return False

    async def _enter(self, verb: str, resource: Resource, namespace: str, name: str = "") -> Call:
        call = Call(self.actor, verb, resource, namespace, name)
        await trio.lowlevel.checkpoint()
        if self._gate is not None:
            await self._gate.before(call)
        return call

    async def _leave(self, call: Call) -> None:
        if self._gate is not None:
            await self._gate.after(call)

    async def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """See ``ports.cluster.Cluster.get``."""
        call = await self._enter("get", resource, namespace, name)
        stored = self.server.get(resource, namespace, name)
        await self._leave(call)
        return _object(stored)

    async def list(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        selector: str = "",
        name: str = "",
        resource_version: str = "",
        limit: int = 0,
        continue_token: str = "",
    ) -> ObjectList:
        """See ``ports.cluster.Cluster.list``."""
        call = await self._enter("list", resource, namespace)
        page = self.server.list(
            resource,
            namespace,
            labels=selector,
            fields=f"metadata.name={name}" if name else "",
            resource_version=resource_version,
            limit=limit,
            continue_token=continue_token,
        )
        await self._leave(call)
        return ObjectList([_object(item) for item in page.items], str(page.rv), page.continue_token)

    def watch(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        selector: str = "",
        name: str = "",
        resource_version: str,
        timeout: float = 300.0,
        initial: bool = False,
    ) -> AbstractAsyncContextManager[AsyncIterator[WatchEvent]]:
        """See ``ports.cluster.Cluster.watch``."""
        begin = partial(
            self.server.watch,
            resource,
            namespace,
            labels=selector,
            fields=f"metadata.name={name}" if name else "",
            resource_version=resource_version,
            match="NotOlderThan" if initial else "",
            initial_events=initial or None,
            bookmarks=True,
        )
        return self._watch(resource, namespace, begin, timeout)

    @contextlib.asynccontextmanager
    async def _watch(
        self, resource: Resource, namespace: str, begin: Callable[[], Watch], timeout: float
    ) -> AsyncIterator[AsyncIterator[WatchEvent]]:
        call = await self._enter("watch", resource, namespace)
        try:
            watch = begin()
        except Expired as exc:
            # A server says this in the stream, so it is the iterator that raises it.
            yield _Failed(exc)
            return
        try:
            await self._leave(call)
            yield _Feed(self.server, watch, min(timeout, MAX_TIMEOUT))
        finally:
            watch.close()

    async def create(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        """See ``ports.cluster.Cluster.create``."""
        metadata = value.get("metadata") or {}
        namespace = str(metadata.get("namespace") or "")
        call = await self._enter("create", resource, namespace, str(metadata.get("name") or ""))
        written = self.server.create(
            resource, namespace, _fresh(value), actor=self.actor, now=self._env.now()
        )
        await self._leave(call)
        return _object(written.stored)

    async def replace(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        """See ``ports.cluster.Cluster.replace``."""
        metadata = value.get("metadata") or {}
        namespace, name = str(metadata.get("namespace") or ""), str(metadata.get("name") or "")
        if not name:
            raise BadRequest("name must be provided")
        call = await self._enter("replace", resource, namespace, name)
        written = self.server.update(
            resource, namespace, name, _fresh(value), actor=self.actor, now=self._env.now()
        )
        await self._leave(call)
        return _object(written.stored)

    async def patch(
        self, resource: Resource, namespace: str, name: str, patch: JsonPatch | MergePatch
    ) -> Object:
        """See ``ports.cluster.Cluster.patch``."""
        call = await self._enter("patch", resource, namespace, name)
        if isinstance(patch, JsonPatch):
            content_type, body = patches.JSON_PATCH, _fresh([*map(dict, patch.operations)])
        else:
            content_type, body = patches.MERGE_PATCH, _fresh(patch.value)
        written = self.server.patch(
            resource, namespace, name, body, content_type=content_type, actor=self.actor, now=self._env.now()
        )
        await self._leave(call)
        return _object(written.stored)

    async def delete(
        self, resource: Resource, namespace: str, name: str, *, uid: str = "", resource_version: str = ""
    ) -> None:
        """See ``ports.cluster.Cluster.delete``."""
        call = await self._enter("delete", resource, namespace, name)
        self.server.delete(
            resource,
            namespace,
            name,
            actor=self.actor,
            now=self._env.now(),
            uid=uid,
            resource_version=resource_version,
        )
        await self._leave(call)


def _fresh(value: Any) -> Any:
    return decode(msgspec.json.encode(value))


def _object(stored: Stored) -> Object:
    return Object.parse(stored.json)


class _Failed:
    """A watch that could not begin."""

    def __init__(self, error: Expired) -> None:
        self._error = error

    def __aiter__(self) -> AsyncIterator[WatchEvent]:
        return self

    async def __anext__(self) -> WatchEvent:
        await trio.lowlevel.checkpoint()
        raise self._error


class _Feed:
    """A watch as an iterator. A class, not an async generator: nothing has to be finalised."""

    def __init__(self, server: ApiServer, watch: Watch, timeout: float) -> None:
        now = trio.current_time()
        self._watch = watch
        self._server = server
        self._events: deque[WatchEvent] = deque()
        self._deadline = now + timeout
        self._bookmark_at = now + BOOKMARK_INTERVAL
        self._ready = trio.Event()
        watch.on_ready = lambda: self._ready.set()

    def __aiter__(self) -> AsyncIterator[WatchEvent]:
        return self

    async def __anext__(self) -> WatchEvent:
        await trio.lowlevel.checkpoint()
        while not self._events:
            self._ready = trio.Event()
            self._events.extend(
                WatchEvent(EventType(event.type), _object(event.object)) for event in self._watch.take()
            )
            if not self._events:
                await self._wait()
        return self._events.popleft()

    async def _wait(self) -> None:
        if self._watch.closed:
            if self._watch.error is not None:
                raise self._watch.error
            raise StopAsyncIteration
        with trio.move_on_at(min(self._deadline, self._bookmark_at)):
            await self._ready.wait()
            return
        if trio.current_time() >= self._deadline:
            self._watch.close()
        else:
            self._bookmark_at += BOOKMARK_INTERVAL
            self._watch.bookmark(self._server.rv)


async def run_collector(server: ApiServer, *, env: Env, delay: float = 1.0) -> None:
    """Be the namespace and garbage-collecting controllers of a server, until cancelled.

    Args:
        server: the server.
        env: its wall clock.
        delay: seconds between the write that makes work due and the work.
    """
    wake = trio.Event()

    def note(entry: LogEntry) -> None:
        if server.collect_due:
            wake.set()

    leave = server.subscribe(note)
    try:
        while True:
            if server.collect_due:
                await trio.sleep(delay)
                server.collect(env.now())
            else:
                await wake.wait()
                wake = trio.Event()
    finally:
        leave()
