"""The words that Argo CD's programs write and read on an Application.

Source for all of them: pkg/apis/application/v1alpha1 and common/common.go of argo-cd.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import attrs

REFRESH: Final = "argocd.argoproj.io/refresh"
REFRESH_TIMESTAMP: Final = "argocd.argoproj.io/refresh-timestamp"
HYDRATE: Final = "argocd.argoproj.io/hydrate"
HYDRATE_TIMESTAMP: Final = "argocd.argoproj.io/hydrate-timestamp"
SKIP_RECONCILE: Final = "argocd.argoproj.io/skip-reconcile"
DELETION_APPROVED: Final = "argocd.argoproj.io/deletion-approved"

FAMILY: Final = "resources-finalizer.argocd.argoproj.io"
FAMILY_FOREGROUND: Final = FAMILY + "/foreground"
FAMILY_BACKGROUND: Final = FAMILY + "/background"
FAMILIES: Final = (FAMILY, FAMILY_FOREGROUND, FAMILY_BACKGROUND)
PRE_DELETE: Final = "pre-delete-finalizer.argocd.argoproj.io"
POST_DELETE: Final = "post-delete-finalizer.argocd.argoproj.io"
CLEANUP: Final = "/cleanup"
HOOKS: Final = (PRE_DELETE, POST_DELETE, PRE_DELETE + CLEANUP, POST_DELETE + CLEANUP)

IN_CLUSTER: Final = "https://kubernetes.default.svc"
PERMISSIVE: Final[Mapping[str, Any]] = {
    "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    "destinations": [{"namespace": "*", "server": "*"}],
    "sourceRepos": ["*"],
}
"""The spec of the AppProject ``default`` as Argo CD creates it."""

Value = Mapping[str, Any]
"""A whole object, or a part of one, as plain JSON that is not to be changed."""


class Dialect(enum.StrEnum):
    """Which Argo CD is simulated: W2 and W3 of the two differ, and so do restarts."""

    V35 = "3.5"
    V36 = "3.6"


class Phase(enum.StrEnum):
    """``status.operationState.phase``."""

    RUNNING = "Running"
    TERMINATING = "Terminating"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    ERROR = "Error"


UNFINISHED: Final = (Phase.RUNNING, Phase.TERMINATING)


class Level(enum.IntEnum):
    """How much a refresh compares: the tree only, the recent revision, the latest, that resolved anew."""

    TREE = 0
    RECENT = 1
    LATEST = 2
    FORCE = 3


@attrs.frozen
class Settings:
    """The knobs of the simulated application-controller. All durations are seconds.

    Attributes:
        dialect: whose behaviour.
        resync: age at which a status expires, and how often every object is looked at again.
        resync_jitter: up to this much is added for each object.
        operation: how long one attempt of a sync takes.
        progressing: how long a workload takes from being applied to being healthy.
        hydration: how long manifests take to be rendered and pushed, of an Application with a hydrator.
        pruning: how long a cascade's resources take to be gone.
        think: how long a pass takes between reading its copy and writing: makes its copy stale.
        poll: how often a running operation is looked at when nothing happens.
        persist_health: does ``status.resources`` carry each resource's health (Argo CD before 3.0)?
        refreshers: passes over status at once.
        operators: passes over operations and deletions at once.
        namespaces: further ones whose Applications are looked after, as globs (``--application-namespaces``).
    """

    dialect: Dialect = Dialect.V36
    resync: float = 120.0
    resync_jitter: float = 60.0
    operation: float = 2.0
    progressing: float = 3.0
    pruning: float = 1.0
    hydration: float = 2.0
    think: float = 0.0
    poll: float = 30.0
    persist_health: bool = False
    refreshers: int = 20
    operators: int = 10
    namespaces: tuple[str, ...] = ()


def stamp(now: float) -> str:
    """A moment (Unix seconds) as Kubernetes writes it: RFC 3339, whole seconds, UTC."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: str) -> float:
    """The Unix seconds of an RFC 3339 timestamp."""
    return datetime.fromisoformat(text).timestamp()


def metadata_of(app: Value) -> Value:
    """``metadata``, never None."""
    return app.get("metadata") or {}


def annotations_of(app: Value) -> Mapping[str, str]:
    """``metadata.annotations``, never None."""
    return metadata_of(app).get("annotations") or {}


def finalizers_of(app: Value) -> tuple[str, ...]:
    """``metadata.finalizers``, never None."""
    return tuple(metadata_of(app).get("finalizers") or ())


def status_of(app: Value) -> Value:
    """``status``, never None."""
    return app.get("status") or {}


def sources_of(spec: Value) -> tuple[Value, ...]:
    """The sources: all of ``sources``, else the one ``source``; of a hydrated application its sync source."""
    if spec.get("sources"):
        return tuple(spec["sources"])
    hydrator = spec.get("sourceHydrator")
    if hydrator:
        where = hydrator["syncSource"]
        source = {"repoURL": hydrator["drySource"]["repoURL"], "path": where["path"]}
        return (source | {"targetRevision": where["targetBranch"]},)
    return (spec["source"],) if spec.get("source") else ()


def unfinished(state: Value | None) -> bool:
    """Is this an operationState that some run still has to end?"""
    return state is not None and state.get("phase") in UNFINISHED


def skipped(app: Value) -> bool:
    """Is the whole object none of the controller's business?"""
    return annotations_of(app).get(SKIP_RECONCILE) == "true"
