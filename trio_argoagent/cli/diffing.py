"""Where the two sides of an agent differ: what the source has, and what the other side holds. No I/O.

Applications and AppProjects are compared, as far as they are replicated. Fields are named and never shown.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Feed, Key, Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.records import DRIFT
from trio_argoagent.sync import drift, kinds, names, plan, projection, wants
from trio_argoagent.sync.kinds import Row
from trio_argoagent.sync.mapping import NamespaceMapping
from trio_argoagent.sync.selection import is_ignored

KINDS: Final = (Kind.APPLICATION, Kind.APP_PROJECT)
"""What is compared. Credentials are not: who is entitled to them is the principal's to say."""

Objects = Mapping[Kind, Sequence[Object]]
"""What a cluster has, by kind."""


class State(enum.StrEnum):
    """How the other side differs."""

    MISSING = "missing"
    """The source has it, and the other side has nothing."""
    BEHIND = "behind"
    """What the other side holds is not what the source has now."""
    CHANGED = "changed"
    """Somebody has changed it there."""
    FOREIGN = "foreign"
    """Something else stands there under its name."""
    LEAVING = "leaving"
    """The source deletes it, and the copy is still there."""
    EXTRA = "extra"
    """The other side holds a copy, and the source has nothing of it."""


@attrs.frozen
class Difference:
    """One object that is not the same on both sides.

    Attributes:
        key: in the spoke's names.
        state: how it differs.
        paths: the fields that do.
    """

    key: Key
    state: State
    paths: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f"{self.key.kind} {self.key.namespace}/{self.key.name}: {self.state}"
        return f"{where}: {drift.told(self.paths)}" if self.paths else where


@attrs.frozen
class _Wanted:
    uid: str
    body: Mapping[str, Any] = attrs.field(repr=False)


def differences(mapping: NamespaceMapping, hub: Objects, spoke: Objects) -> Sequence[Difference]:
    """All of them, in the order of the keys.

    Args:
        mapping: between the hub and the agent, as its principal has it.
        hub: the Applications of all namespaces, and Argo CD's AppProjects.
        spoke: likewise, as far as the agent's namespaces go.
    """
    found = [each for kind in KINDS for each in _of_kind(kind, mapping, hub[kind], spoke[kind])]
    return sorted(found, key=lambda each: each.key)


def _of_kind(
    kind: Kind, mapping: NamespaceMapping, hub: Iterable[Object], spoke: Iterable[Object]
) -> Iterator[Difference]:
    if mapping.autonomous:
        row = kinds.rows(Mode.AUTONOMOUS, Feed.OBSERVED)[kind]
        wanted = dict(_lifted(row, mapping, spoke))
        copies = {key: obj for obj in hub if (key := mapping.find(kind, obj)) is not None}
    else:
        row = kinds.rows(Mode.MANAGED, Feed.DESIRED)[kind]
        wanted = dict(_lowered(row, mapping, hub))
        copies = {Key(kind, obj.meta.namespace, obj.meta.name): obj for obj in spoke}
    for key in dict.fromkeys((*wanted, *copies)):
        difference = _compared(row, key, wanted.get(key), copies.get(key))
        if difference is not None:
            yield difference


def _lowered(row: Row, mapping: NamespaceMapping, hub: Iterable[Object]) -> Iterator[tuple[Key, _Wanted]]:
    for obj in hub:
        key = mapping.find(row.kind, obj)
        # A deletion that must not cascade travels as an absence.
        goes = obj.deleting and not (row.cascades and names.family(obj.finalizers))
        if key is None or goes or obj.unreadable or is_ignored(obj):
            continue
        body = wants.lowered(row, mapping, key, obj)
        if body is not None:
            yield key, _Wanted(obj.meta.uid, body)


def _lifted(row: Row, mapping: NamespaceMapping, spoke: Iterable[Object]) -> Iterator[tuple[Key, _Wanted]]:
    for obj in spoke:
        key = Key(row.kind, obj.meta.namespace, obj.meta.name)
        if not obj.unreadable and not is_ignored(obj) and mapping.in_scope(key):
            body = mapping.up(key, projection.copy_projection(row, obj))
            yield key, _Wanted(obj.meta.uid, body)


def _compared(row: Row, key: Key, wanted: _Wanted | None, copy: Object | None) -> Difference | None:
    held = plan.holding(row, copy)
    if wanted is None:
        return Difference(key, State.EXTRA) if held is not None else None
    leaving = bool(wanted.body.get(projection.DELETING))
    if copy is None:
        return None if leaving else Difference(key, State.MISSING)
    if leaving:
        return Difference(key, State.LEAVING)
    place = plan.Place(row, copy.meta.namespace, copy.meta.name)
    paths = plan.drift(place, wanted.body, copy)
    if held is None:
        return Difference(key, State.FOREIGN, paths)
    if held.uid != wanted.uid:
        return Difference(key, State.BEHIND, paths)
    if not paths:
        return None
    if held.digest == DRIFT:
        return Difference(key, State.CHANGED, paths)
    # Its own digest, and other fields: so does that API server store what it was sent.
    same = held.digest == wants.copy(row, wanted.uid, wanted.body).digest
    return None if same else Difference(key, State.BEHIND, paths)
