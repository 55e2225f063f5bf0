"""Which part of an object a feed carries, in one shape for source and replica.

A *copy projection* is ``{"annotations", "finalizers", "labels"}`` and the row's content; finalizers are the
resources-finalizer family where a cascade travels, else all of Argo CD's own (which a mirror must not have:
nobody on its cluster would ever remove them). A record's body is that, plus ``"deleting": true`` for an
object on its way out. A *status body* is ``{"status", "operation", "intent", "refresh"}`` (and ``hydrate``,
where that is pending), of which D covers
the status alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trio_argoagent.model.objects import Object
from trio_argoagent.sync import conditions, digest, kinds, names
from trio_argoagent.sync.fitting import MAX_STATUS, fitted
from trio_argoagent.sync.kinds import Row

DELETING: Final = "deleting"
_COSMETIC: Final = ("reconciledAt", "observedAt")


def copy_projection(row: Row, obj: Object) -> dict[str, Any]:
    """The owned part of a source's object, or of the copy that a replica's API server stored."""
    keep = names.in_family if row.cascades else names.is_argo_finalizer
    return {
        "annotations": row.local.shared_annotations(obj.annotations),
        "finalizers": [name for name in obj.finalizers if keep(name)],
        "labels": row.local.shared_labels(obj.labels),
        **content(row, obj),
    }


def is_same(row: Row, old: Object | None, new: Object | None) -> bool:
    """Is the owned part of an object what it was, by what can be seen without decoding it?

    Most changes are of a status, and of nothing that a copy has.
    """
    if old is None or new is None:
        return False
    fields = ((old.fields.get(field), new.fields.get(field)) for field in row.content)
    return _head(old) == _head(new) and all(before == after for before, after in fields)


def _head(obj: Object) -> tuple[object, ...]:
    meta = obj.meta
    return meta.uid, meta.labels, meta.annotations, meta.finalizers, meta.deletion_timestamp, obj.unreadable


def content(row: Row, obj: Object) -> dict[str, Any]:
    """The top-level fields of an object that are copied; one that is missing is as good as an empty one."""
    return {field: obj.get(field) or kinds.SHAPES[field]() for field in row.content}


def ap(row: Row, obj: Object) -> str:
    """AP: the digest of what this API server has stored."""
    return digest.stored(copy_projection(row, obj))


def status_of(obj: Object) -> dict[str, Any]:
    """The status as feeds carry it: without our own ``info`` entry and condition, which leave no cluster.

    One that is too large is cut (see ``fitting``).
    """
    status = conditions.without(obj.get("status") or {})
    operation = (status.get("operationState") or {}).get("operation")
    if operation and "info" in operation:
        drop_entry(operation)
    return fitted(status) if memoryview(obj.fields.get("status", b"")).nbytes > MAX_STATUS else status


def drop_entry(operation: dict[str, Any]) -> None:
    """Remove our entry from an operation's ``info``, in place."""
    kept = [entry for entry in operation.get("info") or () if entry.get("name") != names.INFO_ENTRY]
    if kept:
        operation["info"] = kept
    else:
        operation.pop("info", None)


def substance(status: Mapping[str, Any]) -> dict[str, Any]:
    """The status without its mere time stamps: equal substance is a cosmetic change."""
    return {name: value for name, value in status.items() if name not in _COSMETIC}
