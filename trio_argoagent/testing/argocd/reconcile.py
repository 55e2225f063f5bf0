"""A refresh of one Application: when it is due, what it compares, what it writes.

Order of one full refresh (controller/appcontroller.go:processAppRefreshQueueItem): spec (W5), auto-sync
(W9), finalizers (W6), status (W1), and in 3.6 the end of the refresh request, a write of its own (W2). All
patches are computed from the copy that the pass began with, however old that is by now.
"""

from __future__ import annotations

from typing import Any, Final

from trio_argoagent.ports.cluster import JsonPatch, MergePatch
from trio_argoagent.sync.normalise import normalise_application_spec
from trio_argoagent.testing.argocd.autosync import auto_sync
from trio_argoagent.testing.argocd.compare import Comparison, compare, spec_errors
from trio_argoagent.testing.argocd.names import (
    CLEANUP,
    POST_DELETE,
    PRE_DELETE,
    REFRESH,
    REFRESH_TIMESTAMP,
    Dialect,
    Level,
    Settings,
    Value,
    annotations_of,
    finalizers_of,
    metadata_of,
    seconds,
    skipped,
    sources_of,
    stamp,
    status_of,
)
from trio_argoagent.testing.argocd.world import WorldState
from trio_argoagent.testing.argocd.writes import (
    COMPARE_CONDITIONS,
    SPEC_CONDITIONS,
    Decision,
    Label,
    Step,
    Wake,
    Write,
    merge_diff,
    set_conditions,
)

_HOOK_FINALIZERS: Final = (("PreDelete", PRE_DELETE), ("PostDelete", POST_DELETE))


def refresh(
    app: Value, now: float, world: WorldState, settings: Settings, requested: Level | None = None
) -> Decision:
    """One pass of the refresh queue.

    Args:
        app: the controller's copy of the Application, maybe stale.
        now: Unix seconds.
        world: what it sees of the cluster.
        settings: the controller's.
        requested: the level that something in memory asked for, if anything did.
    """
    level = None if skipped(app) else needed(app, now, settings, requested)
    if level is None:
        return Decision()
    errors = spec_errors(app, world)
    if errors:
        return Decision(_persist(app, _unknown(app, errors, now), settings))
    if level is Level.TREE:
        return Decision(_persist(app, _summary(app, world), settings))
    return _full(app, now, world, settings, level)


def needed(app: Value, now: float, settings: Settings, requested: Level | None) -> Level | None:
    """The level at which a refresh is due, if one is (appcontroller.go:needRefreshAppStatus; first wins)."""
    spec, status = app["spec"], status_of(app)
    compared = (status.get("sync") or {}).get("comparedTo") or {}
    if REFRESH in annotations_of(app):
        return Level.FORCE
    if sources_of(spec) != sources_of(compared):
        return Level.FORCE
    reconciled = status.get("reconciledAt")
    if reconciled is None or now - seconds(reconciled) > settings.resync:
        return Level.LATEST
    for name in ("destination", "ignoreDifferences"):
        if (spec.get(name) or None) != (compared.get(name) or None):
            return Level.LATEST
    return requested


def _full(app: Value, now: float, world: WorldState, settings: Settings, level: Level) -> Decision:
    comparison = compare(app, world, now, level, settings)
    steps: list[Step] = []
    wakes: list[Wake] = []
    spec = merge_diff(app["spec"], normalise_application_spec(app["spec"]))
    if spec:
        steps.append(Write(Label.SPEC, MergePatch({"spec": spec})))
    conditions, judged = list(comparison.conditions), [*SPEC_CONDITIONS, *COMPARE_CONDITIONS]
    if not world.window_closed:
        automatic = auto_sync(app, comparison, now)
        steps += automatic.steps
        wakes += automatic.wakes
        conditions += automatic.conditions
        judged.append("SyncError")
    listed = _hook_finalizers(app, comparison)
    if listed is not None:
        steps.append(Write(Label.FINALIZERS, MergePatch({"metadata": {"finalizers": listed}})))
    status = _compared(app, comparison, now, level, settings)
    status = _with_conditions(status, app, conditions, judged, now)
    steps += _persist(app, status, settings)
    if comparison.ready_at is not None:
        wakes.append(Wake(comparison.ready_at - now, Level.RECENT))
    return Decision(tuple(steps), tuple(wakes))


