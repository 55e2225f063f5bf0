"""Sync, refresh, hydrate and terminate: what the hub asks for, and how the spoke brings it about.

Intents are level-triggered: each is read from the hub object as the informer shows it, never from an event
or a response, so none is lost over any cut or crash. A sync is started at most once: the write that starts it
records its id on the spoke's object in the same version.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from trio_argoagent.model.keys import Verb
from trio_argoagent.model.objects import Object
from trio_argoagent.model.records import Outcome
from trio_argoagent.sync import names, operations, steps
from trio_argoagent.sync.operations import Origin

STUCK_AFTER: Final = 60.0
"""Seconds after which an unfinished operationState without ``.operation`` counts as abandoned."""
REQUESTS: Final[Mapping[Verb, tuple[str, str]]] = {
    Verb.REFRESH: (names.REFRESH, names.REFRESH_TIMESTAMP),
    Verb.HYDRATE: (names.HYDRATE, names.HYDRATE_TIMESTAMP),
}
"""What is asked for by an annotation, which Argo CD takes off when it has begun; and that with its moment."""
BUSY: Final = "another operation is running"
NO_COPY: Final = "the spoke has no copy yet"
LEAVING: Final = "the copy is being deleted"
EXPIRED: Final = "the sync has expired: it was not started in time. Ask again if it is still wanted"


@attrs.frozen
class Intent:
    """One thing the hub asks for. ``id`` tells two requests of one verb apart.

    ``until`` is the Unix second, by the hub's clock, from which on it must not be started (0: never).
    """

    verb: Verb
    id: str
    body: Mapping[str, Any]
    until: int = 0


def requested(hub: Object) -> Mapping[Verb, str]:
    """Which of ``REQUESTS`` stand on this object, and their values.

    Argo CD's server asks for both at once, of any Application: without a hydrator nobody ever takes the
    second one off, and it means nothing.
    """
    found = {verb: hub.annotations.get(annotation, "") for verb, (annotation, _) in REQUESTS.items()}
    hydrates = bool(found[Verb.HYDRATE]) and bool((hub.get("spec") or {}).get("sourceHydrator"))
    return {verb: value for verb, value in found.items() if value and (verb is not Verb.HYDRATE or hydrates)}


def asked(hub: Object, first_seen: Mapping[Verb, str]) -> tuple[Intent, ...]:
    """What this hub object asks of its spoke.

    Args:
        hub: as the informer shows it.
        first_seen: the resourceVersion at which this process first saw each of the requests that stand.
    """
    found = []
    operation = hub.get("operation")
    entry = operations.classify(operation)
    if entry.origin is Origin.INTENT and not hub.deleting:
        found.append(Intent(Verb.SYNC, entry.id, {"operation": operation}, entry.until))
    state = (hub.get("status") or {}).get("operationState") if _may_terminate(hub) else None
    if state and state.get("phase") == "Terminating" and not state.get("finishedAt"):
        started = state.get("startedAt", "")
        found.append(Intent(Verb.TERMINATE, started, {"startedAt": started}))
    for verb, value in requested(hub).items() if not hub.deleting else ():
        moment = hub.annotations.get(REQUESTS[verb][1]) or first_seen.get(verb, "")
        found.append(Intent(verb, f"{hub.meta.uid} {moment} {value}", {"value": value}))
    return tuple(found)


def _may_terminate(hub: Object) -> bool:
    """Could a terminate stand on this object? Few say so, and a status is long to read."""
    return b"Terminating" in bytes(hub.fields.get("status", b""))


def stamp(hub: Object, new_id: str, until: int = 0) -> steps.Patch | None:
    """Turn a request into an intent; None: nothing new is asked for. ``until``: see ``Intent``."""
    operation = hub.get("operation")
    if hub.deleting or operations.classify(operation).origin is not Origin.REQUEST:
        return None
    marked = operations.stamped(operation, new_id, until)
    return steps.Patch([steps.op_test("/operation", operation), steps.op_add("/operation", marked)])


def answer_rejected(hub: Object, intent: str, message: str, at: str) -> steps.Patch | None:
    """Answer a sync that the spoke cannot run, in one patch; None: it does not stand any more.

    Args:
        hub: the object it was asked on.
        intent: its id.
        message: why, for people.
        at: now, RFC 3339.
    """
    operation = hub.get("operation")
    if not operations.is_intent(operation, intent):
        return None
    state = operations.rejection(operation, message, at)
    status = (hub.get("status") or {}) | {"operationState": state, "reconciledAt": at}
    changes = [steps.op_remove("/operation"), steps.op_add("/status", status)]
    return steps.Patch([steps.at_version(hub), *changes])


def plan(
    verb: Verb,
    intent: str,
    body: Mapping[str, Any],
    copy: Object | None,
    *,
    stuck: bool,
    refreshed: bool,
    expired: bool = False,
) -> steps.Step:
    """The next step of the spoke towards one intent.

    Args:
        verb: of it.
        intent: its id.
        body: of the intent.
        copy: the spoke's object; None: there is none.
        stuck: its unfinished operationState has stood without an ``.operation`` for ``STUCK_AFTER``.
        refreshed: has this process already asked for this very refresh, or hydration?
        expired: is the time over in which this sync may be started?
    """
    if verb is Verb.TERMINATE:
        return _terminate(body["startedAt"], copy)
    if verb is Verb.SYNC and copy is not None and copy.annotations.get(names.INTENT) == intent:
        return steps.APPLIED
    if expired:
        return steps.Done(Outcome.REJECTED, EXPIRED)
    if copy is None:
        return steps.pending(NO_COPY)
    if verb in REQUESTS:
        return _request(REQUESTS[verb][0], body["value"], copy, refreshed)
    return _sync(intent, body["operation"], copy, stuck)


def _terminate(started: str, copy: Object | None) -> steps.Step:
    state = (copy.get("status") or {}).get("operationState") if copy is not None else None
    if copy is None or not state or state.get("startedAt") != started or state.get("phase") != "Running":
        return steps.APPLIED
    root = "/status/operationState/"
    tests = [steps.op_test(root + "startedAt", started), steps.op_test(root + "phase", "Running")]
    return steps.Patch([*tests, steps.op_add(root + "phase", "Terminating")])


def _request(annotation: str, value: str, copy: Object, refreshed: bool) -> steps.Step:
    standing = copy.annotations.get(annotation)
    if refreshed or standing in (value, "hard"):
        return steps.APPLIED
    change = steps.map_changes("annotations", copy.annotations, {annotation: value})
    # Where there are no annotations the whole map is set: then nobody may have been faster.
    guard = steps.op_test("/metadata/uid", copy.meta.uid) if copy.annotations else steps.at_version(copy)
    return steps.Patch([guard, *change])


def _sync(intent: str, operation: Mapping[str, Any], copy: Object, stuck: bool) -> steps.Step:
    status = copy.get("status")
    state = (status or {}).get("operationState")
    if copy.deleting:
        return steps.pending(LEAVING)
    # Argo CD resumes the old operation and drops ours if it finds an unfinished operationState.
    if copy.get("operation") or (operations.is_unfinished(state) and not stuck):
        return steps.pending(BUSY)
    changes = [steps.op_add("/operation", operation)]
    if status is None:
        changes.append(steps.op_add("/status", {}))
    elif state is not None:
        changes.append(steps.op_remove("/status/operationState"))
    changes += steps.map_changes("annotations", copy.annotations, {names.INTENT: intent})
    return steps.Patch([steps.at_version(copy), *changes])


def is_stuck(copy: Object | None) -> bool:
    """Is an unfinished operationState standing without an ``.operation`` (somebody removed it midway)?"""
    if copy is None or copy.get("operation"):
        return False
    return operations.is_unfinished((copy.get("status") or {}).get("operationState"))
