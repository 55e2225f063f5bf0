"""What a platform team makes on a cluster before the first program runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from trio_argoagent.model.resources import APP_PROJECTS, NAMESPACES, SECRETS
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.principal.clusters import make_secret
from trio_argoagent.testing.argocd.applications import app_project

EVERYWHERE: Final[Mapping[str, Any]] = {
    "destinations": [{"name": "*", "namespace": "*", "server": "*"}],
    "sourceNamespaces": ["*"],
}
"""What a hub's project must say for every agent to get it."""


async def furnish_hub(cluster: Cluster, namespace: str, agents: Iterable[str]) -> None:
    """Argo CD's namespace and default project; for each agent a namespace and a cluster secret."""
    await cluster.create(NAMESPACES, _namespace(namespace))
    for agent in agents:
        await add_agent(cluster, namespace, agent)
    await cluster.create(APP_PROJECTS, app_project(namespace=namespace, **EVERYWHERE))


async def add_agent(cluster: Cluster, namespace: str, agent: str) -> None:
    """Make an agent known to the hub: its namespace and its cluster secret."""
    await cluster.create(NAMESPACES, _namespace(agent))
    await cluster.create(SECRETS, make_secret(agent, namespace))


async def furnish_spoke(cluster: Cluster, namespace: str, *, autonomous: bool) -> None:
    """Argo CD's namespace; and its default project where the hub does not send one."""
    await cluster.create(NAMESPACES, _namespace(namespace))
    if autonomous:
        await cluster.create(APP_PROJECTS, app_project(namespace=namespace))


def _namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
