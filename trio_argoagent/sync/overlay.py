"""A spoke's status on an object that the hub owns (or on a mirror): what to write next.

On such an object no annotation tells what it holds: ApplicationSet controllers overwrite annotations and
requeue on any change. What it holds is remembered in memory (``Memo``), and after a start follows from the
digest of the stored status itself.

Every write carries the resourceVersion it was computed from, else a sync that a user sets meanwhile is lost.
What the hub's users ask for stays visible until the spoke has answered it: an unanswered ``.operation``, the
operationState that Argo CD's server removed for it, ``phase: Terminating``, and our own rejections.
What is refused stands beside the status as our condition, which counts for nothing here (``conditions``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from trio_argoagent.model.keys import Kind, Verb
from trio_argoagent.model.objects import Object, canonical
from trio_argoagent.model.records import DRIFT, Holding, Record
from trio_argoagent.sync import conditions, digest, intents, names, operations, projection, steps
from trio_argoagent.sync.mapping import NamespaceMapping
from trio_argoagent.sync.operations import Origin


@attrs.frozen
class Memo:
    """What was written last on one object: D, the digest of the status sent and of the status then stored.

    ``intent``: the one that the spoke had started by then. ``version``: of the object, with its uid.
    """

    digest: str
    sent: str
    stored: str
    exact: bool
    """False: something the hub's users asked for stands where the spoke's status says otherwise."""
    intent: str = ""
    version: tuple[str, str] = ("", "")

    def is_of(self, obj: Object) -> bool:
        """Is it of this very version of the object?"""
        return self.version == _version(obj)

    def stored_by(self, obj: Object) -> str:
        """The digest of the status on this object; of the version that was remembered nothing is decoded."""
        return self.stored if self.is_of(obj) else digest.stored(_shown(obj))


@attrs.frozen
class Merged:
    """The status and operation that an object shall have, and which status it has.

    ``clears`` are the annotations of requests that were worked off. ``encoded`` is the one status as JSON,
    ``sent`` its digest, ``stored`` that of the other: statuses are large, so each is digested once.
    """

    live: Object
    status: dict[str, Any]
    operation: dict[str, Any] | None
    clears: tuple[str, ...]
    exact: bool
    intent: str
    encoded: bytes
    sent: str
    shown: dict[str, Any]
    stored: str


def owner_uid(mapping: NamespaceMapping, obj: Object) -> str:
    """The uid that a status on this hub object belongs to: the hub's own, or the mirrored spoke object's."""
    return obj.annotations.get(names.SOURCE_UID, "") if mapping.autonomous else obj.meta.uid


def holding(mapping: NamespaceMapping, obj: Object | None, memo: Memo | None) -> Holding | None:
    """Which status a hub object holds."""
    if obj is None or not (uid := owner_uid(mapping, obj)):
        return None
    if memo is not None and memo.stored == memo.stored_by(obj):
        if memo.intent and operations.is_intent(obj.get("operation"), memo.intent):
            # Answered, and then put back by somebody who overwrote our answer: it is answered once more.
            return Holding(uid, DRIFT)
        return Holding(uid, memo.digest if memo.exact or _stands(obj, _shown(obj)) else DRIFT)
    shown = projection.status_of(obj)
    if not conditions.without(shown):
        return None
    told = mapping.status_down(shown)
    held = digest.wanted(Kind.STATUS, uid, told)
    # Children that still carry the spoke's names would look the same from here.
    return Holding(uid, held if mapping.status_up(told) == shown else DRIFT)


def _version(obj: Object) -> tuple[str, str]:
    return obj.meta.uid, obj.meta.resource_version


def _shown(obj: Object) -> dict[str, Any]:
    return conditions.without(obj.get("status") or {})


def _stands(obj: Object, status: Mapping[str, Any]) -> bool:
    """Does something stand that a user asked for and the spoke has not answered?"""
    state = status.get("operationState")
    asked = operations.classify(obj.get("operation")).origin in (Origin.REQUEST, Origin.INTENT)
    return asked or operations.is_rejection(state) or bool(state and state.get("phase") == "Terminating")


def merge(
    mapping: NamespaceMapping,
    body: Mapping[str, Any],
    live: Object,
    memo: Memo | None = None,
    *,
    worked_off: Callable[[Verb], bool],
) -> Merged:
    """What the hub object shall show of this status body.

    Args:
        mapping: between the hub and this agent.
        body: a status body (see ``projection``).
        live: the object as it stands.
        memo: what was written last.
        worked_off: had the spoke written this one of ``intents.REQUESTS``, which stands on the hub, by then?
    """
    status: dict[str, Any] = mapping.status_up(conditions.without(body["status"]))
    shown: dict[str, Any] = live.get("status") or {}
    bare = conditions.without(shown)
    stored = memo.stored_by(live) if memo is not None else digest.stored(bare)
    standing: dict[str, Any] | None = live.get("operation")
    entry = operations.classify(standing)
    waits = entry.origin is Origin.REQUEST or (entry.origin is Origin.INTENT and entry.id != body["intent"])
    exact = _keep_answers(status, bare, waits, body["intent"])
    operation = standing if waits else operations.mirrored(body["operation"])
    stands = (each for each in intents.REQUESTS.items() if each[1][0] in live.annotations)
    clears = tuple(name for verb, both in stands if not body.get(verb) and worked_off(verb) for name in both)
    encoded = canonical(status)
    sent = digest.of_bytes(encoded)
    return Merged(live, status, operation, clears, exact, body["intent"], encoded, sent, shown, stored)


def _keep_answers(status: dict[str, Any], shown: Mapping[str, Any], waits: bool, intent: str) -> bool:
    """Keep in ``status``, in place, what the hub's users see until it is answered; True: nothing was kept.

    ``intent`` is the one that the spoke has started last. Whoever answered it here as expired did not know.
    """
    state, on_hub = status.get("operationState"), shown.get("operationState")
    if waits and shown and on_hub is None and state and not operations.is_unfinished(state):
        del status["operationState"]
        return False
    if on_hub is None:
        return True
    started, started_on_hub = (state or {}).get("startedAt", ""), on_hub.get("startedAt", "")
    refuted = bool(intent) and operations.rejected_intent(on_hub) == intent
    if operations.is_rejection(on_hub) and started <= started_on_hub and not refuted:
        status["operationState"] = dict(on_hub)
        return False
    aimed = on_hub.get("phase") == "Terminating" and started == started_on_hub
    if aimed and state and state.get("phase") == "Running":
        status["operationState"] = state | {"phase": "Terminating"}
        return False
    return True


def plan(merged: Merged, memo: Memo | None, message: str | None = None, at: str = "") -> steps.Step:
    """The next step that brings about what the object shall show.

    Args:
        merged: what it shall show, and what it shows.
        memo: what was written last.
        message: of our condition, and ``at``, the time of a new one: see ``conditions.settle``.
        at: RFC 3339.
    """
    live, shown = merged.live, merged.shown
    written = memo is not None and (memo.sent, memo.stored) == (merged.sent, merged.stored)
    settled = conditions.settle(shown if written else merged.status, shown, message, at)
    changes = steps.member_changes("status", shown, settled)
    standing = live.get("operation")
    if merged.operation != standing:
        changes.append(
            steps.op_remove("/operation")
            if merged.operation is None
            else steps.op_add("/operation", merged.operation)
        )
    gone: dict[str, str | None] = dict.fromkeys(merged.clears)
    if gone:
        changes += steps.map_changes("annotations", live.annotations, gone)
    return steps.Patch([steps.at_version(live), *changes], sends=True) if changes else steps.APPLIED


def memo_of(record: Record, merged: Merged, live: Object) -> Memo:
    """What to remember of an object for which this was merged, or which a write has made of that object."""
    if live is merged.live:
        stored = merged.stored
    elif bytes(live.fields.get("status", b"")) == merged.encoded:
        stored = merged.sent  # What came back as it was sent need not be read.
    else:
        stored = digest.stored(_shown(live))
    return Memo(record.digest, merged.sent, stored, merged.exact, merged.intent, _version(live))
