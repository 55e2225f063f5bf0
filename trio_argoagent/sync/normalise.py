"""Argo CD's own normalisation of an Application's spec.

The application-controller, the argocd-server and the applicationset-controller all bring a spec into this
form (``NormalizeApplicationSpec`` in Argo CD's util/argo/argo.go). A copy that is sent in another form is
rewritten by the spoke's controller, and would be reverted and rewritten once more: sending the normal form
saves that round. It is idempotent, and never needed for correctness.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

DEFAULT_PROJECT: Final = "default"

# What makes each block count as used. A flag that is not named here (forceCommonLabels, labelWithoutSelector)
# does not: a block with nothing else in it goes.
_POLICY: Final = ("retry", "managedNamespaceMetadata", "automated")
_HELM: Final = (
    "version", "releaseName", "valueFiles", "parameters", "fileParameters", "values", "passCredentials",
    "ignoreMissingValueFiles", "skipCrds", "skipTests", "skipSchemaValidation", "namespace", "kubeVersion",
    "apiVersions",
)  # fmt: skip
_KUSTOMIZE: Final = (
    "namePrefix", "nameSuffix", "version", "namespace", "images", "replicas", "commonLabels",
    "commonAnnotations", "patches", "components", "kubeVersion", "apiVersions", "ignoreMissingComponents",
)  # fmt: skip
_JSONNET: Final = ("extVars", "tlas", "libs")
_DIRECTORY: Final = ("recurse", "disableExtensionFilter")


def normalise_application_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The spec as Argo CD's programs would store it.

    An empty project becomes ``default``; a syncPolicy that says nothing, and source blocks that say nothing,
    go. Hydrator, plugin and destination stay as they are.

    Args:
        spec: an Application's ``spec``; it is not changed, and the result may share parts with it.
    """
    result = dict(spec)
    if not result.get("project"):
        result["project"] = DEFAULT_PROJECT
    if "syncPolicy" in result and not _policy_counts(result["syncPolicy"] or {}):
        del result["syncPolicy"]
    # Where there are several sources, Argo CD does not look at the single one.
    if result.get("sources"):
        result["sources"] = [_source(source) for source in result["sources"]]
    elif result.get("source"):
        result["source"] = _source(result["source"])
    return result


def _policy_counts(policy: Mapping[str, Any]) -> bool:
    # ``automated: {}`` switches auto-sync on, so presence counts and emptiness does not.
    return bool(policy.get("syncOptions")) or any(policy.get(name) is not None for name in _POLICY)


def _source(source: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(source)
    helm, kustomize, directory = (result.get(name) for name in ("helm", "kustomize", "directory"))
    if "helm" in result and not (_any(helm, _HELM) or _given(helm, "valuesObject")):
        del result["helm"]
    if "kustomize" in result and not _any(kustomize, _KUSTOMIZE):
        del result["kustomize"]
    if "directory" in result:
        kept = _directory(directory or {})
        if kept:
            result["directory"] = kept
        else:
            del result["directory"]
    return result


def _directory(directory: Mapping[str, Any]) -> dict[str, Any]:
    if _any(directory, _DIRECTORY) or _any(directory.get("jsonnet"), _JSONNET):
        return dict(directory)
    return {name: directory[name] for name in ("exclude", "include") if directory.get(name)}


def _any(block: Mapping[str, Any] | None, names: Sequence[str]) -> bool:
    return any((block or {}).get(name) for name in names)


def _given(block: Mapping[str, Any] | None, name: str) -> bool:
    return (block or {}).get(name) is not None
