"""HTTP/2 over one byte stream: a connection, its streams, and a scope per stream that a handler serves.

The tasks that move bytes are in ``http2_wire``; what the frames mean for streams is here, synchronous
throughout.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import attrs
import trio
from h2 import events
from h2.errors import ErrorCodes

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.net.certificates import Standing, unbound
from trio_argoagent.net.errors import ConnectionBroken, renewed
from trio_argoagent.net.http import Handler, Request, never
from trio_argoagent.net.http2_postman import Postman
from trio_argoagent.net.http2_serving import Service, Serving
from trio_argoagent.net.http2_stream import Http2Stream
from trio_argoagent.net.http2_wire import CLOSE_TIMEOUT, Wire
from trio_argoagent.net.protocol.engine import LAST_STREAM, Engine
from trio_argoagent.net.protocol.fields import code_name, one_line, split_fields
from trio_argoagent.net.protocol.limits import CLIENT, NEVER, STREAM_WINDOW, Limits
from trio_argoagent.net.protocol.turns import Priority
from trio_argoagent.net.tls import TlsStream, peer_address

__all__ = ["ConnectionStatistics", "Http2Connection", "Http2Stream", "open_http2"]

DRAIN_TIMEOUT: Final = 5.0
"""Seconds that streams in progress have to finish."""


@attrs.frozen
class ConnectionStatistics:
    """What a connection has carried: bytes as on the socket (TLS included), and streams."""

    bytes_sent: int = 0
    bytes_received: int = 0
    streams_open: int = 0
    streams_opened: int = 0


class Http2Connection:
    """One connection, made by ``open_http2``.

    Attributes:
        engine: the protocol; for the streams of this connection only.
    """

    def __init__(
        self,
        stream: trio.abc.Stream,
        handlers: trio.Nursery,
        *,
        client: bool,
        service: Service | None,
        authority: str,
        limits: Limits,
        postman: Postman | None,
    ) -> None:
        self.engine = Engine(client=client, allowed=limits)
        self.wire = Wire(stream, self.engine, self, limits.patience, postman)
        self._transport = stream
        self._peer_address = "" if client else peer_address(stream)
        self._peer_certificate: bytes | None = getattr(stream, "peer_certificate", None)
        self._peer_standing: Callable[[], Standing] = getattr(stream, "standing", unbound)
        self._client = client
        # The nursery of ``open_http2``, which this object does not outlive.
        self._start_soon = handlers.start_soon
        self._authority = authority
        self._serving = Serving(service, limits.streams, handlers, self._rest) if service else None
        self._idle_since = trio.current_time()
        self._streams: dict[int, Http2Stream] = {}
        self._opened = 0
        self._changed = trio.lowlevel.ParkingLot()
        self._leaving = False
        self._refusing = False

    @property
    def is_open(self) -> bool:
        """Whether new streams may be opened: neither broken nor said goodbye, by either side."""
        return self.wire.error is None and not self._leaving

    @property
    def error(self) -> ConnectionBroken | None:
        """How the connection ended, if it has; its cause is what the peer did wrong, if it did."""
        return self.wire.error

    def statistics(self) -> ConnectionStatistics:
        """What it has carried so far."""
        return ConnectionStatistics(self.wire.sent, self.wire.received, len(self._streams), self._opened)

    async def open_stream(
        self,
        method: str,
        path: str,
        headers: Iterable[tuple[str, str]] = (),
        *,
        end_stream: bool = False,
        window: int = STREAM_WINDOW,
        priority: Priority = Priority.NORMAL,
    ) -> Http2Stream:
        """Send a request's headers. Waits for the peer's SETTINGS and for its limit of streams.

        Args:
            method: GET, POST, ...
            path: path and query.
            headers: names in lower case.
            end_stream: there is no body.
            window: bytes the peer may send ahead of ``receive``.
            priority: before whom it sends.

        Raises:
            ConnectionBroken: the connection takes no new streams (any more); ``sent`` is False.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        await self.wire.settled.wait()
        while self.is_open and not self.engine.may_open():
            await self._changed.park()
        if self.wire.error is not None:
            raise renewed(self.wire.error, sent=False)
        if self._leaving:
            raise ConnectionBroken("the connection is being closed", sent=False)
        scheme = "https" if isinstance(self._transport, TlsStream) else "http"
        pseudo = [(":method", method), (":scheme", scheme), (":path", path)]
        if self._authority:
            pseudo.insert(2, (":authority", self._authority))
        fields = [*pseudo, *headers]
        stream_id = self.engine.open(fields, end=end_stream, window=window, priority=priority)
        stream = self._streams[stream_id] = Http2Stream(self, stream_id)
        stream.headers_sent = True
        self._opened += 1
        self.kick()
        return stream

    async def wait_ready(self) -> None:
        """Return when the peer's SETTINGS are here: only then it has accepted us (TLS 1.3 tells no sooner).

        Raises:
            ConnectionBroken: it has not; a ``TlsFailed`` says why.
        """
        await self.wire.settled.wait()
        if self.wire.error is not None:
            raise renewed(self.wire.error, sent=False)

    async def wait_closed(self) -> None:
        """Return when the connection is over, for whatever reason: see ``error``."""
        await self.wire.closed.wait()

    async def wait_leaving(self) -> None:
        """Return when no new streams may be opened: see ``is_open``."""
        while self.is_open:
            await self._changed.park()

    async def wait_idle(self) -> None:
        """Return when the connection is over, or is being closed and its last stream has ended."""
        while self.wire.error is None and not (self._leaving and not self._streams):
            await self._changed.park()

    async def ping(self) -> None:
        """Return when the peer has answered a PING, or the connection is over."""
        await self.wire.ping().wait()

    async def drain(self, grace: float = DRAIN_TIMEOUT) -> None:
        """Say that the end is near, let the streams in progress finish, then close.

        Args:
            grace: seconds they have.
        """
        self._leaving = True
        with trio.move_on_after(grace):
            if self.wire.error is None and not self._client:
                # Streams that the peer opened before it has read this are still served.
                self.engine.goaway(last=LAST_STREAM)
                await self.ping()
            self._refusing = True
            if self.wire.error is None:
                self.engine.goaway()
                self.kick()
            await self.wait_idle()
        await self.close()

    def retire(self) -> None:
        """Drain it in the background, and let the streams in progress take as long as they like."""
        if self.is_open:
            self._start_soon(self.drain, math.inf)

    def cut(self, why: str) -> None:
        """The peer has gone too far, for a reason that HTTP/2 does not know: end the connection at once."""
        error = ConnectionBroken(f"the connection was ended: {why}")
        error.__cause__ = RemoteProtocolError(why)
        self.engine.goaway(ErrorCodes.ENHANCE_YOUR_CALM)
        self.wire.stop(error, goaway=False)

    def abandon(self, why: str) -> None:
        """Close the connection at once, without a word and without blaming the peer."""
        self.wire.fail(ConnectionBroken(f"the connection was ended: {why}"))

    async def close(self) -> None:
        """Say GOAWAY, break off all streams, and wait a second at most until that has left."""
        self.wire.stop(ConnectionBroken("the connection was closed on this side"))
        with trio.move_on_after(CLOSE_TIMEOUT):
            await self.wire.finished.wait()

    # For its streams and its wire. Nothing below waits.

    def kick(self) -> None:
        """There may be something to write."""
        self.wire.kick()

    def forget(self, stream: Http2Stream) -> None:
        """The stream is over."""
        if self._streams.pop(stream.id, None) is not None:
            self.engine.drop(stream.id)
            self._rest()
            if self._changed:  # mostly nobody waits
                self._changed.unpark_all()

    def idle_since(self) -> float:
        """Since when there has been no stream, nor a handler of one; infinite while there is."""
        return NEVER if self._is_busy() else self._idle_since

    def give_up(self, stream_id: int, error: ConnectionBroken) -> None:
        """The peer takes nothing on that stream: reset it."""
        if stream := self._streams.get(stream_id):
            stream.reset(ErrorCodes.CANCEL, error)

    def progressed(self, stream_ids: Sequence[int]) -> None:
        """These streams have room again, or have sent their end."""
        for stream_id in stream_ids:
            if stream := self._streams.get(stream_id):
                stream.progress()

    def broke(self, error: ConnectionBroken) -> None:
        """The connection is over."""
        for stream in list(self._streams.values()):
            stream.break_off(error)
        self._changed.unpark_all()

    def happened(self, event: events.Event) -> None:
        """A frame means something. Late frames of streams that are gone are nobody's concern."""
        stream = self._streams.get(getattr(event, "stream_id", None) or 0)
        match event:
            case events.DataReceived() if stream is not None:
                stream.take_data(event.data, event.flow_controlled_length)
            case events.StreamEnded() if stream is not None:
                stream.take_end()
            case events.RequestReceived():
                self._accept(event)
            case events.ResponseReceived() if stream is not None:
                pseudo, headers = split_fields(event.headers)
                stream.take_response(int(pseudo[":status"]), headers)
            case events.TrailersReceived() if stream is not None:
                stream.trailers = split_fields(event.headers)[1]
            case events.StreamReset() if stream is not None:
                who = "the peer" if event.remote_reset else "a protocol error of the peer"
                refused = event.error_code == ErrorCodes.REFUSED_STREAM
                text = f"stream {stream.id} was reset by {who}: {code_name(event.error_code)}"
                stream.break_off(ConnectionBroken(text, sent=not refused))
            case events.RemoteSettingsChanged():
                self._changed.unpark_all()
            case events.ConnectionTerminated():
                self._take_goaway(event)

    def _accept(self, event: events.RequestReceived) -> None:
        stream_id = event.stream_id
        self.engine.accept(stream_id)
        if self._serving is None or self._refusing or self._serving.is_full:
            self.engine.reset(stream_id, ErrorCodes.REFUSED_STREAM)
            self.engine.drop(stream_id)
            return
        stream = self._streams[stream_id] = Http2Stream(self, stream_id)
        pseudo, stream.headers = split_fields(event.headers)
        request = Request(
            method=pseudo.get(":method", ""),
            target=pseudo.get(":path", ""),
            headers=stream.headers,
            authority=pseudo.get(":authority") or dict(stream.headers).get("host", ""),
            version="2",
            peer_certificate=self._peer_certificate,
            peer_address=self._peer_address,
            peer_standing=self._peer_standing,
        )
        self._opened += 1
        self._serving.add(stream, request)

    def paused(self) -> None:
        """What has come at once has been told of: begin with the requests."""
        if self._serving is not None:
            self._serving.begin()

    def _is_busy(self) -> bool:
        return bool(self._streams) or (self._serving is not None and self._serving.handlers > 0)

    def _rest(self) -> None:
        if not self._is_busy():
            self._idle_since = trio.current_time()

    def _take_goaway(self, event: events.ConnectionTerminated) -> None:
        self._leaving = True
        if event.error_code:
            self.wire.farewell = f"the peer ended the connection: {code_name(event.error_code)}"
            if event.additional_data:
                said = one_line(event.additional_data.decode("utf-8", "replace"))
                self.wire.farewell += f" ({said})"
        last = LAST_STREAM if event.last_stream_id is None else event.last_stream_id
        for stream in list(self._streams.values()):
            if self._client and stream.id > last:
                stream.break_off(ConnectionBroken("the peer is closing the connection", sent=False))
        self._changed.unpark_all()


