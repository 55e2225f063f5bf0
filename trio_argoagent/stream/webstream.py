"""A stream of bytes over one WebSocket, with the face of ``net.http2_stream.Http2Stream``.

One task hears and one speaks, and neither waits for the application: what the application does is synchronous
but for its waits, so a cancelled caller leaves nothing half done. What the messages mean is in
``protocol.messaging``.
"""

from __future__ import annotations

import math
from typing import Final

import trio
from trio_websocket import CloseReason, ConnectionClosed, WebSocketConnection
from wsproto.utilities import LocalProtocolError

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.net.errors import ConnectionBroken, renewed
from trio_argoagent.net.http2 import ConnectionStatistics
from trio_argoagent.net.http2_wire import CLOSE_TIMEOUT
from trio_argoagent.net.peeked import Peeked
from trio_argoagent.net.protocol.budgets import Budget
from trio_argoagent.net.protocol.fields import one_line
from trio_argoagent.net.protocol.inbox import Inbox
from trio_argoagent.net.protocol.limits import ROOM, Patience
from trio_argoagent.net.tls import TlsStream
from trio_argoagent.stream.protocol.heads import Heads
from trio_argoagent.stream.protocol.messaging import Messages

HEAD: Final = 16 * 1024
"""Bytes of what comes before the upgrade; whoever sends more is cut off."""
_SWITCHING: Final = b"HTTP/1.1 101 "
SEND_TIMEOUT: Final = 30.0
"""Seconds that one message may take."""

STALLED: Final = Patience().stalled
"""Seconds that bytes may wait for the peer to open its window, as over HTTP/2."""


class Line(trio.abc.Stream):
    """The byte stream under a WebSocket: counted, bounded, and its failure remembered.

    The library knows of ``BrokenResourceError`` alone, and tells nobody why.

    Args:
        stream: connected, and after its TLS handshake; not owned.
        budget: what the peer's frames may cost after the upgrade.

    Attributes:
        head: what the peer has said before the upgrade.
        upgraded: frames come, and ``head`` stays as it is, from now on. Whoever accepts sets it.
        ended: the peer has hung up.
        failure: how receiving or sending has failed.
    """

    def __init__(self, stream: trio.abc.Stream, budget: Budget) -> None:
        self.head = b""
        self.upgraded = False
        self.ended = False
        self.failure: Exception | None = None
        self._stream = stream
        self._heads = Heads(budget)
        self._sent = self._received = 0

    def statistics(self) -> ConnectionStatistics:
        """Bytes as on the socket, TLS included."""
        under = self._stream.transport if isinstance(self._stream, Peeked) else self._stream
        if isinstance(under, TlsStream):
            return ConnectionStatistics(under.bytes_sent, under.bytes_received, 1, 1)
        return ConnectionStatistics(self._sent, self._received, 1, 1)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """See ``trio.abc.ReceiveStream``."""
        if not self.upgraded and len(self.head) >= HEAD:
            return b""
        try:
            data = bytes(await self._stream.receive_some(max_bytes))
        except (ConnectionBroken, trio.BrokenResourceError) as exc:
            self.failure = exc
            raise trio.BrokenResourceError(str(exc)) from exc
        self.ended = not data
        self._received += len(data)
        frames = data
        if not self.upgraded:
            self.head += data
            # What follows may come with it, before anybody else has been told.
            head, end, frames = self.head.partition(b"\r\n\r\n")
            self.upgraded = bool(end) and head.startswith(_SWITCHING)
        if self.upgraded:
            self._count(frames)
        return data

    @property
    def closing(self) -> bool:
        """Has the peer said Close?"""
        return self._heads.closing

    def _count(self, frames: bytes) -> None:
        try:
            self._heads.feed(frames, trio.current_time())
        except RemoteProtocolError as exc:
            self.failure = exc
            raise trio.BrokenResourceError(str(exc)) from exc

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """See ``trio.abc.SendStream``."""
        try:
            await self._stream.send_all(data)
        except (ConnectionBroken, trio.BrokenResourceError) as exc:
            self.failure = self.failure or exc
            raise trio.BrokenResourceError(str(exc)) from exc
        self._sent += len(data)

    async def wait_send_all_might_not_block(self) -> None:
        """See ``trio.abc.SendStream``."""
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """See ``trio.abc.AsyncResource``."""
        await self._stream.aclose()


