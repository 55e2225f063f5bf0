"""A server with Argo CD's definitions and one namespace, and small values to put into it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from trio_argoagent.apiserver.core import patches
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.store import HISTORY
from trio_argoagent.apiserver.core.values import Stored
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.model.resources import APPLICATIONS, NAMESPACES, Resource

NOW = 1_700_000_000.0
NS = "argocd"
APPLICATION_SETS = Resource("argoproj.io", "v1alpha1", "applicationsets", "ApplicationSet")


def new_server(history: int = HISTORY) -> ApiServer:
    """A server with the namespace ``argocd``."""
    server = argocd_server(entropy=random.Random(1).randbytes, history=history)
    server.create(NAMESPACES, "", {"metadata": {"name": NS}}, actor="test", now=NOW)
    return server


def app(name: str = "a1", *, metadata: Mapping[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A small Application."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, **(metadata or {})},
        "spec": {"project": "default", "destination": {"server": "s"}},
        **fields,
    }


def make(server: ApiServer, value: dict[str, Any], resource: Resource = APPLICATIONS, ns: str = NS) -> Stored:
    """Create an object."""
    return server.create(resource, ns, value, actor="test", now=NOW).stored


def merge(
    server: ApiServer, name: str, patch: Any, resource: Resource = APPLICATIONS, ns: str = NS, **more: Any
) -> Stored:
    """Merge a patch."""
    return server.patch(
        resource, ns, name, patch, content_type=patches.MERGE_PATCH, actor="test", now=NOW, **more
    ).stored


def drop(server: ApiServer, name: str, resource: Resource = APPLICATIONS, ns: str = NS, **more: Any) -> bool:
    """Delete an object; is it gone?"""
    return server.delete(resource, ns, name, actor="test", now=NOW, **more).gone
