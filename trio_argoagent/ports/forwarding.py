"""A ``Cluster`` that is another one: who stands before a cluster overrides just what it changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import Resource
from trio_argoagent.ports.cluster import Cluster, JsonPatch, MergePatch, ObjectList, WatchEvent

T = TypeVar("T")


class ForwardingCluster:
    """Every verb of the port, passed on.

    Args:
        cluster: the other one.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @property
    def streams(self) -> bool:
        """See the port."""
        return self._cluster.streams

    async def _call(self, call: Callable[[], Awaitable[T]]) -> T:
        """Every call but a watch goes through here."""
        return await call()

    async def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """See the port."""
        return await self._call(lambda: self._cluster.get(resource, namespace, name))

    async def list(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        selector: str = "",
        name: str = "",
        resource_version: str = "",
        limit: int = 0,
        continue_token: str = "",
    ) -> ObjectList:
        """See the port."""
        return await self._call(
            lambda: self._cluster.list(
                resource,
                namespace,
                selector=selector,
                name=name,
                resource_version=resource_version,
                limit=limit,
                continue_token=continue_token,
            )
        )

    def watch(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        selector: str = "",
        name: str = "",
        resource_version: str,
        timeout: float = 300.0,
        initial: bool = False,
    ) -> AbstractAsyncContextManager[AsyncIterator[WatchEvent]]:
        """See the port."""
        return self._cluster.watch(
            resource,
            namespace,
            selector=selector,
            name=name,
            resource_version=resource_version,
            timeout=timeout,
            initial=initial,
        )

    async def create(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        """See the port."""
        return await self._call(lambda: self._cluster.create(resource, value))

    async def replace(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        """See the port."""
        return await self._call(lambda: self._cluster.replace(resource, value))

    async def patch(
        self, resource: Resource, namespace: str, name: str, patch: JsonPatch | MergePatch
    ) -> Object:
        """See the port."""
        return await self._call(lambda: self._cluster.patch(resource, namespace, name, patch))

    async def delete(
        self, resource: Resource, namespace: str, name: str, *, uid: str = "", resource_version: str = ""
    ) -> None:
        """See the port."""
        await self._call(
            lambda: self._cluster.delete(
                resource, namespace, name, uid=uid, resource_version=resource_version
            )
        )
