"""Sync, refresh and terminate: what the hub asks for, and the spoke's next step."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.apiserver.core.patches import apply_json
from trio_argoagent.errors import Invalid
from trio_argoagent.model.keys import Verb
from trio_argoagent.model.objects import Object, decode
from trio_argoagent.model.records import Outcome
from trio_argoagent.sync import intents, names, operations, steps, wants
from trio_argoagent.sync.operations import Entry, Origin

SYNC: dict[str, Any] = {"sync": {"revision": "main"}}
STAMPED = operations.stamped(SYNC, "id-1")
RUNNING = {"phase": "Running", "startedAt": "t1"}
DONE = {"phase": "Succeeded", "startedAt": "t0", "finishedAt": "t1"}


def app(*, annotations: dict[str, str] | None = None, deleting: bool = False, **fields: Any) -> Object:
    """An Application with these fields."""
    meta: dict[str, Any] = {"name": "web", "namespace": "argocd", "uid": "u1", "resourceVersion": "5"}
    if annotations is not None:
        meta["annotations"] = annotations
    if deleting:
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return Object.of({"metadata": meta, "spec": {}} | fields)


def patched(obj: Object, step: steps.Step | None) -> Object:
    """The object after that patch."""
    assert isinstance(step, steps.Patch)
    return Object.of(apply_json(obj.value(), [dict(op) for op in step.operations]))


def plan(verb: Verb, body: dict[str, Any], copy: Object | None, **more: bool) -> steps.Step:
    """The next step towards an intent of that verb."""
    return intents.plan(verb, "id-1", body, copy, **({"stuck": False, "refreshed": False} | more))


def sync(copy: Object | None, **more: bool) -> steps.Step:
    """The next step towards a sync."""
    return plan(Verb.SYNC, {"operation": STAMPED}, copy, **more)


# What the hub asks


def test_a_request_is_stamped_and_then_asked() -> None:
    """Only what is stamped is asked for; the stamp tests the operation that it was computed from."""
    hub = app(operation=SYNC)
    assert intents.asked(hub, {}) == ()
    stamped = patched(hub, intents.stamp(hub, "id-1"))
    (intent,) = intents.asked(stamped, {})
    assert (intent.verb, intent.id, intent.body) == (Verb.SYNC, "id-1", {"operation": STAMPED})
    assert intents.stamp(stamped, "id-2") is None
    with pytest.raises(Invalid):
        patched(app(operation={"sync": {}}), intents.stamp(hub, "id-1"))


@pytest.mark.parametrize("operation", [None, operations.mirrored(SYNC), STAMPED])
def test_only_a_request_is_stamped(operation: dict[str, Any] | None) -> None:
    """Not a mirror, not an intent."""
    assert intents.stamp(app(operation=operation), "id-2") is None


def test_a_mirror_asks_for_nothing() -> None:
    """What runs on the spoke already is never sent back."""
    assert intents.asked(app(operation=operations.mirrored(SYNC)), {}) == ()


def test_a_deleting_application_can_only_be_terminated() -> None:
    """Sync and refresh are not sent for it, terminate is; nor is a request of it stamped."""
    state = {"phase": "Terminating", "startedAt": "t1"}
    hub = app(
        annotations={names.REFRESH: "normal"},
        deleting=True,
        operation=STAMPED,
        status={"operationState": state},
    )
    (intent,) = intents.asked(hub, {})
    assert (intent.verb, intent.id, intent.body) == (Verb.TERMINATE, "t1", {"startedAt": "t1"})
    assert intents.stamp(app(operation=SYNC, deleting=True), "id") is None


@pytest.mark.parametrize("state", [None, RUNNING, DONE, {"phase": "Terminating", "finishedAt": "t2"}])
def test_what_is_no_terminate(state: dict[str, Any] | None) -> None:
    """Only ``phase: Terminating`` of something that has not finished."""
    assert intents.asked(app(status={"operationState": state}), {}) == ()


def test_v14_the_identity_of_a_refresh() -> None:
    """Hub uid and time stamp; without one the version at which it was first seen; the value counts, too."""

    def identity(first_seen: str = "9", **annotations: str) -> str:
        stamps = {names.REFRESH: annotations.get("value", "normal")}
        if "at" in annotations:
            stamps[names.REFRESH_TIMESTAMP] = annotations["at"]
        (intent,) = intents.asked(app(annotations=stamps), {Verb.REFRESH: first_seen})
        assert intent.verb is Verb.REFRESH and intent.id.startswith("u1 ")
        return intent.id

    assert identity(at="t1") == identity("10", at="t1") != identity(at="t2")
    assert identity("9") != identity("10")
    assert identity() != identity(value="hard")


@pytest.mark.parametrize(
    ("annotations", "spec", "verbs"),
    [
        ({names.HYDRATE: "normal"}, {"sourceHydrator": {"drySource": {}}}, (Verb.HYDRATE,)),
        ({names.HYDRATE: "normal"}, {}, ()),
        ({names.HYDRATE: "normal"}, None, ()),
        ({names.HYDRATE: ""}, {"sourceHydrator": {"drySource": {}}}, ()),
        (
            {names.REFRESH: "hard", names.HYDRATE: "normal"},
            {"sourceHydrator": {"drySource": {}}},
            (Verb.REFRESH, Verb.HYDRATE),
        ),
        ({names.REFRESH: "hard", names.HYDRATE: "normal"}, {}, (Verb.REFRESH,)),
    ],
)
def test_a_hydration_is_asked_for_where_there_is_a_hydrator(
    annotations: dict[str, str], spec: dict[str, Any] | None, verbs: tuple[Verb, ...]
) -> None:
    """Argo CD's server writes both annotations on every Application that somebody refreshes."""
    hub = Object.of(app(annotations=annotations).value() | {"spec": spec})
    found = intents.asked(hub, {Verb.REFRESH: "7", Verb.HYDRATE: "8"})
    assert tuple(intent.verb for intent in found) == verbs == tuple(intents.requested(hub))
    assert all(intent.id.split()[1] == ("7" if intent.verb is Verb.REFRESH else "8") for intent in found)


