"""Which schemas a definition may have."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.apiserver.core.helpers import make, new_server
from tests.unit.apiserver.core.test_definitions import widget
from trio_argoagent.apiserver.core import structural
from trio_argoagent.apiserver.core.kinds import CRDS
from trio_argoagent.errors import Invalid, NotFound

ITEMS = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
LOOSE = {"type": "object", "properties": {"a": {"type": "string"}}}


def of(**fields: Any) -> dict[str, Any]:
    """A schema with these fields."""
    return {"type": "object", "properties": fields}


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        (None, "s"),
        ({}, "s.type"),
        (of(x={}), "s.properties[x].type"),
        (of(x={"type": "array", "items": {}}), "s.properties[x].items.type"),
        (of(x=5), "s.properties[x]"),
        (of(x={"type": "object", "additionalProperties": {"x": 1}}),
         "s.properties[x].additionalProperties.type"),
        ({**of(x=ITEMS), "additionalProperties": True}, "s.additionalProperties"),
        (of(x={"type": "array", "items": ITEMS, "x-kubernetes-list-type": "bag"}),
         "s.properties[x].x-kubernetes-list-type"),
        (of(x={"type": "array", "items": ITEMS, "x-kubernetes-list-type": "map"}),
         "s.properties[x].x-kubernetes-list-map-keys"),
        (of(x={"type": "array", "items": ITEMS, "x-kubernetes-list-type": "map",
               "x-kubernetes-list-map-keys": ["b"]}), "s.properties[x].x-kubernetes-list-map-keys"),
        (of(x={"type": "array", "items": LOOSE, "x-kubernetes-list-type": "map",
               "x-kubernetes-list-map-keys": ["a"]}), "s.properties[x].items.properties[a].default"),
        (of(x={"type": "array", "items": ITEMS, "uniqueItems": True}), "s.properties[x].uniqueItems"),
        (of(x={**ITEMS, "x-kubernetes-map-type": "odd"}), "s.properties[x].x-kubernetes-map-type"),
    ],
)  # fmt: skip
def test_what_is_not_structural(schema: Any, field: str) -> None:
    """The problem names its place."""
    (problem,) = structural.problems(schema, "s")
    assert problem.field == field


@pytest.mark.parametrize(
    "part",
    [
        {"x-kubernetes-int-or-string": True},
        {"x-kubernetes-preserve-unknown-fields": True},
        {"type": "object", "additionalProperties": True},
        {
            "type": "array", "items": ITEMS, "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["a"],
        },
    ],
)  # fmt: skip
def test_what_is_structural(part: dict[str, Any]) -> None:
    """Ways not to say a type, and lists with keys."""
    assert structural.problems(of(x=part), "s") == []


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"scope": "Everywhere"}, "spec.scope"),
        ({"versions": [{**widget()["spec"]["versions"][0], "storage": False}]}, "exactly one version"),
        ({"versions": [{"name": "v1", "served": True, "storage": True}]}, "schemas are required"),
    ],
)
def test_a_bad_definition_is_refused(spec: dict[str, Any], says: str) -> None:
    """Whole: nothing is served, nothing is stored."""
    server = new_server()
    with pytest.raises(Invalid, match=says):
        make(server, widget(**spec), CRDS, "")
    with pytest.raises(NotFound):
        server.resource("example.com", "v1", "widgets")


def test_a_version_that_is_taken_out() -> None:
    """It is served no longer once the definition says so, and its watches end."""
    server = new_server()
    first, second = widget()["spec"]["versions"][0], {**widget()["spec"]["versions"][0], "name": "v2"}
    made = make(server, widget(versions=[first, {**second, "storage": False}]), CRDS, "")
    old = server.resource("example.com", "v2", "widgets")
    watch = server.watch(old)
    value = {**made.value, "spec": {**made.value["spec"], "versions": [first]}}
    server.update(CRDS, "", "widgets.example.com", value, actor="t", now=0)
    assert watch.closed
    assert server.resource("example.com", "v1", "widgets")
    with pytest.raises(NotFound):
        server.resource("example.com", "v2", "widgets")
