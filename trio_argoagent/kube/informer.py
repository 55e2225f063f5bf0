"""A collection of a Kubernetes API kept in memory, and a call for each change of it.

List, watch from there, and list again when the server no longer remembers where we were; for ever. The rules
are those of client-go's reflector, with three differences that replication needs:

- **Every list is consistent** (resourceVersion empty). Lists that an API server answers from its own cache
  travel back in time after it restarts (kubernetes#59848); what is absent from one proves nothing.
- **It never goes back**: a list from before the cache is asked for again, and the cache serves meanwhile.
- **It says when it must not be believed**: ``complete`` is False until a list has finished, and again while
  the server refuses us, has lost the resource, or answers from the past. Absence is evidence only while it
  is True.

A watch that is silent for ``SILENCE`` seconds is taken for dead: API servers send a bookmark each minute. A
server without bookmarks then costs one request each ``SILENCE``, and a list each third time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs
import trio

from trio_argoagent import errors
from trio_argoagent.kube.protocol.backoff import Backoff
from trio_argoagent.kube.protocol.cache import Cache, Change, Name
from trio_argoagent.kube.snapshot import BATCH, PAGE, Collection, read_snapshot
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import Resource
from trio_argoagent.ports.cluster import Cluster, EventType, WatchEvent
from trio_argoagent.ports.env import Env

SILENCE: Final = 90.0
"""Seconds without an event or bookmark after which a watch is dead."""
WATCH_TIMEOUT: Final = (300.0, 600.0)
"""Seconds a watch is asked to last: a range, so that watches opened together do not end together."""
SHORT: Final = 1.0
"""Seconds: a watch shorter than this that brought nothing new has failed, however cleanly it ended."""
SLOW_RETRY: Final = 30.0
"""Seconds (before jitter) between attempts while the server refuses us: only an operator can change that."""
RELIST_AFTER: Final = 3
"""Watches in a row that brought nothing and ended badly; then the position itself is in doubt."""

REFUSALS: Final = (
    errors.BadRequest,
    errors.Unauthorized,
    errors.Forbidden,
    errors.NotFound,
    errors.MethodNotAllowed,
    errors.UnsupportedMedia,
    errors.Invalid,
)
"""Answers that asking again soon will not change."""
_AWAY: Final = (429, 503)


@attrs.frozen
class InformerStatistics:
    """What an informer has done since it was made.

    Attributes:
        objects: held now.
        lists: finished.
        watches: begun.
        events: received, bookmarks not among them.
        bookmarks: received.
        dropped: events that told nothing new.
        expired: times the server no longer remembered our position.
        silent: watches given up for their silence.
        stale: lists refused because they were older than the cache.
        failures: errors, and watches that ended at once.
        last_error: for people; empty if there was none.
    """

    objects: int = 0
    lists: int = 0
    watches: int = 0
    events: int = 0
    bookmarks: int = 0
    dropped: int = 0
    expired: int = 0
    silent: int = 0
    stale: int = 0
    failures: int = 0
    last_error: str = ""


def identity(thing: Object) -> Object:
    """The transform that changes nothing."""
    return thing


class Informer:
    """One collection in memory.

    Args:
        cluster: where it is read.
        resource: what is read.
        namespace: empty: of all namespaces.
        selector: a label selector; an object that leaves it is reported as deleted.
        env: its ``random`` spreads retries.
        transform: applied to each object before it is stored: drop there what nobody needs. It leaves the
            metadata as it is, and raises nothing.
        page: objects of one page of a list.
        name: for people; the resource's by default.
    """

    def __init__(
        self,
        cluster: Cluster,
        resource: Resource,
        namespace: str = "",
        *,
        selector: str = "",
        env: Env,
        transform: Callable[[Object], Object] = identity,
        page: int = PAGE,
        name: str = "",
    ) -> None:
        self.name = name or str(resource)
        self.source: Final = Collection(cluster, resource, namespace, selector)
        self._env, self._transform, self._page = env, transform, page
        self._cache = Cache()
        self._handlers: list[Callable[[Change], None]] = []
        self._state_handlers: list[Callable[[], None]] = []
        self._list_handlers: list[Callable[[], None]] = []
        self._synced = trio.Event()
        self._complete = False
        self._degraded = ""
        self._backoff = Backoff()
        self._counted: Counter[str] = Counter()
        self._last_error = ""
        self._bug: Exception | None = None  # what a handler raised
        self._barren = 0  # watches in a row that brought nothing and ended badly
        self._proven = False  # has any watch worked since the last list?

    # What is known.

    @property
    def objects(self) -> Mapping[Name, Object]:
        """The newest known state by (namespace, name): a live, read-only view."""
        return self._cache.objects

    def get(self, namespace: str, name: str) -> Object | None:
        """The newest known state of one object; None if there is none."""
        return self._cache.objects.get((namespace, name))

    @property
    def resource_version(self) -> str:
        """Of the newest list, event or bookmark: the state is known as of it. It never goes back."""
        return self._cache.resource_version

    @property
    def is_synced(self) -> bool:
        """Has the first list been delivered to every handler?"""
        return self._synced.is_set()

    async def wait_synced(self) -> None:
        """Return once the first list has been delivered to every handler."""
        await self._synced.wait()

    @property
    def complete(self) -> bool:
        """May absence be believed: a finished, consistent list is held, and the server still serves us?"""
        return self._complete

    @property
    def degraded(self) -> str:
        """Why not, in one line for people; empty while nothing is wrong."""
        return self._degraded

    def statistics(self) -> InformerStatistics:
        """What has been done so far."""
        return InformerStatistics(
            objects=len(self.objects),
            dropped=self._cache.dropped,
            last_error=self._last_error,
            **self._counted,
        )

    # Who is told.

    def on_change(self, handler: Callable[[Change], None]) -> None:
        """Call ``handler`` for each change from now on, in order; the cache has it already.

        A handler must not block. An exception of it is a bug and ends ``run``. A handler added late is not
        told what ``objects`` shows already: read that in the same breath.
        """
        self._handlers.append(handler)

    def on_state(self, handler: Callable[[], None]) -> None:
        """Call ``handler`` whenever ``complete`` or ``degraded`` has changed."""
        self._state_handlers.append(handler)

    def on_list(self, handler: Callable[[], None]) -> None:
        """Call ``handler`` after each list whose changes have been delivered.

        What came and went between the last event and the list was never here, so no change tells of it; who
        knows of it in another way (from his own writes, say) looks again now.
        """
        self._list_handlers.append(handler)

    # The loop.

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep the collection up to date until cancelled. Reports started after the first sync.

        A server that refuses (401, 403, 404) or is away is no error: it is asked for ever.
        """
        listed = started = False
        while True:
            try:
                listed = await (self._watch() if listed else self._list())
            except (errors.ApiError, errors.RemoteProtocolError) as exc:
                if exc is self._bug:
                    raise
                listed = await self._failed(exc, listed)
            if self.is_synced and not started:
                started = True
                task_status.started()

    async def _list(self) -> bool:
        """Read everything; True if the cache now is what was read."""
        items, version = await read_snapshot(self.source, page=self._page, transform=self._transform)
        self._counted["lists"] += 1
        if self._cache.is_behind(version):
            # An API server that lags behind the one we listed from last time, or a store restored from a
            # backup. The first passes; the second an operator must resolve. Until then nothing may be
            # concluded from what is missing, neither in the list nor in the cache.
            self._counted["stale"] += 1
            self._set_state(False, f"listed at {version}, which is before {self.resource_version}")
            await self._pause()
            return False
        changes = self._cache.apply_list(items, version)
        for start in range(0, len(changes), BATCH):
            self._deliver(changes[start : start + BATCH])
            await trio.lowlevel.checkpoint()
        self._barren, self._proven = 0, False
        self._synced.set()
        self._set_state(True, "")
        for handler in self._list_handlers:
            handler()
        return True

    async def _watch(self) -> bool:
        """Follow the collection until the watch ends without an error; True if it may go on from there."""
        began, before = trio.current_time(), self.resource_version
        self._counted["watches"] += 1
        silent = True
        try:
            with trio.move_on_after(SILENCE) as patience:
                await self._follow(patience)
                silent = False
        finally:
            moved, long = self.resource_version != before, trio.current_time() - began >= SHORT
            self._proven = self._proven or moved or long
            if moved:
                self._barren = 0
        if silent:
            self._barren += 1
            self._counted["silent"] += 1
        elif not moved and not long:
            self._barren += 1
            self._counted["failures"] += 1
            await self._pause()
        return self._barren < RELIST_AFTER

    async def _follow(self, patience: trio.CancelScope) -> None:
        source = self.source
        async with source.cluster.watch(
            source.resource,
            source.namespace,
            selector=source.selector,
            resource_version=self.resource_version,
            timeout=self._env.random.uniform(*WATCH_TIMEOUT),
        ) as events:
            taken = 0
            async for event in events:
                patience.deadline = trio.current_time() + SILENCE
                self._apply(event)
                taken += 1
                # A cluster that has a backlog may hand it over without ever letting another task run.
                if taken % BATCH == 0:
                    await trio.lowlevel.checkpoint()

    def _apply(self, event: WatchEvent) -> None:
        if event.type is EventType.BOOKMARK:
            self._counted["bookmarks"] += 1
        else:
            self._counted["events"] += 1
            event = WatchEvent(event.type, self._transform(event.object))
        self._deliver(self._cache.apply_event(event))

    def _deliver(self, changes: Sequence[Change]) -> None:
        for change in changes:
            for handler in self._handlers:
                try:
                    handler(change)
                except Exception as exc:
                    # Else one of our own errors, out of a handler, would pass for the server's.
                    self._bug = exc
                    raise

    # When it goes wrong.

    async def _failed(self, exc: errors.ApiError | errors.RemoteProtocolError, listed: bool) -> bool:
        """Wait as long as this error deserves; True if the next attempt is to watch from where we are."""
        self._last_error = f"{type(exc).__name__}: {exc}"
        if isinstance(exc, errors.Expired) and listed:
            self._counted["expired"] += 1
            # List at once, unless the list before this watch did not help either.
            if not self._proven:
                await self._pause()
            return False
        self._counted["failures"] += 1
        if isinstance(exc, REFUSALS):
            self._set_state(False, self._last_error)
            await trio.sleep(SLOW_RETRY * (1 + self._env.random.random()))
            # What came and went while the resource was gone or hidden shows in no watch.
            return False
        if not isinstance(exc, errors.ApiError):
            await self._pause()
            return False
        # A server that is busy or away casts no doubt on where we are, and must not be met by everybody's
        # lists when it comes back.
        if exc.status_code not in _AWAY:
            self._barren += 1
        await self._pause(exc.retry_after)
        return listed and self._barren < RELIST_AFTER

    async def _pause(self, at_least: float = 0.0) -> None:
        chance = self._env.random.random()
        await trio.sleep(self._backoff.failed(trio.current_time(), chance, at_least=at_least))

    def _set_state(self, complete: bool, degraded: str) -> None:
        if (complete, degraded) == (self._complete, self._degraded):
            return
        self._complete, self._degraded = complete, degraded
        for handler in self._state_handlers:
            handler()
