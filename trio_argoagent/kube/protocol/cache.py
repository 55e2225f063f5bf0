"""An informer's memory, and the differences it reports. Pure: lists and events in, changes out.

Three rules keep it honest, whatever the server and the network do:

- **It never goes back.** ``resource_version`` only grows. An event from before it is a replay (a rewatch,
  or an API server that lags behind the one we listed from) and is dropped; an older list is refused.
- **An object is its uid.** The same name with another uid is a delete and an add, never an update:
  finalizers, owners and everything else that was known of the old one do not carry over.
- **A delete says how it is known.** ``witnessed`` means that a DELETED event of that very uid arrived. What
  is merely absent from a later list, or found replaced, is inferred: true, but not seen.

Where a server's resourceVersions have no order (see ``model.rv``) only equality is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import attrs

from trio_argoagent.model import rv
from trio_argoagent.model.objects import Object
from trio_argoagent.ports.cluster import EventType, WatchEvent

Name = tuple[str, str]
"""(namespace, name); the namespace of a cluster-scoped object is empty."""


@attrs.frozen
class Change:
    """One object came, changed or went: ``old`` is None, neither is, or ``new`` is.

    Attributes:
        old: what the cache held before.
        new: what it holds now.
        witnessed: False on a delete that was only inferred. With a label selector a witnessed delete may also
            be an object that left the selection: the API server reports both alike.
        initial: it belongs to the first list.
    """

    old: Object | None
    new: Object | None
    witnessed: bool = True
    initial: bool = False

    @property
    def object(self) -> Object:
        """The newest state that is known of the object, be it the last one."""
        found = self.new if self.new is not None else self.old
        assert found is not None  # a change of nothing to nothing is never made
        return found

    @property
    def name(self) -> Name:
        """Which object."""
        return name_of(self.object)

    def of(self, concerns: Callable[[Object], bool]) -> Change | None:
        """What it is to somebody whom some objects concern and others do not; None: nothing."""
        old, new = (each if each is not None and concerns(each) else None for each in (self.old, self.new))
        if old is self.old and new is self.new:
            return self
        return attrs.evolve(self, old=old, new=new) if old is not None or new is not None else None


def name_of(thing: Object) -> Name:
    """The cache's key of an object."""
    return thing.meta.namespace, thing.meta.name


class Cache:
    """The newest known state of a collection."""

    def __init__(self) -> None:
        self._objects: dict[Name, Object] = {}
        self.objects: Mapping[Name, Object] = MappingProxyType(self._objects)
        """A live, read-only view."""
        self.resource_version = ""
        """Of the newest list, event or bookmark; empty before the first list."""
        self.dropped = 0
        """Events that told nothing new: replays."""

    def is_behind(self, resource_version: str) -> bool:
        """Is a list of this version older than what the cache knows already?"""
        return rv.is_newer(self.resource_version, resource_version)

    def apply_list(self, items: Sequence[Object], resource_version: str) -> list[Change]:
        """Take a complete, consistent list for the whole truth.

        Args:
            items: all of it.
            resource_version: what it is a snapshot of; never one that ``is_behind``.

        Returns:
            What changed: first what vanished, in the cache's order, then the rest in the list's.
        """
        initial = not self.resource_version
        found = {name_of(item): item for item in items}
        gone = [name for name in self._objects if name not in found]
        changes = [Change(self._objects.pop(name), None, witnessed=False) for name in gone]
        for name, item in found.items():
            old = self._objects.get(name)
            if old is None or not _same_version(old, item):
                self._objects[name] = item
                changes += _replacement(old, item, initial=initial)
        self.resource_version = resource_version
        return changes

    def apply_event(self, event: WatchEvent) -> list[Change]:
        """Take one event of a watch.

        Returns:
            No change for a bookmark or a replay, two where one object replaced another, else one.
        """
        meta = event.object.meta
        if event.type is EventType.BOOKMARK:
            self._advance(meta.resource_version)
            return []
        old = self._objects.get(name_of(event.object))
        if self._is_replay(event, old):
            self.dropped += 1
            return []
        self._advance(meta.resource_version)
        if event.type is not EventType.DELETED:
            self._objects[name_of(event.object)] = event.object
            return _replacement(old, event.object)
        if old is None:
            return []
        del self._objects[name_of(event.object)]
        # A newer DELETED of another uid: the one we hold went unseen, before it.
        return [Change(old, None, witnessed=old.meta.uid == meta.uid)]

    def _advance(self, resource_version: str) -> None:
        if resource_version:
            self.resource_version = rv.latest(self.resource_version, resource_version)

    def _is_replay(self, event: WatchEvent, old: Object | None) -> bool:
        # The version of a whole list or bookmark vouches for every key, so what is older than it is a replay
        # even of a key that we do not hold: it has been deleted since. No object is newer than the cache, so
        # there is no order to check one by one. Equal is a replay only of the same object: servers whose
        # store commits several objects at once give them one version.
        if self.is_behind(event.object.meta.resource_version):
            return True
        return old is not None and event.type is not EventType.DELETED and _same_version(old, event.object)


def _same_version(old: Object, new: Object) -> bool:
    return (old.meta.uid, old.meta.resource_version) == (new.meta.uid, new.meta.resource_version)


def _replacement(old: Object | None, new: Object, *, initial: bool = False) -> list[Change]:
    if old is None or old.meta.uid == new.meta.uid:
        return [Change(old, new, initial=initial)]
    return [Change(old, None, witnessed=False), Change(None, new, initial=initial)]
