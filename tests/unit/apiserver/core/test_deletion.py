"""Deletes, finalizers and preconditions, beyond the contract of every cluster."""

from __future__ import annotations

import pytest

from tests.unit.apiserver.core.helpers import NOW, NS, app, drop, make, merge, new_server
from trio_argoagent.apiserver.core.values import EventKind
from trio_argoagent.errors import BadRequest, Conflict, Forbidden, MethodNotAllowed, NotFound
from trio_argoagent.model.resources import APPLICATIONS, NAMESPACES

WAIT = {"finalizers": ["example.com/a", "example.com/b"]}


def test_the_answer_to_a_delete_is_the_last_state() -> None:
    """What is gone is answered under the version of its deletion, which watchers see too."""
    server = new_server()
    made = make(server, app())
    watch = server.watch(APPLICATIONS, resource_version=str(made.rv))
    deleted = server.delete(APPLICATIONS, NS, "a1", actor="test", now=NOW)
    assert deleted.gone
    assert deleted.stored.rv == made.rv + 1
    assert deleted.stored.metadata["resourceVersion"] == str(made.rv + 1)
    assert [(event.type, event.object) for event in watch.take()] == [(EventKind.DELETED, deleted.stored)]


def test_finalizers_hold_until_the_last_is_gone() -> None:
    """Each step is exact: the mark, no second mark, one finalizer less, and then one DELETED event."""
    server = new_server()
    made = make(server, app(metadata=WAIT))
    watch = server.watch(APPLICATIONS, resource_version=str(made.rv))
    assert not drop(server, "a1")
    marked = server.get(APPLICATIONS, NS, "a1")
    assert marked.metadata["deletionTimestamp"] == "2023-11-14T22:13:20Z"
    assert marked.metadata["deletionGracePeriodSeconds"] == 0
    assert marked.metadata["generation"] == 2
    assert not drop(server, "a1")
    assert server.get(APPLICATIONS, NS, "a1") is marked
    fewer = merge(server, "a1", {"metadata": {"finalizers": ["example.com/b"]}})
    assert fewer.metadata["generation"] == 2
    last = merge(server, "a1", {"metadata": {"finalizers": None}})
    assert last.finalizers == ()
    events = watch.take()
    assert [event.type for event in events] == [EventKind.MODIFIED, EventKind.MODIFIED, EventKind.DELETED]
    assert events[2].object.finalizers == ["example.com/b"]
    assert events[2].object.rv == server.rv == fewer.rv + 1


def test_finalizers_may_go_before_the_delete() -> None:
    """An object that is not being deleted does not vanish with its last finalizer."""
    server = new_server()
    make(server, app(metadata=WAIT))
    merge(server, "a1", {"metadata": {"finalizers": None}})
    assert server.get(APPLICATIONS, NS, "a1").finalizers == ()
    assert drop(server, "a1")


def test_propagation_policies_are_finalizers() -> None:
    """Foreground and Orphan make an object wait for the collector; another policy replaces the one before."""
    server = new_server()
    make(server, app())
    assert not drop(server, "a1", propagation="Foreground")
    assert server.get(APPLICATIONS, NS, "a1").finalizers == ["foregroundDeletion"]
    assert not drop(server, "a1", propagation="Orphan")
    assert server.get(APPLICATIONS, NS, "a1").finalizers == ["orphan"]
    with pytest.raises(BadRequest):
        drop(server, "a1", propagation="Sideways")
    assert drop(server, "a1", propagation="Background")


def test_preconditions_in_the_servers_words() -> None:
    """The text says what did not match, and names the kind."""
    server = new_server()
    made = make(server, app())
    with pytest.raises(Conflict) as caught:
        drop(server, "a1", uid="other")
    assert caught.value.message == (
        'Operation cannot be fulfilled on Application.argoproj.io "a1": the UID in the precondition '
        f"(other) does not match the UID in record ({made.uid}). "
        "The object might have been deleted and then recreated"
    )
    with pytest.raises(Conflict, match="The object might have been modified"):
        drop(server, "a1", resource_version="1")
    assert drop(server, "a1", uid=made.uid, resource_version=str(made.rv))


def test_deleting_a_collection() -> None:
    """What the selector matches is deleted in order; what has finalizers waits."""
    server = new_server()
    for name, label in (("a", "x"), ("b", "y"), ("c", "x")):
        make(server, app(name, metadata={"labels": {"l": label}, **(WAIT if name == "c" else {})}))
    answers = server.delete_collection(APPLICATIONS, NS, labels="l=x", actor="test", now=NOW)
    assert [(answer.stored.name, answer.gone) for answer in answers] == [("a", True), ("c", False)]
    assert [item.name for item in server.list(APPLICATIONS, NS).items] == ["b", "c"]
    with pytest.raises(MethodNotAllowed):
        server.delete_collection(NAMESPACES, actor="test", now=NOW)


def test_some_namespaces_stay() -> None:
    """The namespaces that a cluster is born with cannot be deleted."""
    server = new_server()
    with pytest.raises(
        Forbidden, match='namespaces "default" is forbidden: this namespace may not be deleted'
    ):
        drop(server, "default", NAMESPACES, "")
    with pytest.raises(NotFound):
        drop(server, "nothing", NAMESPACES, "")
