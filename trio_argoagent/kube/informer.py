"""A collection of a Kubernetes API kept in memory, and a call for each change of it.

How it is kept up to date is the reflector's matter. Here is what is known, how far it may be believed
(``complete`` is False until everything has been read, and again while the server refuses us, has lost the
resource, or answers from the past: absence is evidence only while it is True), and who is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs
import trio

from trio_argoagent.kube.protocol.cache import Cache, Change, Name
from trio_argoagent.kube.reflector import Reflector
from trio_argoagent.kube.snapshot import BATCH, PAGE, Collection
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import Resource
from trio_argoagent.ports.cluster import Cluster, WatchEvent
from trio_argoagent.ports.env import Env


@attrs.frozen
class InformerStatistics:
    """What an informer has done since it was made.

    Attributes:
        objects: held now.
        lists: finished, in pages or as the initial events of a watch.
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
        only: the name of the one object that is read; empty: all.
        env: its ``random`` spreads retries.
        transform: applied to each object before it is stored: drop there what nobody needs. It leaves the
            metadata as it is, and raises nothing.
        page: objects of one page of a list.
        name: for people; the resource's by default.
    """

    def __init__(  # noqa: PLR0913 (what is read, and how)
        self,
        cluster: Cluster,
        resource: Resource,
        namespace: str = "",
        *,
        selector: str = "",
        only: str = "",
        env: Env,
        transform: Callable[[Object], Object] = identity,
        page: int = PAGE,
        name: str = "",
    ) -> None:
        self.name = name or str(resource)
        self.source: Final = Collection(cluster, resource, namespace, selector, only)
        self.bug: Exception | None = None
        """What a handler raised."""
        self._cache = Cache()
        self._reflector = Reflector(self.source, self, env=env, transform=transform, page=page)
        self._handlers: list[Callable[[Change], None]] = []
        self._state_handlers: list[Callable[[], None]] = []
        self._list_handlers: list[Callable[[], None]] = []
        self._synced = trio.Event()
        self._started: Callable[[], None] | None = None
        self._complete = False
        self._degraded = ""

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
            last_error=self._reflector.last_error,
            **self._reflector.counted,
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

    # The loop, and what it tells.

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep the collection up to date until cancelled. Reports started after the first sync.

        A server that refuses (401, 403, 404) or is away is no error: it is asked for ever.
        """
        self._started = task_status.started
        await self._reflector.run()

    def is_behind(self, resource_version: str) -> bool:
        """See ``reflector.Audience``."""
        return self._cache.is_behind(resource_version)

    async def replace(self, items: Sequence[Object], resource_version: str) -> None:
        """See ``reflector.Audience``."""
        changes = self._cache.apply_list(items, resource_version)
        for start in range(0, len(changes), BATCH):
            self._deliver(changes[start : start + BATCH])
            await trio.lowlevel.checkpoint()
        self._synced.set()
        self._set_state(True, "")
        for handler in self._list_handlers:
            self._tell(handler)
        if self._started is not None:
            self._started()
            self._started = None

    def apply(self, event: WatchEvent) -> None:
        """See ``reflector.Audience``."""
        self._deliver(self._cache.apply_event(event))

    def doubt(self, why: str) -> None:
        """See ``reflector.Audience``."""
        self._set_state(False, why)

    def _deliver(self, changes: Sequence[Change]) -> None:
        for change in changes:
            for handler in self._handlers:
                self._tell(handler, change)

    def _tell(self, handler: Callable[..., None], *what: Change) -> None:
        try:
            handler(*what)
        except Exception as exc:
            # Else one of our own errors, out of a handler, would pass for the server's.
            self.bug = exc
            raise

    def _set_state(self, complete: bool, degraded: str) -> None:
        if (complete, degraded) == (self._complete, self._degraded):
            return
        self._complete, self._degraded = complete, degraded
        for handler in self._state_handlers:
            self._tell(handler)
