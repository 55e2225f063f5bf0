"""Definitions and the resources they make."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.apiserver.core.helpers import NOW, drop, make, merge, new_server
from trio_argoagent.apiserver.core.forms import Form, Renderer
from trio_argoagent.apiserver.core.kinds import CRDS
from trio_argoagent.apiserver.core.patches import MERGE_PATCH
from trio_argoagent.errors import AlreadyExists, ApiError, Invalid, MethodNotAllowed, NotFound


def widget(**spec: Any) -> dict[str, Any]:
    """A definition of a kind of our own."""
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {"n": {"type": "integer"}}}},
    }
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names_ = {"plural": "widgets", "kind": "Widget", "shortNames": ["w"]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {"group": "example.com", "names": names_, "scope": "Cluster", "versions": [version], **spec},
    }


def test_many_servers_compile_one_definition_once() -> None:
    """And another definition of the same name is another one."""
    first, second, other = new_server(), new_server(), new_server()
    for server, scope in ((first, "Cluster"), (second, "Cluster"), (other, "Namespaced")):
        make(server, widget(scope=scope), CRDS, "")
    kinds = [server.resource("example.com", "v1", "widgets") for server in (first, second, other)]
    assert kinds[0] is kinds[1]
    assert [kind.resource.namespaced for kind in kinds] == [False, False, True]


def test_a_definition_makes_a_resource() -> None:
    """What is defined is served at once, and listed for discovery; the definition is Established."""
    server = new_server()
    stored = make(server, widget(), CRDS, "")
    kind = server.resource("example.com", "v1", "widgets")
    assert (kind.singular, kind.list_kind, kind.short_names) == ("widget", "WidgetList", ("w",))
    assert kind in server.resources()
    conditions = stored.value["status"]["conditions"]
    assert {c["type"]: c["status"] for c in conditions} == {"NamesAccepted": "True", "Established": "True"}
    made = make(
        server,
        {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}},
        kind.resource,
        "",
    )
    assert made.namespace == ""
    with pytest.raises(AlreadyExists):
        server.add_crd(widget(), now=NOW)


def test_a_definition_goes_with_its_objects() -> None:
    """A deleted definition takes no new objects, loses those it has, and is served no longer."""
    server = new_server()
    make(server, widget(), CRDS, "")
    resource = server.resource("example.com", "v1", "widgets").resource
    value = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}
    make(server, value, resource, "")
    assert not drop(server, "widgets.example.com", CRDS, "")
    with pytest.raises(MethodNotAllowed, match="terminating"):
        make(server, {**value, "metadata": {"name": "w2"}}, resource, "")
    server.collect(NOW)
    with pytest.raises(NotFound):
        server.resource("example.com", "v1", "widgets")
    with pytest.raises(NotFound):
        server.get(CRDS, "", "widgets.example.com")
    make(server, widget(), CRDS, "")
    assert not server.list(resource).items


def test_a_changed_definition_takes_effect() -> None:
    """A new schema holds for the next write."""
    server = new_server()
    make(server, widget(), CRDS, "")
    resource = server.resource("example.com", "v1", "widgets").resource
    value = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"m": 1}}
    assert make(server, value, resource, "").value["spec"] == {}
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    merge(server, "widgets.example.com", {"spec": {"versions": [version]}}, CRDS, "")
    assert merge(server, "w", {"spec": {"m": 1}}, resource, "").value["spec"] == {"m": 1}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"group": "other.com"}, "must be spec.names.plural"),
        ({"names": {"kind": "Widget"}}, "spec: plural"),
        (
            {"versions": [{"name": "v1", "served": True, "schema": {"openAPIV3Schema": {"type": "x"}}}]},
            "unknown type",
        ),
        ({"versions": "x"}, r"spec\.versions"),
    ],
)
def test_an_unusable_definition_is_invalid(change: Any, text: str) -> None:
    """What cannot be served is refused, and the text says why."""
    server = new_server()
    with pytest.raises(Invalid, match=text):
        make(server, widget(**change), CRDS, "")
    with pytest.raises(ApiError):
        server.resource("example.com", "v1", "widgets")


def test_the_end_of_a_definition_ends_its_watches() -> None:
    """Who follows a resource that is no longer served sees the watch end."""
    server = new_server()
    make(server, widget(), CRDS, "")
    resource = server.resource("example.com", "v1", "widgets").resource
    watch = server.watch(resource, resource_version=str(server.rv))
    drop(server, "widgets.example.com", CRDS, "")
    assert not watch.closed
    server.collect(NOW)
    assert watch.closed


def test_versions_share_their_objects() -> None:
    """Each is read, changed and followed in the version that is asked for."""
    server = new_server()
    first = widget()["spec"]["versions"][0]
    make(server, widget(versions=[first, {**first, "name": "v2", "storage": False}]), CRDS, "")
    one = server.resource("example.com", "v1", "widgets")
    two = server.resource("example.com", "v2", "widgets")
    value = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"n": 1}}
    made = make(server, value, one.resource, "")
    seen = server.get(two, "", "w")
    assert seen.value == {**made.value, "apiVersion": "example.com/v2"}
    assert merge(server, "w", {"spec": {"n": 1}}, two.resource, "").rv == made.rv
    changed = merge(server, "w", {"spec": {"n": 2}}, two.resource, "")
    assert changed.value["apiVersion"] == "example.com/v2"
    assert server.get(one, "", "w").value["apiVersion"] == "example.com/v1"
    renderer = Renderer(one, Form.WHOLE, "Metadata")
    watch = server.watch(one, resource_version=str(made.rv))
    (event,) = watch.take()
    for shown in (renderer.page(server.list(one), NOW), renderer.event(event, NOW)):
        assert b'"apiVersion":"example.com/v1"' in shown
        assert b"example.com/v2" not in shown


def test_conversion_webhooks_are_refused() -> None:
    """Where there is something to convert: the definition says so itself, before anything is served."""
    server = new_server()
    wanted: dict[str, Any] = widget(conversion={"strategy": "Webhook", "webhook": {}})
    first = wanted["spec"]["versions"][0]
    wanted["spec"]["versions"] = [first, {**first, "name": "v2", "storage": False}]
    with pytest.raises(Invalid, match=r'spec.conversion.strategy: .*"Webhook": supported values: "None"'):
        make(server, wanted, CRDS, "")
    assert server.resource_of("example.com", "widgets") is None
    wanted["spec"]["versions"] = [first]
    assert make(server, wanted, CRDS, "").name == "widgets.example.com"


def test_rules_that_are_not_enforced_are_told() -> None:
    """CEL anywhere in a served version is a warning to who creates or changes the definition."""
    server = new_server()
    rules = [{"rule": "self.n > 1"}]
    wanted: dict[str, Any] = widget()
    schema = wanted["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["properties"]["spec"]["x-kubernetes-validations"] = rules
    written = server.create(CRDS, "", wanted, actor="a", now=NOW)
    (warning,) = written.warnings
    assert "v1: x-kubernetes-validations" in warning
    change = {"metadata": {"labels": {"x": "y"}}}
    changed = server.patch(
        CRDS, "", "widgets.example.com", change, content_type=MERGE_PATCH, actor="a", now=NOW
    )
    assert changed.warnings == [warning]
    assert not new_server().create(CRDS, "", widget(), actor="a", now=NOW).warnings
