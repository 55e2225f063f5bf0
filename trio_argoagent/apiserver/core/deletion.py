"""Deleting: what a DELETE makes of an object, and when an object is gone.

Source: k8s.io/apiserver pkg/registry/rest/delete.go and pkg/registry/generic/registry/store.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from trio_argoagent.apiserver.core import failures, meta
from trio_argoagent.apiserver.core.kinds import CRDS, ResourceType
from trio_argoagent.apiserver.core.values import Stored
from trio_argoagent.errors import BadRequest
from trio_argoagent.model.resources import NAMESPACES

FOREGROUND: Final = "foregroundDeletion"
ORPHAN: Final = "orphan"
CRD_CLEANUP: Final = "customresourcecleanup.apiextensions.k8s.io"
PROTECTED: Final = ("default", "kube-system", "kube-public")

_BY_POLICY: Final[Mapping[str, str]] = {"": "", "Background": "", "Foreground": FOREGROUND, "Orphan": ORPHAN}


def check(kind: ResourceType, old: Stored, uid: str, resource_version: str) -> None:
    """May it be deleted?

    Raises:
        Conflict: a precondition is given and does not hold.
        Forbidden: it is a namespace that must stay.
    """
    if uid and uid != old.uid:
        raise failures.conflict(
            kind.resource,
            old.name,
            f"the UID in the precondition ({uid}) does not match the UID in record ({old.uid}). "
            "The object might have been deleted and then recreated",
            by_kind=True,
        )
    held = old.metadata["resourceVersion"]
    if resource_version and resource_version != held:
        raise failures.conflict(
            kind.resource,
            old.name,
            f"the ResourceVersion in the precondition ({resource_version}) does not match the "
            f"ResourceVersion in record ({held}). The object might have been modified",
            by_kind=True,
        )
    if kind.resource == NAMESPACES and old.name in PROTECTED:
        raise failures.forbidden(kind.resource, old.name, "this namespace may not be deleted")


def mark(kind: ResourceType, old: Stored, propagation: str, now: float) -> Mapping[str, Any] | None:
    """What a DELETE makes of an object.

    Returns:
        None: it goes at once. The very value of ``old``: nothing changes. Else its new value.

    Raises:
        BadRequest: there is no such propagation policy.
    """
    finalizers = _finalizers(kind, old, propagation)
    value = {**old.value, "metadata": _with_finalizers(old.metadata, finalizers)}
    if is_finished(kind, value, deleting=True):
        return None
    if old.deleting:
        return old.value if list(finalizers) == list(old.finalizers) else value
    metadata = value["metadata"]
    metadata["deletionTimestamp"] = meta.timestamp(now)
    if kind.resource == NAMESPACES:
        value["status"] = {**old.value.get("status", {}), "phase": "Terminating"}
    else:
        metadata["deletionGracePeriodSeconds"] = 0
    if metadata.get("generation"):
        metadata["generation"] += 1
    return value


def _finalizers(kind: ResourceType, old: Stored, propagation: str) -> Sequence[str]:
    if propagation not in _BY_POLICY:
        raise BadRequest(f"invalid propagationPolicy: {propagation!r}")
    finalizers = list(old.finalizers)
    if propagation:
        finalizers = [item for item in finalizers if item not in (FOREGROUND, ORPHAN)]
    wanted = [_BY_POLICY[propagation], CRD_CLEANUP if kind.resource == CRDS and not old.deleting else ""]
    return finalizers + [item for item in wanted if item and item not in finalizers]


def _with_finalizers(metadata: Mapping[str, Any], finalizers: Sequence[str]) -> dict[str, Any]:
    rest = {key: item for key, item in metadata.items() if key != "finalizers"}
    return {**rest, "finalizers": list(finalizers)} if finalizers else rest


def is_finished(kind: ResourceType, value: Mapping[str, Any], *, deleting: bool = False) -> bool:
    """Is a deleting object gone, because nobody has to do anything for it any more?

    Args:
        kind: what it is.
        value: the object.
        deleting: take it for deleting, even if it does not say so yet.
    """
    metadata = value["metadata"]
    if not deleting and "deletionTimestamp" not in metadata:
        return False
    waits = kind.resource == NAMESPACES and (value.get("spec") or {}).get("finalizers")
    return not metadata.get("finalizers") and not waits
