"""The condition AgentError: shown beside a status, and no part of it."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.apiserver.core.patches import apply_json
from trio_argoagent.model.keys import Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.sync import conditions, digest, projection, wants

NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
OURS = {"type": "AgentError", "message": "no", "lastTransitionTime": NOW}
THEIRS = {"type": "SyncError", "message": "oh"}
AFTER = {"type": "ZError", "message": "last"}


def app(status: Any = None, **meta: Any) -> Object:
    """An Application with that status."""
    fields = {} if status is None else {"status": status}
    return Object.of({"metadata": {"name": "web", "resourceVersion": "5"} | meta, "spec": {}} | fields)


def shown(obj: Object, message: str | None, at: str = LATER) -> Any:
    """Its status after our condition was made to say that; the very object if nothing is to be written."""
    step = conditions.show(obj, message, at)
    return (
        obj if step is None else apply_json(obj.value(), [dict(op) for op in step.operations]).get("status")
    )


@pytest.mark.parametrize(
    ("status", "message", "after"),
    [
        (None, "no", {"conditions": [OURS]}),
        ({}, "no", {"conditions": [OURS]}),
        ({"a": 1}, "no", {"a": 1, "conditions": [OURS]}),
        ({"conditions": []}, "no", {"conditions": [OURS]}),
        ({"conditions": [THEIRS]}, "no", {"conditions": [THEIRS, OURS]}),
        ({"conditions": [OURS, THEIRS]}, "", {"conditions": [THEIRS]}),
        ({"a": 1, "conditions": [OURS]}, "", {"a": 1}),
        ({"conditions": [OURS, OURS]}, "no", {"conditions": [OURS]}),
        ({"conditions": [OURS, OURS]}, "", {}),
    ],
)
def test_it_comes_and_goes_beside_the_others(status: Any, message: str, after: Any) -> None:
    """Whatever Argo CD says stays as it is."""
    assert shown(app(status), message, NOW) == after


@pytest.mark.parametrize("message", ["no", None])
@pytest.mark.parametrize("standing", [[OURS], [OURS, AFTER], [AFTER, OURS]])
def test_what_is_said_already_is_not_written_again(standing: Any, message: str | None) -> None:
    """Not its time, and not its place, which Argo CD may change."""
    obj = app({"conditions": standing})
    assert shown(obj, message) is obj


@pytest.mark.parametrize(
    "status", [None, {}, {"conditions": []}, {"conditions": [THEIRS]}, {"conditions": None}]
)
@pytest.mark.parametrize("message", ["", None])
def test_nothing_is_written_where_nothing_is_said(status: Any, message: str | None) -> None:
    """An object that was never refused costs no write."""
    obj = app(status)
    assert shown(obj, message) is obj


def test_another_message_has_another_time() -> None:
    """So people see since when."""
    after = shown(app({"conditions": [OURS]}), "other")["conditions"]
    assert after == [{"type": "AgentError", "message": "other", "lastTransitionTime": LATER}]


def test_a_new_status_keeps_what_stands() -> None:
    """A status that is written for another cause takes the condition along, and one of its own never in."""
    told = {"health": 1, "conditions": [{"type": "AgentError", "message": "from afar"}, THEIRS]}
    kept = conditions.settle(told, {"conditions": [OURS]}, None, LATER)
    assert kept == {"health": 1, "conditions": [THEIRS, OURS]}
    assert conditions.settle(told, {}, None, LATER) == {"health": 1, "conditions": [THEIRS]}


@pytest.mark.parametrize(
    "bare", [{"health": {"status": "Healthy"}}, {"conditions": [THEIRS], "sync": {}}, {}]
)
def test_it_lies_outside_every_digest(bare: Any) -> None:
    """A spoke that shows a refusal has not changed for the hub."""
    said = bare | {"conditions": [OURS, *bare.get("conditions", ())]}
    with_it, without_it = projection.status_of(app(said)), projection.status_of(app(bare))
    assert with_it == without_it
    wanted = [wants.status("u1", wants.status_body(each), NOW) for each in (app(said), app(bare))]
    assert wanted[0] == wanted[1]
    assert digest.wanted(Kind.STATUS, "u1", with_it) == digest.wanted(Kind.STATUS, "u1", without_it)


def test_it_is_found_without_decoding() -> None:
    """And what says the same in other words costs a look, no more."""
    assert conditions.may_stand(app({"conditions": [OURS]}))
    assert not conditions.may_stand(app({"conditions": [THEIRS]}))
    assert not conditions.may_stand(app())
    assert conditions.said({"conditions": [THEIRS, OURS]}) == "no"
    assert conditions.said({}) == ""
