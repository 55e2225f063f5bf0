"""Progressive syncs (strategy RollingSync): which Applications of a set may be synced now, step by step.

An Application is Waiting when its revision or spec is to change, Pending once its step may go (then the
controller asks for a sync), Progressing once that sync shows, Healthy in the end. All times are compared in
whole seconds, the hub's against those that the Application's controller wrote: clock skew stalls a rollout.
Until the refresh after a sync has shown, its Application is still Pending: the end of the sync is then
followed by another request, in Argo CD itself, too.

Source: applicationset/progressivesync/progressive_sync.go. Not simulated: deletionOrder, the annotations
that only metrics read, and the condition by which an Application in error counts as Progressing.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from trio_argoagent.testing.argocd.names import REFRESH, Value, annotations_of, seconds, stamp, status_of

RETRIES: Final = 5
"""Retries of a requested sync where the spec does not say."""


class Progress(enum.StrEnum):
    """``status.applicationStatus[].status`` of an ApplicationSet."""

    WAITING = "Waiting"
    PENDING = "Pending"
    PROGRESSING = "Progressing"
    HEALTHY = "Healthy"


@attrs.frozen
class Entry:
    """Where one Application stands in the rollout.

    Attributes:
        progress: where.
        since: the hub's time of its last transition, RFC 3339.
        revisions: that are to be rolled out.
        changed: it waits because something changed, not because it is new.
    """

    progress: Progress
    since: str
    revisions: tuple[str, ...] = ()
    changed: bool = False


Rollout = Mapping[str, Entry]
"""By the name of the Application."""


@attrs.frozen
class Advance:
    """One look at a rollout: where all stand now, whom to refresh, and for whom to ask for a sync."""

    rollout: Rollout
    refresh: tuple[str, ...] = ()
    sync: tuple[str, ...] = ()


def steps_of(appset: Value) -> Sequence[Value]:
    """The steps of a set's RollingSync; empty: it has none."""
    strategy = appset["spec"].get("strategy") or {}
    if strategy.get("type") != "RollingSync":
        return ()
    steps: Sequence[Value] = (strategy.get("rollingSync") or {}).get("steps") or ()
    return steps


def advance(
    steps: Sequence[Value],
    current: Mapping[str, Value],
    desired: Sequence[Value],
    changed: frozenset[str],
    rollout: Rollout,
    now: float,
) -> Advance:
    """What is next.

    Args:
        steps: of the set, at least one.
        current: the set's Applications as they are, by name.
        desired: as they are generated.
        changed: the names of those whose spec is not yet the generated one.
        rollout: where they stood.
        now: Unix seconds.
    """
    at = stamp(now)
    judged = {name: _judge(app, rollout.get(name), name in changed, at) for name, app in current.items()}
    since = _latest_change(rollout) or _latest_change(judged)
    if since is not None:
        behind = [name for name, app in current.items() if _is_behind(app, since)]
        if behind:
            return Advance(judged, tuple(n for n in behind if REFRESH not in annotations_of(current[n])))
    step_of = _steps_by_name(steps, desired)
    allowed = _allowed(len(steps), step_of, judged)
    promoted = _promote(steps, step_of, allowed, judged, at)
    pending = (name for name, entry in promoted.items() if entry.progress is Progress.PENDING)
    return Advance(promoted, sync=tuple(name for name in pending if name in allowed))


def operation(app: Value, revisions: Sequence[str], *, prune: bool) -> dict[str, Any]:
    """The sync that a Pending Application is asked for (syncApplication), pinned to those revisions."""
    policy = app["spec"].get("syncPolicy") or {}
    sync: dict[str, Any] = {"prune": True} if prune else {}
    if app["spec"].get("sources"):
        sync |= {"revisions": list(revisions)} if revisions else {}
    elif revisions:
        sync["revision"] = revisions[0]
    if policy.get("syncOptions"):
        sync["syncOptions"] = policy["syncOptions"]
    text = "ApplicationSet RollingSync triggered a sync of this Application resource"
    return {
        "initiatedBy": {"username": "applicationset-controller", "automated": True},
        "info": [{"name": "Reason", "value": text}],
        "sync": sync,
        "retry": policy.get("retry") or {"limit": RETRIES},
    }


