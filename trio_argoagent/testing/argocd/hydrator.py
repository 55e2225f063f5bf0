"""One pass over an Application with a ``sourceHydrator`` (controller/hydrator/hydrator.go).

The real one has queues of its own, and one commit for all Applications of a branch; here each is hydrated for
itself, in passes of the refresh queue. A request is taken off when a hydration begins. One that comes while
another one runs stays, and is served after it. What was hydrated asks for a refresh of its own.
"""

from __future__ import annotations

from typing import Any, Final

from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.argocd.git import Git
from trio_argoagent.testing.argocd.names import (
    HYDRATE,
    HYDRATE_TIMESTAMP,
    REFRESH,
    REFRESH_TIMESTAMP,
    Dialect,
    Level,
    Settings,
    Value,
    annotations_of,
    seconds,
    sources_of,
    stamp,
    status_of,
)
from trio_argoagent.testing.argocd.reconcile import request_done
from trio_argoagent.testing.argocd.writes import Decision, Label, Step, Wake, Write

AGAIN: Final = 120.0
"""Seconds after which a hydration that has failed is tried again."""


def hydrate(app: Value, now: float, git: Git, settings: Settings) -> Decision:
    """What is due of this Application's hydration.

    Args:
        app: the controller's copy of the Application, maybe stale.
        now: Unix seconds.
        git: what it reads the dry source from.
        settings: the controller's.
    """
    wanted = app["spec"].get("sourceHydrator")
    if not wanted:
        return Decision()
    current = (status_of(app).get("sourceHydrator") or {}).get("currentOperation")
    if current and current.get("phase") == "Hydrating":
        left = seconds(current["startedAt"]) + settings.hydration - now
        if left > 0:
            return Decision(wakes=(Wake(left, Level.TREE),))
        return _end(app, current, now, git, settings)
    return _begin(app, wanted, now, settings) if _is_due(app, wanted, current, now) else Decision()


def _is_due(app: Value, wanted: Value, current: Value | None, now: float) -> bool:
    if current is None or HYDRATE in annotations_of(app) or current.get("sourceHydrator") != wanted:
        return True
    return current.get("phase") == "Failed" and now - seconds(current["finishedAt"]) > AGAIN


def _begin(app: Value, wanted: Value, now: float, settings: Settings) -> Decision:
    operation = {"startedAt": stamp(now), "phase": "Hydrating", "sourceHydrator": wanted}
    steps = [_status({"currentOperation": {"finishedAt": None, "message": None} | operation})]
    if HYDRATE in annotations_of(app):
        steps.append(Write(Label.HYDRATOR, request_done(app, HYDRATE, HYDRATE_TIMESTAMP)))
    return Decision(tuple(steps), (Wake(settings.hydration, Level.TREE),))


def _end(app: Value, current: Value, now: float, git: Git, settings: Settings) -> Decision:
    hydrator = current["sourceHydrator"]
    (source,) = sources_of(app["spec"])
    made = {"drySHA": git.resolve(hydrator["drySource"]), "hydratedSHA": git.resolve(source)}
    done = {"finishedAt": stamp(now), "phase": "Hydrated"} | made
    steps: list[Step] = [
        _status({"currentOperation": done, "lastSuccessfulOperation": made | {"sourceHydrator": hydrator}})
    ]
    if not app.get("operation"):
        asked = {REFRESH: "normal"}
        if settings.dialect is Dialect.V36:
            asked[REFRESH_TIMESTAMP] = stamp(now)
        steps.append(Write(Label.HYDRATOR, MergePatch({"metadata": {"annotations": asked}})))
    return Decision(tuple(steps))


def _status(value: dict[str, Any]) -> Write:
    return Write(Label.HYDRATOR, MergePatch({"status": {"sourceHydrator": value}}))
