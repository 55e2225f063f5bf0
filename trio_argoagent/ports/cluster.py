"""A Kubernetes API, as the programs use it.

Three implementations pass one contract suite (``testing.contracts``): ``kube.client`` against a real API
server, the same client against the embedded one, and ``apiserver.local`` in process.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Protocol

import attrs

from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import Resource

INITIAL_EVENTS_END: Final = "k8s.io/initial-events-end"
"""The annotation of the bookmark after the initial events of a watch (KEP-3157)."""


class EventType(enum.StrEnum):
    """The type of a watch event. An ERROR event never reaches the caller: it is raised as its ApiError."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"


@attrs.frozen
class WatchEvent:
    """One change. A BOOKMARK's object carries nothing but its resourceVersion (and annotations)."""

    type: EventType
    object: Object


def ends_initial_events(event: WatchEvent) -> bool:
    """Is it the bookmark that says: what came before is everything, as of its resourceVersion?"""
    return event.type is EventType.BOOKMARK and event.object.annotations.get(INITIAL_EVENTS_END) == "true"


@attrs.frozen
class ObjectList:
    """One page of a list, and the resourceVersion it is a snapshot of."""

    items: Sequence[Object]
    resource_version: str
    continue_token: str = ""


@attrs.frozen
class JsonPatch:
    """RFC 6902: all operations or none; a failing ``test`` is ``Invalid``."""

    operations: Sequence[Mapping[str, Any]] = attrs.field(repr=False)  # It may be a Secret's.


@attrs.frozen
class MergePatch:
    """RFC 7386: objects merge, null removes, everything else replaces."""

    value: Mapping[str, Any] = attrs.field(repr=False)  # Likewise.


class Cluster(Protocol):
    """The port. Every method raises a subclass of ``ApiError`` when the server says no.

    A write that raises ``OutcomeUnknown`` may or may not have been done. A read whose connection broke
    raises ``Unavailable``. Cancelling a call leaves the write's outcome unknown, too.
    """

    @property
    def streams(self) -> bool:
        """Is a collection better read as the initial events of a watch than in pages?

        Over a wire it is: neither side ever holds more of it than one event. In process a list copies less.
        """

    async def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """Read one object, as it is now.

        Raises:
            NotFound: there is none.
        """

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
        """Read a collection.

        Args:
            resource: the collection.
            namespace: empty: of all namespaces.
            selector: a label selector; empty: everything.
            name: only the object of this name, for which the right to that one suffices; empty: all.
            resource_version: empty: a consistent read of the newest state.
            limit: the most items of this page; 0: all in one.
            continue_token: of the page before.

        Raises:
            Expired: the continue token is too old; list from the start.
        """

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
        """Follow a collection from just after ``resource_version``, with bookmarks.

        With ``initial`` it begins with the state: each object as ADDED, whatever happens meanwhile, then the
        bookmark for which ``ends_initial_events`` is true. An empty ``resource_version`` then is a consistent
        read of the newest state. A server that cannot do that raises ``Invalid`` or ``BadRequest``, or
        (before Kubernetes 1.27) sends no such bookmark.

        The iterator ends when the server closes the watch (normal: about ``timeout`` seconds), and raises
        ``Expired`` when the version is too old, in whichever of its two ways the server says so, and
        ``Unavailable`` when the connection broke. Leaving the context ends the watch.
        """

    async def create(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        """Create an object; its namespace is that of its metadata.

        Raises:
            AlreadyExists: the name is taken.
        """

    async def replace(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        """PUT an object; ``metadata.resourceVersion`` is the precondition.

        Raises:
            Conflict: it has changed meanwhile.
        """

    async def patch(
        self, resource: Resource, namespace: str, name: str, patch: JsonPatch | MergePatch
    ) -> Object:
        """Change one object.

        Raises:
            Conflict: the patch sets a resourceVersion that is not the object's.
            Invalid: a ``test`` failed, a path is missing, or the result is not acceptable.
        """

    async def delete(
        self, resource: Resource, namespace: str, name: str, *, uid: str = "", resource_version: str = ""
    ) -> None:
        """Delete one object; with finalizers it only gets its deletionTimestamp.

        Raises:
            Conflict: uid or resourceVersion is given and is not the object's.
            NotFound: there is none.
        """
