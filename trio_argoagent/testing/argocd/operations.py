"""One pass over a pending operation (appcontroller.go:processRequestedAppOperation, setOperationState).

What the object shows is the state machine: no unfinished operationState: pick up; Terminating: end; Running
with finishedAt: wait for the retry; Running: run on. A new ``.operation`` over an unfinished state is
therefore swallowed: the state's own operation runs on, and its end clears the new one.
"""

from __future__ import annotations

import re
from typing import Any, Final

from trio_argoagent.ports.cluster import JsonPatch, MergePatch
from trio_argoagent.testing.argocd.compare import spec_errors, wanted_at
from trio_argoagent.testing.argocd.git import Manifest
from trio_argoagent.testing.argocd.names import (
    Dialect,
    Level,
    Phase,
    Settings,
    Value,
    seconds,
    skipped,
    sources_of,
    stamp,
    status_of,
    unfinished,
)
from trio_argoagent.testing.argocd.world import WorldState
from trio_argoagent.testing.argocd.writes import (
    ApplyManifests,
    BeginAttempt,
    Decision,
    EndAttempt,
    Label,
    Step,
    Wake,
    Write,
)

HISTORY_LIMIT: Final = 10
"""Entries of status.history kept where spec.revisionHistoryLimit is silent."""
_DURATION: Final = re.compile(r"([0-9.]+)(ms|h|m|s)")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_TERMINATED: Final = "Operation terminated"
_BLOCKED: Final = "Sync operation blocked by sync window"
_COMPLETED: Final = (Phase.SUCCEEDED, Phase.FAILED, Phase.ERROR)


def operate(app: Value, now: float, world: WorldState, settings: Settings) -> Decision:
    """One pass of the operation queue over an Application that has ``.operation``.

    Args:
        app: the Application, just read.
        now: Unix seconds.
        world: what it sees of the cluster.
        settings: the controller's.
    """
    if skipped(app) or app.get("operation") is None:
        return Decision()
    state = status_of(app).get("operationState")
    if state is None or not unfinished(state):
        begun = {"operation": app["operation"], "phase": Phase.RUNNING.value, "startedAt": stamp(now)}
        return _begin(app, begun, settings)
    if state["phase"] == Phase.TERMINATING:
        return _end(app, state, Phase.FAILED, _TERMINATED, now, settings)
    if state.get("finishedAt"):
        wait = seconds(state["finishedAt"]) + retry_delay(state) - now
        if wait > 0:
            return Decision(wakes=(Wake(wait),))
        again = {n: v for n, v in state.items() if n not in ("finishedAt", "syncResult")}
        return _begin(app, again, settings)
    return _run(app, state, now, world, settings)


def retry_delay(state: Value) -> float:
    """Seconds from a failed attempt to the next; its retryCount counts that next one already."""
    backoff = ((state["operation"].get("retry") or {}).get("backoff")) or {}
    first, cap = _duration(backoff.get("duration") or "5s"), _duration(backoff.get("maxDuration") or "3m")
    return float(min(first * (backoff.get("factor") or 2) ** state.get("retryCount", 0), cap))


def token_of(state: Value) -> str:
    """What names one attempt of one operation."""
    return f"{state['startedAt']}#{state.get('retryCount', 0)}"


def _begin(app: Value, state: Value, settings: Settings) -> Decision:
    steps = (_write(app, state, settings), BeginAttempt(token_of(state), state["operation"]))
    return Decision(steps, (Wake(min(settings.operation / 2, settings.poll)),))


