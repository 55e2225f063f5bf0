"""``meta.k8s.io/v1 Table``: objects as the rows that ``kubectl get`` prints.

The columns are those of the definition, after the name. What a path cannot say about a built-in kind (how
many keys a Secret has, what an Event is about) is in a table of functions. Source: KEP-491; k8s.io/kubernetes
pkg/printers/internalversion; k8s.io/apiextensions-apiserver pkg/registry/customresource/tableconvertor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs
import msgspec

from trio_argoagent.apiserver.core import ages, views
from trio_argoagent.apiserver.core.jsonpath import compile_path
from trio_argoagent.apiserver.core.kinds import Column, ResourceType
from trio_argoagent.apiserver.core.values import Stored, Value

TABLE_VERSION: Final = "meta.k8s.io/v1"
Cell: TypeAlias = Callable[[Value, float], Any]
"""(an object, wall seconds) -> what its cell shows."""

_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}


def _count(*fields: str) -> Cell:
    return lambda value, now: sum(len(value.get(field) or ()) for field in fields)


def _involved(value: Value, now: float) -> str:
    subject = value.get("involvedObject") or {}
    return f"{str(subject.get('kind', '')).lower()}/{subject.get('name', '')}"


def _part(value: Value, now: float) -> str:
    return str((value.get("involvedObject") or {}).get("fieldPath", ""))


def _first_seen(value: Value, now: float) -> str:
    first = value.get("firstTimestamp") or value.get("eventTime")
    return ages.since(first, now) if first else ages.UNKNOWN


def _last_seen(value: Value, now: float) -> str:
    last = (value.get("series") or {}).get("lastObservedTime") or value.get("lastTimestamp")
    return ages.since(last, now) if last else _first_seen(value, now)


def _how_often(value: Value, now: float) -> int:
    # One that happened once is not counted.
    return int((value.get("series") or value).get("count") or 1)


def _source(value: Value, now: float) -> str:
    source = value.get("source") or {}
    component = source.get("component") or value.get("reportingComponent") or ""
    host = source.get("host") or value.get("reportingInstance") or ""
    return f"{component}, {host}" if host else str(component)


def _role(value: Value, now: float) -> str:
    role = value.get("roleRef") or {}
    return f"{role.get('kind', '')}/{role.get('name', '')}"


def _bound(kind: str) -> Cell:
    """The subjects of a binding that are of this kind."""

    def cell(value: Value, now: float) -> str:
        found = [each for each in value.get("subjects") or () if each.get("kind") == kind]
        space = "/" if kind == "ServiceAccount" else ""
        return ", ".join(f"{each.get('namespace', '')}{space}{each.get('name', '')}" for each in found)

    return cell


def _name(value: Value, now: float) -> Any:
    return (value.get("metadata") or {}).get("name", "")


def _message(value: Value, now: float) -> str:
    return str(value.get("message", "")).strip()


def _created(value: Value, now: float) -> Any:
    return (value.get("metadata") or {}).get("creationTimestamp")


_NAME: Final = Column(
    "Name", "string", "", description="The name is unique within its namespace.", format="name"
)
_AGE: Final = Column("Age", "date", ".metadata.creationTimestamp")
_BINDING: Final = (
    (Column("Role", "string", ""), _role),
    (_AGE, None),
    (Column("Users", "string", "", 1), _bound("User")),
    (Column("Groups", "string", "", 1), _bound("Group")),
    (Column("ServiceAccounts", "string", "", 1), _bound("ServiceAccount")),
)
# Columns of built-in kinds, where those of ``kinds`` do not say enough: (column, cell; None: by its path).
_BUILT_IN: Final[Mapping[str, Sequence[tuple[Column, Cell | None]]]] = {
    "Secret": (
        (Column("Type", "string", ".type"), None),
        (Column("Data", "string", ""), _count("data")),
        (_AGE, None),
    ),
    "ConfigMap": ((Column("Data", "string", ""), _count("data", "binaryData")), (_AGE, None)),
    "CustomResourceDefinition": ((Column("Created At", "date", ""), _created),),
    "Role": ((Column("Created At", "date", ""), _created),),
    "ClusterRole": ((Column("Created At", "date", ""), _created),),
    "RoleBinding": _BINDING,
    "ClusterRoleBinding": _BINDING,
    "ServiceAccount": ((Column("Secrets", "integer", ""), _count("secrets")), (_AGE, None)),
    "Event": (
        (Column("Last Seen", "string", ""), _last_seen),
        (Column("Type", "string", ".type"), None),
        (Column("Reason", "string", ".reason"), None),
        (Column("Object", "string", ""), _involved),
        (Column("Subobject", "string", "", 1), _part),
        (Column("Source", "string", "", 1), _source),
        (Column("Message", "string", ""), _message),
        (Column("First Seen", "string", "", 1), _first_seen),
        (Column("Count", "string", "", 1), _how_often),
        (attrs.evolve(_NAME, priority=1), _name),
    ),
}


def partial(value: Value) -> dict[str, Any]:
    """The ``PartialObjectMetadata`` of an object."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": TABLE_VERSION,
        "metadata": value.get("metadata", {}),
    }


