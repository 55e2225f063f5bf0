"""A spoke's status on an object that the hub owns: what is shown, what is kept, what is written."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.apiserver.core.patches import apply_json
from trio_argoagent.errors import Invalid
from trio_argoagent.model.keys import Key, Kind, Verb
from trio_argoagent.model.objects import Object, decode
from trio_argoagent.model.records import DRIFT, Holding, Record
from trio_argoagent.sync import digest, intents, names, operations, overlay, steps
from trio_argoagent.sync.mapping import NamespaceMapping
from trio_argoagent.sync.overlay import Memo, Merged

MANAGED = NamespaceMapping("agent-1", "argocd", "argocd", autonomous=False)
AUTONOMOUS = NamespaceMapping("agent-1", "argocd", "argocd", autonomous=True)
SYNC: dict[str, Any] = {"sync": {"revision": "main"}}
STAMPED = operations.stamped(SYNC, "id-1")
OLD = {"phase": "Succeeded", "startedAt": "t1", "finishedAt": "t2"}
RUNNING = {"phase": "Running", "startedAt": "t3"}
NEW = {"phase": "Succeeded", "startedAt": "t3", "finishedAt": "t4"}
REJECTION = operations.rejection(STAMPED, "no", "t2")


def hub(*, annotations: dict[str, str] | None = None, version: str = "5", **fields: Any) -> Object:
    """An Application on the hub."""
    meta: dict[str, Any] = {"name": "web", "namespace": "agent-1", "uid": "u1", "resourceVersion": version}
    meta["annotations"] = annotations or {}
    return Object.of({"metadata": meta, "spec": {}} | fields)


def body(state: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A status body with that operationState."""
    status: dict[str, Any] = {"health": {"status": "Healthy"}}
    if state is not None:
        status["operationState"] = state
    return {"status": status, "operation": None, "intent": "", "refresh": False} | more


def record(value: dict[str, Any]) -> Record:
    """The record of a status body."""
    return Record(
        Key(Kind.STATUS, "argocd", "web"), "u1", digest.wanted(Kind.STATUS, "u1", value["status"]), "", b""
    )


def merge(value: dict[str, Any], live: Object, *, refreshed: bool = False) -> Merged:
    """What the hub shall show of a managed agent's body."""
    return overlay.merge(MANAGED, value, live, worked_off=lambda verb: refreshed and verb is Verb.REFRESH)


def patched(obj: Object, step: steps.Step) -> Object:
    """The object after that patch."""
    assert isinstance(step, steps.Patch)
    value = apply_json(obj.value(), [dict(op) for op in step.operations])
    return Object.of(value | {"metadata": value["metadata"] | {"resourceVersion": "6"}})


def written(value: dict[str, Any], live: Object) -> tuple[Object, Memo]:
    """What one write makes of the hub's object, and what is remembered of it."""
    merged = merge(value, live)
    after = patched(live, overlay.plan(merged, None))
    memo = overlay.memo_of(record(value), merged, after)
    assert overlay.plan(merge(value, after), memo) == steps.APPLIED
    return after, memo


def shown_state(value: dict[str, Any], live: Object) -> Any:
    """The operationState that the hub shall show."""
    return merge(value, live).status.get("operationState")


def test_a_status_is_written_once() -> None:
    """It replaces what stood; written again there is nothing to do, with a memory and without one."""
    value = body(OLD)
    after, memo = written(value, hub(status={"stale": 1}))
    assert after.get("status") == value["status"]
    assert overlay.plan(merge(value, after), None) == steps.APPLIED
    assert overlay.holding(MANAGED, after, memo) == Holding("u1", record(value).digest)


def test_v1_a_status_write_carries_the_version_it_was_computed_from() -> None:
    """A sync that a user sets meanwhile is not lost: the write is refused, and computed again."""
    live = hub(operation=operations.mirrored(SYNC))
    step = overlay.plan(merge(body(OLD), live), None)
    assert isinstance(step, steps.Patch) and step.operations[0] == steps.at_version(live)
    with pytest.raises(Invalid):
        patched(hub(version="6", operation=SYNC), step)
    again = hub(version="6", operation=SYNC)
    assert merge(body(OLD), again).operation == SYNC


@pytest.mark.parametrize("standing", [SYNC, STAMPED])
def test_v2_an_unanswered_request_stands(standing: dict[str, Any]) -> None:
    """Unstamped or stamped; only a body with its id takes it away, not ``applied`` and not another id."""
    for value in (body(OLD), body(OLD, intent="id-0"), body(RUNNING, operation=SYNC)):
        assert merge(value, hub(operation=standing)).operation == standing