class WebSocketStream:
    """One stream. One task receives, one task sends; ``run`` runs beside them.

    Args:
        socket: after its upgrade.
        line: what is under it.

    Attributes:
        error: how it broke, if it has.
        closed: nothing of it is left, the connection included.
    """

    def __init__(self, socket: WebSocketConnection, line: Line) -> None:
        self.error: ConnectionBroken | None = None
        self.closed = trio.Event()
        self._socket, self._line = socket, line
        self._messages = Messages()
        self._inbox = Inbox()
        self._handed = False
        self._over = trio.Event()
        # For the application: whoever is woken looks whether it was meant. And for the task that speaks.
        self._changed = trio.lowlevel.ParkingLot()
        self._work = trio.lowlevel.ParkingLot()

    def statistics(self) -> ConnectionStatistics:
        """What the socket has carried so far."""
        return self._line.statistics()

    async def receive(self) -> bytes:
        """All that has arrived, joined; empty after the peer's clean end. See ``Http2Stream``."""
        while not self._inbox:
            if self._messages.ended:
                await trio.lowlevel.checkpoint_if_cancelled()
                return b""
            self._check()
            await self._changed.park()
        await trio.lowlevel.checkpoint_if_cancelled()
        data = self._inbox.take()
        self._messages.taken(len(data))
        self._work.unpark_all()
        return data

    async def wait_room(self) -> None:
        """Return when less than 256 KiB are queued. See ``Http2Stream``."""
        while True:
            self._check()
            if self._messages.queued < ROOM:
                break
            await self._changed.park()
        await trio.lowlevel.checkpoint_if_cancelled()

    def send_nowait(self, data: bytes) -> None:
        """Queue bytes; after ``wait_room``, or for something small.

        Raises:
            ConnectionBroken: the stream is gone.
            LocalProtocolError: it has been ended.
        """
        self._check()
        self._messages.put(data)
        self._work.unpark_all()

    def end(self) -> None:
        """Nothing follows what is queued."""
        self._messages.end()
        self._work.unpark_all()

    async def wait_sent(self) -> None:
        """Return when everything up to the end has been handed to the socket.

        Raises:
            ConnectionBroken: the stream is gone before.
        """
        while not self._handed:
            self._check()
            await self._changed.park()

    def reset(self) -> None:
        """It is over, both ways. Safe at any time.

        What was sent arrives if this side has ended cleanly; else the peer sees a broken connection.
        """
        self.break_off(ConnectionBroken("the WebSocket was given up on this side"))
        self._inbox.clear()

    def break_off(self, error: ConnectionBroken) -> None:
        """It is over for that reason, unless it is already: who uses it is told."""
        if self.error is None:
            self.error = error
        self._over.set()
        self._changed.unpark_all()
        self._work.unpark_all()

    def abandon(self, error: ConnectionBroken) -> None:
        """The same, without waiting for the peer's Close."""
        self._handed = False
        self.break_off(error)

    async def run(self) -> None:
        """Hear and speak until it is over; then Close, where this side has ended cleanly, and hang up."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._hear)
                nursery.start_soon(self._speak)
                await self._over.wait()
                if self._handed:
                    with trio.move_on_after(CLOSE_TIMEOUT):
                        await self._socket.aclose()
                nursery.cancel_scope.cancel()
            await trio.aclose_forcefully(self._line)
        finally:
            self.closed.set()

    async def _hear(self) -> None:
        try:
            while True:
                message = await self._socket.get_message()
                data = self._messages.receive(message)
                if data:
                    self._inbox.add(data)
                self._changed.unpark_all()
                self._work.unpark_all()
        except ConnectionClosed as exc:
            self.break_off(self._end(exc.reason))
        except RemoteProtocolError as exc:
            self.break_off(_caused(exc))

    def _end(self, reason: CloseReason | None) -> ConnectionBroken:
        """How the library's reader has come to its end."""
        if self._line.failure is not None:
            return _caused(self._line.failure)
        if not self._line.ended and not self._line.closing and self.error is None:
            # It ends by itself for one reason alone, and speaks of that as if the peer had closed.
            text = one_line(reason.reason or "") if reason is not None else ""
            rules = f"the peer breaks the rules of WebSockets: {text or 'RFC 6455'}"
            return _caused(RemoteProtocolError(rules))
        return ConnectionBroken(_why(reason))

    async def _speak(self) -> None:
        stalled = math.inf
        try:
            while self.error is None:
                message = self._messages.next_message()
                if message is None:
                    stalled = min(stalled, trio.current_time()) if self._messages.queued else math.inf
                    with trio.fail_at(stalled + STALLED):
                        await self._work.park()
                    continue
                if isinstance(message, bytes):
                    stalled = math.inf
                with trio.fail_after(SEND_TIMEOUT):
                    await self._socket.send_message(message)
                self._handed = self._messages.end_taken
                self._changed.unpark_all()
        except ConnectionClosed as exc:
            self.break_off(self._end(exc.reason))
        except LocalProtocolError:
            # The library was about to hang up, and does not say so to whoever sends.
            self.break_off(self._end(None))
        except trio.TooSlowError:
            limit = SEND_TIMEOUT if stalled == math.inf else STALLED
            self.break_off(ConnectionBroken(f"the peer has taken nothing for {limit:g} s"))

    def _check(self) -> None:
        if self.error is not None:
            raise renewed(self.error, sent=self.error.sent)


def _caused(failure: Exception) -> ConnectionBroken:
    error = ConnectionBroken(str(failure))
    error.__cause__ = failure
    return error


def _why(reason: CloseReason | None) -> str:
    """What a close means (RFC 6455, section 7.4.1), in one line."""
    if reason is None or reason.code == 1006:
        return "the peer closed the connection"
    return f"the WebSocket was closed: {reason.code} {one_line(reason.reason or '')}".rstrip()
