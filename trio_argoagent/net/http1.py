"""HTTP/1.1, the serving side, on h11: keep-alive, streamed answers, one request at a time.

While a handler works, the connection is watched: a peer that hangs up cancels it, as with HTTP/2. Only the
handler sends. A handler that is cancelled in the middle of a send leaves a connection that cannot be used, so
it is closed.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import h11
import trio

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.net.certificates import unbound
from trio_argoagent.net.errors import BodyTooLarge, ConnectionBroken
from trio_argoagent.net.http import BODY, Handler, Request
from trio_argoagent.net.linger import LINGER, close_gently
from trio_argoagent.net.tls import peer_address

if TYPE_CHECKING:
    from trio_argoagent.net.http2 import Http2Stream

READ: Final = 64 * 1024
"""Bytes asked of the socket at once."""
HEAD: Final = 64 * 1024
"""Bytes of a request's first line and headers."""
IDLE_TIMEOUT: Final = 75.0
"""Seconds for a request's head to arrive, kept-alive connections included."""
LEFTOVER: Final = 64 * 1024
"""Bytes of a request body that nobody wanted, read to keep the connection; above it, it is closed."""


async def serve_http1(stream: trio.abc.Stream, handler: Handler) -> None:
    """Serve one connection until either side ends it. The stream is closed at the end.

    Raises:
        RemoteProtocolError: the peer does not speak HTTP/1.1; it has been told.
        ExceptionGroup: of what the handler has raised.
    """
    wire = _Wire(stream)
    try:
        while (request := await wire.next_request()) is not None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(wire.watch, nursery.cancel_scope)
                await handler(Http1Exchange(wire, request))
                nursery.cancel_scope.cancel()
            if wire.gone or not await wire.next_cycle():
                break
    finally:
        with trio.move_on_after(LINGER, shield=True):
            await close_gently(stream, hurry=wire.gone)


class Http1Exchange:
    """See ``net.http.Exchange``."""

    def __init__(self, wire: _Wire, request: Request) -> None:
        self.request = request
        self.started = False
        self._wire = wire

    @property
    def stream(self) -> Http2Stream | None:
        """There is none."""
        return None

    async def body(self, limit: int = BODY) -> bytes:
        """The whole request body, at most ``limit`` bytes."""
        pieces: list[bytes] = []
        size = 0
        while piece := await self.receive():
            size += len(piece)
            if size > limit:
                raise BodyTooLarge(f"the request body is longer than {limit} bytes")
            pieces.append(piece)
        return b"".join(pieces)

    async def receive(self) -> bytes:
        """The next part of the request body; empty at its end."""
        return await self._wire.next_data()

    async def respond(self, status: int, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> None:
        """Answer in one go."""
        head = self._wire.head(status, [*headers, ("content-length", str(len(body)))])
        self.started = True
        content = b"" if self.request.method == "HEAD" else body
        await self._wire.send(head, *([h11.Data(data=content)] if content else []), h11.EndOfMessage())

    async def start(self, status: int, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Begin an answer of unknown length: chunked, or until the connection closes for HTTP/1.0."""
        head = self._wire.head(status, headers)
        self.started = True
        await self._wire.send(head)

    async def send(self, data: bytes) -> None:
        """Send a part of it."""
        if data and self.request.method != "HEAD":
            await self._wire.send(h11.Data(data=data))

    async def end(self) -> None:
        """It is complete."""
        if self._wire.answering:
            await self._wire.send(h11.EndOfMessage())


class _Wire:
    """h11 over a stream. ``gone``: the peer has hung up, or a send was cut short."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._peer_address = peer_address(stream)
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD)
        self._body_read = trio.Event()
        self.gone = False

    @property
    def answering(self) -> bool:
        return self._h11.our_state is h11.SEND_BODY

    async def next_request(self) -> Request | None:
        """The next request; None when the peer has ended, or has been idle for too long."""
        self._body_read = trio.Event()
        nonsense = None
        with trio.move_on_after(IDLE_TIMEOUT):
            try:
                event = await self._next_event()
            except ConnectionBroken:
                return None
            except RemoteProtocolError as exc:
                nonsense = exc
            else:
                return await self._request(event) if isinstance(event, h11.Request) else None
        if nonsense is not None:
            await self._refuse(nonsense)
            raise nonsense
        return None

    async def next_data(self) -> bytes:
        if self._body_read.is_set():
            return b""
        while True:
            event = await self._next_event()
            if not isinstance(event, h11.Data):
                self._body_read.set()
                return b""
            if event.data:
                return bytes(event.data)

    async def watch(self, scope: trio.CancelScope) -> None:
        """Once the request has arrived, the next thing to be read is the next request, or the peer's end."""
        await self._body_read.wait()
        if self._h11.trailing_data[0]:
            return
        try:
            data = await self._stream.receive_some(READ)
        except (ConnectionBroken, trio.BrokenResourceError):
            data = b""
        if data:
            self._h11.receive_data(bytes(data))
        else:
            self.gone = True
            scope.cancel()

    async def next_cycle(self) -> bool:
        """Whether the connection can take another request."""
        left = LEFTOVER
        while self._h11.our_state is h11.DONE and not self._body_read.is_set() and left > 0:
            left -= len(await self.next_data())
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()
            return True
        return False

    def head(self, status: int, headers: Iterable[tuple[str, str]]) -> h11.Response:
        return h11.Response(status_code=status, headers=list(headers))

    async def send(self, *events: h11.Event) -> None:
        data = b"".join(self._h11.send(event) or b"" for event in events)
        whole = False
        try:
            await self._stream.send_all(data)
            whole = True
        except (trio.BrokenResourceError, trio.ClosedResourceError) as exc:
            raise ConnectionBroken("the peer has hung up") from exc
        finally:
            self.gone = self.gone or not whole

    async def _next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        while True:
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as exc:
                raise RemoteProtocolError(f"HTTP/1.1: {exc}") from exc
            if event is not h11.NEED_DATA:
                return event
            if self._h11.they_are_waiting_for_100_continue:
                await self.send(h11.InformationalResponse(status_code=100, headers=[]))
            try:
                data = await self._stream.receive_some(READ)
            except (trio.BrokenResourceError, trio.ClosedResourceError) as exc:
                self.gone = True
                raise ConnectionBroken("the peer has hung up") from exc
            if not data and self._h11.their_state is h11.SEND_BODY:
                self.gone = True
                raise ConnectionBroken("the peer has hung up in the middle of a request")
            self._h11.receive_data(bytes(data))

    async def _refuse(self, exc: RemoteProtocolError) -> None:
        if self._h11.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = str(exc).encode()
            head = self.head(400, [("content-length", str(len(body))), ("connection", "close")])
            # A peer that is gone will not read it; the error is reported all the same.
            with suppress(ConnectionBroken):
                await self.send(head, h11.Data(data=body), h11.EndOfMessage())

    async def _request(self, event: h11.Request) -> Request:
        # A request without a body has ended with its head; nobody need ask for its end.
        if not any(name in (b"content-length", b"transfer-encoding") for name, _ in event.headers):
            await self.next_data()
        headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in event.headers)
        return Request(
            method=event.method.decode("latin-1"),
            target=event.target.decode("latin-1"),
            headers=headers,
            authority=dict(headers).get("host", ""),
            version="1.1",
            peer_certificate=getattr(self._stream, "peer_certificate", None),
            peer_address=self._peer_address,
            peer_standing=getattr(self._stream, "standing", unbound),
        )
