"""One stored object, seen through two resources."""

from __future__ import annotations

from typing import Any

from trio_argoagent.apiserver.core.forms import Form, Renderer
from trio_argoagent.apiserver.core.kinds import EVENTS, NEW_EVENTS
from trio_argoagent.apiserver.core.patches import MERGE_PATCH
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.values import Stored
from trio_argoagent.model.objects import decode
from trio_argoagent.model.resources import Resource

from .helpers import new_server

OLD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Event",
    "metadata": {"name": "old"},
    "involvedObject": {"kind": "ConfigMap", "name": "m", "namespace": "default"},
    "message": "it was tried",
    "reason": "Tried",
    "type": "Warning",
    "count": 2,
}


def rendered(server: ApiServer, resource: Resource, stored: Stored, form: Form = Form.WHOLE) -> Any:
    """As a client of that resource gets it."""
    kind = server.resource(resource.group, resource.version, resource.plural)
    return decode(Renderer(kind, form, "Object").one(stored, 0.0))


def test_the_same_event_in_both_groups() -> None:
    """Written in either, read in either; each has its own names for the fields."""
    server = new_server()
    server.create(EVENTS, "default", OLD, actor="a", now=0)
    change = {"metadata": {"labels": {"x": "y"}}, "series": {"count": 3}}
    server.delete(NEW_EVENTS, "default", "old", actor="a", now=0, dry_run=True)
    new = rendered(server, NEW_EVENTS, server.get(NEW_EVENTS, "default", "old"))
    assert new["apiVersion"] == "events.k8s.io/v1"
    assert (new["note"], new["deprecatedCount"]) == ("it was tried", 2)
    assert new["regarding"]["name"] == "m"
    assert not {"message", "count", "involvedObject"} & {*new}
    server.patch(NEW_EVENTS, "default", "old", change, content_type=MERGE_PATCH, actor="a", now=0)
    old = rendered(server, EVENTS, server.get(EVENTS, "default", "old"))
    assert (old["apiVersion"], old["message"], old["series"]) == ("v1", "it was tried", {"count": 3})
    assert old["metadata"]["labels"] == {"x": "y"}
    assert old["metadata"]["uid"] == new["metadata"]["uid"]
    server.delete(NEW_EVENTS, "default", "old", actor="a", now=0)
    assert not server.list(EVENTS).items


def test_selectors_and_watches() -> None:
    """Each view selects by its own names; a follower of one sees what is written through the other."""
    server = new_server()
    watch = server.watch(NEW_EVENTS, "default", fields="regarding.name=m", resource_version=str(server.rv))
    server.create(EVENTS, "default", OLD, actor="a", now=0)
    (event,) = watch.take()
    assert rendered(server, NEW_EVENTS, event.object)["note"] == "it was tried"
    asked = ((EVENTS, "involvedObject.name=m"), (NEW_EVENTS, "regarding.name=m,type=Warning"))
    for resource, fields in asked:
        assert len(server.list(resource, fields=fields).items) == 1


def test_tables() -> None:
    """Both views print the same, and carry their own form."""
    server = new_server()
    server.create(EVENTS, "default", OLD, actor="a", now=0)
    old, new = (
        rendered(server, resource, server.get(resource, "default", "old"), Form.TABLE)["rows"][0]
        for resource in (EVENTS, NEW_EVENTS)
    )
    assert old["cells"] == new["cells"]
    assert (old["object"]["message"], new["object"]["note"]) == ("it was tried", "it was tried")
