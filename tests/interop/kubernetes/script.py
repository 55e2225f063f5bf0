"""The requests that a real API server and the embedded one are both sent, and what of an answer is compared.

A case is a conversation in a namespace of its own. What two servers cannot agree about is taken out of the
answers: uids, versions, times, ages, who wrote which field, what columns are said to mean, and the names of
namespaces.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

JSON: Final = "application/json"
MERGE: Final = "application/merge-patch+json"
PATCH: Final = "application/json-patch+json"
STRATEGIC: Final = "application/strategic-merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"
TABLE: Final = "application/json;as=Table;g=meta.k8s.io;v=v1"
PARTIAL: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"

APPS: Final = "/apis/argoproj.io/v1alpha1/namespaces/NS/applications"
MAPS: Final = "/api/v1/namespaces/NS/configmaps"
SECRETS: Final = "/api/v1/namespaces/NS/secrets"
EVENTS: Final = "/api/v1/namespaces/NS/events"
NEW_EVENTS: Final = "/apis/events.k8s.io/v1/namespaces/NS/events"
DESTINATION: Final = {"server": "https://kubernetes.default.svc", "namespace": "default"}


@attrs.frozen
class Ask:
    """One request; ``NS`` stands for the namespace of the case."""

    method: str
    path: str
    body: Any = None
    type: str = JSON
    accept: str = JSON
    user: str = ""
    """As whom; empty: as one who may do everything."""


def app(name: str = "a", **fields: Any) -> dict[str, Any]:
    """An Application that is valid."""
    spec = {"project": "default", "destination": DESTINATION, **fields.pop("spec", {})}
    metadata = {"name": name, **fields.pop("metadata", {})}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": metadata,
        "spec": spec,
        **fields,
    }


def config_map(name: str = "m", **fields: Any) -> dict[str, Any]:
    """A ConfigMap."""
    metadata = {"name": name, **fields.pop("metadata", {})}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **fields}


def secret(name: str, **fields: Any) -> dict[str, Any]:
    """A Secret."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, **fields}


def edit(op: str, path: str, value: Any) -> Ask:
    """One JSON patch operation on the Application."""
    return Ask("PATCH", f"{APPS}/a", [{"op": op, "path": path, "value": value}], PATCH)


def applied(name: str = "m", **data: str) -> dict[str, Any]:
    """A ConfigMap as it is applied."""
    return config_map(name, data=data)


REGARDING: Final = {"apiVersion": "v1", "kind": "ConfigMap", "name": "m", "namespace": "NS"}


def event(name: str = "new", **fields: Any) -> dict[str, Any]:
    """An Event of events.k8s.io that is whole; a field that is None is left out."""
    value = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": name},
        "eventTime": "2020-01-02T03:04:05.000006Z",
        "reportingController": "example.com/me",
        "reportingInstance": "me-1",
        "action": "Tried",
        "reason": "Trying",
        "type": "Normal",
        "regarding": REGARDING,
        "note": "it was tried",
        **fields,
    }
    return {field: item for field, item in value.items() if item is not None}


OLD_EVENT: Final = {
    "apiVersion": "v1", "kind": "Event", "metadata": {"name": "old"}, "involvedObject": REGARDING,
    "reason": "Tried", "message": "it was tried", "type": "Warning", "count": 2,
    "source": {"component": "me"},
    "firstTimestamp": "2020-01-02T03:04:05Z", "lastTimestamp": "2020-01-02T03:04:06Z",
}  # fmt: skip
ONE: Final = Ask("POST", APPS, app())
MAP: Final = Ask("POST", MAPS, config_map(data={"a": "1"}))
GET_APP: Final = Ask("GET", f"{APPS}/a")

