"""A cluster in which a namespace that is missing is made, where that is allowed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trio_argoagent.errors import AlreadyExists, NotFound
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import NAMESPACES, Resource
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.ports.forwarding import ForwardingCluster


class NamespaceMaker(ForwardingCluster):
    """``ports.cluster.Cluster`` that makes the namespace of an object which is refused for want of it.

    Args:
        cluster: the other one.
        may_create: may this namespace be made?
        labels: that it gets.
    """

    def __init__(
        self, cluster: Cluster, may_create: Callable[[str], bool], labels: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(cluster)
        self._may_create, self._labels = may_create, dict(labels or {})

    async def create(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        """See the port."""
        try:
            return await super().create(resource, value)
        except NotFound as exc:
            namespace = str(value["metadata"].get("namespace") or "")
            if exc.details.get("kind") != NAMESPACES.plural or not self._may_create(namespace):
                raise
        await self._make(namespace)
        return await super().create(resource, value)

    async def _make(self, name: str) -> None:
        metadata: dict[str, Any] = {"name": name}
        if self._labels:
            metadata["labels"] = self._labels
        try:
            await super().create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        except AlreadyExists:
            return  # Somebody was faster.
