"""The two ports at which the hub's Argo CD looks, from options to tasks."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import trio

from trio_argoagent.cli import pem
from trio_argoagent.cli.listening import addresses, listening
from trio_argoagent.cli.proxy_options import ProxyOptions
from trio_argoagent.errors import UserError
from trio_argoagent.net.contexts import server_context
from trio_argoagent.net.server import serve_https
from trio_argoagent.principal import resourceproxy
from trio_argoagent.principal.redisproxy import RedisProxy
from trio_argoagent.redis.server import RedisServer
from trio_argoagent.runtime.events import Event, Observer


@asynccontextmanager
async def open_proxies(
    options: ProxyOptions, host: str, redis: RedisServer | None, observer: Observer
) -> AsyncIterator[None]:
    """Serve both, as far as the options want them, while the context is open.

    Args:
        options: what the user wants.
        host: to listen on.
        redis: the hub's; None: there is nothing to pass on to.
        observer: told where they listen.

    Raises:
        UserError: a file or a port cannot be used; nothing has been served then.
    """
    contexts = _redis_context(options), _resource_context(options)
    tasks: list[Callable[[], Awaitable[None]]] = []
    async with AsyncExitStack() as stack:
        if redis is not None and not options.disable_redis_proxy:
            port = listening(host, options.redis_proxy_port, "--redis-proxy-port")
            listeners = await stack.enter_async_context(port)
            where = f"Argo CD finds Redis at {addresses(listeners)}"
            observer(Event("redis-proxy", "", f"{where}, passed on to {redis.where}"))
            tasks.append(partial(RedisProxy(redis, contexts[0], observer).run, listeners))
        if contexts[1] is not None:
            port = listening(host, options.resource_proxy_port, "--resource-proxy-port")
            listeners = await stack.enter_async_context(port)
            text = f"{addresses(listeners)} tells Argo CD that live resources are not available"
            observer(Event("resource-proxy", "", text))
            tasks.append(partial(serve_https, resourceproxy.answer, listeners, contexts[1]))
        async with trio.open_nursery() as nursery:
            for task in tasks:
                nursery.start_soon(task)
            yield
            nursery.cancel_scope.cancel()


def _redis_context(options: ProxyOptions) -> ssl.SSLContext | None:
    cert, key = options.redis_proxy_server_tls_cert, options.redis_proxy_server_tls_key
    names = ("--redis-proxy-server-tls-cert", "--redis-proxy-server-tls-key")
    return _context(cert, key, names, ()) if not options.disable_redis_proxy else None


def _resource_context(options: ProxyOptions) -> ssl.SSLContext | None:
    cert, key = options.resource_proxy_cert_path, options.resource_proxy_key_path
    names = ("--resource-proxy-cert-path", "--resource-proxy-key-path")
    return _context(cert, key, names, ("h2", "http/1.1")) if options.enable_resource_proxy else None


def _context(cert: str, key: str, names: tuple[str, str], alpn: tuple[str, ...]) -> ssl.SSLContext | None:
    """Raises UserError: one of the two files is missing, or they cannot be used."""
    if not cert and not key:
        return None
    if not (cert and key):
        raise UserError(f"{names[0]} and {names[1]}: give both or neither")
    identity = pem.read_identity(cert, names[0], key, names[1])
    return server_context(
        certificate=identity[0], key=identity[1], client_ca=None, require_client=False, alpn=alpn
    )