CASES: Final[Mapping[str, Sequence[Ask]]] = {
    "create and get": (ONE, GET_APP, Ask("POST", APPS, app())),
    "not there": (GET_APP, Ask("DELETE", f"{APPS}/a"), Ask("PATCH", f"{APPS}/a", {}, MERGE)),
    "no such resource": (Ask("GET", "/apis/argoproj.io/v1alpha1/namespaces/NS/nothings"),
        Ask("GET", "/apis/no.such/v1")),
    "no such namespace": (Ask("POST", APPS.replace("NS", "nowhere-NS"), app()),),
    "generate a name": (Ask("POST", MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}),),
    "bad names": (
        Ask("POST", APPS, app("Upper")), Ask("POST", APPS, app("a_b")), Ask("POST", MAPS, config_map("x/y")),
        Ask("POST", MAPS, config_map("a" * 254)),
    ),
    "bad bodies": (
        Ask("POST", APPS, b"{"), Ask("POST", APPS, b""), Ask("POST", APPS, []), Ask("POST", APPS, "text"),
        Ask("POST", APPS, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}),
        Ask("POST", APPS, {"metadata": {"name": "a"}}),
    ),
    "wrong types": (
        Ask("POST", APPS, app(spec={"project": 7})), Ask("POST", APPS, app(metadata={"labels": {"a": 1}})),
        Ask("POST", APPS, {**app(), "spec": None}), Ask("POST", MAPS, config_map(data={"a": 1})),
        Ask("POST", MAPS, config_map(data=["a"])),
    ),
    "required fields": (Ask("POST", APPS, {**app(), "spec": {}}),),
    "a name that differs from the path's": (ONE, Ask("PUT", f"{APPS}/b", app("a"))),
    "replace": (
        MAP, Ask("PUT", f"{MAPS}/m", config_map(data={"b": "2"})), Ask("GET", f"{MAPS}/m"),
        Ask("PUT", f"{MAPS}/other", config_map("other")),
    ),
    "replace with an old version": (
        MAP, Ask("PUT", f"{MAPS}/m", config_map(metadata={"resourceVersion": "1"})),
        Ask("PUT", f"{MAPS}/m", config_map(metadata={"uid": "11111111-1111-1111-1111-111111111111"})),
        Ask("PUT", f"{APPS}/none", app("none", metadata={"resourceVersion": "1"})),
    ),
    "replace without a version": (ONE, Ask("PUT", f"{APPS}/a", app())),
    "merge patch": (
        ONE, Ask("PATCH", f"{APPS}/a", {"spec": {"project": "p"}, "operation": {"sync": {}}}, MERGE),
        Ask("PATCH", f"{APPS}/a", {"operation": None}, MERGE), GET_APP,
        Ask("PATCH", f"{APPS}/a", {"metadata": {"labels": {"x": "y", "z": None}}}, MERGE),
    ),
    "a patch that changes nothing": (MAP, Ask("PATCH", f"{MAPS}/m", {"data": {"a": "1"}}, MERGE)),
    "merge patch of what may not change": (
        ONE, Ask("PATCH", f"{APPS}/a", {"metadata": {"name": "b"}}, MERGE),
        Ask("PATCH", f"{APPS}/a", {"metadata": {"namespace": "b"}}, MERGE),
        Ask("PATCH", f"{APPS}/a", {"metadata": {"resourceVersion": "1"}}, MERGE),
        Ask("PATCH", f"{APPS}/a", {"spec": 5}, MERGE), Ask("PATCH", f"{APPS}/a", b"[", MERGE),
    ),
    "json patch": (
        ONE,
        edit("add", "/metadata/annotations", {"k/x": "v"}),
        edit("replace", "/metadata/annotations/k~1x", "w"),
        edit("test", "/spec/project", "other"),
        Ask("PATCH", f"{APPS}/a", [{"op": "remove", "path": "/spec/nothing"}], PATCH),
        Ask("PATCH", f"{APPS}/a", [{"op": "what", "path": "/spec"}], PATCH),
        Ask("PATCH", f"{APPS}/a", {}, PATCH),
        GET_APP,
    ),
    "strategic merge patch": (
        MAP, Ask("PATCH", f"{MAPS}/m", {"data": {"b": "2"}}, STRATEGIC),
        Ask("PATCH", f"{MAPS}/m", {"data": {"a": None}}, STRATEGIC),
        ONE, Ask("PATCH", f"{APPS}/a", {"spec": {"project": "p"}}, STRATEGIC),
    ),
    "an unknown kind of patch": (MAP, Ask("PATCH", f"{MAPS}/m", {}, "application/x-patch")),
    "delete": (MAP, Ask("DELETE", f"{MAPS}/m"), Ask("GET", f"{MAPS}/m"), ONE, Ask("DELETE", f"{APPS}/a")),
    "delete with a finalizer": (
        Ask("POST", APPS, app(metadata={"finalizers": ["example.com/f"]})),
        Ask("DELETE", f"{APPS}/a"), GET_APP,
        Ask("DELETE", f"{APPS}/a"),
        Ask("PATCH", f"{APPS}/a", {"metadata": {"finalizers": None}}, MERGE), GET_APP,
    ),
    "delete with preconditions": (
        MAP, Ask("DELETE", f"{MAPS}/m", {"preconditions": {"uid": "11111111-1111-1111-1111-111111111111"}}),
        Ask("DELETE", f"{MAPS}/m", {"preconditions": {"resourceVersion": "1"}}),
        Ask("DELETE", f"{MAPS}/m?propagationPolicy=Foreground"),
        Ask("DELETE", f"{MAPS}/m?propagationPolicy=Nonsense"),
    ),
    "delete a collection": (
        MAP, Ask("POST", MAPS, config_map("n", metadata={"labels": {"x": "y"}})),
        Ask("DELETE", f"{MAPS}?labelSelector=x%3Dy"),
        Ask("GET", f"{MAPS}/n"), Ask("GET", f"{MAPS}/m"),
    ),
    "lists": (
        ONE, Ask("POST", APPS, app("b", metadata={"labels": {"x": "y"}})), Ask("GET", APPS),
        Ask("GET", f"{APPS}?labelSelector=x%3Dy"), Ask("GET", f"{APPS}?labelSelector=x%21%3Dy"),
        Ask("GET", f"{APPS}?labelSelector=x+in+%28y%2Cz%29"), Ask("GET", f"{APPS}?labelSelector=%21x"),
        Ask("GET", f"{APPS}?labelSelector=%28"), Ask("GET", f"{APPS}?fieldSelector=metadata.name%3Db"),
        Ask("GET", f"{APPS}?fieldSelector=spec.project%3Db"), Ask("GET", f"{APPS}?limit=x"),
        Ask("GET", f"{APPS}?resourceVersion=x"), Ask("GET", f"{APPS}?continue=x"),
    ),
    "tables": (MAP, Ask("GET", f"{MAPS}/m", accept=TABLE), ONE, Ask("GET", APPS, accept=TABLE)),
    "partial metadata": (ONE, Ask("GET", f"{APPS}/a", accept=PARTIAL)),
    "dry run": (
        Ask("POST", f"{MAPS}?dryRun=All", config_map()), Ask("GET", f"{MAPS}/m"),
        Ask("POST", f"{MAPS}?dryRun=Some", config_map()),
        MAP, Ask("DELETE", f"{MAPS}/m?dryRun=All"), Ask("GET", f"{MAPS}/m"),
    ),
    "unknown fields": (
        Ask("POST", f"{APPS}?fieldValidation=Strict", app(spec={"nonsense": 1})),
        Ask("POST", f"{APPS}?fieldValidation=Ignore", app(spec={"nonsense": 1})),
        Ask("POST", f"{MAPS}?fieldValidation=Strict", config_map(nonsense=1)),
        Ask("POST", f"{MAPS}?fieldValidation=What", config_map("w")),
    ),
    "labels and annotations": (
        Ask("POST", MAPS, config_map(metadata={"labels": {"bad key!": "x"}})),
        Ask("POST", MAPS, config_map(metadata={"labels": {"x": "bad value!"}})),
        Ask("POST", MAPS, config_map(metadata={"annotations": {"bad key!": "x"}})),
    ),
    "secrets": (
        Ask("POST", SECRETS, secret("s", stringData={"a": "b"})),
        Ask("GET", f"{SECRETS}/s"),
        Ask("POST", SECRETS, secret("t", data={"a": "?"})),
        Ask("PATCH", f"{SECRETS}/s", {"type": "other"}, MERGE),
    ),
    "events, old and new": (
        Ask("POST", EVENTS, OLD_EVENT), Ask("GET", f"{NEW_EVENTS}/old"), Ask("POST", NEW_EVENTS, event()),
        Ask("GET", f"{EVENTS}/new"), Ask("GET", f"{NEW_EVENTS}/new"), Ask("GET", NEW_EVENTS),
        Ask("GET", f"{NEW_EVENTS}?fieldSelector=regarding.name%3Dm,type%3DNormal"),
        Ask("GET", f"{EVENTS}?fieldSelector=regarding.name%3Dm"),
        Ask("GET", f"{NEW_EVENTS}?fieldSelector=reportingController%3Dexample.com/me"),
        Ask("PATCH", f"{NEW_EVENTS}/new", {"metadata": {"labels": {"x": "y"}}}, MERGE),
        Ask("PATCH", f"{EVENTS}/new", {"metadata": {"labels": {"x": "z"}}}, MERGE),
        Ask("GET", EVENTS, accept=TABLE), Ask("GET", f"{NEW_EVENTS}/old", accept=TABLE),
        Ask("DELETE", f"{NEW_EVENTS}/old"), Ask("GET", f"{EVENTS}/old"), Ask("POST", EVENTS, OLD_EVENT),
        Ask("DELETE", f"{NEW_EVENTS}?fieldSelector=regarding.name%3Dm"), Ask("GET", EVENTS),
    ),
    "events that are not": (
        Ask("POST", NEW_EVENTS, event(eventTime=None)), Ask("POST", NEW_EVENTS, event(type="Other")),
        Ask("POST", NEW_EVENTS, event(reportingController=None, reportingInstance=None, action=None)),
        Ask("POST", NEW_EVENTS, event(regarding={"kind": "Node", "name": "n"})),
        Ask("POST", NEW_EVENTS, event(deprecatedCount=1)), Ask("POST", NEW_EVENTS, event()),
        Ask("PATCH", f"{NEW_EVENTS}/new", {"note": "other", "reason": "Other", "action": "Other"}, MERGE),
        Ask("PATCH", f"{NEW_EVENTS}/new", {"regarding": {"name": "n"}, "reportingInstance": "x"}, MERGE),
        Ask("PATCH", f"{NEW_EVENTS}/new", {"type": "Warning", "reportingController": "x.y"}, MERGE),
        Ask("POST", EVENTS, {**OLD_EVENT, "involvedObject": {**REGARDING, "namespace": "other"}}),
    ),
    "apply": (
        Ask("PATCH", f"{MAPS}/m?fieldManager=one", applied(a="1", b="2"), APPLY),
        Ask("PATCH", f"{MAPS}/m?fieldManager=two", applied(a="9"), APPLY),
        Ask("PATCH", f"{MAPS}/m?fieldManager=two&force=true", applied(a="9"), APPLY),
        Ask("PATCH", f"{MAPS}/m?fieldManager=one", applied(b="2"), APPLY),
        Ask("PATCH", f"{MAPS}/m?fieldManager=one", applied(), APPLY),
        Ask("GET", f"{MAPS}/m"), Ask("PATCH", f"{MAPS}/m", applied(), APPLY),
    ),
    "apply an Application": (
        Ask("PATCH", f"{APPS}/a?fieldManager=one", app(), APPLY),
        Ask("PATCH", f"{APPS}/a?fieldManager=two", app(spec={"project": "p"}), APPLY),
        Ask("PATCH", f"{APPS}/a?fieldManager=two&force=true", app(spec={"project": "p"}), APPLY), GET_APP,
    ),
    "subresources": (
        ONE, Ask("GET", f"{APPS}/a/status"),
        Ask("PATCH", f"{APPS}/a", {"status": {"sync": {"status": "Synced"}}}, MERGE), GET_APP,
        Ask("GET", f"{APPS}/a/scale"),
    ),
    "who am I": (
        Ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
             "spec": {"resourceAttributes": {"verb": "get", "resource": "secrets", "namespace": "NS"}}}),
    ),
    "verbs that are not": (Ask("POST", f"{APPS}/a", app()), Ask("PUT", APPS, app()), Ask("TRACE", APPS)),
}  # fmt: skip

