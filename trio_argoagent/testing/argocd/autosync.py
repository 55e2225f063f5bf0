"""Auto-sync: may this comparison start an operation, and which (appcontroller.go:autoSync).

It never looks at health, and it tries one pair of revision and source once: what re-arms it is another
revision or source, selfHeal, or somebody who clears operationState.
"""

from __future__ import annotations

from typing import Any, Final

import attrs

from trio_argoagent.testing.argocd.compare import Comparison
from trio_argoagent.testing.argocd.names import Level, Phase, Value, metadata_of, seconds, status_of
from trio_argoagent.testing.argocd.writes import SetOperation, Wake

RETRY_LIMIT: Final = 5
"""Retries of an automated sync whose spec says nothing."""
_HEAL_FIRST, _HEAL_FACTOR, _HEAL_CAP = 2.0, 3.0, 300.0


@attrs.frozen
class AutoSync:
    """The verdict: an operation to start, conditions to show, a time to ask again."""

    steps: tuple[SetOperation, ...] = ()
    conditions: tuple[dict[str, Any], ...] = ()
    wakes: tuple[Wake, ...] = ()


def auto_sync(app: Value, comparison: Comparison, now: float) -> AutoSync:
    """Decide for one comparison.

    Args:
        app: the controller's copy of the Application.
        comparison: the one just made.
        now: Unix seconds.
    """
    policy = app["spec"].get("syncPolicy") or {}
    automated = policy.get("automated")
    if automated is None or automated.get("enabled") is False or comparison.synced:
        return AutoSync()
    if app.get("operation") is not None or metadata_of(app).get("deletionTimestamp"):
        return AutoSync()
    wrong = [row for row in comparison.resources if row["status"] != "Synced"]
    if not automated.get("prune") and all(row.get("requiresPruning") for row in wrong):
        return AutoSync()
    sync = _sync(app, comparison, automated, policy)
    state = status_of(app).get("operationState") or {}
    attempted = _attempted(app, comparison, state)
    if attempted and state.get("phase") != Phase.SUCCEEDED:
        return AutoSync(conditions=(_failed(comparison, state),))
    if attempted:
        if not automated.get("selfHeal"):
            return AutoSync()
        count = ((state.get("operation") or {}).get("sync") or {}).get("autoHealAttemptsCount", 0)
        wait = heal_delay(count) - (now - seconds(state["finishedAt"])) if state.get("finishedAt") else 0.0
        if wait > 0:
            return AutoSync(wakes=(Wake(wait, Level.LATEST),))
        named = ("group", "kind", "name", "namespace")
        sync["autoHealAttemptsCount"] = count + 1
        sync["resources"] = [{n: row[n] for n in named if n in row} for row in wrong]
    if automated.get("prune") and not automated.get("allowEmpty") and not comparison.wanted:
        message = f"Skipping sync attempt to {comparison.revisions[0]}: auto-sync will wipe out all resources"
        return AutoSync(conditions=({"type": "SyncError", "message": message},))
    retry = policy.get("retry") or {"limit": RETRY_LIMIT}
    return AutoSync(steps=(SetOperation({"initiatedBy": {"automated": True}, "retry": retry, "sync": sync}),))


def heal_delay(attempts: int) -> float:
    """Seconds between the end of a sync and the next self-heal, after so many self-heals in a row."""
    return float(min(_HEAL_FIRST * _HEAL_FACTOR**attempts, _HEAL_CAP))


def _sync(app: Value, comparison: Comparison, automated: Value, policy: Value) -> dict[str, Any]:
    several = bool(app["spec"].get("sources"))
    revisions = list(comparison.revisions)
    sync: dict[str, Any] = {"revisions": revisions} if several else {"revision": revisions[0]}
    if automated.get("prune"):
        sync["prune"] = True
    if policy.get("syncOptions"):
        sync["syncOptions"] = list(policy["syncOptions"])
    return sync


def _attempted(app: Value, comparison: Comparison, state: Value) -> bool:
    """Was a sync of these revisions and this source started before (whatever its end)?"""
    result = state.get("syncResult") or {}
    if not (state.get("operation") or {}).get("sync"):
        return False
    if app["spec"].get("sources"):
        same = result.get("sources") == app["spec"]["sources"]
        return bool(same and tuple(result.get("revisions") or ()) == comparison.revisions)
    same = result.get("source") == app["spec"]["source"]
    return bool(same and result.get("revision") == comparison.revisions[0])


def _failed(comparison: Comparison, state: Value) -> dict[str, Any]:
    message = f"Failed last sync attempt to {comparison.revisions[0]}: {state.get('message', '')}"
    return {"type": "SyncError", "message": message}
