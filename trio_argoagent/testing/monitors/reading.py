"""What a stored object says, as far as a monitor wants to know."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from trio_argoagent.apiserver.core.values import LogEntry, Stored
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Feed, Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.sync import kinds, marker, names, operations, projection
from trio_argoagent.sync.marker import Marker
from trio_argoagent.sync.operations import Origin
from trio_argoagent.testing.fleet import Spoke

KINDS: Final = {APPLICATIONS: Kind.APPLICATION, APP_PROJECTS: Kind.APP_PROJECT}


def object_of(stored: Stored) -> Object:
    """As the product sees it."""
    return Object.parse(stored.json)


def annotations_of(stored: Stored | None) -> dict[str, str]:
    """Its annotations; empty where there is no object."""
    return dict(stored.metadata.get("annotations") or {}) if stored is not None else {}


def owned(stored: Stored | None) -> Any:
    """What belongs to the owner alone. An object that is leaving is let go by either side."""
    if stored is None or stored.deleting:
        return None
    return stored.value.get("spec"), stored.metadata.get("labels"), stored.metadata.get("finalizers")


def source_uid(stored: Stored | None) -> str:
    """Of what it says that it is a copy; empty: of nothing."""
    return annotations_of(stored).get(names.SOURCE_UID, "")


def marker_of(stored: Stored | None) -> Marker | None:
    """What it says that it holds."""
    return marker.parse(annotations_of(stored).get(names.MARKER))


def intent(stored: Stored | None) -> str:
    """The id of the intent whose operation stands on a spoke's object."""
    operation = stored.value.get("operation") if stored is not None else None
    entry = operations.classify(operation)
    return entry.id if entry.origin is Origin.INTENT else ""


def row_of(spoke: Spoke, kind: Kind) -> kinds.Row:
    """How objects of that kind travel, as their source sees it."""
    if spoke.plan.mode is Mode.AUTONOMOUS:
        return kinds.rows(Mode.AUTONOMOUS, Feed.OBSERVED, spoke.plan.policies.local)[kind]
    return kinds.rows(Mode.MANAGED, Feed.DESIRED)[kind]


def body_of(spoke: Spoke, kind: Kind, obj: Object) -> dict[str, Any] | None:
    """The record's body that this source object stands for; None: it is not for this agent, or leaving."""
    row = row_of(spoke, kind)
    shown = projection.copy_projection(row, obj)
    if spoke.mapping.autonomous:
        return shown
    key = spoke.mapping.find(kind, obj)
    if kind is Kind.APP_PROJECT:
        if not spoke.mapping.admits(shown["spec"]):
            return None
        shown["finalizers"] = []
    if obj.deleting or key is None:
        return None
    return spoke.mapping.down(key, shown)


def whose(spokes: Iterable[Spoke], kind: Kind, entry: LogEntry) -> list[Spoke]:
    """The spokes, of these, whose object of the hub this is that was written, or was before."""
    sides = [object_of(stored) for stored in (entry.old, entry.new) if stored is not None]
    return [each for each in spokes if any(each.mapping.find(kind, obj) is not None for obj in sides)]