def test_v2_a_body_with_its_id_answers_an_intent() -> None:
    """Then the hub shows what the spoke shows: the operation as a mirror, or none any more."""
    live = hub(operation=STAMPED)
    running = merge(body(RUNNING, operation=STAMPED, intent="id-1"), live)
    assert running.operation == operations.mirrored(SYNC)
    assert merge(body(NEW, intent="id-1"), live).operation is None


def test_v3_a_mirrored_operation_asks_for_nothing() -> None:
    """What the spoke runs is shown without an id, and goes when the spoke has finished."""
    after, _ = written(body(RUNNING, operation=STAMPED), hub())
    assert intents.asked(after, {}) == () and after.get("operation") == operations.mirrored(SYNC)
    done, _ = written(body(NEW), after)
    assert done.get("operation") is None


def test_v4_a_merged_request_is_not_taken_for_the_mirror() -> None:
    """A progressive sync that merges into a mirrored operation has made a request: it stands."""
    mirrored = operations.mirrored(SYNC)
    assert mirrored is not None
    merged = mirrored | {"sync": {"revision": "other"}}
    assert merge(body(OLD), hub(operation=merged)).operation == merged


def test_a_cleared_state_stays_cleared_until_the_request_is_answered() -> None:
    """Argo CD's server removes operationState with a sync: the old end must not look like its answer."""
    live = hub(operation=STAMPED, status={"health": {}})
    assert shown_state(body(OLD), live) is None and not merge(body(OLD), live).exact
    assert shown_state(body(RUNNING, operation=SYNC), live) == RUNNING
    assert shown_state(body(NEW, intent="id-1"), live) == NEW


def test_a_state_that_was_not_cleared_is_shown() -> None:
    """A progressive sync keeps it: so do we."""
    assert shown_state(body(OLD), hub(operation=STAMPED, status={"operationState": OLD})) == OLD


def test_v8_a_rejection_stays_until_the_spoke_shows_a_newer_operation() -> None:
    """Like any answer of ours, it is not overwritten by what was before it."""
    live = hub(status={"operationState": REJECTION})
    assert shown_state(body(OLD), live) == REJECTION and shown_state(body(), live) == REJECTION
    assert shown_state(body(NEW), live) == NEW


def test_a_terminate_stays_visible_until_its_operation_ends() -> None:
    """The user's word stands over an older Running of the same operation, and of no other."""
    live = hub(status={"operationState": RUNNING | {"phase": "Terminating"}})
    assert shown_state(body(RUNNING), live) == RUNNING | {"phase": "Terminating"}
    assert shown_state(body(NEW), live) == NEW
    assert shown_state(body(RUNNING | {"startedAt": "t9"}), live) == RUNNING | {"startedAt": "t9"}


@pytest.mark.parametrize(
    ("live", "withdrawn"),
    [
        (hub(operation=STAMPED, status={"health": {}}), {"operation": None}),
        (hub(status={"operationState": REJECTION}), {"status": body()["status"]}),
    ],
)
def test_what_is_kept_is_held_while_it_stands(live: Object, withdrawn: dict[str, Any]) -> None:
    """No drift and no loop while the user's word stands; no longer held once it has gone."""
    value = body(OLD)
    after, memo = written(value, live)
    assert not memo.exact
    assert overlay.holding(MANAGED, after, memo) == Holding("u1", record(value).digest)
    gone = Object.of(after.value() | withdrawn)
    assert overlay.holding(MANAGED, gone, memo) != Holding("u1", record(value).digest)
    assert shown_state(value, gone) == OLD


def test_a_refresh_leaves_with_the_body_that_answers_it() -> None:
    """V14: not before the spoke has worked it off, and not while one is pending there."""
    stamps = {names.REFRESH: "hard", names.REFRESH_TIMESTAMP: "t", "mine": "1"}
    live = hub(annotations=stamps)
    assert not merge(body(), live, refreshed=False).clears
    assert not merge(body(refresh=True), live, refreshed=True).clears
    merged = merge(body(), live, refreshed=True)
    after = patched(live, overlay.plan(merged, None))
    assert dict(after.annotations) == {"mine": "1"}
    assert not merge(body(), after, refreshed=True).clears


