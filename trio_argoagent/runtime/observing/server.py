"""The server of what a program shows: for a kubelet, a Prometheus and now and then a person.

One request a connection, few connections, short patience. Who holds a connection longest gives it up when
there are too many, so idle ones keep nobody out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import trio

from trio_argoagent.net.http import Exchange
from trio_argoagent.net.server import log_error, speak_http
from trio_argoagent.runtime.observing.routes import Routes, answer, text

CONNECTIONS: Final = 32
"""Connections at once; another one takes the place of the oldest."""
PATIENCE: Final = 10.0
"""Seconds for a connection, from its first byte to the last of the answer."""
_ALLOWED: Final = ("allow", "GET, HEAD")
_ONCE: Final = ("connection", "close")


async def serve(
    routes: Routes,
    listeners: Sequence[trio.SocketListener],
    *,
    task_status: trio.TaskStatus[Any] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled.

    Args:
        routes: what there is to show.
        listeners: bound sockets, closed at the end.
        task_status: started with the listeners.
    """
    await trio.serve_listeners(_Server(routes).connection, list(listeners), task_status=task_status)


class _Server:
    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._open: OrderedDict[trio.SocketStream, trio.CancelScope] = OrderedDict()

    async def connection(self, stream: trio.SocketStream) -> None:
        """One of them, to its end."""
        with self._place(stream):
            await speak_http(self._answer, stream)

    @contextmanager
    def _place(self, stream: trio.SocketStream) -> Iterator[None]:
        if len(self._open) >= CONNECTIONS:
            oldest, scope = self._open.popitem(last=False)
            scope.cancel()
            oldest.socket.close()  # At once: a farewell would take a second, in which many more may come.
        with trio.move_on_after(PATIENCE) as scope:
            self._open[stream] = scope
            try:
                yield
            finally:
                self._open.pop(stream, None)

    async def _answer(self, exchange: Exchange) -> None:
        try:
            found = answer(self._routes, exchange.request)
            body = await found.body()
        except Exception as exc:  # A bug in what is shown is no reason to end what works.
            log_error(exc)
            found = text(500, "internal error\n")
            body = await found.body()
        headers = [("content-type", found.content_type), ("cache-control", "no-store"), _ONCE]
        if found.status == 405:
            headers.append(_ALLOWED)
        await exchange.respond(found.status, headers, body)