@asynccontextmanager
async def open_http2(
    stream: trio.abc.Stream,
    *,
    client: bool,
    handler: Handler | None = None,
    prompt: Callable[[Request], bool] = never,
    authority: str = "",
    limits: Limits | None = None,
    postman: Postman | None = None,
) -> AsyncIterator[Http2Connection]:
    """Speak HTTP/2 over a byte stream, which is owned from now on and closed at the end.

    Leaving the context says GOAWAY, breaks off what is in progress and closes, within a second, also when it
    is left by cancellation. A connection that breaks does not raise here: its streams do.

    Args:
        stream: connected; with TLS, after its handshake.
        client: whether this side opens streams.
        handler: serves the streams that the peer opens, each in a task of its own.
        prompt: which requests the handler answers without a wait: these need no task (``http.Prompt``).
        authority: what requests of this side are for (``:authority``).
        limits: what is announced to the peer, and what it may cost; without them, those for its role.
        postman: writes for this connection and others, what need not wait.

    Raises:
        ExceptionGroup: of what handlers have raised.
    """
    async with trio.open_nursery() as nursery:
        allowed = limits or (CLIENT if client else Limits())
        connection = Http2Connection(
            stream,
            nursery,
            client=client,
            service=Service(handler, prompt) if handler is not None else None,
            authority=authority,
            limits=allowed,
            postman=postman,
        )
        nursery.start_soon(connection.wire.run)
        try:
            yield connection
        finally:
            connection.wire.stop(ConnectionBroken("the connection was closed on this side"))
            with trio.move_on_after(CLOSE_TIMEOUT, shield=True):
                await connection.wire.finished.wait()
            connection.wire.abandon()
            nursery.cancel_scope.cancel()
