"""The store: collections of objects, one global resourceVersion, the log of every committed write.

The log is three things at once: the history that watches and snapshots start from, the bounded memory of a
long-running server, and the oracle of a simulation (run it with ``history=0``: without bound). ``compact``
makes the past unreachable for watches and snapshots but leaves the log as it is.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from trio_argoagent.apiserver.core import failures
from trio_argoagent.apiserver.core.values import LogEntry, Stored, Verb
from trio_argoagent.apiserver.core.watching import Watch
from trio_argoagent.model.resources import Resource

HISTORY: Final = 10_000  # committed writes remembered by default

Ref: TypeAlias = tuple[str, str, str, str]
"""An object: (group, plural, namespace, name)."""


def key_of(namespace: str, name: str) -> str:
    """The key inside a collection; lists are in the order of keys."""
    return f"{namespace}/{name}"


class Watches:
    """The open watches of one collection, in the order in which they were opened."""

    def __init__(self) -> None:
        self._opened = 0
        self._by_namespace: dict[str, dict[Watch, int]] = {}

    def add(self, watch: Watch) -> None:
        """It has been opened."""
        self._opened += 1
        self._by_namespace.setdefault(watch.namespace, {})[watch] = self._opened

    def discard(self, watch: Watch) -> None:
        """It has been closed, if it was here."""
        found = self._by_namespace.get(watch.namespace, {})
        found.pop(watch, None)
        if not found:
            self._by_namespace.pop(watch.namespace, None)

    def of(self, namespace: str) -> Sequence[Watch]:
        """Those that a write in a namespace concerns: that namespace's, and those of all."""
        everywhere, there = self._by_namespace.get("", {}), self._by_namespace.get(namespace, {})
        if not there or not namespace:
            return tuple(everywhere)
        found = everywhere | there
        return sorted(found, key=found.__getitem__)

    def __iter__(self) -> Iterator[Watch]:
        found = {watch: number for part in self._by_namespace.values() for watch, number in part.items()}
        return iter(sorted(found, key=found.__getitem__))

    def __len__(self) -> int:
        return sum(map(len, self._by_namespace.values()))


class Collection:
    """The objects of one resource, whatever the version they are read in."""

    def __init__(self) -> None:
        self.objects: dict[str, Stored] = {}
        self.events: list[LogEntry] = []
        self.watches = Watches()
        self._order: list[str] = []

    def put(self, key: str, stored: Stored) -> None:
        """Store a version."""
        if key not in self.objects:
            bisect.insort(self._order, key)
        self.objects[key] = stored

    def drop(self, key: str) -> None:
        """Remove an object."""
        del self.objects[key]
        del self._order[bisect.bisect_left(self._order, key)]

    def keys(self, namespace: str) -> Sequence[str]:
        """The keys in order, of one namespace or (empty) of all."""
        if not namespace:
            return tuple(self._order)
        # "0" is the character after "/".
        start = bisect.bisect_left(self._order, f"{namespace}/")
        return self._order[start : bisect.bisect_left(self._order, f"{namespace}0")]

    def since(self, rv: int) -> Sequence[LogEntry]:
        """The remembered writes after ``rv``, oldest first."""
        return self.events[bisect.bisect_right(self.events, rv, key=lambda entry: entry.rv) :]

    def snapshot(self, rv: int) -> dict[str, Stored]:
        """What the collection held at ``rv``, found by undoing what came later."""
        state = dict(self.objects)
        for entry in reversed(self.since(rv)):
            key = key_of(entry.namespace, entry.name)
            if entry.old is None:
                state.pop(key, None)
            else:
                state[key] = entry.old
        return state


class Store:
    """Everything the server holds."""

    def __init__(self, history: int) -> None:
        self.rv = 0
        self.compacted = 0
        self.log: list[LogEntry] = []
        self.dropped = 0
        self.overflowed = 0
        self.uids: dict[str, Ref] = {}
        self.dependents: dict[str, dict[Ref, None]] = {}
        self.listeners: dict[int, Callable[[LogEntry], None]] = {}
        self._history = history
        self._collections: dict[tuple[str, str], Collection] = {}

    def collection(self, resource: Resource) -> Collection:
        """The collection of a resource; made on first use."""
        key = (resource.group, resource.plural)
        found = self._collections.get(key)
        if found is None:
            found = self._collections[key] = Collection()
        return found

    def collections(self) -> Mapping[tuple[str, str], Collection]:
        """All of them by (group, plural), in the order they were made."""
        return self._collections

    def commit(
        self, resource: Resource, ref: Ref, value: Mapping[str, Any] | None, *, actor: str, now: float
    ) -> Stored:
        """Write one object, or (None) remove it. Returns the new version, or the last state under the new RV.

        The value must be complete but for its resourceVersion, which is set here.
        """
        namespace, name = ref[2], ref[3]
        collection = self.collection(resource)
        key = key_of(namespace, name)
        old = collection.objects.get(key)
        self.rv += 1
        if value is None:
            assert old is not None
            new, verb, subject = None, Verb.DELETE, old.at(self.rv)
            collection.drop(key)
        else:
            metadata = {**value["metadata"], "resourceVersion": str(self.rv)}
            subject = new = Stored({**value, "metadata": metadata}, self.rv)
            verb = Verb.CREATE if old is None else Verb.UPDATE
            collection.put(key, new)
        self._index(ref, old, new)
        self._record(
            collection, LogEntry(self.rv, now, actor, verb, resource, namespace, name, old, new, subject)
        )
        return subject

    def _index(self, ref: Ref, old: Stored | None, new: Stored | None) -> None:
        before = old.metadata.get("ownerReferences") if old is not None else None
        after = new.metadata.get("ownerReferences") if new is not None else None
        if before is not after:
            for owner in before or ():
                known = self.dependents.get(owner["uid"], {})
                known.pop(ref, None)
                if not known:
                    self.dependents.pop(owner["uid"], None)
            for owner in after or ():
                self.dependents.setdefault(owner["uid"], {})[ref] = None
        if old is None and new is not None:
            self.uids[new.uid] = ref
        elif new is None and old is not None:
            del self.uids[old.uid]

    def _record(self, collection: Collection, entry: LogEntry) -> None:
        self.log.append(entry)
        collection.events.append(entry)
        # Trimming in chunks of an eighth makes it free on average; a list gives watches their bisection.
        if self._history and len(self.log) > self._history + self._history // 8:
            self._trim(len(self.log) - self._history)
        if entry.old is not None:
            entry.old.forget_json()
        concerned = collection.watches.of(entry.namespace)
        if concerned:
            event = Watch.plain_event(entry)
            for watch in concerned:
                watch.offer(entry, event)
        for listener in tuple(self.listeners.values()):
            listener(entry)

    def _trim(self, count: int) -> None:
        self.compacted = max(self.compacted, self.log[count - 1].rv)
        del self.log[:count]
        self.dropped += count
        oldest = self.log[0].rv
        for collection in self._collections.values():
            events = collection.events
            del events[: bisect.bisect_left(events, oldest, key=lambda entry: entry.rv)]

    def check_reachable(self, rv: int) -> None:
        """Is all that happened after ``rv`` still known?

        Raises:
            Expired: no.
        """
        if rv < self.compacted:
            raise failures.expired(rv, self.compacted)

    def close_watch(self, watch: Watch) -> None:
        """A watch has closed itself: show it nothing more."""
        self.overflowed += watch.overflowed
        for collection in self._collections.values():
            collection.watches.discard(watch)
