"""A Kubernetes object as it was read."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.model.objects import Object, canonical, decode

APP: dict[str, Any] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Application",
    "metadata": {
        "name": "web",
        "namespace": "argocd",
        "uid": "u1",
        "resourceVersion": "5",
        "deletionTimestamp": "2026-01-01T00:00:00Z",
        "labels": {"l": "1"},
        "annotations": {"a": "1"},
        "finalizers": ["f"],
    },
    "spec": {"project": "p"},
    "operation": None,
}


def test_it_gives_back_what_it_read() -> None:
    """All but managedFields, which nobody here needs."""
    managed = APP | {"metadata": APP["metadata"] | {"managedFields": [{}]}}
    assert decode(canonical(Object.of(managed).value())) == APP


def test_an_owned_object_is_read() -> None:
    """Every Application of an ApplicationSet has an ownerReference."""
    owner = {"uid": "x", "kind": "ApplicationSet", "controller": True}
    value = {"metadata": {"name": "web", "ownerReferences": [owner]}}
    obj = Object.of({"apiVersion": "v1", "kind": "Application"} | value)
    assert decode(canonical(obj.value()))["metadata"] == value["metadata"]


def test_metadata_is_parsed() -> None:
    """What decisions need, never None."""
    obj = Object.of(APP)
    assert (obj.meta.name, obj.meta.uid, obj.meta.resource_version) == ("web", "u1", "5")
    assert (obj.labels, obj.annotations, obj.finalizers) == ({"l": "1"}, {"a": "1"}, ("f",))
    assert obj.deleting
    bare = Object.of({})
    assert (bare.labels, bare.annotations, bare.finalizers, bare.deleting) == ({}, {}, (), False)


def test_fields_are_decoded_afresh() -> None:
    """The caller may change what it gets."""
    obj = Object.of(APP)
    obj.get("spec")["project"] = "q"
    assert obj.get("spec") == {"project": "p"} and obj.get("status") is None and obj.get("operation") is None


def test_items_of_a_list_take_their_lists_kind() -> None:
    """They carry none of their own; where they do, it counts."""
    item = Object.parse(b'{"metadata":{}}', api_version="v1", kind="Secret")
    assert (item.api_version, item.kind) == ("v1", "Secret")
    assert Object.parse(b'{"kind":"Pod"}', api_version="v1", kind="Secret").kind == "Pod"


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b'{"metadata":[]}', b'{"metadata":{"labels":{"a":1}}}', b'{"kind":1}']
)
def test_what_is_no_object_is_the_servers_fault(data: bytes) -> None:
    """And says so."""
    with pytest.raises(RemoteProtocolError, match="not a Kubernetes object"):
        Object.parse(data)


def test_a_repr_never_shows_fields() -> None:
    """A Secret must not reach a log by accident."""
    assert "hunter2" not in repr(Object.of({"kind": "Secret", "data": {"password": "hunter2"}}))


def test_canonical_json_is_sorted_and_dense() -> None:
    """Digests are taken of it."""
    assert (
        canonical({"b": [1, None], "a": {"d": "\u00e4", "c": 1.5}})
        == '{"a":{"c":1.5,"d":"ä"},"b":[1,null]}'.encode()
    )
    assert decode(canonical(APP)) == APP
