"""The two ports at which the hub's Argo CD looks, from options to tasks."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import trio

from trio_argoagent.cli import pem
from trio_argoagent.cli.listening import addresses, listening
from trio_argoagent.cli.proxy_options import REDIS_SECRET, RESOURCE_SECRET, ProxyOptions
from trio_argoagent.errors import UserError
from trio_argoagent.net.contexts import server_context
from trio_argoagent.net.server import serve_https
from trio_argoagent.principal import resourceproxy
from trio_argoagent.principal.redisproxy import RedisProxy
from trio_argoagent.redis.server import RedisServer
from trio_argoagent.runtime.events import Event, Observer
from trio_argoagent.runtime.secrettls import TlsSecrets, answering, identity


@asynccontextmanager
async def open_proxies(
    options: ProxyOptions,
    host: str,
    redis: RedisServer | None,
    observer: Observer,
    secrets: TlsSecrets,
    *,
    tls: bool = False,
) -> AsyncIterator[None]:
    """Serve both, as far as the options want them, while the context is open.

    Args:
        options: what the user wants.
        host: to listen on.
        redis: the hub's; None: there is nothing to pass on to.
        observer: told where they listen.
        secrets: where certificates may be.
        tls: is TLS spoken with Redis, and so by the port for it where there is a certificate?

    Raises:
        UserError: a file, a Secret or a port cannot be used; nothing has been served then.
    """
    contexts = await _redis_context(options, secrets, tls), await _resource_context(options, secrets)
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


async def _redis_context(options: ProxyOptions, secrets: TlsSecrets, usual: bool) -> ssl.SSLContext | None:
    if options.disable_redis_proxy:
        return None
    cert, key = options.redis_proxy_server_tls_cert, options.redis_proxy_server_tls_key
    names = ("--redis-proxy-server-tls-cert", "--redis-proxy-server-tls-key")
    given = options.redis_proxy_server_tls_secret_name
    wanted = ("--redis-proxy-server-tls-secret-name", given, REDIS_SECRET if usual else "")
    return await _context(cert, key, names, wanted, secrets, ())


async def _resource_context(options: ProxyOptions, secrets: TlsSecrets) -> ssl.SSLContext | None:
    if not options.enable_resource_proxy:
        return None
    cert, key = options.resource_proxy_cert_path, options.resource_proxy_key_path
    names = ("--resource-proxy-cert-path", "--resource-proxy-key-path")
    wanted = ("--resource-proxy-secret-name", options.resource_proxy_secret_name, RESOURCE_SECRET)
    return await _context(cert, key, names, wanted, secrets, ("h2", "http/1.1"))


async def _context(
    cert: str,
    key: str,
    names: tuple[str, str],
    wanted: tuple[str, str, str],
    secrets: TlsSecrets,
    alpn: tuple[str, ...],
) -> ssl.SSLContext | None:
    """From files, else from a Secret: its option, the name that the user gives, and the usual one.

    Raises:
        UserError: one of the two files is missing, or what there is cannot be used.
    """
    option, given, usual = wanted
    if given and (cert or key):
        raise UserError(f"{names[0]} and {option}: give one of the two")
    if not cert and not key:
        found = await secrets.find(option, given, usual, identity(alpn)) if given or usual else None
        return answering(found) if found is not None else None
    if not (cert and key):
        raise UserError(f"{names[0]} and {names[1]}: give both or neither")
    certificate, private = pem.read_identity(cert, names[0], key, names[1])
    return server_context(
        certificate=certificate, key=private, client_ca=None, require_client=False, alpn=alpn
    )
