"""One reconcile of one ApplicationSet: what it writes, in order, given what it sees.

What it owns on an Application it makes equal to what it generates, by a merge patch without resourceVersion:
spec, labels, annotations and finalizers, and an ``.operation`` where RollingSync asks for a sync. So what
anybody else writes there is undone, and each such change makes it look again: two writers that disagree
chase each other as fast as the API server lets them.

======================================================================  ====================================
behaviour                                                               where Argo CD has it
======================================================================  ====================================
POST, or merge patch of diff(normalised live, generated); status never  createOrUpdateInCluster,
                                                                        utils/createOrUpdate.go
annotations kept: notified, refresh, hydrate (their timestamps are      the same (defaultPreserved...)
not), ``preservedFields``; finalizers kept: pre- and post-delete
``ignoreApplicationDifferences`` (JSON pointers) are left as they are   applyIgnoreDifferences
an Application of a missing project or cluster is not written, and      validateGeneratedApplications
looked at again in three minutes; it still counts as generated
requeue on any change of spec, annotations, labels, finalizers, on a    shouldRequeueForApplication
delete, on no create; with RollingSync on health, sync, phase,
startedAt
no longer generated: DELETE; to an unknown cluster: first the plain     deleteInCluster,
family is patched away                                                  removeFinalizerOnInvalidDestination
set deleting and policy without delete: PUT without owner first         removeOwnerReferencesOnDeleteAppSet
RollingSync: ``automated.enabled`` false; ``.operation`` patched over   SyncDesiredApplications,
whatever stands, operationState kept                                    syncApplication
======================================================================  ====================================
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import Resource
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.argocd import ownership, rollingsync
from trio_argoagent.testing.argocd.generators import KnownCluster, generate
from trio_argoagent.testing.argocd.names import (
    FAMILY,
    HYDRATE,
    HYDRATE_TIMESTAMP,
    REFRESH,
    REFRESH_TIMESTAMP,
    Value,
    metadata_of,
    stamp,
)
from trio_argoagent.testing.argocd.rollingsync import Rollout
from trio_argoagent.testing.argocd.writes import typed_status

APPLICATION_SETS: Final = Resource("argoproj.io", "v1alpha1", "applicationsets", ownership.KIND)
INVALID_AGAIN: Final = 180.0
"""Seconds until a set with an Application that may not be written is looked at again."""


class Policy(enum.StrEnum):
    """What the controller may do to Applications that exist already."""

    CREATE_ONLY = "create-only"
    CREATE_UPDATE = "create-update"
    CREATE_DELETE = "create-delete"
    SYNC = "sync"

    @property
    def updates(self) -> bool:
        """May it change them?"""
        return self in (Policy.SYNC, Policy.CREATE_UPDATE)

    @property
    def deletes(self) -> bool:
        """May it delete them?"""
        return self in (Policy.SYNC, Policy.CREATE_DELETE)


@attrs.frozen
class SetSettings:
    """The knobs of the simulated applicationset-controller.

    Attributes:
        policy: for every set.
        override: may a set's own ``syncPolicy.applicationsSync`` replace it?
        progressive: are progressive syncs switched on?
    """

    policy: Policy = Policy.SYNC
    override: bool = False
    progressive: bool = False


@attrs.frozen
class SetView:
    """What a reconcile sees beside the set.

    Attributes:
        apps: the Applications of the set's namespace, by name.
        projects: the names of the AppProjects that exist.
        clusters: that Argo CD knows.
        rollout: where the set's RollingSync stands.
    """

    apps: Mapping[str, Value]
    projects: Sequence[str]
    clusters: Sequence[KnownCluster]
    rollout: Rollout = attrs.field(factory=dict)


@attrs.frozen
class Create:
    """POST of an Application."""

    app: Value


@attrs.frozen
class Change:
    """Merge patch of an Application, without a resourceVersion."""

    name: str
    patch: MergePatch


@attrs.frozen
class Delete:
    """DELETE of an Application, without preconditions."""

    name: str


@attrs.frozen
class Put:
    """PUT of an Application or of the set itself, with the resourceVersion of the copy."""

    value: Value


SetWrite = Create | Change | Delete | Put


@attrs.frozen
class SetPlan:
    """What a reconcile writes, in this order; where the rollout stands then; when to look again."""

    writes: tuple[SetWrite, ...]
    rollout: Rollout
    again: float | None = None


def reconcile(appset: Value, view: SetView, now: float, settings: SetSettings) -> SetPlan:
    """One reconcile.

    Args:
        appset: the ApplicationSet.
        view: what else is seen.
        now: Unix seconds.
        settings: the controller's.
    """
    policy, name = policy_of(appset, settings), appset["metadata"]["name"]
    current = {n: app for n, app in sorted(view.apps.items()) if ownership.controlled_by(app) == name}
    if appset["metadata"].get("deletionTimestamp"):
        return SetPlan(_let_go(appset, current, policy), view.rollout)
    desired = generate(appset, view.clusters)
    generated = [app["metadata"]["name"] for app in desired]
    writes: list[SetWrite] = []
    rollout: Rollout = {}
    steps = rollingsync.steps_of(appset) if settings.progressive else ()
    if steps:
        rollout, refreshes = _roll(appset, steps, current, desired, view, now)
        writes += refreshes
    valid = [app for app in desired if _is_valid(app, view)]
    for app in valid:
        live = view.apps.get(app["metadata"]["name"])
        if live is None:
            writes.append(Create(ownership.owned(app, {}, appset) | {"status": typed_status(None)}))
        elif policy.updates and (patch := ownership.patch(appset, live, app)):
            writes.append(Change(app["metadata"]["name"], MergePatch(patch)))
    if policy.deletes:
        for gone in current:
            if gone not in generated:
                writes += _deleted(current[gone], view.clusters)
    return SetPlan(tuple(writes), rollout, INVALID_AGAIN if len(valid) < len(desired) else None)


def requeues(old: Object | None, new: Object | None, *, progressive: bool) -> bool:
    """Is this change of an Application a reason to look at its set again?"""
    if old is None:
        return False
    if new is None:
        return True
    if (old.labels, old.annotations, old.finalizers) != (new.labels, new.annotations, new.finalizers):
        return True
    if old.get("spec") != new.get("spec"):
        return True
    return progressive and _has_progressed(old.get("status") or {}, new.get("status") or {})


def _has_progressed(was: Value, now: Value) -> bool:
    for part in ("health", "sync"):
        if (was.get(part) or {}).get("status") != (now.get(part) or {}).get("status"):
            return True
    before, after = was.get("operationState") or {}, now.get("operationState") or {}
    # A state that comes or goes is no reason.
    both = bool(before and after)
    return both and any(before.get(name) != after.get(name) for name in ("phase", "startedAt"))


def policy_of(appset: Value, settings: SetSettings) -> Policy:
    """The policy that holds for this set."""
    own = (appset["spec"].get("syncPolicy") or {}).get("applicationsSync")
    return Policy(own) if own and settings.override else settings.policy


def _roll(
    appset: Value,
    steps: Sequence[Value],
    current: Mapping[str, Value],
    desired: Sequence[dict[str, Any]],
    view: SetView,
    now: float,
) -> tuple[Rollout, list[SetWrite]]:
    """Advance the rollout; puts ``.operation`` into the ``desired`` that may go now."""
    prunes = {app["metadata"]["name"]: _take_over(app) for app in desired}
    pairs = [(app, current[n]) for app in desired if (n := app["metadata"]["name"]) in current]
    changed = frozenset(
        app["metadata"]["name"] for app, live in pairs if ownership.spec_patch(appset, live, app)
    )
    step = rollingsync.advance(steps, current, desired, changed, view.rollout, now)
    for app in desired:
        name = app["metadata"]["name"]
        if name in step.sync:
            revisions = step.rollout[name].revisions
            app["operation"] = rollingsync.operation(app, revisions, prune=prunes[name])
    at = stamp(now)
    asked = {REFRESH: "normal", REFRESH_TIMESTAMP: at, HYDRATE: "normal", HYDRATE_TIMESTAMP: at}
    patch = MergePatch({"metadata": {"annotations": asked}})
    return step.rollout, [Change(name, patch) for name in step.refresh]


def _take_over(app: dict[str, Any]) -> bool:
    """Switch the auto-sync of a generated Application off; returns whether it would have pruned."""
    automated = (app["spec"].get("syncPolicy") or {}).get("automated")
    if automated is None:
        return False
    prune = automated.get("enabled") is not False and bool(automated.get("prune"))
    automated["enabled"] = False
    return prune


def _is_valid(app: Value, view: SetView) -> bool:
    return app["spec"]["project"] in view.projects and _is_known(app, view.clusters)


def _is_known(app: Value, clusters: Sequence[KnownCluster]) -> bool:
    destination = app["spec"].get("destination") or {}
    name, server = destination.get("name") or "", destination.get("server") or ""
    if name:
        return any(each.name == name for each in clusters)
    return any(each.server == server for each in clusters)


def _deleted(app: Value, clusters: Sequence[KnownCluster]) -> list[SetWrite]:
    name, finalizers = app["metadata"]["name"], list(metadata_of(app).get("finalizers") or ())
    if FAMILY not in finalizers or _is_known(app, clusters):
        return [Delete(name)]
    # Only the plain one: ``/foreground`` and ``/background`` stay.
    kept = [each for each in finalizers if each != FAMILY]
    return [Change(name, MergePatch({"metadata": {"finalizers": kept or None}})), Delete(name)]


def _let_go(appset: Value, current: Mapping[str, Value], policy: Policy) -> tuple[SetWrite, ...]:
    """The set is deleting: its Applications go with it (Kubernetes sees to that), or lose their owner."""
    writes: list[SetWrite] = []
    if not policy.deletes:
        for app in current.values():
            meta = {n: v for n, v in app["metadata"].items() if n != "ownerReferences"}
            writes.append(Put({**app, "metadata": meta}))
    finalizers = [each for each in appset["metadata"].get("finalizers") or () if each != FAMILY]
    return (*writes, Put({**appset, "metadata": {**appset["metadata"], "finalizers": finalizers}}))
