"""What the schemas of the core kinds cannot say: one function a kind.

Each takes the new value (whose top-level fields it may set) and the stored one (None on a create), and
returns what is wrong. Source: k8s.io/kubernetes pkg/apis/core/validation and pkg/registry/core.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Final

from trio_argoagent.apiserver.core import failures
from trio_argoagent.apiserver.core.failures import Problem
from trio_argoagent.apiserver.core.values import same
from trio_argoagent.errors import BadRequest

MAX_DATA: Final = 1024 * 1024  # bytes, all values of one Secret or ConfigMap
_ENCODED: Final = MAX_DATA * 4 // 3  # the same in base64

_DATA_KEY: Final = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_MICRO_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)")
_NAMESPACE_FINALIZER: Final = "kubernetes"
NAME_LABEL: Final = "kubernetes.io/metadata.name"


def secret(value: dict[str, Any], old: Mapping[str, Any] | None) -> list[Problem]:
    """``stringData`` becomes ``data``, which is base64; the type does not change."""
    texts = value.pop("stringData", None) or {}
    if texts:
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
        value["data"] = {**(value.get("data") or {}), **encoded}
    if not value.get("type"):
        value["type"] = (old or {}).get("type", "Opaque")
    data = value.get("data")
    before = (old or {}).get("data")
    if data is not None and data is not before:
        value["data"] = data = {key: _plain_base64("Secret", text) for key, text in data.items()}
    problems = _check_data("data", data, before, _ENCODED) + _frozen(value, old, ("data",))
    if old is not None and value["type"] != old.get("type"):
        problems.append(failures.immutable("type", value["type"]))
    return problems


def config_map(value: dict[str, Any], old: Mapping[str, Any] | None) -> list[Problem]:
    """Keys are file names, ``binaryData`` is base64, no key is in both."""
    before = old or {}
    binary = value.get("binaryData")
    if binary is not None and binary is not before.get("binaryData"):
        value["binaryData"] = {key: _plain_base64("ConfigMap", text) for key, text in binary.items()}
    problems = _check_data("data", value.get("data"), before.get("data"))
    problems += _check_data("binaryData", binary, before.get("binaryData"), _ENCODED)
    for key in value.get("data") or ():
        if key in (binary or ()):
            problems.append(failures.invalid_value("data", key, "duplicate of key present in binaryData"))
    return problems + _frozen(value, old, ("data", "binaryData"))


def _plain_base64(kind: str, text: str) -> str:
    try:
        return base64.b64encode(
            base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
        ).decode()
    except (binascii.Error, ValueError):
        raise BadRequest(
            f'{kind} in version "v1" cannot be handled as a {kind}: illegal base64 data at input byte 0'
        ) from None


def _check_data(
    field: str, data: Mapping[str, str] | None, before: Mapping[str, str] | None, limit: int = MAX_DATA
) -> list[Problem]:
    if data is None or data is before:
        return []
    detail = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
    problems = [
        failures.invalid_value(f"{field}[{key}]", key, detail)
        for key in data
        if _DATA_KEY.fullmatch(key) is None
    ]
    if sum(len(text.encode()) for text in data.values()) > limit:
        problems.append(
            Problem(field, "FieldValueTooLong", f"Too long: may not be more than {MAX_DATA} bytes")
        )
    return problems


def _frozen(
    value: Mapping[str, Any], old: Mapping[str, Any] | None, fields: tuple[str, ...]
) -> list[Problem]:
    if old is None or not old.get("immutable"):
        return []
    problems = [
        failures.forbidden_field(field, "field is immutable when `immutable` is set")
        for field in fields
        if not same(value.get(field), old.get(field))
    ]
    if not value.get("immutable"):
        problems.append(failures.forbidden_field("immutable", "field is immutable when `immutable` is set"))
    return problems


_NEEDED: Final = ("eventTime", "reportingController", "reportingInstance", "action", "reason")
_WITHOUT_SUBJECT: Final = ("default", "kube-system")
"""Namespaces of events about what has no namespace."""
_DEPRECATED: Final[Mapping[str, str]] = {
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
    "deprecatedSource": "source",
}
# In the order of the real server's checks, with the names it gives the fields: one of them comes twice.
_UNCHANGED: Final = (
    ("regarding", "involvedObject"),
    ("reason", "reason"),
    ("note", "message"),
    ("reason", "reason"),
    ("type", "type"),
    ("eventTime", "eventTime"),
    ("action", "action"),
    ("related", "related"),
    ("reportingController", "reportingController"),
    ("reportingInstance", "reportingInstance"),
)


def namespace(value: dict[str, Any], old: Mapping[str, Any] | None) -> list[Problem]:
    """A namespace is born Active with its finalizer and its name as a label, and keeps the label."""
    meta = value["metadata"]
    if (meta.get("labels") or {}).get(NAME_LABEL) != meta["name"]:
        meta["labels"] = {**(meta.get("labels") or {}), NAME_LABEL: meta["name"]}
    if old is None:
        value["spec"] = {"finalizers": [_NAMESPACE_FINALIZER]}
        value["status"] = {"phase": "Active"}
    return []


def event(value: dict[str, Any], old: Mapping[str, Any] | None) -> list[Problem]:
    """An event lives where its object lives."""
    involved = (value.get("involvedObject") or {}).get("namespace", "")
    if old is None and involved and involved != value["metadata"].get("namespace"):
        return [
            failures.invalid_value("involvedObject.namespace", involved, "does not match event.namespace")
        ]
    return []


def new_event(value: dict[str, Any], old: Mapping[str, Any] | None) -> list[Problem]:
    """One of ``events.k8s.io`` is whole, changes in its series only, and leaves the old fields alone."""
    if old is not None:
        return [
            failures.immutable(name, value.get(field))
            for field, name in _UNCHANGED
            if not same(value.get(field), old.get(field))
        ]
    problems = [failures.required(field) for field in _NEEDED if not value.get(field)]
    if value.get("type") not in ("Normal", "Warning"):
        text = f"has invalid value: {value.get('type', '')}"
        problems.append(failures.invalid_value("type", "", text))
    for field, name in _DEPRECATED.items():
        if value.get(field):
            problems.append(failures.invalid_value(name, "", "needs to be unset"))
    subject = (value.get("regarding") or {}).get("namespace", "")
    if not subject and value["metadata"].get("namespace") not in _WITHOUT_SUBJECT:
        problems.append(
            failures.invalid_value("involvedObject.namespace", subject, "does not match event.namespace")
        )
    return problems


def lease(value: dict[str, Any], old: Mapping[str, Any] | None) -> list[Problem]:
    """Times are RFC 3339 with exactly six digits of a second."""
    spec = value.get("spec") or {}
    for field in ("acquireTime", "renewTime"):
        text = spec.get(field)
        if text is not None and _MICRO_TIME.fullmatch(text) is None:
            raise BadRequest(
                f'Lease in version "v1" cannot be handled as a Lease: parsing time "{text}" as '
                '"2006-01-02T15:04:05.000000Z07:00": cannot parse'
            )
    problems = []
    seconds = spec.get("leaseDurationSeconds")
    if seconds is not None and seconds <= 0:
        problems.append(
            failures.invalid_value("spec.leaseDurationSeconds", seconds, "must be greater than 0")
        )
    return problems


def crd(value: dict[str, Any], old: Mapping[str, Any] | None) -> list[Problem]:
    """A definition is Established at once: there is nobody here who could disagree."""
    names = dict((value.get("spec") or {}).get("names") or {})
    if not names.get("listKind"):
        names["listKind"] = f"{names.get('kind', '')}List"
    if not names.get("singular"):
        names["singular"] = str(names.get("kind", "")).lower()
    value["spec"] = {**(value.get("spec") or {}), "names": names}
    since = value["metadata"].get("creationTimestamp", "")
    conditions = [
        {"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": since}
        for kind, reason, message in (
            ("NamesAccepted", "NoConflicts", "no conflicts found"),
            ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        )
    ]
    versions = value["spec"].get("versions")
    stored = [v["name"] for v in versions or () if isinstance(v, dict) and v.get("storage") and "name" in v]
    value["status"] = {"conditions": conditions, "acceptedNames": names, "storedVersions": stored}
    return []
