"""What the schemas of the core kinds cannot say."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.apiserver.core.helpers import NOW, NS, make, merge, new_server
from trio_argoagent.apiserver.core.corerules import MAX_DATA
from trio_argoagent.apiserver.core.kinds import EVENTS, LEASES, NEW_EVENTS, SERVICE_ACCOUNTS
from trio_argoagent.apiserver.core.patches import MERGE_PATCH
from trio_argoagent.errors import ApiError, BadRequest, Invalid
from trio_argoagent.model.resources import CONFIG_MAPS, NAMESPACES, SECRETS, Resource


def named(**fields: Any) -> dict[str, Any]:
    """An object called ``x``; core kinds need neither apiVersion nor kind."""
    return {"metadata": {"name": "x"}, **fields}


@pytest.mark.parametrize(
    ("resource", "fields", "error", "text"),
    [
        (SECRETS, {"data": {"a": "%"}}, BadRequest, "illegal base64 data"),
        (SECRETS, {"data": {"a/b": ""}}, Invalid, r"data\[a/b\]"),
        (SECRETS, {"data": {"a": 1}}, BadRequest, "cannot be handled as a Secret"),
        (SECRETS, {"stringData": {"a": "x" * (MAX_DATA + 1)}}, Invalid, "Too long"),
        (CONFIG_MAPS, {"binaryData": {"a": "%"}}, BadRequest, "illegal base64 data"),
        (CONFIG_MAPS, {"data": {"a": ""}, "binaryData": {"a": ""}}, Invalid, "duplicate of key"),
        (CONFIG_MAPS, {"data": {"a": "x" * (MAX_DATA + 1)}}, Invalid, "Too long"),
        (EVENTS, {"involvedObject": {"namespace": "other"}}, Invalid, "does not match event.namespace"),
        (LEASES, {"spec": {"renewTime": "2026-01-01T00:00:00Z"}}, BadRequest, "parsing time"),
        (LEASES, {"spec": {"leaseDurationSeconds": 0}}, Invalid, "must be greater than 0"),
    ],
)
def test_what_is_refused(resource: Resource, fields: Any, error: type[ApiError], text: str) -> None:
    """Each rule refuses what it is there to refuse."""
    with pytest.raises(error, match=text):
        make(new_server(), named(**fields), resource)


@pytest.mark.parametrize(
    ("resource", "fields"),
    [
        (SECRETS, {"type": "example.com/t", "data": {"a": "MQ=="}}),
        (CONFIG_MAPS, {"data": {"a.b": "x"}, "binaryData": {"c": "MQ=="}}),
        (EVENTS, {"involvedObject": {"namespace": NS, "name": "a"}, "reason": "R", "type": "Normal"}),
        (LEASES, {"spec": {"renewTime": "2026-01-01T00:00:00.000001Z", "leaseDurationSeconds": 15}}),
        (SERVICE_ACCOUNTS, {"automountServiceAccountToken": False}),
    ],
)
def test_what_is_kept(resource: Resource, fields: Any) -> None:
    """A good object is stored as it is, under its own kind."""
    made = make(new_server(), named(**fields), resource)
    assert {key: made.value[key] for key in fields} == fields
    assert (made.value["apiVersion"], made.value["kind"]) == (resource.api_version, resource.kind)


def test_immutable_data_stays() -> None:
    """An immutable Secret or ConfigMap keeps its data, and stays immutable; its labels may change."""
    server = new_server()
    for resource in (SECRETS, CONFIG_MAPS):
        make(server, named(immutable=True, data={"a": "MQ=="}), resource)
        for patch in ({"data": {"a": "Mg=="}}, {"immutable": None}):
            with pytest.raises(Invalid, match="immutable when `immutable` is set"):
                merge(server, "x", patch, resource)
        assert merge(server, "x", {"metadata": {"labels": {"a": "1"}}}, resource).labels == {"a": "1"}


def test_string_data_wins_over_data() -> None:
    """A patch with ``stringData`` overwrites the key in ``data`` and leaves the others."""
    server = new_server()
    make(server, named(data={"a": "MQ==", "b": "Mg=="}), SECRETS)
    patched = merge(server, "x", {"stringData": {"a": "3"}}, SECRETS)
    assert patched.value["data"] == {"a": "Mw==", "b": "Mg=="}
    assert "stringData" not in patched.value


def test_a_namespace_keeps_its_label_and_its_parts() -> None:
    """A main write changes neither the name label nor spec and status, which have paths of their own."""
    server = new_server()
    start = server.get(NAMESPACES, "", NS)
    patch = {"metadata": {"labels": {"kubernetes.io/metadata.name": "lie", "a": "1"}}}
    patched = merge(server, NS, {**patch, "spec": None, "status": {"phase": "Odd"}}, NAMESPACES, "")
    assert patched.labels == {"kubernetes.io/metadata.name": NS, "a": "1"}
    assert patched.value["spec"] == start.value["spec"]
    assert patched.value["status"] == {"phase": "Active"}
    with pytest.raises(Invalid, match="RFC 1123 label"):
        server.create(NAMESPACES, "", {"metadata": {"name": "a.b"}}, actor="test", now=NOW)


WHOLE_EVENT: dict[str, Any] = {
    "apiVersion": "events.k8s.io/v1",
    "kind": "Event",
    "metadata": {"name": "e"},
    "eventTime": "2026-01-02T03:04:05.000006Z",
    "reportingController": "example.com/me",
    "reportingInstance": "me-1",
    "action": "Tried",
    "reason": "Trying",
    "type": "Normal",
    "regarding": {"kind": "ConfigMap", "name": "m", "namespace": "default"},
    "note": "it was tried",
}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"eventTime": None}, "eventTime"),
        ({"reportingController": ""}, "reportingController"),
        ({"reportingInstance": ""}, "reportingInstance"),
        ({"action": ""}, "action"),
        ({"reason": ""}, "reason"),
        ({"type": "Other"}, "type"),
        ({"deprecatedCount": 1}, "count"),
        ({"deprecatedSource": {"component": "me"}}, "source"),
        ({"deprecatedFirstTimestamp": "2026-01-02T03:04:05Z"}, "firstTimestamp"),
    ],
)
def test_new_events_are_whole(change: dict[str, Any], field: str) -> None:
    """Each field that the new API wants, and each that it wants no more."""
    with pytest.raises(Invalid) as refused:
        new_server().create(NEW_EVENTS, "default", {**WHOLE_EVENT, **change}, actor="a", now=0)
    assert [cause["field"] for cause in refused.value.details["causes"]] == [field]


def test_new_events_do_not_change() -> None:
    """But for their series and metadata."""
    server = new_server()
    server.create(NEW_EVENTS, "default", WHOLE_EVENT, actor="a", now=0)

    def patch(value: dict[str, Any]) -> None:
        server.patch(NEW_EVENTS, "default", "e", value, content_type=MERGE_PATCH, actor="a", now=0)

    patch({"series": {"count": 2, "lastObservedTime": "2026-01-02T03:04:06.000006Z"}})
    for field in ("note", "reason", "type", "action", "reportingInstance", "reportingController"):
        with pytest.raises(Invalid):
            patch({field: "Warning"})