def _judge(app: Value, before: Entry | None, changed: bool, at: str) -> Entry:
    """Where it stands now (UpdateApplicationSetApplicationStatus)."""
    status = status_of(app)
    revisions = _revisions(status)
    synced = (status.get("sync") or {}).get("status") == "Synced"
    healthy = (status.get("health") or {}).get("status") == "Healthy"
    entry = before or Entry(Progress.WAITING, at, revisions)
    if changed or entry.revisions != revisions:
        entry = Entry(Progress.WAITING, at, revisions, changed=True)
    if entry.progress is Progress.WAITING:
        if not synced:
            return entry
        return attrs.evolve(entry, progress=Progress.HEALTHY if healthy else Progress.PROGRESSING, since=at)
    if entry.progress is Progress.PENDING and _has_begun(status, entry.since):
        return attrs.evolve(entry, progress=Progress.PROGRESSING, since=at)
    if entry.progress is Progress.PROGRESSING and synced and healthy:
        return attrs.evolve(entry, progress=Progress.HEALTHY, since=at)
    return entry


def _has_begun(status: Value, since: str) -> bool:
    """Has it been compared since, and has a sync begun since? The same second does not count."""
    reconciled, started = status.get("reconciledAt"), (status.get("operationState") or {}).get("startedAt")
    if reconciled is not None and seconds(reconciled) <= seconds(since):
        return False
    return started is not None and seconds(started) > seconds(since)


def _revisions(status: Value) -> tuple[str, ...]:
    sync = status.get("sync") or {}
    if sync.get("revisions"):
        return tuple(sync["revisions"])
    return (sync["revision"],) if sync.get("revision") else ()


def _latest_change(rollout: Rollout) -> str | None:
    waiting = (each for each in rollout.values() if each.progress is Progress.WAITING and each.changed)
    return max((each.since for each in waiting), key=seconds, default=None)


def _is_behind(app: Value, since: str) -> bool:
    reconciled = status_of(app).get("reconciledAt")
    return reconciled is None or seconds(reconciled) < seconds(since)


def _steps_by_name(steps: Sequence[Value], desired: Sequence[Value]) -> dict[str, int]:
    """The first step that selects each Application."""
    found: dict[str, int] = {}
    for app in desired:
        labels = app["metadata"].get("labels") or {}
        for number, step in enumerate(steps):
            if all(_matches(labels, each) for each in step.get("matchExpressions") or ()):
                found.setdefault(app["metadata"]["name"], number)
    return found


def _matches(labels: Mapping[str, str], expression: Value) -> bool:
    listed = labels.get(expression["key"]) in (expression.get("values") or ())
    return listed if expression["operator"] == "In" else not listed


def _allowed(steps: int, step_of: Mapping[str, int], rollout: Rollout) -> frozenset[str]:
    """The Applications of all steps up to the first that is not yet Healthy."""
    allowed: list[str] = []
    for number in range(steps):
        here = [name for name, step in step_of.items() if step == number]
        allowed += here
        if any(name not in rollout or rollout[name].progress is not Progress.HEALTHY for name in here):
            break
    return frozenset(allowed)


def _promote(
    steps: Sequence[Value], step_of: Mapping[str, int], allowed: frozenset[str], rollout: Rollout, at: str
) -> Rollout:
    """Waiting Applications that may go become Pending, at most ``maxUpdate`` of a step at once."""
    moving = (Progress.PENDING, Progress.PROGRESSING)
    # What no step selects counts into the first, and is never allowed.
    numbers = {name: step_of.get(name, 0) for name in rollout}
    busy = [0] * len(steps)
    for name, entry in rollout.items():
        busy[numbers[name]] += entry.progress in moving
    result = dict(rollout)
    for name, entry in rollout.items():
        number = numbers[name]
        total = sum(each == number for each in numbers.values())
        room = busy[number] < _limit(steps[number].get("maxUpdate"), total)
        if entry.progress is Progress.WAITING and name in allowed and room:
            result[name] = attrs.evolve(entry, progress=Progress.PENDING, since=at)
            busy[number] += 1
    return result


def _limit(most: Any, total: int) -> int:
    if most is None:
        return total
    if isinstance(most, int):
        return most
    share = int(str(most).removesuffix("%"))
    return max(total * share // 100, 1 if share else 0)