def _compared(
    app: Value, comparison: Comparison, now: float, level: Level, settings: Settings
) -> dict[str, Any]:
    spec, status = app["spec"], dict(status_of(app))
    several = bool(spec.get("sources"))
    single = {"repoURL": ""} if several else sources_of(spec)[0]
    target = {"source": single} | ({"sources": spec["sources"]} if several else {})
    target |= {name: spec[name] for name in ("destination", "ignoreDifferences") if spec.get(name)}
    state = "Synced" if comparison.synced else "OutOfSync"
    sync: dict[str, Any] = {"comparedTo": target, "status": state}
    sync |= {"revisions": list(comparison.revisions)} if several else {"revision": comparison.revisions[0]}
    health = dict(status.get("health") or {})
    if health.get("status") != comparison.health:
        health = {"status": comparison.health, "lastTransitionTime": stamp(now)}
    types = list(comparison.source_types)
    status |= {"sourceTypes": types} if several else {"sourceType": types[0]}
    status |= {
        "sync": sync,
        "health": health,
        "resources": sorted(comparison.resources, key=_resource_key),
        "summary": {"images": list(comparison.images)} if comparison.images else {},
        "controllerNamespace": metadata_of(app)["namespace"],
    }
    if not settings.persist_health:
        status["resourceHealthSource"] = "appTree"
    if level >= Level.LATEST:
        status["reconciledAt"] = stamp(now)
    return status


def _resource_key(row: Value) -> str:
    return "/".join((row.get("group", ""), row["kind"], row["namespace"], row["name"]))


def _unknown(app: Value, errors: tuple[Value, ...], now: float) -> dict[str, Any]:
    """The status of an Application that cannot be compared. reconciledAt stays: it heals at a resync only."""
    status = dict(status_of(app))
    status["sync"] = {**(status.get("sync") or {}), "status": "Unknown"}
    health = dict(status.get("health") or {})
    if health.get("status") != "Unknown":
        status["health"] = {"status": "Unknown", "lastTransitionTime": stamp(now)}
    return _with_conditions(status, app, list(errors), SPEC_CONDITIONS, now)


def _summary(app: Value, world: WorldState) -> dict[str, Any]:
    images = sorted({each.manifest.image for each in world.live if each.manifest.image})
    return {**status_of(app), "summary": {"images": images} if images else {}}


def _with_conditions(
    status: dict[str, Any], app: Value, new: list[Any], judged: Any, now: float
) -> dict[str, Any]:
    conditions = set_conditions(status_of(app).get("conditions") or (), new, judged, stamp(now))
    without = {name: value for name, value in status.items() if name != "conditions"}
    return without | ({"conditions": conditions} if conditions else {})


def _persist(app: Value, status: Value, settings: Settings) -> tuple[Step, ...]:
    body: dict[str, Any] = {}
    changed = merge_diff(status_of(app), status)
    if changed:
        body["status"] = changed
    asked = REFRESH in annotations_of(app)
    if asked and settings.dialect is Dialect.V35:
        body["metadata"] = {"annotations": {REFRESH: None}}
    steps: tuple[Step, ...] = (Write(Label.STATUS, MergePatch(body)),) if body else ()
    if asked and settings.dialect is Dialect.V36:
        steps += (Write(Label.REFRESH_DONE, refresh_done(app)),)
    return steps


def refresh_done(app: Value) -> JsonPatch:
    """W2 of 3.6: the request is taken away, but only the one that this pass has seen."""
    return request_done(app, REFRESH, REFRESH_TIMESTAMP)


def request_done(app: Value, annotation: str, moment: str) -> JsonPatch:
    """A request is taken away, but only the one that this copy shows: its moment is tested."""
    path, at = _pointer(annotation), annotations_of(app).get(moment)
    operations: list[Value] = []
    if at is not None:
        timestamp = _pointer(moment)
        operations += [
            {"op": "test", "path": timestamp, "value": at},
            {"op": "remove", "path": timestamp},
        ]
    return JsonPatch((*operations, {"op": "remove", "path": path}))


def _pointer(annotation: str) -> str:
    return "/metadata/annotations/" + annotation.replace("~", "~0").replace("/", "~1")


def _hook_finalizers(app: Value, comparison: Comparison) -> list[str] | None:
    """The whole new list if deletion hooks appeared or went, else None."""
    if metadata_of(app).get("deletionTimestamp"):
        return None
    before = finalizers_of(app)
    after = list(before)
    phases = [hook.hook for hook in comparison.hooks]
    for phase, finalizer in _HOOK_FINALIZERS:
        for each in (finalizer, finalizer + CLEANUP):
            if phase in phases and each not in after:
                after.append(each)
            elif phase not in phases and each in after:
                after.remove(each)
    return after if after != list(before) else None
