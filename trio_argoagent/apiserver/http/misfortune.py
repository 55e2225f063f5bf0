"""Faults that were ordered, as they befall requests; and the place where clients order them."""

from __future__ import annotations

from collections.abc import Iterable

import trio

from trio_argoagent.apiserver.core import failures
from trio_argoagent.apiserver.core.routing import Action, Route
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.http.faults import Fault, Faults, What
from trio_argoagent.apiserver.http.replies import Reply, read_value
from trio_argoagent.errors import LinkBroken
from trio_argoagent.net.http import BODY, Exchange, Request
from trio_argoagent.net.http2 import Http2Stream


async def befall(exchange: Exchange, faults: Faults, route: Route, action: Action) -> Exchange:
    """Let a request meet its fault, if there is one for it. Returns what it is answered through.

    Raises:
        ApiError: the fault is the answer.
    """
    query = exchange.request.query.get("watch", ["0"])[0].lower()
    watched = action is Action.LIST and query not in ("0", "false")
    fault = faults.meet("watch" if watched else action.value, route.plural, route.name)
    if fault is None:
        return exchange
    if fault.what is What.STATUS:
        raise fault.error()
    if fault.what is What.DELAY:
        await trio.sleep(fault.seconds)
        return exchange
    return CutExchange(exchange, whole=fault.what is What.LOSE)


async def answer_orders(exchange: Exchange, faults: Faults, server: ApiServer) -> Reply:
    """POST orders one fault or a list of them, GET shows those that wait, DELETE forgets them."""
    method = exchange.request.method
    if method == "POST":
        value = await read_value(exchange)
        orders = [Fault.parse(each) for each in (value if isinstance(value, list) else [value])]
        for fault in orders:
            _order(fault, faults, server)
    elif method == "DELETE":
        faults.clear()
    elif method not in ("GET", "HEAD"):
        raise failures.no_such_verb(method.lower())
    return Reply.of(faults.document(), 201 if method == "POST" else 200)


def _order(fault: Fault, faults: Faults, server: ApiServer) -> None:
    if fault.what is What.DROP_WATCHES:
        server.drop_watches(fault.error() if fault.code else None)
    elif fault.what is What.COMPACT:
        server.compact(fault.rv or server.rv)
    else:
        faults.order(fault)


class CutExchange:
    """An exchange whose answer breaks off.

    Args:
        exchange: the real one.
        whole: nothing of the body arrives; else the first half of its first part.
    """

    def __init__(self, exchange: Exchange, *, whole: bool) -> None:
        self._exchange = exchange
        self._whole = whole

    @property
    def request(self) -> Request:
        """What is asked for."""
        return self._exchange.request

    @property
    def stream(self) -> Http2Stream | None:
        """The stream itself."""
        return self._exchange.stream

    @property
    def started(self) -> bool:
        """Whether the answer's headers have been sent."""
        return self._exchange.started

    async def body(self, limit: int = BODY) -> bytes:
        """The whole request body."""
        return await self._exchange.body(limit)

    async def receive(self) -> bytes:
        """The next part of the request body."""
        return await self._exchange.receive()

    async def respond(self, status: int, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> None:
        """Begin an answer, and break off."""
        await self.start(status, headers)
        await self.send(body)

    async def start(self, status: int, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Begin an answer."""
        await self._exchange.start(status, headers)

    async def send(self, data: bytes) -> None:
        """Send a half of it, and break off.

        Raises:
            LinkBroken: always.
        """
        if not self._whole:
            await self._exchange.send(data[: len(data) // 2])
        raise LinkBroken("a fault that was ordered: the answer breaks off here")

    async def end(self) -> None:
        """Break off instead; raises LinkBroken."""
        await self.send(b"")