def test_a_hydration_has_a_moment_of_its_own() -> None:
    """Another one than the refresh that was asked for with it."""
    stamps = {names.HYDRATE: "normal", names.HYDRATE_TIMESTAMP: "t1", names.REFRESH_TIMESTAMP: "t2"}
    hub = Object.of(app(annotations=stamps).value() | {"spec": {"sourceHydrator": {"drySource": {}}}})
    (intent,) = intents.asked(hub, {})
    assert intent.id == "u1 t1 normal"


# The spoke: sync


def test_a_sync_starts_once() -> None:
    """Operation, no operationState, the id: one write at the very version; then it is applied."""
    copy = app(status={"operationState": DONE, "health": {}})
    step = sync(copy)
    assert isinstance(step, steps.Patch) and step.operations[0] == steps.at_version(copy)
    started = patched(copy, step)
    assert started.get("operation") == STAMPED and started.get("status") == {"health": {}}
    assert started.annotations[names.INTENT] == "id-1"
    assert sync(started) == steps.APPLIED


def test_v5_only_a_sync_writes_the_id() -> None:
    """Refresh and terminate leave it: a redelivered sync must still be recognised."""
    copy = app(annotations={names.INTENT: "id-0"}, status={"operationState": RUNNING})
    for verb, body in ((Verb.REFRESH, {"value": "normal"}), (Verb.TERMINATE, {"startedAt": "t1"})):
        assert patched(copy, plan(verb, body, copy)).annotations[names.INTENT] == "id-0"


def test_v7_a_busy_spoke_is_waited_for() -> None:
    """A standing operation always; an unfinished state until it has been abandoned for long enough."""
    busy = steps.pending(intents.BUSY)
    assert sync(app(operation=SYNC)) == busy
    assert sync(app(operation=SYNC, status={"operationState": RUNNING}), stuck=True) == busy
    abandoned = app(status={"operationState": RUNNING})
    assert sync(abandoned) == busy
    assert patched(abandoned, sync(abandoned, stuck=True)).get("status") == {}


@pytest.mark.parametrize(
    ("copy", "expected"),
    [
        (None, False),
        (app(), False),
        (app(status={"operationState": DONE}), False),
        (app(status={"operationState": RUNNING}), True),
        (app(status={"operationState": {"phase": "Terminating"}}), True),
        (app(status={"operationState": RUNNING}, operation=SYNC), False),
    ],
)
def test_v7_what_is_stuck(copy: Object | None, expected: bool) -> None:
    """An unfinished state without an operation."""
    assert intents.is_stuck(copy) is expected


@pytest.mark.parametrize("copy", [None, app(), app(operation=SYNC), app(deleting=True)])
def test_an_expired_sync_is_rejected_whatever_stands_there(copy: Object | None) -> None:
    """Unless it is the one that was started."""
    rejected = steps.Done(Outcome.REJECTED, intents.EXPIRED)
    assert sync(copy, expired=True) == rejected
    assert sync(app(annotations={names.INTENT: "id-1"}), expired=True) == steps.APPLIED


def test_the_expiry_stands_on_the_object() -> None:
    """It goes from the stamp to the intent, and only its rest to the spoke."""
    hub = patched(app(operation=SYNC), intents.stamp(app(operation=SYNC), "id-1", 1000))
    (intent,) = intents.asked(hub, {})
    assert (intent.id, intent.until) == ("id-1", 1000)
    assert decode(wants.intent_body(intent, 990.0))["left"] == 10.0
    assert decode(wants.intent_body(intent, 1010.0))["left"] == 0.0
    (endless,) = intents.asked(app(operation=STAMPED), {})
    assert "left" not in decode(wants.intent_body(endless, 0.0))


def test_v15_a_copy_without_status_gets_an_empty_one() -> None:
    """Argo CD 3.6 adds ``/status/operationState``, which fails for ever where there is no status."""
    copy = app()
    assert patched(copy, sync(copy)).get("status") == {}


