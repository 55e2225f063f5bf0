"""What a user does with a cluster by hand: apply objects, and look whether all Applications are well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.errors import AlreadyExists, UserError
from trio_argoagent.model.resources import APPLICATIONS, Resource
from trio_argoagent.ports.cluster import MergePatch


async def apply_objects(
    client: LocalCluster, objects: Mapping[str, Any] | Sequence[Mapping[str, Any]]
) -> None:
    """Create objects, or merge them into those that are there already.

    Args:
        client: of the cluster, in the user's name.
        objects: one Kubernetes object, or several; applied in their order.

    Raises:
        UserError: one is of a kind that the cluster does not serve, or has no name.
        ApiError: the server's own answer to an object that it does not accept.
    """
    for value in [objects] if isinstance(objects, Mapping) else objects:
        resource = _resource_of(client.server, value)
        meta = value.get("metadata") or {}
        if not meta.get("name"):
            raise UserError(f"an object of kind {resource.kind} has no name")
        try:
            await client.create(resource, value)
        except AlreadyExists:
            await client.patch(resource, meta.get("namespace", ""), meta["name"], MergePatch(value))


def _resource_of(server: ApiServer, value: Mapping[str, Any]) -> Resource:
    version, kind = value.get("apiVersion"), value.get("kind")
    for each in server.resources():
        if (each.resource.api_version, each.resource.kind) == (version, kind):
            return each.resource
    raise UserError(f"the cluster serves no kind {kind!r} of version {version!r}")


def unsynced(server: ApiServer) -> list[str]:
    """The Applications of a cluster that are not Synced and Healthy, one line each, with what they say."""
    lines: list[str] = []
    for item in server.list(APPLICATIONS).items:
        status = item.value.get("status") or {}
        state = [(status.get(part) or {}).get("status", "Unknown") for part in ("sync", "health")]
        if state != ["Synced", "Healthy"]:
            said = [condition.get("message", "") for condition in status.get("conditions") or ()]
            lines.append(": ".join([f"{item.namespace}/{item.name}", " and ".join(state), *said]))
    return lines