def test_a_hydration_leaves_for_itself() -> None:
    """What answers the refresh that was asked for with it does not answer it."""
    stamps = {names.REFRESH: "normal", names.HYDRATE: "normal", names.HYDRATE_TIMESTAMP: "t"}
    live, both = hub(annotations=stamps), {Verb.REFRESH, Verb.HYDRATE}.__contains__
    pending = overlay.merge(MANAGED, body(hydrate=True), live, worked_off=both)
    assert dict(patched(live, overlay.plan(pending, None)).annotations) == {
        name: stamps[name] for name in (names.HYDRATE, names.HYDRATE_TIMESTAMP)
    }
    done = overlay.merge(MANAGED, body(), live, worked_off=both)
    assert not patched(live, overlay.plan(done, None)).annotations
    only = overlay.merge(MANAGED, body(), live, worked_off={Verb.HYDRATE}.__contains__)
    assert dict(patched(live, overlay.plan(only, None)).annotations) == {names.REFRESH: "normal"}


def test_what_the_hubs_server_alters_is_not_fought() -> None:
    """A pruned status is remembered as it was stored: nothing is written again, and D is held."""
    value = body() | {"status": {"health": {}, "unknown": 1}}
    merged = merge(value, hub())
    pruned = hub(version="6", status={"health": {}})
    memo = overlay.memo_of(record(value), merged, pruned)
    assert overlay.plan(merge(value, pruned), memo) == steps.APPLIED
    assert overlay.holding(MANAGED, pruned, memo) == Holding("u1", record(value).digest)
    touched = hub(version="7", status={"health": {"status": "Lost"}})
    assert isinstance(overlay.plan(merge(value, touched), memo), steps.Patch)
    assert overlay.holding(MANAGED, touched, memo) != Holding("u1", record(value).digest)


def test_after_a_start_the_stored_status_tells_what_is_held() -> None:
    """No memory: D follows from the status itself, without our own entry in its operation."""
    state = NEW | {"operation": STAMPED}
    obj = hub(status={"operationState": state})
    bare = {"operationState": NEW | {"operation": SYNC}}
    assert overlay.holding(MANAGED, obj, None) == Holding("u1", digest.wanted(Kind.STATUS, "u1", bare))
    assert overlay.holding(MANAGED, hub(), None) is None
    assert overlay.holding(MANAGED, None, None) is None


def test_a_mirrors_status_belongs_to_the_spokes_object() -> None:
    """Its uid is the source uid, and its children live in the mirrors' namespace, there and back."""
    child = {"kind": "Application", "namespace": "argocd", "name": "child"}
    value = body() | {"status": {"resources": [child]}}
    live = hub(annotations={names.SOURCE_UID: "spoke"})
    merged = overlay.merge(AUTONOMOUS, value, live, worked_off=lambda verb: False)
    assert merged.status == {"resources": [child | {"namespace": "agent-1"}]}
    after = patched(live, overlay.plan(merged, None))
    held = overlay.holding(AUTONOMOUS, after, None)
    assert held == Holding("spoke", digest.wanted(Kind.STATUS, "spoke", value["status"]))
    assert value["status"] == {"resources": [child]}, "the body belongs to the caller"
    assert overlay.holding(AUTONOMOUS, hub(status={"health": {}}), None) is None


def test_an_answered_intent_that_is_put_back_is_answered_once_more() -> None:
    """Somebody overwrote the mirror, and the principal knew the request again: it must not stand for ever."""
    value = body(RUNNING, operation=STAMPED, intent="id-1")
    live = hub(status=RUNNING, operation=STAMPED)
    merged = merge(value, live)
    memo = overlay.memo_of(record(value), merged, live)
    assert overlay.holding(MANAGED, live, memo) == Holding("u1", DRIFT)
    for operation in (merged.operation, operations.stamped(SYNC, "id-2"), None):
        holding = overlay.holding(MANAGED, hub(status=RUNNING, operation=operation), memo)
        assert holding is not None and holding.digest != DRIFT


def test_children_with_the_spokes_names_are_no_holding() -> None:
    """Another program has written that status: from here it would look like the right one."""
    status = {"resources": [{"kind": "Application", "namespace": "argocd", "name": "child"}]}
    live = hub(annotations={names.SOURCE_UID: "spoke"}, status=status)
    assert overlay.holding(AUTONOMOUS, live, None) == Holding("spoke", DRIFT)


def test_an_answer_is_remembered_alike_however_it_is_written() -> None:
    """Whether it has to be read or came back byte by byte."""
    value = body(NEW)
    merged = merge(value, hub())
    shown = decode(merged.encoded)
    answers = [hub(version="6", status=each) for each in (shown, dict(reversed(shown.items())))]
    as_sent = [bytes(answer.fields["status"]) == merged.encoded for answer in answers]
    assert as_sent == [True, False]
    same, other = (overlay.memo_of(record(value), merged, answer) for answer in answers)
    assert same == other and same.stored == merged.sent
