"""What controllers do: namespaces, owner references, definitions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.apiserver.core.helpers import NOW, NS, app, drop, make, merge, new_server
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.values import Stored, Verb
from trio_argoagent.errors import Forbidden, NotFound
from trio_argoagent.model.resources import APPLICATIONS, NAMESPACES


def owned(name: str, *owners: Stored, **more: Any) -> dict[str, Any]:
    """An Application with owners."""
    references = [
        {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "name": o.name, "uid": o.uid, **more}
        for o in owners
    ]
    return app(name, metadata={"ownerReferences": references})


def names(server: ApiServer) -> list[str]:
    """The Applications that are left."""
    return [item.name for item in server.list(APPLICATIONS, NS).items]


def test_a_namespace_goes_with_its_content() -> None:
    """A deleted namespace is Terminating until collected; then its content goes, and it last."""
    server = new_server()
    make(server, app())
    make(server, app("a2"))
    assert not drop(server, NS, NAMESPACES, "")
    assert server.get(NAMESPACES, "", NS).value["status"]["phase"] == "Terminating"
    assert names(server) == ["a1", "a2"]
    with pytest.raises(Forbidden) as caught:
        make(server, app("a3"))
    assert caught.value.details["causes"][0]["reason"] == "NamespaceTerminating"
    assert server.collect_due
    assert server.collect(NOW) == 3
    assert not server.collect_due
    gone = [(entry.verb, entry.name, entry.actor) for entry in server.log[-3:]]
    actor = "system:namespace-controller"
    assert gone == [(Verb.DELETE, "a1", actor), (Verb.DELETE, "a2", actor), (Verb.DELETE, NS, actor)]


def test_a_finalizer_holds_a_namespace() -> None:
    """Content with finalizers keeps the namespace, without work in vain, until the last finalizer goes."""
    server = new_server()
    make(server, app(metadata={"finalizers": ["example.com/a"]}))
    drop(server, NS, NAMESPACES, "")
    assert server.collect(NOW) == 1
    assert not server.collect_due
    assert server.get(APPLICATIONS, NS, "a1").deleting
    merge(server, "a1", {"metadata": {"finalizers": None}})
    assert server.collect(NOW) == 1
    with pytest.raises(NotFound):
        server.get(NAMESPACES, "", NS)


def test_a_namespace_may_have_finalizers_of_its_own() -> None:
    """Collected or not, a namespace with a finalizer waits for it."""
    server = new_server()
    merge(server, NS, {"metadata": {"finalizers": ["example.com/a"]}}, NAMESPACES, "")
    drop(server, NS, NAMESPACES, "")
    server.collect(NOW)
    assert server.get(NAMESPACES, "", NS).value["spec"] == {}
    merge(server, NS, {"metadata": {"finalizers": None}}, NAMESPACES, "")
    with pytest.raises(NotFound):
        server.get(NAMESPACES, "", NS)


def test_dependents_go_after_their_owner() -> None:
    """What has no owner left goes too, through all levels; what has another owner loses the reference."""
    server = new_server()
    first, second = make(server, app("first")), make(server, app("second"))
    child = make(server, owned("child", first))
    make(server, owned("grandchild", child))
    make(server, owned("shared", first, second))
    assert drop(server, "first")
    assert server.collect(NOW) == 3
    assert names(server) == ["second", "shared"]
    left = server.get(APPLICATIONS, NS, "shared").metadata["ownerReferences"]
    assert [owner["uid"] for owner in left] == [second.uid]


def test_an_owner_that_never_was_is_gone() -> None:
    """An object created with a dangling reference is collected."""
    server = new_server()
    first = make(server, app("first"))
    drop(server, "first")
    make(server, owned("child", first))
    server.collect(NOW)
    assert names(server) == []


def test_foreground_waits_for_dependents() -> None:
    """The owner stays until what blocks it is gone, finalizers included."""
    server = new_server()
    first = make(server, app("first"))
    value = owned("child", first, blockOwnerDeletion=True)
    value["metadata"]["finalizers"] = ["example.com/a"]
    make(server, value)
    assert not drop(server, "first", propagation="Foreground")
    server.collect(NOW)
    assert names(server) == ["child", "first"]
    assert server.get(APPLICATIONS, NS, "child").deleting
    assert not server.collect_due
    merge(server, "child", {"metadata": {"finalizers": None}})
    server.collect(NOW)
    assert names(server) == []


def test_foreground_goes_through_all_levels() -> None:
    """What blocks a dependent that blocks the owner keeps all three."""
    server = new_server()
    first = make(server, app("first"))
    child = make(server, owned("child", first, blockOwnerDeletion=True))
    value = owned("grandchild", child, blockOwnerDeletion=True)
    value["metadata"]["finalizers"] = ["example.com/a"]
    make(server, value)
    drop(server, "first", propagation="Foreground")
    server.collect(NOW)
    assert names(server) == ["child", "first", "grandchild"]
    merge(server, "grandchild", {"metadata": {"finalizers": None}})
    server.collect(NOW)
    assert names(server) == []


def test_a_former_dependent_stays() -> None:
    """Who has given up its owner is not deleted with it."""
    server = new_server()
    first = make(server, app("first"))
    make(server, owned("child", first))
    merge(server, "child", {"metadata": {"ownerReferences": None}})
    drop(server, "first", propagation="Foreground")
    server.collect(NOW)
    assert names(server) == ["child"]


def test_an_owner_must_be_in_the_same_namespace() -> None:
    """An owner in another namespace does not count: the dependent is collected."""
    server = new_server()
    elsewhere = make(server, app("first"), ns="default")
    make(server, owned("child", elsewhere))
    server.collect(NOW)
    assert names(server) == []
    assert server.get(APPLICATIONS, "default", "first") is elsewhere


def test_orphans_stay() -> None:
    """With Orphan the dependents lose the reference, and live."""
    server = new_server()
    first = make(server, app("first"))
    make(server, owned("child", first))
    drop(server, "first", propagation="Orphan")
    server.collect(NOW)
    assert names(server) == ["child"]
    assert "ownerReferences" not in server.get(APPLICATIONS, NS, "child").metadata
