"""Where writes meet the owners of fields: an apply, and every other write to a tracked object.

Source: k8s.io/apiserver pkg/endpoints/handlers/patch.go, k8s.io/apimachinery pkg/util/managedfields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from trio_argoagent.apiserver.core import failures, managers, meta, structure
from trio_argoagent.apiserver.core.fieldsets import member
from trio_argoagent.apiserver.core.kinds import ResourceType
from trio_argoagent.apiserver.core.managers import Managed, Manager
from trio_argoagent.apiserver.core.values import Stored, same
from trio_argoagent.apiserver.core.writing import Prepared
from trio_argoagent.errors import ApiError, BadRequest, Conflict

_FIELD: Final = "managedFields"
_FIELD_OF: Final[Mapping[str, str]] = {"status": "status", "finalize": "spec"}
"""Subresource -> the top-level field that it is."""


@attrs.frozen
class Writer:
    """Who makes a write.

    Attributes:
        name: the field manager.
        subresource: the part of the object that it goes to; empty: the whole.
        now: wall seconds.
    """

    name: str
    subresource: str
    now: float


def _write(kind: ResourceType, writer: Writer, operation: str) -> managers.Write:
    version = kind.resource.api_version
    part = _FIELD_OF.get(writer.subresource, "")
    return managers.Write(
        kind.fields,
        Manager(writer.name, operation, version if operation == managers.UPDATE else "", writer.subresource),
        version,
        meta.timestamp(writer.now),
        member(part) if part else "",
        tuple(member(field) for sub, field in _FIELD_OF.items() if sub in kind.subresources),
    )


# --- writes that are no apply -----------------------------------------------------------------------------


def is_tracked(old: Stored, sent: Any) -> bool:
    """Are there managed fields, or does the client set some? If not, that is all a write costs."""
    return _FIELD in old.metadata or _FIELD in (sent.get("metadata") or ())


def note_update(kind: ResourceType, old: Stored, prepared: Prepared, sent: Any, writer: Writer) -> Prepared:
    """Keep the managed fields of a tracked object; of one that is not tracked, nothing is noted.

    Args:
        kind: what it is.
        old: what is stored.
        prepared: what the write makes of it, with the managed fields as they were.
        sent: the whole object as the client wants it: it may set the managed fields.
        writer: who writes.

    Raises:
        Invalid: the managed fields that it sets are none.
    """
    known = old.metadata.get(_FIELD)
    given = None if writer.subresource else (sent.get("metadata") or {}).get(_FIELD)
    if given == [{}]:
        return _with(prepared, old, None)
    if not given or given is known or same(given, known):
        if known is None or not prepared.changed:
            return prepared
        managed = managers.read(known)
    else:
        managed = _given(kind, old, given)
    write = _write(kind, writer, managers.UPDATE)
    return _with(prepared, old, managers.write(managers.update(write, old.value, prepared.value, managed)))


def _given(kind: ResourceType, old: Stored, entries: Any) -> Managed:
    try:
        return managers.read(entries)
    except ValueError as exc:
        problem = failures.Problem(f"metadata.{_FIELD}", "FieldValueInvalid", f"Invalid value: {exc}")
        raise failures.invalid(kind.resource.group, kind.resource.kind, old.name, [problem]) from None


def _with(prepared: Prepared, old: Stored | None, entries: list[dict[str, Any]] | None) -> Prepared:
    """The same with these managed fields; whether that is a change is decided anew."""
    metadata = {key: item for key, item in prepared.value["metadata"].items() if key != _FIELD}
    if entries:
        metadata[_FIELD] = entries
    known = old.metadata.get(_FIELD) if old is not None else None
    if not prepared.changed and same(entries or None, known):
        return prepared
    return attrs.evolve(prepared, value={**prepared.value, "metadata": metadata}, changed=True)


# --- apply ------------------------------------------------------------------------------------------------


def check_applied(kind: ResourceType, namespace: str, name: str, value: Any) -> dict[str, Any]:
    """What a client applies, with its name filled in.

    Raises:
        BadRequest: it is not such an object, or not that one.
        ApiError: 500, it has fields that the schema does not know (the real server's code for this).
    """
    head = f"{kind.resource.api_version}, Kind={kind.resource.kind}"
    if not isinstance(value, dict) or not isinstance(value.get("metadata", {}), dict):
        raise BadRequest("error decoding YAML: the patch must be an object with metadata")
    metadata = value.get("metadata", {})
    if metadata.get("name", name) != name:
        sent = metadata["name"]
        raise BadRequest(f"the name of the object ({sent}) does not match the name on the URL ({name})")
    if kind.resource.namespaced and metadata.get("namespace", namespace) != namespace:
        raise BadRequest(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if metadata.get(_FIELD):
        raise BadRequest("metadata.managedFields must be nil")
    if "apiVersion" not in value or "kind" not in value:
        raise BadRequest("the patch must say its apiVersion and its kind")
    where = f"{namespace}/{name}" if namespace else f"/{name}"
    fault = structure.find_fault(kind.fields, value)
    if fault:
        text = f"failed to create typed patch object ({where}; {head}): {fault}"
        raise ApiError(text, code=500, reason="")
    return {**value, "metadata": {**metadata, "name": name}}


def of_new(kind: ResourceType, prepared: Prepared, applied: Mapping[str, Any], writer: Writer) -> Prepared:
    """An object that an apply creates, with its first owner.

    Raises:
        Conflict: the apply means an object with a uid, and there is none.
    """
    uid = applied["metadata"].get("uid")
    if uid:
        raise Conflict(
            f'Operation cannot be fulfilled on {kind.resource} "{applied["metadata"]["name"]}": '
            f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        )
    write = _write(kind, writer, managers.APPLY)
    fields = write.own(structure.fields_of(kind.fields, applied))
    owned: Managed = {write.who: managers.Owned(fields, write.version, write.time)} if fields else {}
    return _with(prepared, None, managers.write(owned))


def merged(
    kind: ResourceType, old: Stored, applied: Mapping[str, Any], writer: Writer, *, force: bool
) -> tuple[dict[str, Any], Managed]:
    """A stored object with what is applied to it, and who owns what then.

    Raises:
        Conflict: others own what it would change.
    """
    write = _write(kind, writer, managers.APPLY)
    part = _FIELD_OF.get(writer.subresource)
    if part is not None:
        keys = ("apiVersion", "kind", part)
        # Of the metadata, a resourceVersion is a precondition all the same.
        precondition = {k: v for k, v in applied["metadata"].items() if k == "resourceVersion"}
        applied = {"metadata": precondition, **{key: applied[key] for key in keys if key in applied}}
    else:
        applied = {key: item for key, item in applied.items() if member(key) not in write.outside}
    known = old.metadata.get(_FIELD)
    if known is None:
        managed = managers.first_owners(attrs.evolve(write, inside="", outside=()), old.value, write.time)
    else:
        managed = managers.read(known)
    value, managed = managers.apply(write, old.value, applied, managed, force=force)
    return dict(value), managed


def note_apply(kind: ResourceType, old: Stored, prepared: Prepared, managed: Managed) -> Prepared:
    """What an apply makes of a stored object, with its owners.

    Raises:
        Invalid: they are too many.
    """
    if len(managed) > managers.MAX_ENTRIES:
        text = f"Too many: {len(managed)}: must have at most {managers.MAX_ENTRIES} items"
        problem = failures.Problem(f"metadata.{_FIELD}", "FieldValueTooMany", text)
        raise failures.invalid(kind.resource.group, kind.resource.kind, old.name, [problem])
    return _with(prepared, old, managers.write(managed))
