"""A small API server for one resource, in memory, that fails when it is told to."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

import trio

from trio_argoagent.errors import Expired, Unavailable
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import Resource
from trio_argoagent.ports.cluster import (
    INITIAL_EVENTS_END,
    EventType,
    JsonPatch,
    MergePatch,
    ObjectList,
    WatchEvent,
)
from trio_argoagent.ports.env import Env


def env(seed: int = 1) -> Env:
    """Chance of a test's own: what is drawn must not depend on which tests ran before."""
    return Env(now=lambda: 0.0, random=random.Random(seed), entropy=lambda count: b"\0" * count)


def thing(name: str, version: int | str, uid: str = "", text: str = "", namespace: str = "ns") -> Object:
    """An object with that resourceVersion; its uid is derived from its name unless given."""
    meta = {
        "name": name,
        "namespace": namespace,
        "uid": uid or f"uid-{name}",
        "resourceVersion": str(version),
    }
    return Object.of({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"text": text}})


def event(kind: str, item: Object) -> WatchEvent:
    """A watch event."""
    return WatchEvent(EventType(kind), item)


def bookmark(version: int | str, *, end: bool = False) -> WatchEvent:
    """A bookmark; ``end``: the one after the initial events."""
    metadata = {"resourceVersion": str(version), "annotations": {INITIAL_EVENTS_END: "true"} if end else {}}
    return WatchEvent(EventType.BOOKMARK, Object.of({"kind": "ConfigMap", "metadata": metadata}))


class _Watch:
    """One open watch; a dead one is a connection whose packets are lost, for ever."""

    def __init__(self, dead: bool) -> None:
        self.dead = dead
        self.send, self.receive = trio.open_memory_channel[WatchEvent | Exception](1000)


class FakeCluster:
    """Objects, a history of events, and faults that a test injects.

    ``faults`` answer the next requests instead of the server, in order: an exception is raised, None lets the
    request through.
    """

    def __init__(self, *, streams: bool = False) -> None:
        self.streams = streams
        self.version = 0
        self.uids = 0
        self.items: dict[str, Object] = {}
        self.history: list[tuple[int, WatchEvent]] = []
        self.compacted = 0
        self.list_faults: deque[Exception | None] = deque()
        self.watch_faults: deque[Exception | None] = deque()
        self.requests: list[tuple[float, str, str]] = []
        self.is_cut = False
        self.bookmarks_every = 60.0
        self.list_version: Callable[[], int] = lambda: self.version
        self._watches: list[_Watch] = []

    # Writes, as somebody else does them.

    def put(self, name: str, text: str = "") -> Object:
        """Create or change an object."""
        self.version += 1
        old = self.items.get(name)
        if old is None:
            self.uids += 1
        uid = old.meta.uid if old is not None else f"{name}-{self.uids}"
        new = thing(name, self.version, uid, text)
        self.items[name] = new
        self._tell("ADDED" if old is None else "MODIFIED", new)
        return new

    def remove(self, name: str) -> None:
        """Delete an object; nothing happens if there is none."""
        old = self.items.pop(name, None)
        if old is not None:
            self.version += 1
            self._tell("DELETED", thing(name, self.version, old.meta.uid))

    def compact(self) -> None:
        """Forget the history."""
        self.compacted = self.version
        self.history.clear()

    def cut(self) -> None:
        """Open watches, and those opened until ``mend``, say nothing more, not even that they end."""
        self.is_cut = True
        for watch in self._watches:
            watch.dead = True

    def mend(self) -> None:
        """New watches work again."""
        self.is_cut = False

    def break_watches(self, exc: Exception | None = None) -> None:
        """End all watches: cleanly, or with an error."""
        watches, self._watches = self._watches, []
        for watch in watches:
            if exc is not None:
                watch.send.send_nowait(exc)
            watch.send.close()

    def inject(self, what: WatchEvent) -> None:
        """Send an event of the test's own making to all watches."""
        for watch in self._watches:
            if not watch.dead:
                watch.send.send_nowait(what)

    def _tell(self, kind: str, item: Object) -> None:
        self.history.append((self.version, event(kind, item)))
        self.inject(self.history[-1][1])

    def initial_events(self) -> list[WatchEvent | Exception]:
        """The state; what an ailing server says instead is a test's to choose."""
        state: list[WatchEvent | Exception] = [event("ADDED", item) for item in self.items.values()]
        return [*state, bookmark(self.list_version(), end=True)]

    # The port.

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
        """A page; the continue token is the position and the snapshot's version."""
        await trio.lowlevel.checkpoint()
        self.requests.append((trio.current_time(), "list", f"{resource_version}/{limit}"))
        if self.list_faults and (fault := self.list_faults.popleft()) is not None:
            raise fault
        start, version = 0, self.list_version()
        if continue_token:
            start, version = (int(part) for part in continue_token.split("@"))
            if version < self.compacted:
                raise Expired("the continue token is too old")
        items = sorted(self.items.values(), key=lambda item: item.meta.name)
        end = start + limit if limit else len(items)
        token = f"{end}@{version}" if end < len(items) else ""
        return ObjectList(items[start:end], str(version), token)

    @asynccontextmanager
    async def watch(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        selector: str = "",
        name: str = "",
        resource_version: str,
        timeout: float = 300.0,
        initial: bool = False,
    ) -> AsyncIterator[AsyncIterator[WatchEvent]]:
        """The history after that version, or the state and the bookmark after it; then what happens."""
        await trio.lowlevel.checkpoint()
        self.requests.append((trio.current_time(), "initial" if initial else "watch", resource_version))
        if self.watch_faults and (fault := self.watch_faults.popleft()) is not None:
            raise fault
        watch = _Watch(self.is_cut)
        if initial:
            for what in self.initial_events():
                watch.send.send_nowait(what)
            resource_version = str(self.version)
        if int(resource_version) < self.compacted:
            raise Expired("too old resource version")
        for version, past in self.history:
            if version > int(resource_version) and not watch.dead:
                watch.send.send_nowait(past)
        self._watches.append(watch)
        try:
            async with aclosing(self._events(watch, trio.current_time() + timeout)) as events:
                yield events
        finally:
            watch.receive.close()
            self._watches = [other for other in self._watches if other is not watch]

    async def _events(self, watch: _Watch, until: float) -> AsyncGenerator[WatchEvent, None]:
        while trio.current_time() < until:
            what: WatchEvent | Exception | None = None
            with trio.move_on_after(min(self.bookmarks_every, until - trio.current_time())):
                try:
                    what = await watch.receive.receive()
                except trio.EndOfChannel:
                    return
            if isinstance(what, Exception):
                raise what
            if what is not None:
                yield what
            elif not watch.dead:
                yield bookmark(self.version)

    # The rest of the port: an informer only reads.

    async def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """Unused."""
        raise Unavailable("not here")

    async def create(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        """Unused."""
        raise Unavailable("not here")

    async def replace(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        """Unused."""
        raise Unavailable("not here")

    async def patch(
        self, resource: Resource, namespace: str, name: str, patch: JsonPatch | MergePatch
    ) -> Object:
        """Unused."""
        raise Unavailable("not here")

    async def delete(
        self, resource: Resource, namespace: str, name: str, *, uid: str = "", resource_version: str = ""
    ) -> None:
        """Unused."""
        raise Unavailable("not here")
