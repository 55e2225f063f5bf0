"""The two ports at which the hub's Argo CD looks, from options to tasks."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import attrs
import trio

from trio_argoagent.cli.listening import addresses, listening
from trio_argoagent.cli.proxy_options import ProxyOptions
from trio_argoagent.cli.tls_sources import Place, Wanted
from trio_argoagent.net.certificates import SERVERS
from trio_argoagent.net.contexts import OPENSSL, Current, TlsSettings, server_context
from trio_argoagent.net.server import serve_https
from trio_argoagent.principal import resourceproxy
from trio_argoagent.principal.redisproxy import RedisProxy
from trio_argoagent.redis.server import RedisServer
from trio_argoagent.runtime.events import Event, Observer
from trio_argoagent.runtime.material import Held, Material, renewed
from trio_argoagent.runtime.tlssources import Unread
from trio_argoagent.runtime.tlsvalues import Trust


@attrs.frozen
class ProxyTls:
    """Where the certificates of both ports come from.

    Attributes:
        place: of Secrets.
        material: follows them.
        settings: of TLS itself.
        redis: is TLS spoken with Redis, and so by the port for it where there is a certificate?
    """

    place: Place
    material: Material
    settings: TlsSettings = OPENSSL
    redis: bool = False


@asynccontextmanager
async def open_proxies(
    options: ProxyOptions,
    host: str,
    redis: RedisServer | None,
    observer: Observer,
    tls: ProxyTls,
) -> AsyncIterator[RedisProxy | None]:
    """Serve both, as far as the options want them, while the context is open; the one for Redis, if there is.

    Args:
        options: what the user wants.
        host: to listen on.
        redis: the hub's; None: there is nothing to pass on to.
        observer: told where they listen.
        tls: where their certificates come from.

    Raises:
        UserError: a file, a Secret or a port cannot be used; nothing has been served then.
    """
    contexts = await _redis_context(options, tls), await _resource_context(options, tls)
    tasks: list[Callable[[], Awaitable[None]]] = []
    proxy: RedisProxy | None = None
    async with AsyncExitStack() as stack:
        if redis is not None and not options.disable_redis_proxy:
            port = listening(host, options.redis_proxy_port, "--redis-proxy-port")
            listeners = await stack.enter_async_context(port)
            where = f"Argo CD finds Redis at {addresses(listeners)}"
            observer(Event("redis-proxy", "", f"{where}, passed on to {redis.where}"))
            proxy = RedisProxy(redis, contexts[0], observer)
            tasks.append(partial(proxy.run, listeners))
        if contexts[1] is not None:
            port = listening(host, options.resource_proxy_port, "--resource-proxy-port")
            listeners = await stack.enter_async_context(port)
            text = f"{addresses(listeners)} tells Argo CD that live resources are not available"
            observer(Event("resource-proxy", "", text))
            tasks.append(partial(serve_https, resourceproxy.answer, listeners, contexts[1]))
        async with trio.open_nursery() as nursery:
            for task in tasks:
                nursery.start_soon(task)
            yield proxy
            nursery.cancel_scope.cancel()


async def _redis_context(options: ProxyOptions, tls: ProxyTls) -> Current | None:
    if options.disable_redis_proxy:
        return None
    return await _context("the Redis proxy", options.redis_certificate(tls=tls.redis), None, tls, ())


async def _resource_context(options: ProxyOptions, tls: ProxyTls) -> Current | None:
    if not options.enable_resource_proxy:
        return None
    wanted, clients = options.resource_certificate, options.resource_clients
    return await _context("the resource proxy", wanted, clients, tls, ("h2", "http/1.1"))


async def _context(
    use: str, wanted: Wanted, clients: Wanted | None, tls: ProxyTls, alpn: tuple[str, ...]
) -> Current | None:
    """TLS of one port; None: there is no certificate.

    Raises:
        UserError: one of two files is missing, or what there is cannot be used.
    """
    source = wanted.source(tls.place)
    trusted = clients.source(tls.place) if clients is not None else None
    if source is None:
        return None
    try:
        identity = await tls.material.identity(use, source, SERVERS)
    except Unread as exc:
        if wanted.is_named or not exc.missing:
            raise
        return None
    trust: Held[Trust] | None = None
    if trusted is not None:
        trust = await tls.material.trust(f"{use}: clients", trusted)

    def make() -> ssl.SSLContext:
        return server_context(
            certificate=identity.value.certificate,
            key=identity.value.key,
            client_ca=trust.value.pem if trust is not None else None,
            require_client=trust is not None,
            alpn=alpn,
            settings=tls.settings,
        )

    return renewed(make, identity, trust) if trust is not None else renewed(make, identity)