def _by_path(column: Column) -> Cell:
    find = compile_path(column.path)
    wanted = _TYPES.get(column.type)

    def cell(value: Value, now: float) -> Any:
        found = find(value)
        if column.type == "date":
            return ages.since(found, now) if found else ages.UNKNOWN
        if found is None or wanted is None or isinstance(found, wanted):
            # A boolean is an int in Python, and only there.
            return None if isinstance(found, bool) and column.type != "boolean" else found
        return str(found) if column.type == "string" else None

    return cell


def _definition(column: Column, custom: bool) -> dict[str, Any]:
    # The real server prints a built-in kind's times itself, and calls what it prints a string.
    kind = "string" if column.type == "date" and not custom else column.type
    return {
        "name": column.name,
        "type": kind,
        "format": column.format,
        "description": column.description,
        "priority": column.priority,
    }


@attrs.frozen(eq=False)
class TableMaker:
    """Makes Tables of one resource.

    Attributes:
        definitions: the column definitions.
        cells: what fills each of them.
        include: what each row carries: ``None``, ``Metadata`` or ``Object``.
        kind: the resource.
    """

    definitions: Sequence[Mapping[str, Any]]
    cells: Sequence[Cell]
    include: str
    kind: ResourceType

    @classmethod
    def of(cls, kind: ResourceType, include: str) -> TableMaker:
        """The one for a resource."""
        columns = [] if kind.custom else _BUILT_IN.get(kind.resource.kind, ())
        pairs = columns or [(column, None) for column in kind.columns]
        if not any(cell is _name for _, cell in pairs):
            pairs = [(_NAME, _name), *pairs]
        return cls(
            [_definition(column, kind.custom) for column, _ in pairs],
            [cell or _by_path(column) for column, cell in pairs],
            include,
            kind,
        )

    def rows(self, items: Iterable[Stored], now: float) -> list[dict[str, Any]]:
        """One row for each."""
        return [self._row(item, now) for item in items]

    def _row(self, item: Stored, now: float) -> dict[str, Any]:
        value = views.kept(self.kind, item.value)
        row: dict[str, Any] = {"cells": [cell(value, now) for cell in self.cells]}
        if self.include == "Object":
            row["object"] = msgspec.Raw(views.shown(self.kind, item).json)
        elif self.include == "Metadata":
            row["object"] = partial(item.value)
        return row

    def table(
        self, rows: Sequence[Mapping[str, Any]], metadata: Mapping[str, Any], *, head: bool = True
    ) -> dict[str, Any]:
        """The Table of these rows. ``head``: say what the columns are."""
        return {
            "kind": "Table",
            "apiVersion": TABLE_VERSION,
            "metadata": metadata,
            "columnDefinitions": self.definitions if head else None,
            "rows": rows,
        }
