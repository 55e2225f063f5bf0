"""From what a client sent to what is stored: the rules of create and update, before anything is written.

Source: k8s.io/apiserver pkg/registry/rest/{create,update}.go and pkg/endpoints/handlers; for custom resources
k8s.io/apiextensions-apiserver pkg/registry/customresource.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs

from trio_argoagent.apiserver.core import failures, meta, patches, schema, strategic
from trio_argoagent.apiserver.core.kinds import Naming, ResourceType
from trio_argoagent.apiserver.core.values import Stored, same
from trio_argoagent.errors import BadRequest

WARN: Final = "Warn"
STRICT: Final = "Strict"
_HEAD: Final = ("apiVersion", "kind", "metadata")
_NAMINGS: Final = {
    Naming.SUBDOMAIN: lambda name: meta.check_name(name, label=False),
    Naming.LABEL: lambda name: meta.check_name(name, label=True),
    Naming.SEGMENT: meta.check_segment,
}


@attrs.frozen(eq=False)
class Prepared:
    """What is to be written.

    Attributes:
        value: the whole object but for its new resourceVersion.
        warnings: texts for the client.
        changed: False if it equals what is stored.
    """

    value: dict[str, Any]
    warnings: Sequence[str]
    changed: bool = True


def prepare_create(
    kind: ResourceType,
    namespace: str,
    value: Any,
    *,
    entropy: Callable[[int], bytes],
    now: float,
    validation: str,
) -> Prepared:
    """A new object.

    Args:
        kind: what it is to be.
        namespace: of the request.
        value: what was sent. Its parts become part of the store: do not change it afterwards.
        entropy: for the uid and a generated name.
        now: wall seconds.
        validation: ``Ignore``, ``Warn`` or ``Strict`` about unknown fields.

    Raises:
        BadRequest: it is not such an object at all.
        Invalid: its fields are not acceptable.
        ApiError: 500, it carries a resourceVersion.
    """
    value = _checked_head(kind, value)
    metadata, unknown = meta.read(kind.resource, value, None)
    if metadata.get("resourceVersion"):
        raise failures.internal("resourceVersion should not be set on objects to be created")
    problems = _new_metadata(kind, namespace, metadata, entropy, now)
    body, found = _fit(kind, value, {})
    if kind.has_status:
        body.pop("status", None)
    body["metadata"] = metadata
    _judge(kind, metadata.get("name", ""), found.problems)
    problems += kind.rule(body, None)
    _judge(kind, metadata.get("name", ""), problems)
    return Prepared(body, _unknown(kind, [*unknown, *found.unknown], validation, patch=None))


def _new_metadata(
    kind: ResourceType, namespace: str, metadata: dict[str, Any], entropy: Callable[[int], bytes], now: float
) -> list[failures.Problem]:
    for field in ("resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"):
        metadata.pop(field, None)
    _check_namespace(kind, namespace, metadata)
    if not metadata.get("name"):
        base = metadata.get("generateName", "")
        if not base:
            return [failures.required("metadata.name", "name or generateName is required")]
        metadata["name"] = meta.generated_name(base, entropy)
    metadata["uid"] = meta.new_uid(entropy)
    metadata["creationTimestamp"] = meta.timestamp(now)
    if kind.generations:
        metadata["generation"] = 1
    problems = _NAMINGS[kind.named_as](metadata["name"])
    return problems + meta.check(metadata, {})


def _check_namespace(kind: ResourceType, namespace: str, metadata: dict[str, Any]) -> None:
    if not kind.resource.namespaced:
        metadata.pop("namespace", None)
        return
    if metadata.setdefault("namespace", namespace) != namespace:
        raise BadRequest(
            "the namespace of the provided object does not match the namespace sent on the request"
        )


def prepare_update(
    kind: ResourceType, old: Stored, value: Any, *, subresource: str, validation: str, patch: Any = None
) -> Prepared:
    """A new version of an object.

    Args:
        kind: what it is.
        old: what is stored.
        value: the whole object as the client wants it. Its parts become part of the store.
        subresource: empty, ``status`` or ``finalize``: the part that this write is about.
        validation: as for a create.
        patch: what made ``value`` out of ``old``; None for a PUT, which has stricter rules.

    Raises:
        BadRequest: it is not such an object at all.
        Conflict: its resourceVersion or uid is not that of the stored object.
        Invalid: its fields are not acceptable.
    """
    name = old.name
    value = _checked_head(kind, value)
    metadata, unknown = meta.read(kind.resource, value, old.metadata)
    _check_identity(old, metadata)
    if patch is None:
        _check_put(kind, old, metadata)
        value = {
            key: old.value[key] if same(part, old.value.get(key)) else part for key, part in value.items()
        }
    if metadata.pop("resourceVersion", "") not in ("", old.metadata["resourceVersion"]):
        raise failures.conflict(kind.resource, name)
    problems = meta.carry_over(metadata, old.metadata)
    problems += meta.check(metadata, old.metadata)
    body, found = _fit(kind, value, old.value)
    if subresource:
        body, metadata = _only(subresource, body, old)
    else:
        _keep_subresources(kind, body, old)
    body["metadata"] = metadata
    _judge(kind, name, found.problems)
    problems += kind.rule(body, old.value)
    _judge(kind, name, problems)
    changed = _finish(kind, body, old, subresource)
    return Prepared(body, _unknown(kind, [*unknown, *found.unknown], validation, patch=patch), changed)


def check_name(value: Any, name: str) -> None:
    """Is it the object that the request names?

    Raises:
        BadRequest: it says another name.
    """
    metadata = value.get("metadata") if isinstance(value, dict) else None
    sent = metadata.get("name") if isinstance(metadata, dict) else None
    if sent and sent != name:
        raise BadRequest(f"the name of the object ({sent}) does not match the name on the URL ({name})")


def _check_identity(old: Stored, metadata: Mapping[str, Any]) -> None:
    name = old.metadata["name"]
    if metadata.get("name", name) != name:
        check_name({"metadata": metadata}, name)
    if metadata.get("namespace", old.namespace) != old.namespace:
        raise BadRequest(
            "the namespace of the provided object does not match the namespace sent on the request"
        )


def _check_put(kind: ResourceType, old: Stored, metadata: Mapping[str, Any]) -> None:
    name = old.name
    # The kinds of the core group may be overwritten unconditionally, nothing else may.
    if not metadata.get("resourceVersion") and kind.resource.group:
        problem = failures.Problem(
            "metadata.resourceVersion",
            "FieldValueInvalid",
            "Invalid value: 0: must be specified for an update",
        )
        # The real server names the plural here, not the kind.
        raise failures.invalid(kind.resource.group, kind.resource.plural, name, [problem])
    uid = metadata.get("uid")
    if uid and uid != old.uid:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old.uid}"
        raise failures.conflict(kind.resource, name, why)


def _only(part: str, body: Mapping[str, Any], old: Stored) -> tuple[dict[str, Any], dict[str, Any]]:
    """A write of a subresource changes one top-level field and nothing else, metadata included."""
    field = {"status": "status", "finalize": "spec"}[part]
    result = dict(old.value)
    if field in body:
        result[field] = body[field]
    else:
        result.pop(field, None)
    return result, {key: item for key, item in old.metadata.items() if key != "resourceVersion"}


def _keep_subresources(kind: ResourceType, body: dict[str, Any], old: Stored) -> None:
    kept = [field for field, sub in (("status", "status"), ("spec", "finalize")) if sub in kind.subresources]
    for field in kept:
        body.pop(field, None)
        if field in old.value:
            body[field] = old.value[field]


def _finish(kind: ResourceType, body: dict[str, Any], old: Stored, subresource: str) -> bool:
    """Count the generation, if it is to be counted. Is there a change at all?"""
    metadata = body["metadata"]
    fields = [*body, *(key for key in old.value if key not in body)]
    changed = [key for key in fields if key != "metadata" and not same(body.get(key), old.value.get(key))]
    # A kind with a status subresource still has its old status here, so that does not count.
    if kind.generations and changed and not subresource:
        metadata["generation"] = old.metadata.get("generation", 0) + 1
    metadata["resourceVersion"] = old.metadata["resourceVersion"]
    return bool(changed) or not same(metadata, old.metadata)


def _checked_head(kind: ResourceType, value: Any) -> dict[str, Any]:
    resource = kind.resource
    if not isinstance(value, dict):
        raise failures.undecodable(
            resource, "json: cannot unmarshal into Go value of type map[string]interface {}"
        )
    head = {"apiVersion": resource.api_version, "kind": resource.kind}
    for field, wanted in head.items():
        sent = value.get(field)
        if not sent and kind.custom:
            raise BadRequest(f"Object '{field[0].upper() + field[1:]}' is missing in the request body")
        if sent and sent != wanted:
            what = "API version" if field == "apiVersion" else "kind"
            raise BadRequest(f"the {what} in the data ({sent}) does not match the expected {what} ({wanted})")
    return value if "apiVersion" in value and "kind" in value else {**head, **value}


def _fit(
    kind: ResourceType, value: dict[str, Any], old: Mapping[str, Any]
) -> tuple[dict[str, Any], schema.Report]:
    report = schema.Report()
    fitted = kind.shape.fit(value, old, None, report)
    if report.problems and not kind.custom:
        # The core kinds are decoded into Go structs there: a wrong type is a decoding error, not a 422.
        raise failures.undecodable(kind.resource, str(report.problems[0]))
    head = {key: fitted[key] for key in _HEAD if key in fitted}
    return {**head, **{key: item for key, item in fitted.items() if key not in _HEAD}}, report


def _judge(kind: ResourceType, name: str, problems: Sequence[failures.Problem]) -> None:
    if problems:
        raise failures.invalid(kind.storage.group, kind.storage.kind, name, problems)


def _unknown(kind: ResourceType, fields: Sequence[str], validation: str, *, patch: Any) -> Sequence[str]:
    texts = [f'unknown field "{field}"' for field in fields]
    if texts and validation == STRICT:
        why = f"strict decoding error: {', '.join(texts)}"
        if patch is None:
            raise failures.undecodable(kind.resource, why)
        raise failures.invalid("", "", "", [failures.invalid_value("patch", patch, why)])
    return texts if validation == WARN else ()


def apply_patch(kind: ResourceType, old: Stored, content_type: str, patch: Any) -> Any:
    """The document that a patch makes of what is stored.

    Raises:
        UnsupportedMedia: the resource does not take this kind of patch.
        BadRequest: it is not a patch.
        Invalid: it does not apply.
    """
    if content_type == patches.JSON_PATCH:
        return patches.apply_json(old.value, patch)
    if not isinstance(patch, dict) and content_type in (patches.MERGE_PATCH, patches.STRATEGIC_PATCH):
        raise BadRequest(
            "error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}"
        )
    if content_type == patches.MERGE_PATCH:
        return patches.apply_merge(old.value, patch)
    if content_type == patches.STRATEGIC_PATCH and not kind.custom:
        return strategic.apply_strategic(old.value, patch)
    accepted = [patches.JSON_PATCH, patches.MERGE_PATCH]
    if not kind.custom:
        accepted.append(patches.STRATEGIC_PATCH)
    raise failures.unsupported_media([*accepted, patches.APPLY_PATCH])
