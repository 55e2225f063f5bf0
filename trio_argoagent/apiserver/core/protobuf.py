"""Request bodies in Kubernetes' protobuf: what kubectl sends when it creates built-in kinds.

A body is the four bytes ``k8s\\0`` and a ``runtime.Unknown``: apiVersion, kind, and the object's own message.
One table below gives, for each message we take, the JSON name and type of each field; a field that is not
in it is skipped, as protobuf demands. Answers are always JSON, which such clients take too.

Go writes non-optional fields even when they are empty, so what is empty is left out here, as its JSON
encoder would. Source: generated.proto of k8s.io/api (core/v1, coordination/v1, authorization/v1,
authentication/v1, rbac/v1) and k8s.io/apimachinery (meta/v1, runtime); protobuf's encoding guide.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import attrs

from trio_argoagent.errors import BadRequest, UnsupportedMedia

MEDIA_TYPE: Final = "application/vnd.kubernetes.protobuf"
MAGIC: Final = b"k8s\x00"

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT: Final = 10  # bytes: 64 bits, seven in each

Raw: TypeAlias = "int | bytes"
Decode: TypeAlias = Callable[[Raw], Any]


class _Malformed(Exception):
    """It is not protobuf, or not such a message."""


@attrs.frozen
class _Field:
    name: str
    decode: Decode
    repeated: bool = False
    entry: bool = False
    """Is it an entry of a map?"""


Message: TypeAlias = Mapping[int, _Field]


def decode(data: bytes) -> dict[str, Any]:
    """The JSON value of a protobuf body.

    Raises:
        BadRequest: it is not what it claims to be.
        UnsupportedMedia: it is of a kind that is taken as JSON only.
    """
    if not data.startswith(MAGIC):
        raise BadRequest("provided data does not appear to be a protobuf message, expected prefix 'k8s\\0'")
    try:
        envelope = _message(_UNKNOWN)(data[len(MAGIC) :])
        head = envelope.get("typeMeta", {})
        kind = head.get("kind", "")
        message = _KINDS.get(kind)
        if message is None or envelope.get("contentEncoding"):
            raise UnsupportedMedia(
                f"the body of the request is a {kind or 'nameless kind'} in protobuf, which is not taken: "
                "send application/json"
            )
        value: dict[str, Any] = _message(message)(envelope.get("raw", b""))
    except (_Malformed, UnicodeDecodeError) as exc:
        raise BadRequest(f"unable to decode the protobuf body: {exc}") from None
    return {**head, **value}


def _fields(data: bytes) -> Iterator[tuple[int, Raw]]:
    """The fields of a message in the order in which they stand."""
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if wire == _BYTES:
            size, at = _varint(data, at)
        elif wire in (_FIXED32, _FIXED64):
            size = 4 if wire == _FIXED32 else 8
        else:
            raise _Malformed(f"wire type {wire}")
        if at + size > end:
            raise _Malformed("it ends in the middle of a field")
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(_MAX_VARINT):
        if at + index >= len(data):
            raise _Malformed("it ends in the middle of a number")
        byte = data[at + index]
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at + index + 1
    raise _Malformed("a number of more than 64 bits")


def _bytes(raw: Raw) -> bytes:
    if not isinstance(raw, bytes):
        raise _Malformed("a number where bytes belong")
    return raw


def _text(raw: Raw) -> str:
    return _bytes(raw).decode("utf-8")


def _base64(raw: Raw) -> str:
    return base64.b64encode(_bytes(raw)).decode("ascii")


def _integer(raw: Raw) -> int:
    if not isinstance(raw, int):
        raise _Malformed("bytes where a number belongs")
    return raw - (1 << 64) if raw >> 63 else raw


def _boolean(raw: Raw) -> bool:
    return bool(_integer(raw))


def _message(fields: Message) -> Decode:
    def read(raw: Raw) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for number, item in _fields(_bytes(raw)):
            field = fields.get(number)
            if field is None:
                continue
            decoded = field.decode(item)
            if field.entry:
                value.setdefault(field.name, {})[decoded.get("key", "")] = decoded.get("value", "")
            elif field.repeated:
                value.setdefault(field.name, []).append(decoded)
            elif decoded != "" and decoded != {} and (decoded != 0 or decoded is False):
                # false stays: only optional booleans are ever written, and there it differs from absent.
                value[field.name] = decoded
        return value

    return read


def _time(raw: Raw) -> str:
    return _moment(raw, "%Y-%m-%dT%H:%M:%SZ")


def _micro_time(raw: Raw) -> str:
    return _moment(raw, "%Y-%m-%dT%H:%M:%S.%fZ")


def _moment(raw: Raw, form: str) -> str:
    value = _message(_SECONDS)(raw)
    if not value:
        return ""
    micros = value.get("nanos", 0) // 1000
    try:
        return datetime.fromtimestamp(value.get("seconds", 0), UTC).replace(microsecond=micros).strftime(form)
    except (ValueError, OverflowError, OSError) as exc:
        raise _Malformed(f"no time: {exc}") from None


def _map(name: str, value: Decode) -> _Field:
    entry = {1: _Field("key", _text), 2: _Field("value", value)}
    return _Field(name, _message(entry), entry=True)


def _part(name: str, fields: Message, *, repeated: bool = False) -> _Field:
    return _Field(name, _message(fields), repeated)


def _texts(*names: str) -> dict[int, _Field]:
    """String fields numbered from 1 in this order."""
    return {number: _Field(name, _text) for number, name in enumerate(names, 1)}


_SECONDS: Final[Message] = {1: _Field("seconds", _integer), 2: _Field("nanos", _integer)}
_UNKNOWN: Final[Message] = {
    1: _part("typeMeta", _texts("apiVersion", "kind")),
    2: _Field("raw", _bytes),
    3: _Field("contentEncoding", _text),
    4: _Field("contentType", _text),
}
_OWNER: Final[Message] = {
    1: _Field("kind", _text),
    3: _Field("name", _text),
    4: _Field("uid", _text),
    5: _Field("apiVersion", _text),
    6: _Field("controller", _boolean),
    7: _Field("blockOwnerDeletion", _boolean),
}
_META: Final[Message] = {
    1: _Field("name", _text),
    2: _Field("generateName", _text),
    3: _Field("namespace", _text),
    5: _Field("uid", _text),
    6: _Field("resourceVersion", _text),
    7: _Field("generation", _integer),
    8: _Field("creationTimestamp", _time),
    9: _Field("deletionTimestamp", _time),
    10: _Field("deletionGracePeriodSeconds", _integer),
    11: _map("labels", _text),
    12: _map("annotations", _text),
    13: _part("ownerReferences", _OWNER, repeated=True),
    14: _Field("finalizers", _text, repeated=True),
}
_METADATA: Final[Message] = {1: _part("metadata", _META)}
_REFERENCE: Final = _texts(
    "kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"
)  # fmt: skip
_LEASE_SPEC: Final[Message] = {
    1: _Field("holderIdentity", _text),
    2: _Field("leaseDurationSeconds", _integer),
    3: _Field("acquireTime", _micro_time),
    4: _Field("renewTime", _micro_time),
    5: _Field("leaseTransitions", _integer),
    6: _Field("strategy", _text),
    7: _Field("preferredHolder", _text),
}
_EVENT: Final[Message] = {
    **_METADATA,
    2: _part("involvedObject", _REFERENCE),
    3: _Field("reason", _text),
    4: _Field("message", _text),
    5: _part("source", _texts("component", "host")),
    6: _Field("firstTimestamp", _time),
    7: _Field("lastTimestamp", _time),
    8: _Field("count", _integer),
    9: _Field("type", _text),
    10: _Field("eventTime", _micro_time),
    11: _part("series", {1: _Field("count", _integer), 2: _Field("lastObservedTime", _micro_time)}),
    12: _Field("action", _text),
    13: _part("related", _REFERENCE),
    14: _Field("reportingComponent", _text),
    15: _Field("reportingInstance", _text),
}
_ATTRIBUTES: Final = _texts("namespace", "verb", "group", "version", "resource", "subresource", "name")
_ACCESS: Final[Message] = {
    1: _part("resourceAttributes", _ATTRIBUTES),
    2: _part("nonResourceAttributes", _texts("path", "verb")),
}
_DELETE: Final[Message] = {
    1: _Field("gracePeriodSeconds", _integer),
    2: _part("preconditions", _texts("uid", "resourceVersion")),
    3: _Field("orphanDependents", _boolean),
    4: _Field("propagationPolicy", _text),
    5: _Field("dryRun", _text, repeated=True),
}
_RULE: Final[Message] = {
    number: _Field(name, _text, repeated=True)
    for number, name in enumerate(("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs"), 1)
}
_ROLE: Final[Message] = {**_METADATA, 2: _part("rules", _RULE, repeated=True)}
_SELECTOR: Final[Message] = {
    1: _map("matchLabels", _text),
    2: _part(
        "matchExpressions",
        {**_texts("key", "operator"), 3: _Field("values", _text, repeated=True)},
        repeated=True,
    ),
}
_BINDING: Final[Message] = {
    **_METADATA,
    2: _part("subjects", _texts("kind", "apiGroup", "name", "namespace"), repeated=True),
    3: _part("roleRef", _texts("apiGroup", "kind", "name")),
}
_TOKEN: Final[Message] = {
    1: _Field("audiences", _text, repeated=True),
    3: _part("boundObjectRef", _texts("kind", "apiVersion", "name", "uid")),
    4: _Field("expirationSeconds", _integer),
}
_KINDS: Final[Mapping[str, Message]] = {
    "Namespace": {
        **_METADATA,
        2: _part("spec", {1: _Field("finalizers", _text, repeated=True)}),
        3: _part("status", _texts("phase")),
    },
    "Secret": {
        **_METADATA,
        2: _map("data", _base64),
        3: _Field("type", _text),
        4: _map("stringData", _text),
        5: _Field("immutable", _boolean),
    },
    "ConfigMap": {
        **_METADATA,
        2: _map("data", _text),
        3: _map("binaryData", _base64),
        4: _Field("immutable", _boolean),
    },
    "ServiceAccount": {
        **_METADATA,
        2: _part("secrets", _REFERENCE, repeated=True),
        3: _part("imagePullSecrets", _texts("name"), repeated=True),
        4: _Field("automountServiceAccountToken", _boolean),
    },
    "Lease": {**_METADATA, 2: _part("spec", _LEASE_SPEC)},
    "Event": _EVENT,
    "DeleteOptions": _DELETE,
    "Role": _ROLE,
    "ClusterRole": {
        **_ROLE,
        3: _part("aggregationRule", {1: _part("clusterRoleSelectors", _SELECTOR, repeated=True)}),
    },
    "RoleBinding": _BINDING,
    "ClusterRoleBinding": _BINDING,
    "TokenRequest": {**_METADATA, 2: _part("spec", _TOKEN)},
    "SelfSubjectAccessReview": {**_METADATA, 2: _part("spec", _ACCESS)},
    "SelfSubjectRulesReview": {**_METADATA, 2: _part("spec", _texts("namespace"))},
    "SelfSubjectReview": _METADATA,
}
