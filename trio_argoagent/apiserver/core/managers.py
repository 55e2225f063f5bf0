"""Who owns which fields of an object: ``metadata.managedFields`` and the rules of server-side apply.

A manager that *applies* owns what it applied last; what it applies no longer and nobody else owns is removed.
A manager that writes in any other way (*Update*) owns what its writes have changed. To change by an apply
what another manager owns is a conflict, unless it is forced: then the other one loses those fields.

An object is tracked from its first apply on; until then nobody's writes cost anything, and no
``managedFields`` are stored. What was there before is then said to be owned by ``before-first-apply``, as the
real server has it for objects without managed fields, and what kubectl's client-side apply has noted in its
annotation by ``kubectl-client-side-apply``: kubectl takes that over.

Source: KEP-555; sigs.k8s.io/structured-merge-diff merge/update.go; k8s.io/apimachinery
pkg/util/managedfields/internal (skipnonapplied, lastappliedmanager, stripmeta, capmanagers, conflict).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs
import msgspec

from trio_argoagent.apiserver.core import failures, fieldsets, structure
from trio_argoagent.apiserver.core.fieldsets import EMPTY, FieldSet, Path
from trio_argoagent.apiserver.core.fieldtypes import FieldType, metadata_step
from trio_argoagent.errors import Conflict
from trio_argoagent.model.objects import decode

APPLY: Final = "Apply"
UPDATE: Final = "Update"
MAX_UPDATERS: Final = 10  # managers of an object that update; the oldest become one
MAX_ENTRIES: Final = 200  # managers of an object in all

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_BEFORE: Final = "before-first-apply"
_CLIENT_SIDE: Final = "kubectl-client-side-apply"
_ANCIENT: Final = "ancient-changes"
_KUBECTL: Final = "kubectl"

# What no manager ever owns: the server does, or it names the object.
_UNOWNED: Final = frozenset(
    [("f:apiVersion",), ("f:kind",), ("f:metadata",)]
    + [
        metadata_step(name)
        for name in (
            "name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields",
            "resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds",
        )
    ]
)  # fmt: skip


@attrs.frozen
class Manager:
    """Who writes, and how.

    Attributes:
        name: as the client calls itself.
        operation: ``Apply`` or ``Update``.
        version: the API version of an Update; an applier has one set for all of them.
        subresource: that it writes through; empty: the whole.
    """

    name: str
    operation: str
    version: str = ""
    subresource: str = ""


@attrs.frozen
class Owned:
    """What a manager owns, in which API version, and since when (RFC 3339)."""

    fields: FieldSet
    version: str
    time: str


Managed: TypeAlias = dict[Manager, Owned]


def read(entries: Any) -> Managed:
    """The managers of a ``managedFields``.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(entries, list) or len(entries) > MAX_ENTRIES:
        raise ValueError(f"must be a list of at most {MAX_ENTRIES} entries")
    managed: Managed = {}
    for entry in entries:
        if not isinstance(entry, Mapping) or entry.get("operation") not in (APPLY, UPDATE):
            raise ValueError('every entry must have the operation "Apply" or "Update"')
        if entry.get("fieldsType") != "FieldsV1":
            raise ValueError('every entry must have the fieldsType "FieldsV1"')
        operation, version = entry["operation"], str(entry.get("apiVersion", ""))
        who = Manager(
            str(entry.get("manager", "")),
            operation,
            version if operation == UPDATE else "",
            str(entry.get("subresource", "")),
        )
        fields = fieldsets.from_wire(entry.get("fieldsV1") or {})
        managed[who] = Owned(fields, version, str(entry.get("time", "")))
    return managed


def write(managed: Managed) -> list[dict[str, Any]]:
    """The ``managedFields`` of these managers: appliers first, then by age."""

    def order(item: tuple[Manager, Owned]) -> tuple[str, ...]:
        who, owned = item
        return who.operation, owned.time, who.name, owned.version, who.subresource

    return [_entry(who, owned) for who, owned in sorted(managed.items(), key=order)]


def _entry(who: Manager, owned: Owned) -> dict[str, Any]:
    entry = {
        "manager": who.name,
        "operation": who.operation,
        "apiVersion": owned.version,
        "time": owned.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": fieldsets.to_wire(owned.fields),
    }
    if who.subresource:
        entry["subresource"] = who.subresource
    return entry


@attrs.frozen
class Write:
    """A write that is to be tracked.

    Attributes:
        kind: the type of the object.
        who: writes it.
        version: the API version in which.
        time: when, RFC 3339.
        inside: the top-level field (as a step) that this write is about; empty: all of them,
        outside: but for these.
    """

    kind: FieldType
    who: Manager
    version: str
    time: str
    inside: str = ""
    outside: Sequence[str] = ()

    def own(self, fields: FieldSet) -> FieldSet:
        """Those of the fields that a manager can own through this write."""
        if self.inside:
            return frozenset(path for path in fields if path[0] == self.inside)
        return frozenset(path for path in fields - _UNOWNED if path[0] not in self.outside)


def first_owners(write: Write, live: Mapping[str, Any], created: str) -> Managed:
    """The managers of an object that was not tracked so far."""
    everything = structure.compare(write.kind, {}, live).added
    found = write.own(everything)
    noted = _noted(write.kind, live)
    by_kubectl = found & (noted | {metadata_step("annotations")} | {_annotation()} if noted else EMPTY)
    managed = {
        Manager(_CLIENT_SIDE, UPDATE, write.version): Owned(by_kubectl, write.version, created),
        Manager(_BEFORE, UPDATE, write.version): Owned(found - by_kubectl, write.version, created),
    }
    return {who: owned for who, owned in managed.items() if owned.fields}


