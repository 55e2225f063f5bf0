"""TLS from Secrets: what can be used, and what a rotation changes for whom."""

from __future__ import annotations

import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.errors import NotFound, UserError
from trio_argoagent.model.resources import NAMESPACES, SECRETS
from trio_argoagent.net.client import open_client
from trio_argoagent.net.contexts import client_context
from trio_argoagent.net.dialling import open_transport
from trio_argoagent.net.errors import TlsFailed
from trio_argoagent.net.server import serve_https
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal import resourceproxy
from trio_argoagent.redis.client import open_redis
from trio_argoagent.redis.server import over_tcp
from trio_argoagent.runtime.events import Event
from trio_argoagent.runtime.secrettls import TlsSecrets, answering, authorities, identity
from trio_argoagent.runtime.world import real_env
from trio_argoagent.testing.machine import LOOPBACK, Pki
from trio_argoagent.testing.redisfake import FakeRedis

NAMESPACE = "argocd"
TIMEOUT = 60.0


async def hub() -> LocalCluster:
    """A cluster that holds nothing but Argo CD's namespace."""
    env = real_env()
    cluster = LocalCluster(argocd_server(entropy=env.entropy), env=env, actor="user")
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    await cluster.create(NAMESPACES, space)
    return cluster


async def put(cluster: LocalCluster, name: str, pem: tuple[bytes, bytes], ca: bytes = b"") -> None:
    """A Secret with this certificate, key and CA, in place of what it was."""
    files = {"tls.crt": pem[0], "tls.key": pem[1], "ca.crt": ca}
    data = {file: base64.b64encode(content).decode() for file, content in files.items() if content}
    try:
        await cluster.get(SECRETS, NAMESPACE, name)
    except NotFound:
        head = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}}
        await cluster.create(SECRETS, head | {"data": data})
    else:
        await cluster.patch(SECRETS, NAMESPACE, name, MergePatch({"data": data}))


@asynccontextmanager
async def serving(context: ssl.SSLContext) -> AsyncIterator[int]:
    """The resource proxy with this context; its port."""
    listeners = await trio.open_tcp_listeners(0, host=LOOPBACK)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve_https, resourceproxy.answer, listeners, context)
        yield listeners[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


async def status(port: int, pki: Pki, alpn: str) -> int:
    """What it answers to a client that trusts this authority."""
    context = client_context(ca=pki.ca, certificate=None, key=None, alpn=(alpn,))
    with trio.fail_after(TIMEOUT):
        async with open_client(host=LOOPBACK, port=port, context=context) as client:
            return (await client.request("GET", "/api/v1/pods")).status


@pytest.mark.parametrize("alpn", ["h2", "http/1.1"])
async def test_a_rotation_counts_for_new_connections(alpn: str) -> None:
    """A server shows what its Secret holds now; what cannot be used, or is not there, changes nothing."""
    old, new = Pki.create(real_env()), Pki.create(real_env())
    cluster, told = await hub(), list[Event]()
    await put(cluster, "mine", old.server("proxy"))
    secrets = TlsSecrets(cluster, NAMESPACE, told.append)
    current = await secrets.find("--mine", "mine", "", identity(("h2", "http/1.1")))
    assert current is not None
    async with serving(answering(current)) as port:
        assert await status(port, old, alpn) == 503
        await put(cluster, "mine", (b"no", b"pem"))
        await secrets.look()
        assert await status(port, old, alpn) == 503
        await put(cluster, "mine", new.server("proxy"))
        await secrets.look()
        assert await status(port, new, alpn) == 503
        mistrusting = client_context(ca=old.ca, certificate=None, key=None, alpn=(alpn,))
        with pytest.raises(TlsFailed), trio.fail_after(TIMEOUT):
            await open_transport(trio.open_tcp_stream, LOOPBACK, port, mistrusting, LOOPBACK)
        await cluster.delete(SECRETS, NAMESPACE, "mine")
        await secrets.look()
        assert await status(port, new, alpn) == 503
    assert [event.name for event in told] == ["tls-secret-unusable", "tls-rotated", "tls-secret-unusable"]


async def test_a_rotated_authority_of_redis() -> None:
    """The next connection trusts the new one alone."""
    old, new = Pki.create(real_env()), Pki.create(real_env())
    cluster = await hub()
    await put(cluster, "argocd-redis-tls", (b"", b""), ca=old.ca)
    await put(cluster, "server", new.server("redis"))
    secrets = TlsSecrets(cluster, NAMESPACE, lambda event: None)
    trusted = await secrets.find("--ca", "", "argocd-redis-tls", authorities)
    shown = await secrets.find("--mine", "server", "", identity(()))
    assert trusted is not None and shown is not None
    redis, context = FakeRedis(), answering(shown)

    async def serve(stream: trio.SocketStream) -> None:
        tls = trio.SSLStream(stream, context, server_side=True)
        try:
            await redis.serve(tls)
        except trio.BrokenResourceError:
            return  # The client does not trust it.

    listeners = await trio.open_tcp_listeners(0, host=LOOPBACK)
    server = over_tcp(LOOPBACK, listeners[0].socket.getsockname()[1], trusted)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, serve, listeners)
        with trio.fail_after(TIMEOUT):
            with pytest.raises(TlsFailed):
                await server.connect()
            await put(cluster, "argocd-redis-tls", (b"", b""), ca=new.ca)
            await secrets.look()
            async with open_redis(server) as connection:
                await connection.set("a", b"1")
                assert await connection.get("a") == b"1"
        nursery.cancel_scope.cancel()


async def test_which_are_used() -> None:
    """The usual one need not be there; one that was named must be, with all that is needed in it."""
    cluster = await hub()
    secrets = TlsSecrets(cluster, NAMESPACE, lambda event: None)
    assert await secrets.find("--ca", "", "usual", authorities) is None
    with pytest.raises(UserError, match="--ca: Secret argocd/mine cannot be read"):
        await secrets.find("--ca", "mine", "usual", authorities)
    await put(cluster, "usual", (b"x", b"y"))
    with pytest.raises(UserError, match="--ca: Secret argocd/usual cannot be used: it has no"):
        await secrets.find("--ca", "", "usual", authorities)
