"""What the core hands out: stored objects, pages, events and log entries. All immutable.

A stored value is a plain JSON value (dicts, lists, strings, numbers) that nobody ever changes: a write
copies the dicts along the path it touches and shares the rest with the version before. That keeps a write
of one field independent of the object's size, and lets ``is`` answer most questions of equality.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import attrs
import msgspec

from trio_argoagent.model.objects import canonical
from trio_argoagent.model.resources import Resource

Value: TypeAlias = Mapping[str, Any]

encode = msgspec.json.Encoder().encode
"""Plain JSON encoding, keys in the order in which they stand."""


def same(a: Any, b: Any) -> bool:
    """Are the two the same JSON value? Unlike ``==`` it tells ``true`` from ``1``."""
    # == is quick and almost always says no; only on a yes is the slower, exact comparison made.
    return a is b or (a == b and canonical(a) == canonical(b))


@attrs.frozen(eq=False)
class Stored:
    """One version of one object.

    Attributes:
        value: the whole object, its resourceVersion included. Never change it.
        rv: that resourceVersion as a number.
    """

    value: Value = attrs.field(repr=False)  # It may be a Secret's.
    rv: int
    _json: bytes | None = attrs.field(default=None, init=False, repr=False)

    @property
    def json(self) -> bytes:
        """The JSON of ``value``, encoded once."""
        if self._json is None:
            object.__setattr__(self, "_json", encode(self.value))
        assert self._json is not None
        return self._json

    @property
    def metadata(self) -> Value:
        """``metadata``; every stored object has one."""
        meta: Value = self.value["metadata"]
        return meta

    @property
    def name(self) -> str:
        """``metadata.name``."""
        return str(self.metadata["name"])

    @property
    def namespace(self) -> str:
        """``metadata.namespace``; empty for what is cluster-scoped."""
        return str(self.metadata.get("namespace", ""))

    @property
    def uid(self) -> str:
        """``metadata.uid``; never empty."""
        return str(self.metadata["uid"])

    @property
    def labels(self) -> Mapping[str, str]:
        """``metadata.labels``, never None."""
        return self.metadata.get("labels") or {}

    @property
    def finalizers(self) -> Sequence[str]:
        """``metadata.finalizers``, never None."""
        return self.metadata.get("finalizers") or ()

    @property
    def deleting(self) -> bool:
        """Does it carry a deletionTimestamp?"""
        return "deletionTimestamp" in self.metadata

    def at(self, rv: int) -> Stored:
        """The same state under the resourceVersion of another write: what a DELETED event shows."""
        return Stored({**self.value, "metadata": {**self.metadata, "resourceVersion": str(rv)}}, rv)

    def forget_json(self) -> None:
        """Drop the encoded form: a superseded version is seldom asked for again."""
        object.__setattr__(self, "_json", None)

    def __repr__(self) -> str:
        # Never the value: a Secret must not reach a log by accident.
        return f"<Stored {self.value.get('kind')} {self.namespace}/{self.name} rv={self.rv}>"


class Verb(enum.StrEnum):
    """What a committed write did."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


@attrs.frozen(eq=False)
class LogEntry:
    """One committed write.

    Attributes:
        rv: the resourceVersion it made.
        at: wall time of the write, seconds.
        actor: who wrote.
        verb: what was done; an object that vanishes because its last finalizer went is a DELETE.
        resource: of which collection.
        namespace: empty for what is cluster-scoped.
        name: of the object.
        old: the version before; None for a CREATE.
        new: the version after; None for a DELETE.
        subject: what a watcher without a selector is shown: ``new``, or ``old`` under the RV of the DELETE.
    """

    rv: int
    at: float
    actor: str
    verb: Verb
    resource: Resource
    namespace: str
    name: str
    old: Stored | None
    new: Stored | None
    subject: Stored


class EventKind(enum.StrEnum):
    """The type of a watch event. An ERROR is not an event here: see ``Watch.error``."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"


@attrs.frozen(eq=False)
class Event:
    """One thing a watch shows."""

    type: EventKind
    object: Stored


@attrs.frozen(eq=False)
class Page:
    """One page of a list.

    Attributes:
        items: in key order (namespace, name).
        rv: the snapshot they belong to.
        continue_token: for the next page; empty on the last.
        remaining: how many items follow; None where the server does not say (a selector is given).
    """

    items: Sequence[Stored]
    rv: int
    continue_token: str = ""
    remaining: int | None = None


@attrs.frozen(eq=False)
class Written:
    """The answer to a write.

    Attributes:
        stored: the object as it is now (with ``dry_run``: as it would be). When the write removed the last
            finalizer of a deleting object it is gone, and this is its last state.
        warnings: texts for the ``Warning`` header.
        changed: False if there was nothing to write.
        created: is it new?
    """

    stored: Stored
    warnings: Sequence[str] = ()
    changed: bool = True
    created: bool = False


@attrs.frozen(eq=False)
class Deleted:
    """The answer to a delete.

    Attributes:
        stored: the last state: of an object that is gone, or of one that now waits for its finalizers.
        gone: is it gone?
    """

    stored: Stored
    gone: bool


@attrs.frozen
class ServerStatistics:
    """What a server holds and has done.

    Attributes:
        rv: the newest resourceVersion.
        compacted: watches and snapshots from before this one are answered with Expired.
        objects: how many are stored.
        log_entries: how many committed writes are still in the log.
        log_dropped: how many have left it because of its bound.
        watches: how many are open.
        watches_overflowed: how many were closed because nobody took their events.
    """

    rv: int
    compacted: int
    objects: int
    log_entries: int
    log_dropped: int
    watches: int
    watches_overflowed: int
