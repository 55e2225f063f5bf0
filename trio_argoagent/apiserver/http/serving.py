"""From listening sockets to requests."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import trio

from trio_argoagent.apiserver.core.access import Authorizer
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.users import Tokens, User
from trio_argoagent.apiserver.http.access import Access
from trio_argoagent.apiserver.http.faults import Faults
from trio_argoagent.apiserver.http.handler import ApiHandler, Audited
from trio_argoagent.net.server import serve_https
from trio_argoagent.ports.env import Env


async def serve_api(  # noqa: PLR0913 (what a server is made of)
    server: ApiServer,
    listeners: Sequence[trio.SocketListener],
    ssl_context: ssl.SSLContext,
    *,
    env: Env,
    tokens: Mapping[str, str | User],
    faults: Faults | None = None,
    authorizer: Authorizer | None = None,
    audit: Callable[[Audited], None] | None = None,
    task_status: trio.TaskStatus[Any] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve an ``ApiServer`` over HTTPS until cancelled.

    Its controllers (namespaces, owner references) are ``apiserver.local.run_collector``, a task of its own.

    Args:
        server: the server.
        listeners: bound sockets, closed at the end.
        ssl_context: from ``net.contexts.server_context`` with ``alpn=("h2", "http/1.1")``: kubectl takes the
            first, the official Python client the second. With a ``client_ca``, certificates are a way in.
        env: wall time and randomness.
        tokens: token -> user; a bare name is that of an administrator.
        faults: what befalls requests; clients may order more at ``/faults``. None: they may not.
        authorizer: says who may do what; None: whoever is known may do everything.
        audit: told of every request of somebody who is known, when it has been answered.
        task_status: started with the listeners.
    """
    users = Access(tokens, (Tokens(server, env.entropy), env))
    handler = ApiHandler(
        server, env=env, authenticate=users, faults=faults, authorizer=authorizer, audit=audit
    )
    await serve_https(handler, listeners, ssl_context, task_status=task_status)
