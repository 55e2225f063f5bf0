"""Where the two sides of an agent differ: what the source has, and what the other side holds. No I/O.

Applications and AppProjects are compared, as far as they are replicated. Fields are named and never shown.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import attrs

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Feed, Key, Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.records import DRIFT
from trio_argoagent.sync import drift, kinds, names, plan, projection, wants
from trio_argoagent.sync.kinds import Row
from trio_argoagent.sync.mapping import NamespaceMapping
from trio_argoagent.sync.policy import NOTHING, Local
from trio_argoagent.sync.selection import WHOLE, Selection

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
    REFUSED = "refused"
    """The hub shows nothing of it, as it makes no sense there; what there is of it is the reason."""


@attrs.frozen
class Difference:
    """One object that is not the same on both sides.

    Attributes:
        key: in the spoke's names.
        state: how it differs.
        paths: the fields that do; or why it is refused.
    """

    key: Key
    state: State
    paths: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f"{self.key.kind} {self.key.namespace}/{self.key.name}: {self.state}"
        if self.state is State.REFUSED:
            return f"{where}: {self.paths[0]}"
        return f"{where}: {drift.told(self.paths)}" if self.paths else where


@attrs.frozen
class Terms:
    """What the two programs were told of what is replicated.

    Attributes:
        selection: the label selectors of both.
        local: the metadata that stays on its cluster, on either.
    """

    selection: Selection = WHOLE
    local: Local = NOTHING


WHOLLY: Final = Terms()


@attrs.frozen
class _Wanted:
    """What the other side should hold; ``refused``: why it is not to be had."""

    uid: str
    body: Mapping[str, Any] = attrs.field(repr=False)
    refused: str = ""


def differences(
    mapping: NamespaceMapping, hub: Objects, spoke: Objects, terms: Terms = WHOLLY
) -> Sequence[Difference]:
    """All of them, in the order of the keys.

    Args:
        mapping: between the hub and the agent, as its principal has it.
        hub: the Applications of all namespaces, and Argo CD's AppProjects.
        spoke: likewise, as far as the agent's namespaces go.
        terms: what takes part.
    """
    found = [each for kind in KINDS for each in _of_kind(kind, mapping, hub[kind], spoke[kind], terms)]
    return sorted(found, key=lambda each: each.key)


def _of_kind(
    kind: Kind, mapping: NamespaceMapping, hub: Iterable[Object], spoke: Iterable[Object], terms: Terms
) -> Iterator[Difference]:
    if mapping.autonomous:
        row = kinds.rows(Mode.AUTONOMOUS, Feed.OBSERVED, terms.local)[kind]
        wanted = dict(_lifted(row, mapping, _chosen(spoke, terms)))
        copies = {key: obj for obj in hub if (key := mapping.find(kind, obj)) is not None}
    else:
        row = kinds.rows(Mode.MANAGED, Feed.DESIRED, terms.local)[kind]
        wanted = dict(_lowered(row, mapping, _chosen(hub, terms)))
        copies = {Key(kind, obj.meta.namespace, obj.meta.name): obj for obj in spoke}
    for key in dict.fromkeys((*wanted, *copies)):
        difference = _compared(row, key, wanted.get(key), copies.get(key))
        if difference is not None:
            yield difference


def _chosen(objects: Iterable[Object], terms: Terms) -> Iterator[Object]:
    """What takes part of what a source has. What cannot be read says nothing of itself."""
    return (obj for obj in objects if not obj.unreadable and not terms.selection.leaves_out(obj))


def _lowered(row: Row, mapping: NamespaceMapping, hub: Iterable[Object]) -> Iterator[tuple[Key, _Wanted]]:
    for obj in hub:
        key = mapping.find(row.kind, obj)
        # A deletion that must not cascade travels as an absence.
        goes = obj.deleting and not (row.cascades and names.family(obj.finalizers))
        if key is None or goes:
            continue
        wanted = _wanted(obj, partial(wants.lowered, row, mapping, key, obj))
        if wanted is not None:
            yield key, wanted


def _lifted(row: Row, mapping: NamespaceMapping, spoke: Iterable[Object]) -> Iterator[tuple[Key, _Wanted]]:
    for obj in spoke:
        key = Key(row.kind, obj.meta.namespace, obj.meta.name)
        if not mapping.in_scope(key):
            continue
        wanted = _wanted(obj, partial(_lift, row, mapping, key, obj))
        if wanted is not None:
            yield key, wanted


def _lift(row: Row, mapping: NamespaceMapping, key: Key, obj: Object) -> Mapping[str, Any]:
    return mapping.up(key, projection.copy_projection(row, obj))


def _wanted(obj: Object, body: Callable[[], Mapping[str, Any] | None]) -> _Wanted | None:
    """What the other side should hold of an object; None: nothing of it."""
    try:
        found = body()
    except (TypeError, AttributeError, ValueError) as exc:
        return _Wanted(obj.meta.uid, {}, f"its spec makes no sense: {exc}")
    return _Wanted(obj.meta.uid, found) if found is not None else None


def _compared(row: Row, key: Key, wanted: _Wanted | None, copy: Object | None) -> Difference | None:
    held = plan.holding(row, copy)
    if wanted is None:
        return Difference(key, State.EXTRA) if held is not None else None
    if wanted.refused:
        return Difference(key, State.REFUSED, (wanted.refused,))
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
