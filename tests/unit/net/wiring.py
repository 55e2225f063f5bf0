"""Two ends of a connection, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import trio
import trio.testing

from trio_argoagent.net.http import Exchange, Handler
from trio_argoagent.net.http2 import Http2Connection, Http2Stream, open_http2
from trio_argoagent.net.protocol.limits import Limits


async def echo(exchange: Exchange) -> None:
    """Answer with the request's body."""
    await exchange.respond(200, [("x-path", exchange.request.target)], await exchange.body(1 << 30))


@asynccontextmanager
async def connected(
    handler: Handler = echo, *, limits: Limits | None = None
) -> AsyncIterator[tuple[Http2Connection, Http2Connection]]:
    """A client's and a server's connection over memory."""
    near, far = trio.testing.memory_stream_pair()
    async with open_http2(far, client=False, handler=handler, limits=limits or Limits()) as server:
        async with open_http2(near, client=True, authority="test") as client:
            yield client, server


async def read_all(stream: Http2Stream) -> bytes:
    """Everything up to the clean end."""
    pieces = []
    while piece := await stream.receive():
        pieces.append(piece)
    return b"".join(pieces)


@asynccontextmanager
async def listening(serve: Any, *args: Any, **kwargs: Any) -> AsyncIterator[int]:
    """Run a server of ``net.server`` on loopback; the value is its port."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(serve, args[0], listeners, *args[1:], **kwargs))
        yield listeners[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()
