"""An HTTP client on one HTTP/2 connection, which is dialled when it is needed and again when it is gone.

All requests share the connection. When the server says GOAWAY, requests in progress finish on the old
connection while new ones dial; one dial at a time, however many wait for it.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Final

import attrs
import trio

from trio_argoagent.net.address import format_address
from trio_argoagent.net.dialling import Connect, open_transport
from trio_argoagent.net.errors import ConnectionBroken, renewed
from trio_argoagent.net.http2 import ConnectionStatistics, Http2Connection, Http2Stream, open_http2
from trio_argoagent.net.protocol.limits import WIDE_WINDOW
from trio_argoagent.net.responses import Response, StreamedResponse

__all__ = ["ClientStatistics", "Connect", "HttpClient", "Response", "StreamedResponse", "open_client"]

DIAL_TIMEOUT: Final = 10.0
"""Seconds for TCP, TLS and the server's SETTINGS together."""
ANSWER: Final = 256 * 1024 * 1024
"""Bytes of an answer's body that ``request`` takes into memory."""

OPEN_ATTEMPTS: Final = 2
"""Connections that one request tries: the one at hand may be just about to end."""


@attrs.frozen
class ClientStatistics:
    """What a client has done: bytes as on the socket, over all its connections."""

    dials: int = 0
    requests: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0


@attrs.define(eq=False)
class _Dial:
    """One attempt, and everybody who waits for it."""

    done: trio.Event = attrs.field(factory=trio.Event)
    connection: Http2Connection | None = None
    error: ConnectionBroken | None = None


class HttpClient:
    """Made by ``open_client``. Any number of tasks may use it at once."""

    def __init__(self, dial: Callable[[], Awaitable[trio.abc.Stream]], authority: str) -> None:
        self._open = dial
        self._authority = authority
        self._wanted = trio.Event()
        self._dial: _Dial | None = None
        self._current: Http2Connection | None = None
        self._live: list[Http2Connection] = []
        self._dials = self._requests = 0
        self._past = ConnectionStatistics()

    async def request(
        self, method: str, target: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> Response:
        """Send a request and read the whole answer, whatever its status.

        Raises:
            ConnectionBroken: no connection, or it broke; ``sent`` tells whether the request may have been
                acted upon.
        """
        async with self.stream(method, target, headers, body) as response:
            pieces: list[bytes] = []
            size = 0
            while piece := await response.receive():
                size += len(piece)
                if size > ANSWER:
                    raise ConnectionBroken(f"the answer is longer than {ANSWER} bytes")
                pieces.append(piece)
            return Response(response.status, response.headers, b"".join(pieces))

    @asynccontextmanager
    async def stream(
        self, method: str, target: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> AsyncIterator[StreamedResponse]:
        """Send a request and read the answer as it comes; leaving the context early resets it.

        Raises:
            ConnectionBroken: as for ``request``.
        """
        stream = await self._begin(method, target, list(headers), body)
        try:
            status, answered = await stream.response()
            yield StreamedResponse(status, answered, stream)
        finally:
            stream.reset()

    def statistics(self) -> ClientStatistics:
        """What has been done so far."""
        parts = [self._past, *(connection.statistics() for connection in self._live)]
        return ClientStatistics(
            self._dials,
            self._requests,
            sum(part.bytes_sent for part in parts),
            sum(part.bytes_received for part in parts),
        )

    async def run(self) -> None:
        """Dial when a request asks for it, and keep what was dialled alive; ``open_client`` calls it."""
        async with trio.open_nursery() as nursery:
            while True:
                await self._wanted.wait()
                self._wanted = trio.Event()
                await nursery.start(self._keep)

    async def _begin(
        self, method: str, target: str, headers: list[tuple[str, str]], body: bytes
    ) -> Http2Stream:
        stream = await self._open_stream(method, target, headers, end=not body)
        self._requests += 1
        if body:
            # It is in memory already: queueing all of it costs nothing more.
            stream.send_nowait(body)
            stream.end()
        return stream

    async def _open_stream(
        self, method: str, target: str, headers: list[tuple[str, str]], *, end: bool
    ) -> Http2Stream:
        for attempt in range(OPEN_ATTEMPTS):
            connection = await self._connection()
            try:
                return await connection.open_stream(
                    method, target, headers, end_stream=end, window=WIDE_WINDOW
                )
            except ConnectionBroken:
                # It ended while we waited for our turn on it, and nothing was sent.
                if attempt + 1 == OPEN_ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    async def _connection(self) -> Http2Connection:
        if self._current is not None and self._current.is_open:
            return self._current
        if self._dial is None:
            self._dial = _Dial()
            self._wanted.set()
        dial = self._dial
        await dial.done.wait()
        if dial.connection is not None:
            return dial.connection
        raise renewed(dial.error or ConnectionBroken("the client is closed"), sent=False)

    async def _keep(self, task_status: trio.TaskStatus[None]) -> None:
        dial, self._dials = self._dial, self._dials + 1
        assert dial is not None
        try:
            with trio.move_on_after(DIAL_TIMEOUT) as scope:
                transport = await self._open()
        except ConnectionBroken as exc:
            dial.error = exc
        if scope.cancelled_caught:
            dial.error = ConnectionBroken(f"no connection within {DIAL_TIMEOUT:g} s", sent=False)
        if dial.error is not None:
            self._settle(dial)
            task_status.started()
            return
        async with open_http2(transport, client=True, authority=self._authority) as connection:
            self._live.append(connection)
            try:
                await self._introduce(connection, dial)
                task_status.started()
                await connection.wait_idle()
            finally:
                self._live.remove(connection)
                self._past = _sum(self._past, connection.statistics())

    async def _introduce(self, connection: Http2Connection, dial: _Dial) -> None:
        try:
            with trio.move_on_after(DIAL_TIMEOUT):
                await connection.wait_ready()
                dial.connection = self._current = connection
        except ConnectionBroken as exc:
            dial.error = exc
        if dial.connection is None and dial.error is None:
            dial.error = ConnectionBroken(f"no SETTINGS within {DIAL_TIMEOUT:g} s", sent=False)
        self._settle(dial)

    def _settle(self, dial: _Dial) -> None:
        self._dial = None
        dial.done.set()


@asynccontextmanager
async def open_client(
    *,
    host: str,
    port: int,
    context: ssl.SSLContext | None,
    server_hostname: str | None = None,
    connect: Connect | None = None,
) -> AsyncIterator[HttpClient]:
    """A client for one server. Nothing is dialled before the first request.

    Args:
        host: name or address.
        port: TCP port.
        context: from ``client_context`` with ``h2`` in its ALPN list; None: HTTP/2 without TLS.
        server_hostname: what the certificate must be for, when that is not ``host``.
        connect: makes the byte stream instead of TCP.
    """
    tcp = connect or trio.open_tcp_stream

    async def dial() -> trio.abc.Stream:
        return await open_transport(tcp, host, port, context, server_hostname or host)

    client = HttpClient(dial, format_address(host, port))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.run)
        try:
            yield client
        finally:
            nursery.cancel_scope.cancel()


def _sum(a: ConnectionStatistics, b: ConnectionStatistics) -> ConnectionStatistics:
    return ConnectionStatistics(a.bytes_sent + b.bytes_sent, a.bytes_received + b.bytes_received)
