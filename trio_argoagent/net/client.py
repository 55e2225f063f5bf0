"""An HTTP client for one server: connections are dialled when they are needed, and again when they are gone.

All requests share one HTTP/2 connection as long as it has streams left; then a second one is dialled, and so
on (see ``lanes``). When the server says GOAWAY, requests in progress finish on the old connection while new
ones dial. Where the server speaks HTTP/1.1 only, a connection carries one request at a time. One dial at a
time, however many wait for it.
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
from trio_argoagent.net.http2 import ConnectionStatistics
from trio_argoagent.net.lanes import Answer, Http1Lane, Http2Lane, Lane
from trio_argoagent.net.responses import Response, StreamedResponse
from trio_argoagent.net.tls import TlsStream

__all__ = ["ClientStatistics", "Connect", "HttpClient", "Response", "StreamedResponse", "open_client"]

DIAL_TIMEOUT: Final = 10.0
"""Seconds for TCP, TLS and the server's SETTINGS together."""
ANSWER: Final = 256 * 1024 * 1024
"""Bytes of an answer's body that ``request`` takes into memory."""

RELUCTANT: Final = 5.0
"""Seconds without another dial after one that failed, while there are connections that work."""
OPEN_ATTEMPTS: Final = 2
"""Connections that one request tries: the one at hand may be just about to end."""


@attrs.frozen
class ClientStatistics:
    """What a client has done: bytes as on the socket, over all its connections.

    Attributes:
        dials: begun.
        requests: sent.
        connections: open now.
        bytes_sent: of HTTP/1.1 without TLS none are counted, here and below.
        bytes_received: likewise.
    """

    dials: int = 0
    requests: int = 0
    connections: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0


@attrs.define(eq=False)
class _Dial:
    """One attempt."""

    error: ConnectionBroken | None = None


class HttpClient:
    """Made by ``open_client``. Any number of tasks may use it at once."""

    def __init__(self, dial: Callable[[], Awaitable[Lane]]) -> None:
        self._open = dial
        self._wanted = trio.Event()
        self._dial: _Dial | None = None
        self._lanes: list[Lane] = []
        # Who waits for a lane with room. It is woken when there may be one, and when a dial has failed.
        self._waiting = trio.lowlevel.ParkingLot()
        self._failed_at = float("-inf")
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
        answer = await self._begin(method, target, list(headers), body)
        try:
            status, answered = await answer.response()
            yield StreamedResponse(status, answered, answer)
        finally:
            answer.reset()
            self._waiting.unpark()

    def statistics(self) -> ClientStatistics:
        """What has been done so far."""
        parts = [self._past, *(lane.statistics() for lane in self._lanes)]
        return ClientStatistics(
            self._dials,
            self._requests,
            len(self._lanes),
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

    async def _begin(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        await trio.lowlevel.checkpoint_if_cancelled()
        for attempt in range(OPEN_ATTEMPTS):
            lane = await self._lane_with_room()
            began = False
            try:
                answer = await lane.begin(method, target, headers, body)
                began = True
            except ConnectionBroken as exc:
                # It ended while we waited for our turn on it, and nothing was sent.
                if exc.sent or attempt + 1 == OPEN_ATTEMPTS:
                    raise
                continue
            finally:
                if not began:
                    self._waiting.unpark()
            self._requests += 1
            return answer
        raise AssertionError("unreachable")

    async def _lane_with_room(self) -> Lane:
        """A lane on which ``begin`` may be called at once."""
        while True:
            lane = next((lane for lane in self._lanes if lane.has_room), None)
            if lane is not None:
                # No checkpoint here: whoever was woken for this lane and left without it would wake nobody.
                return lane
            dial = self._dialling()
            await self._waiting.park()
            if dial is not None and dial.error is not None and not any(each.is_open for each in self._lanes):
                raise renewed(dial.error, sent=False)

    def _dialling(self) -> _Dial | None:
        """The dial that is going on, or a new one; None when there are connections enough."""
        if self._dial is None:
            taken = [lane for lane in self._lanes if lane.is_open]
            failing = trio.current_time() < self._failed_at + RELUCTANT
            if taken and (failing or len(taken) >= taken[0].most):
                return None
            self._dial = _Dial()
            self._wanted.set()
        return self._dial

    def _wake_all(self) -> None:
        self._waiting.unpark_all()

    async def _keep(self, task_status: trio.TaskStatus[None]) -> None:
        dial, self._dials = self._dial, self._dials + 1
        assert dial is not None
        lane: Lane | None = None

        def settle() -> None:
            nonlocal dial
            dial = self._dial = None
            scope.deadline = float("inf")
            self._waiting.unpark_all()
            task_status.started()

        error = None
        try:
            with trio.move_on_after(DIAL_TIMEOUT) as scope:
                lane = await self._open()
                self._lanes.append(lane)
                await lane.keep(settle, self._wake_all)
        except ConnectionBroken as exc:
            error = exc
        finally:
            if lane is not None:
                self._lanes.remove(lane)
                self._past = _sum(self._past, lane.statistics())
        if dial is not None:
            late = f"no {'SETTINGS' if lane else 'connection'} within {DIAL_TIMEOUT:g} s"
            dial.error = error or ConnectionBroken(late, sent=False)
            self._failed_at = trio.current_time()
            settle()


@asynccontextmanager
async def open_client(
    *,
    host: str,
    port: int,
    context: ssl.SSLContext | None,
    server_hostname: str | None = None,
    connect: Connect | None = None,
    http1: bool = False,
) -> AsyncIterator[HttpClient]:
    """A client for one server. Nothing is dialled before the first request.

    Args:
        host: name or address.
        port: TCP port.
        context: from ``client_context``; with ``h2`` in its ALPN list HTTP/2 is spoken if the server can.
            None: no TLS.
        server_hostname: what the certificate must be for, when that is not ``host``.
        connect: makes the byte stream instead of TCP: ``net.connect.tunnel``, for example.
        http1: without TLS, speak HTTP/1.1: there is nothing to agree on it with.
    """
    tcp = connect or trio.open_tcp_stream
    authority = format_address(host, port)

    async def dial() -> Lane:
        transport = await open_transport(tcp, host, port, context, server_hostname or host)
        speaks2 = transport.alpn == "h2" if isinstance(transport, TlsStream) else not http1
        return Http2Lane(transport, authority) if speaks2 else Http1Lane(transport, authority)

    client = HttpClient(dial)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.run)
        try:
            yield client
        finally:
            nursery.cancel_scope.cancel()


def _sum(a: ConnectionStatistics, b: ConnectionStatistics) -> ConnectionStatistics:
    return ConnectionStatistics(a.bytes_sent + b.bytes_sent, a.bytes_received + b.bytes_received)