def test_a_sync_waits_for_its_copy() -> None:
    """Without one, and on one that is on its way out."""
    assert sync(None) == steps.pending(intents.NO_COPY)
    assert sync(app(deleting=True)) == steps.pending("the copy is being deleted")


def test_an_id_that_has_run_is_applied_whatever_stands() -> None:
    """Busy or not: it is never started twice."""
    copy = app(annotations={names.INTENT: "id-1"}, operation=SYNC, status={"operationState": RUNNING})
    assert sync(copy) == steps.APPLIED


# The spoke: terminate


def test_v6_a_terminate_hits_what_it_was_aimed_at() -> None:
    """The patch itself tests startedAt and phase; another operation is left alone."""
    aim = {"startedAt": "t1"}
    copy = app(operation=SYNC, status={"operationState": RUNNING})
    step = plan(Verb.TERMINATE, aim, copy)
    state = patched(copy, step).get("status")["operationState"]
    assert state == RUNNING | {"phase": "Terminating"}
    other = app(operation=SYNC, status={"operationState": RUNNING | {"startedAt": "t2"}})
    with pytest.raises(Invalid):
        patched(other, step)
    for copy_now in (None, app(), other, app(status={"operationState": DONE | {"startedAt": "t1"}})):
        assert plan(Verb.TERMINATE, aim, copy_now) == steps.APPLIED


def test_a_deleting_copy_can_be_terminated() -> None:
    """Else its deletion would wait for the operation."""
    copy = app(operation=SYNC, deleting=True, status={"operationState": RUNNING})
    assert isinstance(plan(Verb.TERMINATE, {"startedAt": "t1"}, copy), steps.Patch)


# The spoke: refresh


@pytest.mark.parametrize(
    ("standing", "value", "writes"),
    [
        (None, "normal", True),
        ("normal", "normal", False),
        ("hard", "normal", False),
        ("hard", "hard", False),
        ("normal", "hard", True),
    ],
)
def test_a_refresh_is_written_unless_one_as_strong_stands(
    standing: str | None, value: str, writes: bool
) -> None:
    """A hard one includes a normal one."""
    copy = app(annotations={"a": "1"} | ({names.REFRESH: standing} if standing else {}))
    step = plan(Verb.REFRESH, {"value": value}, copy)
    assert isinstance(step, steps.Patch) is writes
    if writes:
        assert patched(copy, step).annotations == {"a": "1", names.REFRESH: value}
    assert plan(Verb.REFRESH, {"value": value}, copy, refreshed=True) == steps.APPLIED


def test_a_hydration_is_written_beside_a_refresh() -> None:
    """Each has its own annotation."""
    copy = app(annotations={names.REFRESH: "normal"})
    step = plan(Verb.HYDRATE, {"value": "normal"}, copy)
    after = patched(copy, step)
    assert after.annotations == {names.REFRESH: "normal", names.HYDRATE: "normal"}
    assert plan(Verb.HYDRATE, {"value": "normal"}, after) == steps.APPLIED


def test_a_first_annotation_does_not_wipe_out_a_faster_one() -> None:
    """Without annotations the whole map is set, so the version is tested."""
    step = plan(Verb.REFRESH, {"value": "normal"}, app())
    raced = app(annotations={"mine": "1"}).value()
    raced["metadata"]["resourceVersion"] = "6"
    with pytest.raises(Invalid):
        patched(Object.of(raced), step)


def test_v14_a_refresh_without_a_copy_is_pending() -> None:
    """It is not answered by nothing."""
    assert plan(Verb.REFRESH, {"value": "normal"}, None) == steps.pending(intents.NO_COPY)


# The answer to what cannot be done


def test_v8_a_rejected_sync_is_answered_in_one_patch() -> None:
    """Operation gone, an Error that ends now, reconciledAt not before it; the rest of the status stays."""
    hub = app(operation=STAMPED, status={"health": {}, "operationState": DONE, "reconciledAt": "t0"})
    step = intents.answer_rejected(hub, "id-1", "the spoke says no", "t9")
    assert isinstance(step, steps.Patch) and step.operations[0] == steps.at_version(hub)
    answered = patched(hub, step)
    status = answered.get("status")
    assert answered.get("operation") is None and status["health"] == {} and status["reconciledAt"] == "t9"
    assert operations.is_rejection(status["operationState"])
    assert status["operationState"]["message"] == "the spoke says no"


@pytest.mark.parametrize(
    "standing", [None, SYNC, operations.mirrored(SYNC), operations.stamped(SYNC, "id-2")]
)
def test_a_rejection_answers_its_own_intent_only(standing: dict[str, Any] | None) -> None:
    """What its user has withdrawn or replaced meanwhile is not answered."""
    assert intents.answer_rejected(app(operation=standing), "id-1", "no", "t9") is None


def test_a_stamp_survives_being_copied() -> None:
    """Argo CD copies ``info`` into operationState: the id is still found there."""
    assert operations.classify(dict(STAMPED)) == Entry(Origin.INTENT, "id-1")
