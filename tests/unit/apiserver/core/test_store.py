"""The store as a whole: versions, the log, snapshots, and watches that replay them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.apiserver.core.helpers import NS, app, drop, make, merge, new_server
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.store import Store
from trio_argoagent.apiserver.core.values import EventKind, Stored, Verb
from trio_argoagent.errors import ApiError, Expired
from trio_argoagent.model.resources import APPLICATIONS

STEPS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["put", "label", "drop"]), st.integers(0, 2)),
    max_size=25,
)


def run(server: ApiServer, steps: list[tuple[str, str, int]]) -> None:
    """Carry out what can be carried out."""
    for name, action, number in steps:
        labels = {"n": str(number)}
        try:
            if action == "put":
                make(server, app(name, metadata={"labels": labels}))
            elif action == "label":
                merge(server, name, {"metadata": {"labels": labels}})
            else:
                drop(server, name)
        except ApiError:
            continue


def state(server: ApiServer, **options: str) -> dict[str, Stored]:
    """The Applications by name."""
    return {item.name: item for item in server.list(APPLICATIONS, NS, **options).items}  # type: ignore[arg-type]


@settings(deadline=None, max_examples=60)
@given(STEPS, STEPS, st.sampled_from(["", "n=1", "n in (0,2)", "!n"]))
def test_a_snapshot_and_a_watch_make_the_present(
    before: list[tuple[str, str, int]], after: list[tuple[str, str, int]], selector: str
) -> None:
    """The state at a version, plus the events since, is the state now: with any selector."""
    server = new_server()
    run(server, before)
    rv = str(server.rv)
    then = {name: item.value for name, item in state(server, labels=selector).items()}
    run(server, after)
    old = state(server, labels=selector, resource_version=rv, match="Exact")
    assert {name: item.value for name, item in old.items()} == then
    watch = server.watch(APPLICATIONS, NS, labels=selector, resource_version=rv)
    last = int(rv)
    for event in watch.take():
        assert event.object.rv > last
        last = event.object.rv
        assert (event.object.name in old) == (event.type is not EventKind.ADDED)
        if event.type is EventKind.DELETED:
            del old[event.object.name]
        else:
            old[event.object.name] = event.object
    assert {n: s.value for n, s in old.items()} == {
        n: s.value for n, s in state(server, labels=selector).items()
    }


def test_the_log_tells_every_write() -> None:
    """Each entry has its version, its actor, and the object before and after."""
    server = new_server()
    start = len(server.log)
    made = make(server, app())
    patched = merge(server, "a1", {"spec": {"project": "p"}})
    merge(server, "a1", {"spec": {"project": "p"}})
    drop(server, "a1")
    entries = server.log[start:]
    assert [entry.verb for entry in entries] == [Verb.CREATE, Verb.UPDATE, Verb.DELETE]
    assert [entry.rv for entry in entries] == [made.rv, made.rv + 1, made.rv + 2]
    assert [(entry.old, entry.new) for entry in entries] == [(None, made), (made, patched), (patched, None)]
    assert {(entry.actor, entry.namespace, entry.name) for entry in entries} == {("test", NS, "a1")}
    assert entries[2].subject.rv == made.rv + 2
    assert entries[2].subject.value["spec"] == patched.value["spec"]


def test_listeners_hear_of_writes_until_they_leave() -> None:
    """A listener is told of each write, and no longer once it has left."""
    server = new_server()
    heard: list[str] = []
    leave = server.subscribe(lambda entry: heard.append(entry.name))
    make(server, app("a"))
    leave()
    make(server, app("b"))
    assert heard == ["a"]


def test_history_is_bounded_and_says_so() -> None:
    """Beyond its bound the log forgets the oldest writes: a watch from there is Expired, later ones work."""
    server = new_server(history=16)
    make(server, app())
    for number in range(100):
        merge(server, "a1", {"spec": {"project": str(number)}})
    statistics = server.statistics()
    assert 16 <= len(server.log) <= 18
    assert statistics.log_dropped == statistics.rv - len(server.log)
    assert statistics.compacted == server.log[0].rv - 1
    with pytest.raises(Expired):
        server.watch(APPLICATIONS, resource_version=str(statistics.compacted - 1))
    watch = server.watch(APPLICATIONS, resource_version=str(statistics.compacted))
    assert len(watch.take()) == len(server.log)


def test_without_a_bound_nothing_is_forgotten() -> None:
    """``history=0`` keeps every write: the oracle of a simulation."""
    server = new_server(history=0)
    make(server, app())
    for number in range(100):
        merge(server, "a1", {"spec": {"project": str(number)}})
    assert len(server.log) == server.rv


def test_a_collection_forgets_with_the_log() -> None:
    """What leaves the log leaves the history of its collection, too."""
    store = Store(history=4)
    for number in range(20):
        value = {"metadata": {"name": str(number), "uid": str(number)}}
        store.commit(
            APPLICATIONS, ("argoproj.io", "applications", NS, str(number)), value, actor="test", now=0.0
        )
    assert [entry.rv for entry in store.collection(APPLICATIONS).events] == [entry.rv for entry in store.log]


def test_versions_share_what_did_not_change() -> None:
    """A write of the status shares the spec with the version before; nothing stored is ever changed."""
    server = new_server()
    made = make(server, app())
    before = made.json
    patched = merge(server, "a1", {"status": {"sync": {"status": "Synced"}}})
    assert patched.value["spec"] is made.value["spec"]
    assert made.json == before
    assert made.json is not before, "the encoded form of a superseded version was kept"
    assert patched.json is patched.json


def test_repr_hides_the_value() -> None:
    """A stored object names itself without showing what it holds."""
    server = new_server()
    assert repr(make(server, app())) == f"<Stored Application {NS}/a1 rv={server.rv}>"
