"""A watch: what one follower of a collection is shown.

With a selector a write may look different to the follower than it was: an object that begins to match is
ADDED, one that ceases to is DELETED (its old state under the resourceVersion of the write), and what never
matched is not shown. The table says it all.

The buffer is bounded: a follower that does not take its events is closed, as in a real server, and has to
watch again from where it was. Source: k8s.io/apiserver pkg/storage/cacher/cache_watcher.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from trio_argoagent.apiserver.core.selectors import Matcher
from trio_argoagent.apiserver.core.values import Event, EventKind, LogEntry, Stored, Verb
from trio_argoagent.errors import ApiError
from trio_argoagent.model.resources import Resource
from trio_argoagent.ports.cluster import INITIAL_EVENTS_END

WATCH_BUFFER: Final = 20_000  # events that wait to be taken

# (did the old state match, does the new one) -> what the follower sees
_TRANSITIONS: Final[Mapping[tuple[bool, bool], EventKind | None]] = {
    (False, False): None,
    (False, True): EventKind.ADDED,
    (True, True): EventKind.MODIFIED,
    (True, False): EventKind.DELETED,
}
_BY_VERB: Final[Mapping[Verb, EventKind]] = {
    Verb.CREATE: EventKind.ADDED,
    Verb.UPDATE: EventKind.MODIFIED,
    Verb.DELETE: EventKind.DELETED,
}


class Watch:
    """One open watch. ``ApiServer.watch`` makes it; the shell takes from it and closes it.

    Attributes:
        namespace: what it is of; empty: everything.
        on_ready: called, synchronously and out of the writer's call, when there is something to take or the
            watch has closed. It must not call the server. Set it, then ``take`` once: what was there before
            is not announced.
        error: why the server closed it, if it was not the plain end of a watch.
        overflowed: was it closed because its buffer was full?
    """

    def __init__(
        self,
        resource: Resource,
        namespace: str,
        matcher: Matcher | None,
        *,
        bookmarks: bool,
        since: int,
        on_close: Callable[[Watch], None],
    ) -> None:
        self.on_ready: Callable[[], None] | None = None
        self.error: ApiError | None = None
        self.overflowed = False
        self._resource = resource
        self.namespace = namespace
        self._matcher = matcher
        self._bookmarks = bookmarks
        self._since = since
        self._on_close = on_close
        self._buffer: list[Event] = []
        self._closed = False

    @property
    def closed(self) -> bool:
        """Will there be no more events than those that ``take`` returns now?"""
        return self._closed

    def take(self) -> Sequence[Event]:
        """All that has happened since the last call, in order; empty if nothing has."""
        taken, self._buffer = self._buffer, []
        return taken

    def offer(self, entry: LogEntry, event: Event) -> None:
        """The store shows a committed write in its namespace, and what it is without a selector."""
        if self._matcher is not None:
            shown = self._view(entry)
            if shown is not None:
                self._put(shown)
        elif entry.rv > self._since:
            self._put(event)

    def replay(self, entries: Sequence[LogEntry]) -> None:
        """Begin with what has happened since the version that was asked for (bounded by the history)."""
        self._buffer += [event for entry in entries if (event := self._view(entry)) is not None]

    @staticmethod
    def plain_event(entry: LogEntry) -> Event:
        """What a follower without a selector sees."""
        return Event(_BY_VERB[entry.verb], entry.subject)

    def _view(self, entry: LogEntry) -> Event | None:
        if entry.rv <= self._since or (self.namespace and entry.namespace != self.namespace):
            return None
        matcher, old, new = self._matcher, entry.old, entry.new
        was = old is not None and (matcher is None or matcher(old))
        is_now = new is not None and (matcher is None or matcher(new))
        kind = _TRANSITIONS[was, is_now]
        if kind is None:
            return None
        if kind is EventKind.DELETED and new is not None and old is not None:
            return Event(kind, old.at(entry.rv))
        return Event(kind, entry.subject)

    def initial(self, items: Sequence[Stored], rv: int, *, end: bool) -> None:
        """Begin with synthetic ADDED events; ``end``: close them with the bookmark that WatchList wants."""
        self._buffer += [Event(EventKind.ADDED, item) for item in items]
        if end:
            self._buffer.append(self._bookmark_event(rv, {INITIAL_EVENTS_END: "true"}))

    def bookmark(self, rv: int) -> None:
        """Show how far the follower has got, if it wants bookmarks. All up to ``rv`` has been offered."""
        # One from the future (a watch may begin there) has got no further than it asked for.
        if self._bookmarks and not self._closed and rv >= self._since:
            self._put(self._bookmark_event(rv, None))

    def _bookmark_event(self, rv: int, annotations: Mapping[str, str] | None) -> Event:
        metadata: dict[str, object] = {"resourceVersion": str(rv)}
        if annotations:
            metadata["annotations"] = annotations
        resource = self._resource
        value = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata}
        return Event(EventKind.BOOKMARK, Stored(value, rv))

    def _put(self, event: Event) -> None:
        if len(self._buffer) >= WATCH_BUFFER:
            self.overflowed = True
            self.close()
            return
        self._buffer.append(event)
        if self.on_ready is not None:
            self.on_ready()

    def close(self, error: ApiError | None = None) -> None:
        """End the watch; what is in the buffer can still be taken. Closing twice does nothing."""
        if self._closed:
            return
        self._closed, self.error = True, error
        self._on_close(self)
        if self.on_ready is not None:
            self.on_ready()
