"""RollingSync, transition by transition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from trio_argoagent.testing.argocd import rollingsync
from trio_argoagent.testing.argocd.applicationset import Change, Create, SetSettings
from trio_argoagent.testing.argocd.names import REFRESH, REFRESH_TIMESTAMP, stamp
from trio_argoagent.testing.argocd.rollingsync import Advance, Entry, Progress

from .helpers import NOW
from .sets import appset, live, plan

BEFORE, AT, AFTER = stamp(NOW - 10), stamp(NOW), stamp(NOW + 10)
STEPS = [
    {"matchExpressions": [{"key": "ring", "operator": "In", "values": ["first"]}]},
    {"matchExpressions": [{"key": "ring", "operator": "NotIn", "values": ["first"]}]},
]
ROLLING = appset(strategy={"type": "RollingSync", "rollingSync": {"steps": STEPS}})
DONE = Entry(Progress.HEALTHY, BEFORE, ("1",))


def app(name: str = "one", sync: str = "Synced", health: str = "Healthy", **more: Any) -> dict[str, Any]:
    """A live Application at revision 1."""
    status = {"sync": {"status": sync, "revision": "1"}, "health": {"status": health}, "reconciledAt": AT}
    made = live(ROLLING, name, status={**status, **more})
    made["spec"]["syncPolicy"]["automated"]["enabled"] = False
    return made


def look(
    *apps: Mapping[str, Any], rollout: Mapping[str, Entry], changed: tuple[str, ...] = (), steps: Any = STEPS
) -> Advance:
    """One look at the rollout."""
    current = {each["metadata"]["name"]: each for each in apps}
    return rollingsync.advance(steps, current, apps, frozenset(changed), rollout, NOW)


STARTED: Mapping[str, Any] = {"operationState": {"startedAt": AT}, "reconciledAt": AT}


@pytest.mark.parametrize(
    ("before", "shown", "after"),
    [
        (None, ("OutOfSync", "Missing"), Progress.PENDING),
        (None, ("Synced", "Progressing"), Progress.PROGRESSING),
        (None, ("Synced", "Healthy"), Progress.HEALTHY),
        (Entry(Progress.WAITING, BEFORE, ("1",)), ("OutOfSync", "Healthy"), Progress.PENDING),
        (Entry(Progress.PENDING, BEFORE, ("1",)), ("OutOfSync", "Healthy"), Progress.PROGRESSING),
        (Entry(Progress.PENDING, AT, ("1",)), ("OutOfSync", "Healthy"), Progress.PENDING),
        (Entry(Progress.PENDING, AFTER, ("1",)), ("Synced", "Healthy"), Progress.PENDING),
        (Entry(Progress.PROGRESSING, BEFORE, ("1",)), ("Synced", "Progressing"), Progress.PROGRESSING),
        (Entry(Progress.PROGRESSING, BEFORE, ("1",)), ("Synced", "Healthy"), Progress.HEALTHY),
        (Entry(Progress.HEALTHY, BEFORE, ("1",)), ("OutOfSync", "Degraded"), Progress.HEALTHY),
        (Entry(Progress.HEALTHY, BEFORE, ("0",)), ("OutOfSync", "Healthy"), Progress.PENDING),
        (Entry(Progress.PENDING, BEFORE, ("0",)), ("Synced", "Healthy"), Progress.HEALTHY),
    ],
)
def test_transitions(before: Entry | None, shown: tuple[str, str], after: Progress) -> None:
    """UpdateApplicationSetApplicationStatus: a sync counts only if it began, and was seen, a second later."""
    rollout = {} if before is None else {"one": before}
    assert look(app("one", *shown, **STARTED), rollout=rollout).rollout["one"].progress is after


def test_a_changed_spec_begins_anew() -> None:
    """Revision or spec: either makes it Waiting, and thus Pending where its step may go."""
    found = look(app(sync="OutOfSync"), rollout={"one": DONE}, changed=("one",))
    assert found.rollout["one"] == Entry(Progress.PENDING, AT, ("1",), changed=True)
    assert found.sync == ("one",)


def test_everybody_is_refreshed_before_a_change_is_rolled_out() -> None:
    """ensureApplicationsReconciled: whose status is older than the change is asked for a refresh, once."""
    asked = app("two", reconciledAt=BEFORE)
    asked["metadata"]["annotations"] |= {REFRESH: "normal"}
    first = app(sync="OutOfSync", reconciledAt=BEFORE)
    found = look(first, asked, rollout={"one": DONE, "two": DONE}, changed=("one",))
    assert (found.refresh, found.sync) == (("one",), ())
    assert found.rollout["one"].progress is Progress.WAITING


def test_a_step_waits_for_the_one_before_to_be_healthy() -> None:
    """As getAppsToSync has it."""
    waiting = {"one": Entry(Progress.PENDING, BEFORE, ("1",)), "two": Entry(Progress.WAITING, BEFORE, ("1",))}
    out = [app(name, "OutOfSync") for name in ("one", "two")]
    assert look(*out, rollout=waiting).sync == ("one",)
    assert look(*out, rollout=waiting | {"one": DONE}).sync == ("two",)


@pytest.mark.parametrize(
    ("most", "pending"), [(None, 2), (1, 1), (0, 0), ("50%", 1), ("10%", 1), ("0%", 0), ("100%", 2)]
)
def test_max_update(most: Any, pending: int) -> None:
    """UpdateApplicationSetApplicationStatusProgress: a share above 0 % is one at least."""
    steps = [{"maxUpdate": most} if most is not None else {}]
    out = [app(name, "OutOfSync") for name in ("one", "two")]
    assert len(look(*out, rollout={}, steps=steps).sync) == pending


def test_what_no_step_selects_is_never_synced() -> None:
    """It stays Waiting."""
    found = look(app("two", "OutOfSync"), rollout={}, steps=STEPS[:1])
    assert (found.sync, found.rollout["two"].progress) == ((), Progress.WAITING)


def _reconciled(*apps: Mapping[str, Any], rollout: Mapping[str, Entry]) -> list[Any]:
    return list(plan(ROLLING, *apps, settings=SetSettings(progressive=True), rollout=rollout).writes)


def test_auto_sync_is_switched_off() -> None:
    """disableAutomatedSync: on creation, and wherever it is found on; only while progressive syncs are on."""
    (first, _) = _reconciled(rollout={})
    assert isinstance(first, Create)
    assert first.app["spec"]["syncPolicy"]["automated"] == {"prune": True, "enabled": False}
    assert plan(ROLLING, live(ROLLING), live(ROLLING, "two")).writes == ()


def test_the_request_is_patched_over_a_running_operation_and_keeps_the_state() -> None:
    """syncApplication: prune as auto-sync would have, five retries, pinned to the revision; no status."""
    pending = {"one": Entry(Progress.PENDING, AT, ("1",)), "two": DONE}
    standing = app(sync="OutOfSync", operationState={"phase": "Running", "startedAt": BEFORE})
    standing["operation"] = {"initiatedBy": {"username": "admin"}, "sync": {"dryRun": True, "revision": "1"}}
    (write,) = _reconciled(standing, app("two"), rollout=pending)
    assert isinstance(write, Change)
    assert list(write.patch.value) == ["operation"]
    operation = write.patch.value["operation"]
    assert operation["initiatedBy"] == {"username": "applicationset-controller", "automated": True}
    assert operation["sync"] == {"dryRun": None, "prune": True}
    assert operation["retry"] == {"limit": 5}


def test_an_equal_request_that_stands_is_not_written_again() -> None:
    """What nobody has changed is no difference; what somebody has added to its info is taken away."""
    pending = {"one": Entry(Progress.PENDING, AT, ("1",)), "two": DONE}
    standing = app(sync="OutOfSync")
    standing["operation"] = rollingsync.operation(standing, ("1",), prune=True)
    assert _reconciled(standing, app("two"), rollout=pending) == []
    reason = standing["operation"]["info"]
    standing["operation"] |= {"info": [*reason, {"name": "trio-argoagent", "value": "an entry"}]}
    (write,) = _reconciled(standing, app("two"), rollout=pending)
    assert write.patch.value == {"operation": {"info": reason}}


def test_refreshes_are_asked_for_with_timestamps() -> None:
    """util/argo/argo.go:RefreshApp, before anything else is written."""
    behind = app(sync="OutOfSync", reconciledAt=BEFORE)
    old = Entry(Progress.HEALTHY, BEFORE, ("0",))
    write = _reconciled(behind, app("two"), rollout={"one": old, "two": DONE})[0]
    asked = write.patch.value["metadata"]["annotations"]
    assert (asked[REFRESH], asked[REFRESH_TIMESTAMP]) == ("normal", AT)
