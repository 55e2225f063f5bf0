"""The initial events of a watch, gathered until the server says that they are all (WatchList, KEP-3157)."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from trio_argoagent.kube.protocol.cache import Name, name_of
from trio_argoagent.model.objects import Object
from trio_argoagent.ports.cluster import EventType, WatchEvent, ends_initial_events


@attrs.frozen
class Snapshot:
    """A whole collection, and the resourceVersion that it is the state of."""

    items: list[Object]
    resource_version: str


class Endless(Exception):
    """The server has not understood what it was asked: what it sends will never be said to be complete."""


class Staging:
    """What has come so far. Nobody is shown it: a half is no list.

    Args:
        transform: applied to each object as it comes.
    """

    def __init__(self, transform: Callable[[Object], Object]) -> None:
        self._transform = transform
        self._items: dict[Name, Object] = {}

    def take(self, event: WatchEvent) -> Snapshot | None:
        """Take the next event; the snapshot once it is complete.

        A server may mix in what happens meanwhile: the state at the end is what the events add up to, and
        the version is that of the last bookmark.

        Raises:
            Endless: a bookmark that is not the one of the end. A server that knows of initial events sends
                none before; one that does not know of them takes this for a plain watch.
        """
        match event.type:
            case EventType.BOOKMARK:
                if not ends_initial_events(event):
                    raise Endless
                return Snapshot([*self._items.values()], event.object.meta.resource_version)
            case EventType.DELETED:
                self._items.pop(name_of(event.object), None)
            case _:
                self._items[name_of(event.object)] = self._transform(event.object)
        return None
