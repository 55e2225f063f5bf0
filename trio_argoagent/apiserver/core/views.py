"""One stored object, seen through more than one resource.

All versions of a definition share one storage, and so do the Events of the core group and those of
``events.k8s.io``. A view names the API version and, at the top level, may call fields otherwise; nothing else
differs. Source: k8s.io/kubernetes pkg/apis/events/v1/conversion.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trio_argoagent.apiserver.core.kinds import ResourceType
from trio_argoagent.apiserver.core.values import Stored


def shown(kind: ResourceType, stored: Stored) -> Stored:
    """An object as a client of that resource sees it."""
    version = kind.resource.api_version
    if stored.value.get("apiVersion") == version:
        return stored
    names = {there: here for here, there in kind.renamed.items()}
    value = {names.get(field, field): item for field, item in stored.value.items()}
    return Stored({**value, "apiVersion": version}, stored.rv)


def kept(kind: ResourceType, value: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is stored of an object that a client of that resource has written, or that is stored already."""
    version = kind.storage.api_version
    if kind.storage == kind.resource or value.get("apiVersion") == version:
        return value
    renamed = {kind.renamed.get(field, field): item for field, item in value.items()}
    return {**renamed, "apiVersion": version}