def _annotation() -> Path:
    return (*metadata_step("annotations"), fieldsets.member(LAST_APPLIED))


def _noted(kind: FieldType, live: Mapping[str, Any]) -> FieldSet:
    """The fields in the annotation of kubectl's client-side apply, as far as they still are as it says."""
    text = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    if not text:
        return EMPTY
    try:
        noted = decode(text.encode())
    except (msgspec.MsgspecError, RecursionError):
        return EMPTY
    if not isinstance(noted, dict) or structure.find_fault(kind, noted):
        return EMPTY
    return structure.compare(kind, {}, noted).added - structure.compare(kind, noted, live).modified


def update(write: Write, old: Mapping[str, Any], new: Mapping[str, Any], managed: Managed) -> Managed:
    """Who owns what after a write that is no apply."""
    changes = structure.compare(write.kind, old, new)
    result, _ = _displace(changes, managed, write.who)
    gained = write.own(changes.added | changes.modified)
    before = managed.get(write.who)
    fields = ((before.fields if before is not None else EMPTY) - changes.removed) | gained
    _set(result, write, fields, before)
    return _capped(result)


def apply(
    write: Write, live: Mapping[str, Any], applied: Mapping[str, Any], managed: Managed, *, force: bool
) -> tuple[Mapping[str, Any], Managed]:
    """An object after an apply, and who owns what of it then.

    Raises:
        Conflict: others own what it would change, and it is not forced. The causes name them and the fields.
    """
    merged = structure.merge(write.kind, live, applied)
    before = managed.get(write.who)
    result = dict(managed)
    _set(result, write, write.own(structure.fields_of(write.kind, applied)), before)
    if before is not None:
        merged = _prune(write.kind, merged, before.fields, result)
    changes = structure.compare(write.kind, live, merged)
    result, conflicts = _displace(changes, result, write.who)
    if conflicts and not force:
        conflicts = _without_own(write, live, conflicts)
        if conflicts:
            raise conflict(conflicts)
    return merged, result


def _set(managed: Managed, write: Write, fields: FieldSet, before: Owned | None) -> None:
    if not fields:
        managed.pop(write.who, None)
    elif before is None or before.fields != fields or before.version != write.version:
        managed[write.who] = Owned(fields, write.version, write.time)


def _prune(kind: FieldType, merged: Any, last: FieldSet, managed: Managed) -> Any:
    """Remove what the applier owned and nobody owns any more."""
    owned = frozenset[Path]().union(*(each.fields for each in managed.values()))
    gone = structure.with_named_parents(kind, last) - structure.with_named_parents(kind, owned)
    return structure.remove(kind, merged, gone, owned)


def _displace(
    changes: structure.Changes, managed: Managed, writer: Manager
) -> tuple[Managed, dict[Manager, FieldSet]]:
    """Take from the others what has changed. Returns who is left with what, and what the writer takes."""
    result: Managed = {}
    lost: dict[Manager, FieldSet] = {}
    touched = changes.modified | changes.added
    for who, owned in managed.items():
        if who == writer:
            result[who] = owned
            continue
        taken = owned.fields & touched
        if taken:
            lost[who] = taken
        left = owned.fields - taken - changes.removed
        if left:
            result[who] = owned if left == owned.fields else attrs.evolve(owned, fields=left)
    return result, lost


def _without_own(
    write: Write, live: Mapping[str, Any], conflicts: dict[Manager, FieldSet]
) -> dict[Manager, FieldSet]:
    """The same without what kubectl's client-side apply has set: users can move from one to the other."""
    if write.who.name != _KUBECTL:
        return conflicts
    allowed = _noted(write.kind, live)
    return {who: fields - allowed for who, fields in conflicts.items() if fields - allowed}


def _capped(managed: Managed) -> Managed:
    updaters = [who for who in managed if who.operation == UPDATE and not who.subresource]
    if len(updaters) <= MAX_UPDATERS:
        return managed
    by_age = sorted(updaters, key=lambda who: (managed[who].time, who.name))
    oldest = by_age[: len(updaters) - MAX_UPDATERS + 1]
    latest = managed[oldest[-1]]
    fields = frozenset[Path]().union(*(managed[who].fields for who in oldest))
    result = {who: owned for who, owned in managed.items() if who not in oldest}
    result[Manager(_ANCIENT, UPDATE, latest.version)] = attrs.evolve(latest, fields=fields)
    return result


def conflict(conflicts: Mapping[Manager, FieldSet]) -> Conflict:
    """409 in the real server's words, which kubectl prints."""
    pairs = [
        (_named(who), fieldsets.render(path))
        for who, fields in conflicts.items()
        for path in sorted(fields, key=fieldsets.leaves_first)
    ]
    causes = [
        failures.Problem(path, "FieldManagerConflict", f"conflict with {name}") for name, path in pairs
    ]
    if len(pairs) == 1:
        text = f"Apply failed with 1 conflict: conflict with {pairs[0][0]}: {pairs[0][1]}"
    else:
        lines: list[str] = []
        for name in sorted({name for name, _ in pairs}):
            lines.append(f"conflicts with {name}:")
            lines += [f"- {path}" for other, path in pairs if other == name]
        text = f"Apply failed with {len(pairs)} conflicts: " + "\n".join(lines)
    return failures.apply_conflict(text, causes)


def _named(who: Manager) -> str:
    name = f'"{who.name}"'
    if who.subresource:
        name += f' with subresource "{who.subresource}"'
    return f"{name} using {who.version}" if who.operation == UPDATE else name
