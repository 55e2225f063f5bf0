"""A forward proxy that does CONNECT and nothing else, over any byte stream: what stands before many hubs.

It is a good one, with a password if one is wanted; what bad ones answer is a line of bytes in a test.
"""

from __future__ import annotations

from typing import Final

import h11
import trio

from trio_argoagent.net.address import parse_address
from trio_argoagent.net.dialling import Connect
from trio_argoagent.net.relay import relay

READ: Final = 64 * 1024
"""Bytes of a request read at once."""


class ForwardProxy:
    """See the module. ``serve`` each connection in a task of its own.

    Args:
        connect: how servers are reached from here.
        authorization: the one ``Proxy-Authorization`` that is accepted; empty: none is wanted.

    Attributes:
        asked: the targets of CONNECT so far, ``host:port`` each.
    """

    def __init__(self, connect: Connect = trio.open_tcp_stream, *, authorization: str = "") -> None:
        self.asked: list[str] = []
        self._connect, self._authorization = connect, authorization

    async def serve(self, inner: trio.abc.HalfCloseableStream) -> None:
        """One connection to its end; the stream is closed then."""
        talk = h11.Connection(h11.SERVER)
        async with inner:
            try:
                request = await self._request(talk, inner)
            except (trio.BrokenResourceError, h11.RemoteProtocolError):
                return
            status, outer = await self._judge(request)
            headers = [("content-length", "0")] if outer is None else []
            answer = talk.send(h11.Response(status_code=status, headers=headers, reason=_REASONS[status]))
            try:
                await inner.send_all(answer or b"")
                if outer is not None:
                    await relay(inner, outer)
            except trio.BrokenResourceError:
                pass  # Somebody hung up: that is the end of it.
            finally:
                if outer is not None:
                    await trio.aclose_forcefully(outer)

    async def _request(self, talk: h11.Connection, inner: trio.abc.Stream) -> h11.Request:
        while True:
            event = talk.next_event()
            if isinstance(event, h11.Request):
                return event
            data = await inner.receive_some(READ)
            if not data:
                raise trio.BrokenResourceError("nobody asked for anything")
            talk.receive_data(bytes(data))

    async def _judge(self, request: h11.Request) -> tuple[int, trio.abc.Stream | None]:
        if request.method != b"CONNECT":
            return 405, None
        given = dict(request.headers).get(b"proxy-authorization", b"").decode("latin-1")
        if given != self._authorization:
            return 407, None
        target = request.target.decode("ascii")
        self.asked.append(target)
        try:
            return 200, await self._connect(*parse_address(target))
        except OSError:
            return 502, None


_REASONS: Final = {
    200: "Connection established",
    405: "Method Not Allowed",
    407: "Proxy Authentication Required",
    502: "Bad Gateway",
}
