"""An embedded server over HTTPS on loopback, for tests here, for the contract and for other programs."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache, partial

import attrs
import trio

from trio_argoagent.apiserver.core.rbac import open_rbac
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.http import kubeconfig, serve_api
from trio_argoagent.apiserver.local import run_collector
from trio_argoagent.kube.credentials import Credentials
from trio_argoagent.net.contexts import server_context
from trio_argoagent.ports.env import Env

from ...net.identities import Authority

TOKEN = "a-token-for-tests"
USER = "alice"
NOW = 1_700_000_000.0
"""The wall clock stands still: every age that is printed is known."""


@cache
def authority() -> Authority:
    """Who certifies both sides; made once a run."""
    return Authority.make()


@attrs.frozen
class World:
    """A served server, and how to get in."""

    server: ApiServer
    env: Env
    port: int

    def credentials(self, token: str = TOKEN) -> Credentials:
        """For our own client, by token."""
        return Credentials("127.0.0.1", self.port, ca=authority().certificate, token=token)

    def kubeconfig(self, namespace: str = "default") -> str:
        """For the others' clients."""
        return kubeconfig("127.0.0.1", self.port, authority().certificate, TOKEN, "embedded", namespace)


@asynccontextmanager
async def served(now: Callable[[], float] = lambda: NOW, *, rules: bool = False) -> AsyncIterator[World]:
    """A fresh server with Argo CD's definitions and its controllers. ``rules``: not everybody may do all."""
    chance = random.Random(1)
    env = Env(now=now, random=chance, entropy=chance.randbytes)
    server = argocd_server(entropy=chance.randbytes, now=now())
    identity = authority().issue("server")
    context = server_context(
        certificate=identity.certificate,
        key=identity.key,
        client_ca=authority().certificate,
        require_client=False,
        alpn=("h2", "http/1.1"),
    )
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(run_collector, server, env=env, delay=0.01))
        guard = open_rbac(server, now()) if rules else None
        serve = partial(serve_api, server, listeners, context, env=env, tokens={TOKEN: USER})
        await nursery.start(partial(serve, authorizer=guard))
        yield World(server, env, port)
        nursery.cancel_scope.cancel()
