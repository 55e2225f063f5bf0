"""A small HTTP front for any ``Cluster``: enough of the API for the client under test, over real sockets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import msgspec
import trio

from trio_argoagent.errors import ApiError
from trio_argoagent.kube.credentials import Credentials
from trio_argoagent.model import resources
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import Resource
from trio_argoagent.net.contexts import server_context
from trio_argoagent.net.http import Exchange
from trio_argoagent.net.server import serve_https
from trio_argoagent.ports.cluster import Cluster, EventType, JsonPatch, MergePatch

from ..net.identities import Authority

KNOWN = [
    resources.APPLICATIONS,
    resources.APP_PROJECTS,
    resources.NAMESPACES,
    resources.SECRETS,
    resources.CONFIG_MAPS,
]


def locate(path: str) -> tuple[Resource, str, str]:
    """The resource, namespace and name of a path."""
    parts = path.strip("/").split("/")
    group, version, rest = ("", parts[1], parts[2:]) if parts[0] == "api" else (*parts[1:3], parts[3:])
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    name = rest[1] if len(rest) > 1 else ""
    for resource in KNOWN:
        if (resource.group, resource.version, resource.plural) == (group, version, rest[0]):
            return resource, namespace, name
    raise AssertionError(path)


def encoded(thing: Object) -> bytes:
    """An object as JSON."""
    return msgspec.json.encode(thing.value())


class Frontend:
    """Serves a cluster to whoever knows the token."""

    def __init__(self, cluster: Cluster, token: str) -> None:
        self.cluster, self.token = cluster, token

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request."""
        request = exchange.request
        if request.header("authorization") != f"Bearer {self.token}":
            await exchange.respond(401, (), b'{"kind":"Status","code":401,"reason":"Unauthorized"}')
            return
        query = {name: values[0] for name, values in request.query.items()}
        resource, namespace, name = locate(request.path)
        try:
            if query.get("watch"):
                await self._watch(exchange, resource, namespace, query)
                return
            status, body = 200, await self._answer(exchange, resource, namespace, name, query)
        except ApiError as exc:
            status, body = exc.status_code, msgspec.json.encode(status_of(exc))
        await exchange.respond(status, [("content-type", "application/json")], body)

    async def _answer(
        self, exchange: Exchange, resource: Resource, namespace: str, name: str, query: dict[str, str]
    ) -> bytes:
        data = await exchange.body()
        body = json.loads(data) if data else {}
        match exchange.request.method, name:
            case "GET", "":
                return await self._list(resource, namespace, query)
            case "GET", _:
                return encoded(await self.cluster.get(resource, namespace, name))
            case "POST", _:
                return encoded(await self.cluster.create(resource, body))
            case "PUT", _:
                return encoded(await self.cluster.replace(resource, body))
            case "PATCH", _:
                merge = "merge" in exchange.request.header("content-type")
                patch = MergePatch(body) if merge else JsonPatch(body)
                return encoded(await self.cluster.patch(resource, namespace, name, patch))
        conditions = body.get("preconditions", {})
        await self.cluster.delete(
            resource,
            namespace,
            name,
            uid=conditions.get("uid", ""),
            resource_version=conditions.get("resourceVersion", ""),
        )
        return b'{"kind":"Status","status":"Success"}'

    async def _list(self, resource: Resource, namespace: str, query: dict[str, str]) -> bytes:
        page = await self.cluster.list(
            resource,
            namespace,
            selector=query.get("labelSelector", ""),
            name=query.get("fieldSelector", "").removeprefix("metadata.name="),
            resource_version=query.get("resourceVersion", ""),
            limit=int(query.get("limit", "0")),
            continue_token=query.get("continue", ""),
        )
        meta = {"resourceVersion": page.resource_version, "continue": page.continue_token}
        return msgspec.json.encode({"metadata": meta, "items": [item.value() for item in page.items]})

    async def _watch(
        self, exchange: Exchange, resource: Resource, namespace: str, query: dict[str, str]
    ) -> None:
        watch = self.cluster.watch(
            resource,
            namespace,
            selector=query.get("labelSelector", ""),
            name=query.get("fieldSelector", "").removeprefix("metadata.name="),
            resource_version=query.get("resourceVersion", ""),
            timeout=float(query["timeoutSeconds"]),
            initial=query.get("sendInitialEvents") == "true",
        )
        async with watch as events:
            await exchange.start(200, [("content-type", "application/json")])
            try:
                async for event in events:
                    await exchange.send(line(event.type, event.object.value()))
            except ApiError as exc:
                await exchange.send(line("ERROR", status_of(exc)))
        await exchange.end()


def line(kind: EventType | str, value: Any) -> bytes:
    """One line of a watch."""
    return msgspec.json.encode({"type": str(kind), "object": value}) + b"\n"


def status_of(exc: ApiError) -> dict[str, Any]:
    """The Status of an error."""
    return {
        "kind": "Status",
        "code": exc.status_code,
        "reason": exc.status_reason,
        "message": exc.message,
        "details": dict(exc.details),
    }


@asynccontextmanager
async def served(frontend: Frontend, authority: Authority) -> AsyncIterator[Credentials]:
    """Serve it with TLS on loopback; the value is how to get in."""
    server, client = authority.issue("server"), authority.issue("client")
    context = server_context(
        certificate=server.certificate,
        key=server.key,
        client_ca=authority.certificate,
        require_client=True,
        alpn=("h2", "http/1.1"),
    )
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(serve_https, frontend, listeners, context))
        yield Credentials(
            "127.0.0.1",
            listeners[0].socket.getsockname()[1],
            ca=authority.certificate,
            certificate=client.certificate,
            key=client.key,
            token=frontend.token,
        )
        nursery.cancel_scope.cancel()
