"""Which deleted copies are remembered, and for how long."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from trio_argoagent.agent import revival
from trio_argoagent.agent.revival import Revival
from trio_argoagent.kube.protocol.cache import Change
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.objects import Object, canonical
from trio_argoagent.model.records import Outcome, Record, Result
from trio_argoagent.sync import names
from trio_argoagent.sync.policy import Recreation
from trio_argoagent.sync.replica import Replica

BODY: dict[str, Any] = {"annotations": {}, "finalizers": [], "labels": {}, "spec": {"project": "p"}}
FRESH: dict[str, Any] = {"metadata": {"name": "web", "annotations": {}}, "spec": {"project": "p"}}
STATUS = {"operationState": {"phase": "Succeeded", "finishedAt": "2026-01-01T00:00:00Z"}}


def key(name: str = "web") -> Key:
    """Of an Application."""
    return Key(Kind.APPLICATION, "argocd", name)


def record(name: str = "web", uid: str = "u1", **more: Any) -> Record:
    """A value, changed as told."""
    return structs.replace(Record(key(name), uid, "d1", "1", canonical(BODY)), **more)


def copy(name: str = "web", uid: str = "u1") -> Object:
    """A copy with a status."""
    meta = {"name": name, "namespace": "argocd", "annotations": {names.SOURCE_UID: uid}}
    return Object.of({"metadata": meta, "spec": {"project": "p"}, "status": STATUS})


def guarding(*held: str) -> Replica:
    """A replica that has applied these."""
    replica = Replica(lambda each: True)
    replica.link_up()
    for number, name in enumerate(held):
        replica.record(number, record(name), 0.0)
        work = replica.take(0.0)
        assert work is not None
        replica.done(work, Result(0, Outcome.APPLIED), 0.0, retain=True)
    return replica


def is_revived(memory: Revival, wanted: Record) -> bool:
    """Does it come back with its status?"""
    return "status" in memory.revive(wanted, FRESH)


def test_what_somebody_deletes_is_remembered_until_it_is_back() -> None:
    """And only for the object that it was a copy of."""
    memory = Revival(Recreation.IGNORE, guarding("web"))
    memory.saw(key(), Change(copy(), None))
    assert is_revived(memory, record()) and not is_revived(memory, record(uid="u2"))
    memory.saw(key(), Change(None, copy()))
    assert not is_revived(memory, record())


@pytest.mark.parametrize(
    "wanted",
    [
        record(body=None, digest=""),
        record(body=canonical(BODY | {"deleting": True})),
        record(uid="u2"),
    ],
)
def test_what_has_to_go_is_not_remembered(wanted: Record) -> None:
    """A tombstone, a cascade, and another object's value ask for it."""
    replica = guarding("web")
    replica.record(9, wanted, 1.0)
    memory = Revival(Recreation.IGNORE, replica)
    memory.saw(key(), Change(copy(), None))
    assert not is_revived(memory, record())


def test_nothing_that_is_not_ours_is_remembered() -> None:
    """Nobody wants it back."""
    memory = Revival(Recreation.IGNORE, Replica(lambda each: True))
    memory.saw(key(), Change(copy(), None))
    assert not is_revived(memory, record())


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is withdrawn goes first, then what has gone longest."""
    monkeypatch.setattr(revival, "MAX_LOST", 2)
    replica = guarding("a", "b", "c", "d")
    memory = Revival(Recreation.IGNORE, replica)
    for name in ("a", "b"):
        memory.saw(key(name), Change(copy(name), None))
    replica.record(9, record("b", body=None, digest=""), 1.0)
    memory.saw(key("c"), Change(copy("c"), None))
    assert [is_revived(memory, record(name)) for name in "abc"] == [True, False, True]
    memory.saw(key("d"), Change(copy("d"), None))
    assert [is_revived(memory, record(name)) for name in "acd"] == [False, True, True]
