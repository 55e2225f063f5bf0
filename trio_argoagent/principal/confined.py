"""The hub's API for what is done on behalf of one agent: its own objects, whoever is mistaken above.

Every name is computed from the agent's mapping already, and what an agent says of names out of its scope is
rejected where it arrives. This is the same question once more, by nothing but the call itself, at the one
place that all reads and writes for an agent pass: a mistake in a plan, a keeper or a trade ends here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from trio_argoagent.errors import Forbidden
from trio_argoagent.model.keys import Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS, NAMESPACES, Resource
from trio_argoagent.ports.cluster import Cluster, JsonPatch, MergePatch
from trio_argoagent.ports.forwarding import ForwardingCluster
from trio_argoagent.sync.mapping import NamespaceMapping

_KINDS: Final[Mapping[Resource, Kind]] = {APPLICATIONS: Kind.APPLICATION, APP_PROJECTS: Kind.APP_PROJECT}
"""What is read or written for an agent at all."""


class Confined(ForwardingCluster):
    """``ports.cluster.Cluster`` of which one agent's objects can be used one by one, and none other.

    Args:
        cluster: the hub's.
        mapping: of the agent.
        told: of each call that is refused: its verb and what it was about.
    """

    def __init__(
        self, cluster: Cluster, mapping: NamespaceMapping, told: Callable[[str, str], None]
    ) -> None:
        super().__init__(cluster)
        self._mapping, self._told = mapping, told

    async def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """See the port.

        Raises:
            Forbidden: it is not this agent's; so for each of these.
        """
        self._check("get", resource, namespace, name)
        return await super().get(resource, namespace, name)

    async def create(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        """See the port. The agent's own namespace may be made, too."""
        metadata = value.get("metadata") or {}
        namespace, name = str(metadata.get("namespace") or ""), str(metadata.get("name") or "")
        if (resource, name) != (NAMESPACES, self._mapping.home):
            self._check("create", resource, namespace, name)
        return await super().create(resource, value)

    async def replace(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        """See the port."""
        metadata = value.get("metadata") or {}
        self._check("replace", resource, str(metadata.get("namespace")), str(metadata.get("name")))
        return await super().replace(resource, value)

    async def patch(
        self, resource: Resource, namespace: str, name: str, patch: JsonPatch | MergePatch
    ) -> Object:
        """See the port."""
        self._check("patch", resource, namespace, name)
        return await super().patch(resource, namespace, name, patch)

    async def delete(
        self, resource: Resource, namespace: str, name: str, *, uid: str = "", resource_version: str = ""
    ) -> None:
        """See the port."""
        self._check("delete", resource, namespace, name)
        await super().delete(resource, namespace, name, uid=uid, resource_version=resource_version)

    def _check(self, verb: str, resource: Resource, namespace: str, name: str) -> None:
        kind = _KINDS.get(resource)
        if kind is not None and self._mapping.reaches(kind, namespace, name):
            return
        what = f"{resource.kind} {namespace}/{name}"
        self._told(verb, what)
        raise Forbidden(f"{verb} {what}: it is not agent {self._mapping.agent}'s")
