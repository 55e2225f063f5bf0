"""A store that is restored from a snapshot."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.unit.apiserver.core.helpers import NS, app, drop, make, merge, new_server
from tests.unit.apiserver.core.test_store import STEPS, run, state
from trio_argoagent.errors import BadRequest, Expired
from trio_argoagent.model.resources import APPLICATIONS


@settings(deadline=None, max_examples=60)
@given(STEPS, STEPS, STEPS)
def test_it_is_as_it_was(
    before: list[tuple[str, str, int]], lost: list[tuple[str, str, int]], after: list[tuple[str, str, int]]
) -> None:
    """What was written since never happened, and what is written then happens as it would have."""
    restored, plain = new_server(), new_server()
    run(restored, before)
    rv, then = restored.rv, {name: item.value for name, item in state(restored).items()}
    run(restored, lost)
    restored.restore(rv)
    assert restored.rv == rv
    assert {name: item.value for name, item in state(restored).items()} == then
    run(restored, after)
    run(plain, before)
    run(plain, after)
    shown = [{n: (i.rv, i.metadata.get("labels")) for n, i in state(s).items()} for s in (restored, plain)]
    assert shown[0] == shown[1]


def test_watches_end_and_begin_anew() -> None:
    """A watch of before is closed; one from the restored version sees what comes then, and nothing lost."""
    server = new_server()
    make(server, app("a"))
    rv = server.rv
    watch = server.watch(APPLICATIONS, NS, resource_version=str(rv))
    make(server, app("b"))
    server.restore(rv)
    assert watch.closed
    anew = server.watch(APPLICATIONS, NS, resource_version=str(rv))
    made = make(server, app("c"))
    assert made.rv == rv + 1
    assert [event.object.name for event in anew.take()] == ["c"]


def test_owners_are_known_again() -> None:
    """An owner that comes back has its dependents, and collecting finds them."""
    server = new_server()
    owner = make(server, app("owner"))
    reference = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "name": "owner",
        "uid": owner.uid,
    }
    make(server, app("child", metadata={"ownerReferences": [reference]}))
    rv = server.rv
    drop(server, "child")
    drop(server, "owner")
    server.restore(rv)
    assert sorted(state(server)) == ["child", "owner"]
    drop(server, "owner")
    server.collect(0.0)
    assert not state(server)


def test_not_beyond_what_is_known() -> None:
    """Neither a compacted version nor one to come can be restored; the log keeps what was done."""
    server = new_server()
    make(server, app("a"))
    merge(server, "a", {"metadata": {"labels": {"n": "1"}}})
    writes = len(server.log)
    with pytest.raises(BadRequest):
        server.restore(server.rv + 1)
    server.restore(server.rv - 1)
    assert len(server.log) == writes
    server.compact(server.rv)
    with pytest.raises(Expired):
        server.restore(server.rv - 1)
