"""One pass over an Application that is being deleted (appcontroller.go:finalizeApplicationDeletion).

Each pass does the next thing and removes one kind of finalizer, always by a patch of the whole list as this
controller's copy has it: whatever another program added or removed meanwhile is undone (W6).
"""

from __future__ import annotations

from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.argocd.names import (
    CLEANUP,
    DELETION_APPROVED,
    FAMILIES,
    FAMILY_BACKGROUND,
    HOOKS,
    POST_DELETE,
    PRE_DELETE,
    Settings,
    Value,
    annotations_of,
    finalizers_of,
    metadata_of,
    seconds,
    skipped,
    stamp,
    status_of,
)
from trio_argoagent.testing.argocd.world import WorldState
from trio_argoagent.testing.argocd.writes import (
    Cascade,
    Decision,
    Label,
    RunHook,
    Wake,
    Write,
    set_conditions,
)


def finalise(app: Value, now: float, world: WorldState, settings: Settings) -> Decision:
    """One pass of the operation queue over a deleting Application without ``.operation``.

    Args:
        app: the controller's copy of the Application, maybe stale.
        now: Unix seconds.
        world: what it sees of the cluster.
        settings: the controller's.
    """
    have = finalizers_of(app)
    ours = [each for each in have if each in FAMILIES or each in HOOKS]
    if skipped(app) or not ours or not metadata_of(app).get("deletionTimestamp"):
        return Decision()
    if world.project is None:
        name = app["spec"].get("project") or "default"
        return deletion_error(app, f'appproject.argoproj.io "{name}" not found', now)
    destination = app["spec"].get("destination") or {}
    if (destination.get("server") or destination.get("name")) not in world.destinations:
        # A cluster that is gone cannot be pruned: Argo CD lets the Application go and orphans the rest.
        return Decision((_without(app, ours),))
    if PRE_DELETE in have:
        return Decision((RunHook(PRE_DELETE), _without(app, [PRE_DELETE])))
    families = [each for each in have if each in FAMILIES]
    if families:
        return _cascade(app, families, now, world, settings)
    for each in (POST_DELETE, PRE_DELETE + CLEANUP, POST_DELETE + CLEANUP):
        if each in have:
            return Decision((RunHook(each), _without(app, [each])))
    return Decision()


def _cascade(app: Value, families: list[str], now: float, world: WorldState, settings: Settings) -> Decision:
    if world.confirm and not _approved(app):
        return Decision()
    if not world.live:
        return Decision((_without(app, families),))
    leaving = [each.gone_at for each in world.live if each.gone_at is not None]
    if len(leaving) == len(world.live):
        return Decision(wakes=(Wake(max(leaving) - now),))
    # Only the first of the family counts, whatever stands behind it.
    first = families[0]
    background = first == FAMILY_BACKGROUND
    return Decision((Cascade(first, background),), (Wake(settings.pruning),))


def _approved(app: Value) -> bool:
    """Was the deletion confirmed after it began, by this cluster's clock (TY:IsDeletionConfirmed)?"""
    approved = annotations_of(app).get(DELETION_APPROVED)
    return approved is not None and seconds(approved) >= seconds(metadata_of(app)["deletionTimestamp"])


def _without(app: Value, removed: list[str]) -> Write:
    kept = [each for each in finalizers_of(app) if each not in removed]
    return Write(Label.FINALIZERS, MergePatch({"metadata": {"finalizers": kept}}))


def deletion_error(app: Value, message: str, now: float) -> Decision:
    """W7: the condition that a failed step leaves; nothing if it says nothing new."""
    before = status_of(app).get("conditions") or []
    new = [{"type": "DeletionError", "message": message}]
    after = set_conditions(before, new, ("DeletionError",), stamp(now))
    if after == before:
        return Decision()
    return Decision((Write(Label.CONDITIONS, MergePatch({"status": {"conditions": after}})),))
