"""The forms of an answer."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.apiserver.core import forms
from trio_argoagent.apiserver.core.forms import Form, Renderer
from trio_argoagent.apiserver.core.values import Event, EventKind, Stored
from trio_argoagent.errors import ApiError
from trio_argoagent.model.objects import decode
from trio_argoagent.model.resources import APPLICATIONS

from .helpers import NOW, NS, app, make, new_server

KUBECTL = ",".join(
    [f"application/json;as=Table;v={version};g=meta.k8s.io" for version in ("v1", "v1beta1")]
    + ["application/json"]
)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Form.WHOLE),
        ("*/*", Form.WHOLE),
        ("application/json", Form.WHOLE),
        ("application/json; charset=utf-8", Form.WHOLE),
        ("application/vnd.kubernetes.protobuf,application/json", Form.WHOLE),
        (KUBECTL, Form.TABLE),
        ("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", Form.PARTIAL),
        ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,*/*", Form.PARTIAL),
        ("application/json;as=Table;v=v9;g=meta.k8s.io,application/json", Form.WHOLE),
        ("application/json;as=Poem,application/json", Form.WHOLE),
    ],
)
def test_negotiate(accept: str, form: Form) -> None:
    """The first that we can make."""
    assert forms.negotiate(accept) is form


@pytest.mark.parametrize(
    "accept", ["text/html", "application/vnd.kubernetes.protobuf", "application/json;as=Poem"]
)
def test_not_acceptable(accept: str) -> None:
    """A client that takes nothing we can make is told what there is."""
    with pytest.raises(ApiError, match="application/json") as caught:
        forms.negotiate(accept)
    assert caught.value.status_code == 406


def renderer(form: Form, include: str = "Metadata") -> tuple[Renderer, Stored, Any]:
    """A renderer of Applications, one of them, and its server."""
    server = new_server()
    stored = make(server, app())
    return Renderer(server.resource("argoproj.io", "v1alpha1", "applications"), form, include), stored, server


def test_a_list_of_objects() -> None:
    """The frame is a list's, the items are the stored objects."""
    maker, stored, server = renderer(Form.WHOLE)
    make(server, app("a2"))
    value = decode(maker.page(server.list(APPLICATIONS, NS, limit=1), NOW))
    assert (value["kind"], value["apiVersion"]) == ("ApplicationList", "argoproj.io/v1alpha1")
    assert value["items"] == [stored.value]
    assert value["metadata"]["resourceVersion"] == str(server.rv)
    assert value["metadata"]["remainingItemCount"] == 1
    assert value["metadata"]["continue"]


def test_an_empty_list() -> None:
    """Items is an empty list, not missing."""
    maker, _, server = renderer(Form.WHOLE)
    assert decode(maker.page(server.list(APPLICATIONS, "default"), NOW))["items"] == []


def test_metadata_only() -> None:
    """One and many."""
    maker, stored, server = renderer(Form.PARTIAL)
    one = decode(maker.one(stored, NOW))
    assert one == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": stored.value["metadata"],
    }
    many = decode(maker.page(server.list(APPLICATIONS, NS), NOW))
    assert many["kind"] == "PartialObjectMetadataList"
    assert many["items"] == [one]


def test_a_table_of_one() -> None:
    """A get gives a Table, too; its version is the object's."""
    maker, stored, _ = renderer(Form.TABLE, "None")
    value = decode(maker.one(stored, NOW))
    assert value["kind"] == "Table"
    assert value["metadata"] == {"resourceVersion": str(stored.rv)}
    assert value["rows"] == [{"cells": ["a1", None, None, None, "default"]}]


def test_watch_lines() -> None:
    """A line is the type and the object; of a Table the columns come with the first one only."""
    maker, stored, _ = renderer(Form.WHOLE)
    line = maker.event(Event(EventKind.ADDED, stored), NOW)
    assert line.endswith(b"}\n")
    assert decode(line) == {"type": "ADDED", "object": stored.value}
    maker, stored, _ = renderer(Form.TABLE)
    lines = [decode(maker.event(Event(EventKind.MODIFIED, stored), NOW)) for _ in range(2)]
    assert [line["object"]["columnDefinitions"] is not None for line in lines] == [True, False]
    maker, stored, _ = renderer(Form.PARTIAL)
    assert (
        decode(maker.event(Event(EventKind.DELETED, stored), NOW))["object"]["kind"]
        == "PartialObjectMetadata"
    )


def test_a_bookmark_in_a_table() -> None:
    """It carries its metadata whatever was asked for: there is nothing else in it."""
    maker, _, _ = renderer(Form.TABLE, "None")
    marks = {"k8s.io/initial-events-end": "true"}
    bookmark = Stored({"metadata": {"resourceVersion": "9", "annotations": marks}}, 9)
    shown = decode(maker.event(Event(EventKind.BOOKMARK, bookmark), NOW))["object"]
    assert shown["metadata"] == {"resourceVersion": "9"}
    assert shown["rows"][0]["object"]["metadata"]["annotations"] == marks
