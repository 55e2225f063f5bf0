"""Rows and columns."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from trio_argoagent.apiserver.core.kinds import Column
from trio_argoagent.apiserver.core.tables import TableMaker
from trio_argoagent.apiserver.core.values import Stored, encode
from trio_argoagent.model.objects import decode

from .helpers import NOW, new_server

META = {"name": "x", "namespace": "n", "creationTimestamp": "2023-11-14T22:08:20Z", "resourceVersion": "3"}


def cells(group: str, version: str, plural: str, value: dict[str, Any]) -> dict[str, Any]:
    """What a row of that resource shows, by column."""
    maker = TableMaker.of(new_server().resource(group, version, plural), "None")
    rows = maker.rows([Stored({"metadata": META, **value}, 3)], NOW)
    return dict(zip([d["name"] for d in maker.definitions], rows[0]["cells"], strict=True))


def test_application() -> None:
    """The definition's columns; what is not there yet is empty; there is no Age."""
    value = {"spec": {"project": "p"}, "status": {"sync": {"status": "Synced"}}}
    assert cells("argoproj.io", "v1alpha1", "applications", value) == {
        "Name": "x",
        "Sync Status": "Synced",
        "Health Status": None,
        "Revision": None,
        "Project": "p",
    }


def test_a_definition_without_columns() -> None:
    """Name and Age."""
    assert cells("argoproj.io", "v1alpha1", "appprojects", {}) == {"Name": "x", "Age": "5m"}


@pytest.mark.parametrize(
    ("plural", "value", "wanted"),
    [
        ("secrets", {"type": "Opaque", "data": {"a": ""}}, {"Type": "Opaque", "Data": 1, "Age": "5m"}),
        ("configmaps", {"data": {"a": ""}, "binaryData": {"b": "", "c": ""}}, {"Data": 3, "Age": "5m"}),
        ("configmaps", {}, {"Data": 0, "Age": "5m"}),
        ("namespaces", {"status": {"phase": "Active"}}, {"Status": "Active", "Age": "5m"}),
        ("serviceaccounts", {"secrets": [{}]}, {"Secrets": 1, "Age": "5m"}),
        (
            "events",
            {
                "involvedObject": {"kind": "Application", "name": "a"},
                "type": "Normal",
                "reason": "Synced",
                "message": "well",
                "firstTimestamp": "2023-11-14T22:12:20Z",
                "lastTimestamp": "2023-11-14T22:13:10Z",
                "source": {"component": "controller", "host": "here"},
            },
            {
                "Last Seen": "10s",
                "Type": "Normal",
                "Reason": "Synced",
                "Object": "application/a",
                "Subobject": "",
                "Source": "controller, here",
                "Message": "well",
                "First Seen": "60s",
                "Count": 1,
            },
        ),
    ],
)
def test_built_in_kinds(plural: str, value: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Each shows what it shows in a real cluster."""
    assert cells("", "v1", plural, value) == {"Name": "x", **wanted}


def test_a_series_was_last_seen_when_it_was_last_observed() -> None:
    """Not when it began."""
    value = {
        "lastTimestamp": "2023-11-14T22:08:20Z",
        "series": {"count": 2, "lastObservedTime": "2023-11-14T22:13:10.000000Z"},
    }
    assert cells("", "v1", "events", value)["Last Seen"] == "10s"


def test_column_types() -> None:
    """A date of a custom resource is one; of a built-in kind it is called what it is shown as."""
    server = new_server()
    for plural, group, version, wanted in (
        ("appprojects", "argoproj.io", "v1alpha1", "date"),
        ("configmaps", "", "v1", "string"),
    ):
        definitions = TableMaker.of(server.resource(group, version, plural), "None").definitions
        assert {"name": "Age", "type": wanted}.items() <= definitions[-1].items()
        assert {"name": "Name", "format": "name"}.items() <= definitions[0].items()


def test_definitions_show_when_they_were_created() -> None:
    """As a time, not as an age."""
    shown = cells("apiextensions.k8s.io", "v1", "customresourcedefinitions", {})
    assert shown["Created At"] == "2023-11-14T22:08:20Z"


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        ("string", "a", "a"),
        ("string", 5, "5"),
        ("integer", 5, 5),
        ("integer", "5", None),
        ("integer", True, None),
        ("boolean", True, True),
        ("number", 1.5, 1.5),
        ("date", "2023-11-14T22:13:10Z", "10s"),
        ("date", None, "<unknown>"),
    ],
)
def test_types(kind: str, value: Any, wanted: Any) -> None:
    """A value of another type than its column's is not shown; text takes any."""
    apps = attrs.evolve(
        new_server().resource("argoproj.io", "v1alpha1", "applications"), columns=(Column("C", kind, ".v"),)
    )
    maker = TableMaker.of(apps, "None")
    stored = Stored({"metadata": META, "v": value}, 3)
    assert maker.rows([stored], NOW)[0]["cells"][1] == wanted


@pytest.mark.parametrize(
    ("include", "wanted"),
    [
        ("None", None),
        (
            "Metadata",
            {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": META},
        ),
        ("Object", {"apiVersion": "v1", "metadata": META, "data": {"k": "v"}}),
    ],
)
def test_include(include: str, wanted: Any) -> None:
    """A row carries as much of its object as was asked for."""
    maker = TableMaker.of(new_server().resource("", "v1", "configmaps"), include)
    row = maker.rows([Stored({"apiVersion": "v1", "metadata": META, "data": {"k": "v"}}, 3)], NOW)[0]
    assert decode(encode(row)).get("object") == wanted