def _run(app: Value, state: Value, now: float, world: WorldState, settings: Settings) -> Decision:
    if state["operation"].get("sync") is None:
        text = "Invalid operation request: no operation specified"
        return _stop(app, state, Phase.FAILED, text, now, settings)
    errors = spec_errors(app, world)
    if errors:
        return _stop(app, state, Phase.ERROR, "; ".join(e["message"] for e in errors), now, settings)
    if world.window_closed:
        return _progress(app, {**state, "message": _BLOCKED}, settings.poll, settings)
    if world.attempt is None or world.attempt[0] != token_of(state):
        # The controller was stopped in the middle: the sync is started again, as one that applies can be.
        begin = BeginAttempt(token_of(state), state["operation"])
        return Decision((begin,), (Wake(settings.operation / 2),))
    left = world.attempt[1] + settings.operation - now
    result, manifests, pruned = _result(app, state, world)
    # Waits of less than a millisecond are rounding errors of the clock, not time left to work.
    if left > 0.001:
        shown = {**result, "resources": result["resources"][: (len(result["resources"]) + 1) // 2]}
        waiting = _waiting(manifests)
        return _progress(app, {**state, "message": waiting, "syncResult": shown}, left, settings)
    if world.failure:
        failed = {**state, "syncResult": result}
        return _stop(app, failed, Phase.FAILED, world.failure, now, settings)
    return _succeed(app, {**state, "syncResult": result}, manifests, pruned, now, settings)


def _succeed(
    app: Value,
    state: Value,
    manifests: tuple[Manifest, ...],
    pruned: tuple[Manifest, ...],
    now: float,
    settings: Settings,
) -> Decision:
    sync = state["operation"]["sync"]
    if sync.get("dryRun"):
        return _end(app, state, Phase.SUCCEEDED, "successfully synced (dry run)", now, settings)
    before: list[Step] = [ApplyManifests(manifests, pruned)]
    if not sync.get("resources"):
        # The history goes first: its end is what everybody waits for, and by then it has to be there.
        history = {"status": {"history": _history(app, state, now)}}
        before.append(Write(Label.HISTORY, MergePatch(history)))
    end = _end(app, state, Phase.SUCCEEDED, "successfully synced (all tasks run)", now, settings)
    return Decision((*before, *end.steps), end.wakes)


def _stop(app: Value, state: Value, phase: Phase, message: str, now: float, settings: Settings) -> Decision:
    """A failed attempt: another one later if retries are left, else the end."""
    limit = (state["operation"].get("retry") or {}).get("limit", 0)
    count = state.get("retryCount", 0)
    if limit >= 0 and count >= limit:
        text = f"{message} (retried {count} times)." if count else message
        return _end(app, state, phase, text, now, settings)
    again = {**state, "finishedAt": stamp(now), "retryCount": count + 1}
    delay = retry_delay(again)
    at = stamp(seconds(again["finishedAt"]) + delay)[11:16]
    again["message"] = f"{message}. Retrying attempt #{count + 1} at {at}."
    end = EndAttempt(token_of(state), phase.value, state["operation"])
    return Decision((_write(app, again, settings), end), (Wake(delay),))


def _end(app: Value, state: Value, phase: Phase, message: str, now: float, settings: Settings) -> Decision:
    ended = {**state, "phase": phase.value, "message": message, "finishedAt": stamp(now)}
    end = EndAttempt(token_of(state), phase.value, state["operation"])
    operation = state["operation"]
    if (operation.get("sync") or {}).get("dryRun"):
        wakes: tuple[Wake, ...] = ()
    else:
        automated = (operation.get("initiatedBy") or {}).get("automated")
        wakes = (Wake(0.0, Level.LATEST if automated else Level.FORCE),)
    return Decision((_write(app, ended, settings), end), wakes)


def _progress(app: Value, state: Value, wait: float, settings: Settings) -> Decision:
    wakes = (Wake(min(wait, settings.poll)),)
    if state == status_of(app).get("operationState"):
        return Decision(wakes=wakes)
    return Decision((_write(app, state, settings),), wakes)


def _write(app: Value, state: Value, settings: Settings) -> Write:
    """W3. The merge patch of 3.5 leaves what the new state omits; only finishedAt is nulled."""
    completed = state["phase"] in _COMPLETED
    if settings.dialect is Dialect.V36:
        operations: list[Value] = [{"op": "add", "path": "/status/operationState", "value": state}]
        if completed:
            operations.append({"op": "add", "path": "/operation", "value": None})
        return Write(Label.OPERATION_STATE, JsonPatch(tuple(operations)))
    before = status_of(app).get("operationState") or {}
    shown = dict(state)
    if before.get("finishedAt") and not state.get("finishedAt"):
        shown["finishedAt"] = None
    body: dict[str, Any] = {"status": {"operationState": shown}}
    if completed:
        body["operation"] = None
    return Write(Label.OPERATION_STATE, MergePatch(body))


def _result(
    app: Value, state: Value, world: WorldState
) -> tuple[dict[str, Any], tuple[Manifest, ...], tuple[Manifest, ...]]:
    """The syncResult, what is applied and what is pruned, of the operation that the state carries."""
    sync = state["operation"]["sync"]
    several = bool(sync.get("sources") or (app["spec"].get("sources") and not sync.get("source")))
    sources = sources_of(sync) or sources_of(app["spec"])
    asked = list(sync.get("revisions") or [sync.get("revision") or ""])
    asked += [""] * (len(sources) - len(asked))
    aimed = tuple(
        {**source, "targetRevision": revision} if revision else source
        for source, revision in zip(sources, asked, strict=False)
    )
    revisions = tuple(world.git.resolve(source) for source in aimed)
    manifests = wanted_at(app, world, sources, revisions)
    result: dict[str, Any] = {"revision": "" if several else revisions[0]}
    result |= {"source": {"repoURL": ""}} if several else {"source": sources[0]}
    if several:
        result |= {"revisions": list(revisions), "sources": list(sources)}
    if sync.get("resources"):
        chosen = [(r.get("group", ""), r["kind"], r["name"]) for r in sync["resources"]]
        manifests = tuple(m for m in manifests if (m.group, m.kind, m.name) in chosen)
    result["resources"] = [_task(manifest) for manifest in sorted(manifests, key=_phase_order)]
    keys = [manifest.key for manifest in manifests]
    pruned: tuple[Manifest, ...] = ()
    if sync.get("prune") and not sync.get("resources"):
        pruned = tuple(live.manifest for live in world.live if live.manifest.key not in keys)
    applied = tuple(manifest for manifest in manifests if not manifest.hook)
    return result, applied, pruned


def _task(manifest: Manifest) -> dict[str, Any]:
    row = {"kind": manifest.kind, "name": manifest.name, "namespace": manifest.namespace}
    row |= {"group": manifest.group, "version": manifest.version}
    if manifest.hook:
        text = f"Reached expected number of succeeded pods for {manifest.name}"
        return row | {"hookPhase": "Succeeded", "hookType": manifest.hook, "message": text,
                      "syncPhase": manifest.hook}  # fmt: skip
    kind = f"{manifest.kind.lower()}.{manifest.group}" if manifest.group else manifest.kind.lower()
    text = f"{kind}/{manifest.name} configured"
    return row | {"hookPhase": "Running", "message": text, "status": "Synced", "syncPhase": "Sync"}


def _phase_order(manifest: Manifest) -> int:
    return {"PreSync": 0, "PostSync": 2}.get(manifest.hook, 1)


def _waiting(manifests: tuple[Manifest, ...]) -> str:
    if not manifests:
        return "waiting for completion of hooks"
    first = manifests[0]
    return f"waiting for healthy state of {first.group}/{first.kind}/{first.name}".replace(" /", " ")


def _history(app: Value, state: Value, now: float) -> list[Value]:
    history = list(status_of(app).get("history") or ())
    result = state["syncResult"]
    entry = {
        "deployStartedAt": state["startedAt"],
        "deployedAt": stamp(now),
        "id": history[-1]["id"] + 1 if history else 0,
        "initiatedBy": state["operation"].get("initiatedBy") or {},
    }
    entry |= {n: result[n] for n in ("revision", "revisions", "source", "sources") if n in result}
    limit = app["spec"].get("revisionHistoryLimit")
    keep = HISTORY_LIMIT if limit is None else limit
    return [*history, entry][-keep:] if keep else []


def _duration(text: str) -> float:
    """Seconds of a Go duration such as ``1m30s``."""
    return sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(text))
