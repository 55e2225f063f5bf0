"""Sample Applications and AppProjects, on the public example repository of Argo CD.

Plain JSON values, fresh each time: change them as you like and create them where you like.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.testing.argocd.git import EXAMPLES
from trio_argoagent.testing.argocd.names import FAMILY, IN_CLUSTER, PERMISSIVE

PATHS: Final = (
    "guestbook",
    "helm-guestbook",
    "kustomize-guestbook",
    "sync-waves",
    "blue-green",
    "sock-shop",
    "helm-dependency",
    "apps",
    "plugins/kasane",
    "pre-post-sync",
    "jsonnet-guestbook",
    "helm-hooks",
)
"""The directories of the example repository that an Application can point at."""


def application(
    name: str,
    path: str = "guestbook",
    *,
    namespace: str = "argocd",
    cascade: bool = True,
    metadata: Mapping[str, Any] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """An Application of one directory, synced by hand.

    Args:
        name: of the Application, and of the namespace it deploys to.
        path: the directory of the example repository.
        namespace: where the object lives.
        cascade: does it carry the resources-finalizer?
        metadata: more metadata: labels, annotations.
        spec: fields of ``spec`` that replace the sample's; None leaves one out. A ``sourceHydrator`` stands
            instead of its source.
    """
    meta: dict[str, Any] = {"name": name, "namespace": namespace, **(metadata or {})}
    if cascade:
        meta["finalizers"] = [FAMILY]
    sample = {
        "destination": {"namespace": name, "server": IN_CLUSTER},
        "project": "default",
        "source": {"path": path, "repoURL": EXAMPLES, "targetRevision": "HEAD"},
    }
    if "sourceHydrator" in spec:
        del sample["source"]
    head = {"apiVersion": APPLICATIONS.api_version, "kind": APPLICATIONS.kind}
    fields = {field: value for field, value in (sample | spec).items() if value is not None}
    return head | {"metadata": meta, "spec": fields}


def automated(*, prune: bool = True, self_heal: bool = True, **policy: Any) -> dict[str, Any]:
    """A ``syncPolicy`` with auto-sync: ``application("web", syncPolicy=automated())``."""
    return {"automated": {"prune": prune, "selfHeal": self_heal}, **policy}


def samples(namespace: str = "argocd", prefix: str = "") -> list[dict[str, Any]]:
    """One Application for each path, and the variants that copying has to get right.

    Among them: auto-sync, Helm values, Kustomize images, several sources, a chart, a destination by name,
    specs that Argo CD rewrites, unusual sync options.
    """
    found = [application(f"{prefix}{p.replace('/', '-')}", p, namespace=namespace) for p in PATHS]
    for name, path, spec in _variants():
        found.append(application(f"{prefix}{name}", path, namespace=namespace, **spec))
    return found


def _variants() -> Sequence[tuple[str, str, dict[str, Any]]]:
    helm = {"releaseName": "shop", "parameters": [{"name": "replicaCount", "value": "2"}],
            "valuesObject": {"service": {"type": "ClusterIP"}}}  # fmt: skip
    images = {"images": ["gcr.io/google-samples/gb-frontend:v5"], "commonLabels": {"team": "web"}}
    chart = {"repoURL": "https://argoproj.github.io/argo-helm", "chart": "argo-workflows",
             "targetRevision": "0.45.27"}  # fmt: skip
    values = {"repoURL": EXAMPLES, "targetRevision": "HEAD", "path": "guestbook"}
    return (
        ("auto", "guestbook", {"syncPolicy": automated()}),
        ("auto-careful", "guestbook", {"syncPolicy": automated(prune=False, self_heal=False)}),
        ("auto-retry", "sync-waves", {"syncPolicy": automated(
            retry={"limit": 2, "backoff": {"duration": "5s", "factor": 2, "maxDuration": "1m"}},
            syncOptions=["CreateNamespace=true", "ServerSideApply=true"])}),
        ("helm-values", "helm-guestbook", {"source": _source("helm-guestbook", helm=helm)}),
        ("kustomize-images", "kustomize-guestbook",
         {"source": _source("kustomize-guestbook", kustomize=images)}),
        ("chart", "", {"source": chart, "revisionHistoryLimit": 3}),
        ("several-sources", "", {"source": None, "sources": [chart, values]}),
        ("by-name", "guestbook", {"destination": {"name": "in-cluster", "namespace": "by-name"}}),
        ("rewritten", "guestbook", {"project": "", "syncPolicy": {},
                                    "source": _source("guestbook", helm={}, directory={"recurse": False})}),
        ("ignoring", "guestbook", {"ignoreDifferences": [
            {"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}]}),
    )  # fmt: skip


def _source(path: str, **more: Any) -> dict[str, Any]:
    return {"path": path, "repoURL": EXAMPLES, "targetRevision": "HEAD", **more}


def hydrator(path: str = "guestbook") -> dict[str, Any]:
    """A ``sourceHydrator`` of one directory of the example repository."""
    return {
        "drySource": {"path": path, "repoURL": EXAMPLES, "targetRevision": "HEAD"},
        "syncSource": {"path": path, "targetBranch": "environments/dev"},
    }


def app_project(name: str = "default", *, namespace: str = "argocd", **spec: Any) -> dict[str, Any]:
    """An AppProject that permits everything, but for the fields of ``spec`` given."""
    head = {"apiVersion": APP_PROJECTS.api_version, "kind": APP_PROJECTS.kind}
    return head | {"metadata": {"name": name, "namespace": namespace}, "spec": {**PERMISSIVE, **spec}}
