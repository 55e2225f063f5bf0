"""The loop under an informer: read everything, follow it from there, begin again when that ends; for ever.

Everything is read as the initial events of a watch where the cluster streams (``Cluster.streams``, KEP-3157),
and the watch simply goes on; in pages where it does not, or where the server behind it turns out not to know
of them. The rules are those of client-go's reflector, with three differences that replication needs:

- **Every reading is consistent** (resourceVersion empty). What an API server answers from its own cache
  travels back in time after it restarts (kubernetes#59848); what is absent from that proves nothing.
- **It never goes back**: a state from before the audience's is asked for again; the cache serves meanwhile.
- **It says when it must not be believed**: the audience hears of doubt while the server refuses us, has lost
  the resource, or answers from the past.

A watch that is silent for ``SILENCE`` seconds is taken for dead: API servers send a bookmark each minute. A
server without bookmarks then costs one request each ``SILENCE``, and a list each third time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import attrs
import trio

from trio_argoagent import errors
from trio_argoagent.kube.protocol.backoff import Backoff
from trio_argoagent.kube.protocol.staging import Endless, Staging
from trio_argoagent.kube.snapshot import BATCH, Collection, read_snapshot
from trio_argoagent.model.objects import Object
from trio_argoagent.ports.cluster import EventType, WatchEvent
from trio_argoagent.ports.env import Env

SILENCE: Final = 90.0
"""Seconds without an event or bookmark after which a watch is dead."""
INITIAL_SILENCE: Final = 20.0
"""Seconds without an event after which no more initial ones are to be expected: lists are used."""
GRAIN: Final = 0.01
"""Seconds by which either may be cut short: to move a deadline costs as much as to decode an object."""
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
NO_STREAM: Final = (errors.BadRequest, errors.Invalid)
"""How a server refuses initial events (KEP-3157); client-go goes back to lists on the same two."""
_AWAY: Final = (429, 503)


class Audience(Protocol):
    """Who is kept up to date."""

    bug: Exception | None
    """What a handler raised: it is no answer of the server, whatever its type."""

    @property
    def resource_version(self) -> str:
        """Of the newest state it was told of; empty before the first."""

    def is_behind(self, resource_version: str) -> bool:
        """Is a state of this version older than what it was told already?"""

    async def replace(self, items: Sequence[Object], resource_version: str) -> None:
        """This is everything, and nothing is in doubt."""

    def apply(self, event: WatchEvent) -> None:
        """One event of a watch, or a bookmark."""

    def doubt(self, why: str) -> None:
        """What it knows may be incomplete, until it is replaced."""


@attrs.define
class _Watch:
    """One watch.

    Attributes:
        began: when it began to go on from the audience's state, or was asked for.
        version: the audience's at that time.
        staging: initial events that are not all there; None: it goes on from the audience's state.
        opened: has the server accepted it?
        useless: initial events are nothing that this server knows of.
        patience: when it counts as dead.
    """

    began: float
    version: str
    staging: Staging | None
    opened: bool = False
    useless: bool = False
    patience: trio.CancelScope = attrs.Factory(trio.CancelScope)

    def heard(self, silence: float) -> None:
        """Something has come: wait so many seconds for what follows."""
        due = trio.current_time() + silence
        if abs(due - self.patience.deadline) >= GRAIN:
            self.patience.deadline = due


class Reflector:
    """Keeps an audience up to date with a collection.

    Args:
        source: what is read, and from where.
        audience: who is told.
        env: its ``random`` spreads retries.
        transform: applied to each object before the audience sees it.
        page: objects of one page of a list.
    """

    def __init__(
        self,
        source: Collection,
        audience: Audience,
        *,
        env: Env,
        transform: Callable[[Object], Object],
        page: int,
    ) -> None:
        self._source, self._audience = source, audience
        self._env, self._transform, self._page = env, transform, page
        self._streams = source.cluster.streams
        self._backoff = Backoff()
        self._listed = False  # is the audience's state one to watch from?
        self._barren = 0  # watches in a row that brought nothing and ended badly
        self._halves = 0  # readings in a row whose initial events were not finished
        self._proven = False  # has any watch worked since everything was read?
        self.counted: Counter[str] = Counter()
        """What has been done, by the names of ``InformerStatistics``."""
        self.last_error = ""
        """For people; empty if there was none."""

    async def run(self) -> None:
        """Keep it up to date until cancelled."""
        self._listed = False
        while True:
            try:
                if self._listed or (self._streams and self._halves < RELIST_AFTER):
                    await self._watch()
                else:
                    await self._list()
            except (errors.ApiError, errors.RemoteProtocolError) as exc:
                if exc is self._audience.bug:
                    raise
                await self._failed(exc)

    # Everything.

    async def _list(self) -> None:
        snapshot = await read_snapshot(self._source, page=self._page, transform=self._transform)
        if not await self._replace(*snapshot):
            await self._pause()

    async def _replace(self, items: Sequence[Object], version: str) -> bool:
        """Tell the audience; False if it knows better."""
        self.counted["lists"] += 1
        known = self._audience.resource_version
        if self._audience.is_behind(version):
            # An API server that lags behind the one we listed from last time, or a store restored from a
            # backup. The first passes; the second an operator must resolve. Until then nothing may be
            # concluded from what is missing, neither in the list nor in the cache.
            self.counted["stale"] += 1
            self._audience.doubt(f"listed at {version}, which is before {known}")
            return False
        await self._audience.replace(items, version)
        self._listed, self._barren, self._halves, self._proven = True, 0, 0, False
        return True

    # What happens then.

    async def _watch(self) -> None:
        """Follow the collection until the watch ends without an error."""
        self.counted["watches"] += 1
        staging = None if self._listed else Staging(self._transform)
        watch = _Watch(trio.current_time(), self._audience.resource_version, staging)
        watch.patience.deadline = watch.began + (INITIAL_SILENCE if staging else SILENCE)
        silent = True
        try:
            with watch.patience:
                await self._follow(watch)
                silent = False
        except NO_STREAM as exc:
            if watch.staging is None or exc is self._audience.bug:
                raise
            watch.useless = True
        finally:
            moved = self._audience.resource_version != watch.version
            long = trio.current_time() - watch.began >= SHORT
            self._proven = self._proven or moved or long
            if moved:
                self._barren = 0
            self._halves += watch.staging is not None
        if watch.staging is not None:
            await self._unfinished(watch, silent)
        elif silent:
            self._barren += 1
            self.counted["silent"] += 1
        elif not moved and not long:
            self._barren += 1
            self.counted["failures"] += 1
            await self._pause()
        self._listed = self._listed and self._barren < RELIST_AFTER

    async def _unfinished(self, watch: _Watch, silent: bool) -> None:
        """A watch has ended before its initial events did."""
        if watch.useless or (silent and watch.opened):
            self._streams = False
        else:
            self.counted["failures"] += 1
            await self._pause()

    async def _follow(self, watch: _Watch) -> None:
        source, initial = self._source, watch.staging is not None
        async with source.cluster.watch(
            source.resource,
            source.namespace,
            selector=source.selector,
            name=source.name,
            resource_version="" if initial else self._audience.resource_version,
            timeout=self._env.random.uniform(*WATCH_TIMEOUT),
            initial=initial,
        ) as events:
            watch.opened = True
            taken = 0
            async for event in events:
                if watch.staging is None:
                    watch.heard(SILENCE)
                    self._apply(event)
                elif not await self._stage(watch, watch.staging, event):
                    return
                taken += 1
                # A cluster that has a backlog may hand it over without ever letting another task run.
                if taken % BATCH == 0:
                    await trio.lowlevel.checkpoint()

    async def _stage(self, watch: _Watch, staging: Staging, event: WatchEvent) -> bool:
        """Take one of the initial events; False if there is no point in going on."""
        watch.heard(INITIAL_SILENCE)
        try:
            snapshot = staging.take(event)
        except Endless:
            watch.useless = True
            return False
        if snapshot is None:
            return True
        if not await self._replace(snapshot.items, snapshot.resource_version):
            return False
        watch.staging, watch.version = None, snapshot.resource_version
        watch.began = trio.current_time()
        watch.patience.deadline = watch.began + SILENCE
        return True

    def _apply(self, event: WatchEvent) -> None:
        if event.type is EventType.BOOKMARK:
            self.counted["bookmarks"] += 1
        else:
            self.counted["events"] += 1
            event = WatchEvent(event.type, self._transform(event.object))
        self._audience.apply(event)

    # When it goes wrong.

    async def _failed(self, exc: errors.ApiError | errors.RemoteProtocolError) -> None:
        """Wait as long as this error deserves, and decide where to go on."""
        self.last_error = f"{type(exc).__name__}: {exc}"
        if isinstance(exc, errors.Expired) and self._listed:
            self.counted["expired"] += 1
            self._listed = False
            # List at once, unless the list before this watch did not help either.
            if not self._proven:
                await self._pause()
            return
        self.counted["failures"] += 1
        if isinstance(exc, REFUSALS):
            self._audience.doubt(self.last_error)
            # What came and went while the resource was gone or hidden shows in no watch.
            self._listed = False
            await trio.sleep(SLOW_RETRY * (1 + self._env.random.random()))
            return
        if not isinstance(exc, errors.ApiError):
            self._listed = False
            await self._pause()
            return
        # A server that is busy or away casts no doubt on where we are, and must not be met by everybody's
        # lists when it comes back.
        if exc.status_code not in _AWAY:
            self._barren += 1
        await self._pause(exc.retry_after)
        self._listed = self._listed and self._barren < RELIST_AFTER

    async def _pause(self, at_least: float = 0.0) -> None:
        chance = self._env.random.random()
        await trio.sleep(self._backoff.failed(trio.current_time(), chance, at_least=at_least))