_HIDDEN: Final = {
    "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "managedFields", "selfLink",
    "continue",
}  # fmt: skip
_SEVERAL: Final = re.compile(r"(?<=RBAC: \[).*(?=\]$)")
_AGE: Final = re.compile(r"^\d+[smhdy](\d+[smhd])?$")
_IDENTITY: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|in record \(\d+\)")


def normalised(value: Any, namespace: str) -> Any:
    """Without what two servers cannot agree about."""
    if isinstance(value, dict):
        return {
            key: "<set>" if key in _HIDDEN and item else normalised(item, namespace)
            for key, item in sorted(value.items())
            if key != "managedFields" and not (key == "description" and "priority" in value)
        }
    if isinstance(value, list):
        return [normalised(item, namespace) for item in value]
    if isinstance(value, str):
        # A real authoriser goes through its bindings in the order of a hash table.
        value = _SEVERAL.sub(lambda found: ", ".join(sorted(found[0].split(", "))), value)
        return "<age>" if _AGE.match(value) else _IDENTITY.sub("<id>", value.replace(namespace, "NS"))
    return value


def answer(status: int, body: bytes, namespace: str) -> tuple[int, Any]:
    """What is compared: the status, and the body where it is JSON."""
    try:
        value = json.loads(body)
    except ValueError:
        return status, "<text>"
    return status, normalised(value, namespace)
