"""``metadata``: what it may contain, and the rules about changing it.

Source: k8s.io/apimachinery pkg/api/validation/objectmeta.go, k8s.io/apiserver pkg/registry/rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from trio_argoagent.apiserver.core import failures, schema
from trio_argoagent.apiserver.core.failures import Problem
from trio_argoagent.model.resources import Resource
from trio_argoagent.model.selectors import LABEL_VALUE_RULE

MAX_NAME: Final = 253  # characters of a name
MAX_GENERATED_BASE: Final = 58  # characters kept of a generateName
MAX_ANNOTATIONS: Final = 256 * 1024  # bytes, all keys and values of one object

_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED: Final = re.compile(
    r"(?:[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
)
_LABEL_VALUE: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")

_TEXT: Final = {"type": "string"}
_TEXTS: Final = {"type": "object", "additionalProperties": _TEXT}
_SHAPE: Final = schema.compile_schema(
    {
        "type": "object",
        "properties": {
            "name": _TEXT,
            "generateName": _TEXT,
            "namespace": _TEXT,
            "uid": _TEXT,
            "resourceVersion": _TEXT,
            "generation": {"type": "integer"},
            "creationTimestamp": _TEXT,
            "deletionTimestamp": _TEXT,
            "deletionGracePeriodSeconds": {"type": "integer"},
            "labels": _TEXTS,
            "annotations": _TEXTS,
            "finalizers": {"type": "array", "items": _TEXT},
            "ownerReferences": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "apiVersion": _TEXT,
                        "kind": _TEXT,
                        "name": _TEXT,
                        "uid": _TEXT,
                        "controller": {"type": "boolean"},
                        "blockOwnerDeletion": {"type": "boolean"},
                    },
                },
            },
        },
    }
)
_TOLERATED: Final = frozenset({"metadata.managedFields", "metadata.selfLink"})
_OMIT_EMPTY: Final = ("generateName", "labels", "annotations", "finalizers", "ownerReferences")


def timestamp(now: float) -> str:
    """Wall seconds as RFC 3339 in whole seconds: what Kubernetes writes."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_uid(entropy: Callable[[int], bytes]) -> str:
    """A random uid in the form of RFC 4122, version 4."""
    raw = bytearray(entropy(16))
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def generated_name(base: str, entropy: Callable[[int], bytes]) -> str:
    """A name from ``generateName``: the base and five random characters."""
    tail = "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in entropy(5))
    return base[:MAX_GENERATED_BASE] + tail


def read(
    resource: Resource, value: Mapping[str, Any], old: Mapping[str, Any] | None
) -> tuple[Any, list[str]]:
    """The metadata of what was sent: a fresh dict of the known fields without empty ones; and the unknown.

    Raises:
        BadRequest: a field has the wrong type.
    """
    report = schema.Report()
    sent = value.get("metadata")
    meta = _SHAPE.fit({} if sent is None else sent, old, (None, "metadata"), report)
    if report.problems:
        raise failures.undecodable(resource, str(report.problems[0]))
    meta = dict(meta)
    for field in _OMIT_EMPTY:
        if field in meta and not meta[field]:
            del meta[field]
    return meta, [path for path in report.unknown if path not in _TOLERATED]


def check_name(name: str, *, label: bool) -> list[Problem]:
    """Is it a name that an object may have? ``label``: of the stricter kind, as for namespaces."""
    if label and _LABEL.fullmatch(name) is None:
        return [
            failures.invalid_value(
                "metadata.name",
                name,
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
                "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
                "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
            )
        ]
    if len(name) > MAX_NAME:
        detail = f"must be no more than {MAX_NAME} characters"
        return [failures.invalid_value("metadata.name", name, detail)]
    if _SUBDOMAIN.fullmatch(name) is None:
        return [
            failures.invalid_value(
                "metadata.name",
                name,
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
                "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
                "for validation is "
                r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
            )
        ]
    return []


def check_segment(name: str) -> list[Problem]:
    """Is it a name that can be one step of a path? Some kinds ask no more."""
    if name in (".", ".."):
        return [failures.invalid_value("metadata.name", name, f"may not be '{name}'")]
    return [
        failures.invalid_value("metadata.name", name, f"may not contain '{each}'")
        for each in "/%"
        if each in name
    ]


def check(meta: Mapping[str, Any], old: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with labels, annotations, finalizers and owners, where they are not as before."""
    problems: list[Problem] = []
    for field, rule in _RULES.items():
        part = meta.get(field)
        if part is not None and part is not old.get(field):
            problems += rule(part)
    return problems


def _check_labels(labels: Mapping[str, str]) -> list[Problem]:
    problems = _check_keys("metadata.labels", labels)
    for value in labels.values():
        if _LABEL_VALUE.fullmatch(value) is None:
            problems.append(failures.invalid_value("metadata.labels", value, LABEL_VALUE_RULE))
    return problems


def _check_annotations(annotations: Mapping[str, str]) -> list[Problem]:
    problems = _check_keys("metadata.annotations", {key.lower(): "" for key in annotations})
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size > MAX_ANNOTATIONS:
        problems.append(
            Problem(
                "metadata.annotations",
                "FieldValueTooLong",
                f"Too long: may not be more than {MAX_ANNOTATIONS} bytes",
            )
        )
    return problems


def _check_finalizers(finalizers: Sequence[str]) -> list[Problem]:
    return _check_keys("metadata.finalizers", dict.fromkeys(finalizers, ""))


def _check_owners(owners: Sequence[Mapping[str, Any]]) -> list[Problem]:
    return [
        failures.required(f"metadata.ownerReferences[{index}].{field}")
        for index, owner in enumerate(owners)
        for field in ("apiVersion", "kind", "name", "uid")
        if not owner.get(field)
    ]


def _check_keys(field: str, keys: Mapping[str, str]) -> list[Problem]:
    detail = (
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
        "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
        "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
    )
    return [failures.invalid_value(field, key, detail) for key in keys if _QUALIFIED.fullmatch(key) is None]


_RULES: Final[Mapping[str, Callable[[Any], list[Problem]]]] = {
    "labels": _check_labels,
    "annotations": _check_annotations,
    "finalizers": _check_finalizers,
    "ownerReferences": _check_owners,
}

_KEPT: Final = (
    "uid", "creationTimestamp", "generation", "deletionGracePeriodSeconds", "generateName", "managedFields",
)  # fmt: skip
_IMMUTABLE: Final = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp")


def carry_over(meta: dict[str, Any], old: Mapping[str, Any]) -> list[Problem]:
    """Make the metadata of an update whole: what the server owns may be left out, but not changed.

    Args:
        meta: as ``read`` made it; changed in place.
        old: of the stored object.
    """
    problems = []
    for field in _IMMUTABLE:
        if meta.get(field) not in (None, "", old.get(field)) and field not in ("creationTimestamp",):
            problems.append(failures.immutable(f"metadata.{field}", meta[field]))
    for field in (*_IMMUTABLE, *_KEPT):
        if field in old:
            meta[field] = old[field]
        else:
            meta.pop(field, None)
    if "deletionTimestamp" in old:
        known = old.get("finalizers") or ()
        added = [item for item in meta.get("finalizers") or () if item not in known]
        if added:
            listed = ", ".join(f'"{item}"' for item in added)
            problems.append(
                failures.forbidden_field(
                    "metadata.finalizers",
                    "no new finalizers can be added if the object is being deleted, found new finalizers "
                    f"[]string{{{listed}}}",
                )
            )
    return problems
