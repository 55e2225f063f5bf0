"""One HTTP/2 stream, seen from the application.

Everything that changes the stream is synchronous; the only waits are for room, for headers and for bytes. So
a cancelled caller leaves nothing half done, and ending a stream is one synchronous call from wherever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio
from h2.errors import ErrorCodes

from trio_argoagent.errors import LocalProtocolError
from trio_argoagent.net.errors import ConnectionBroken, renewed
from trio_argoagent.net.protocol.inbox import Inbox
from trio_argoagent.net.protocol.turns import Priority

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trio_argoagent.net.http import Headers
    from trio_argoagent.net.http2 import Http2Connection


class Http2Stream:
    """A two-way stream of bytes with headers in front. One task receives, one task sends.

    Attributes:
        id: the stream's number on its connection.
        headers: what the peer has sent, without pseudo-headers; empty until it has.
        trailers: headers after the body, if there were any.
        connection: what it lives on.
        scope: of the handler that serves it (server side); cancelled when the stream breaks.
    """

    def __init__(self, connection: Http2Connection, stream_id: int) -> None:
        self.id = stream_id
        self.connection = connection
        self.headers: Headers = ()
        self.trailers: Headers = ()
        self.scope: trio.CancelScope | None = None
        self.headers_sent = False
        self._engine = connection.engine
        self._outbox = self._engine.outbox(stream_id)
        self._status = 0
        self._inbox = Inbox()
        self._credit = 0
        self._remote_ended = False
        self._error: ConnectionBroken | None = None
        self._stop_after_send = False
        # For both tasks: whoever is woken looks whether it was meant.
        self._changed = trio.lowlevel.ParkingLot()

    @property
    def ended(self) -> bool:
        """Whether the peer has ended its side cleanly; some bytes may still wait to be received."""
        return self._remote_ended

    @property
    def broken(self) -> bool:
        """Whether it was reset, by either side, or its connection is over."""
        return self._error is not None

    @property
    def finished(self) -> bool:
        """Whether this side has called ``end``, or has reset the stream."""
        return self._outbox.ending or self._error is not None

    async def response(self) -> tuple[int, Headers]:
        """The answer's status and headers (client side).

        Raises:
            ConnectionBroken: the stream is gone before they came.
        """
        while not self._status:
            self._check()
            await self._changed.park()
        return self._status, self.headers

    async def receive(self) -> bytes:
        """All that has arrived, joined; empty after the peer's clean end.

        Taking the bytes opens the window for as many again.

        Raises:
            ConnectionBroken: the stream was reset, or the connection ended without END_STREAM.
        """
        while not self._inbox:
            if self._remote_ended:
                await trio.lowlevel.checkpoint_if_cancelled()
                return b""
            self._check()
            await self._changed.park()
        await trio.lowlevel.checkpoint_if_cancelled()
        credit, self._credit = self._credit, 0
        if not self._remote_ended and self._error is None:
            self._engine.release(self.id, credit)
            if self._engine.pending:  # mostly it is not yet time to open the window
                self.connection.kick()
        return self._inbox.take()

    def take_arrived(self) -> bytes:
        """What has arrived of a stream that the peer has ended, joined; then nothing."""
        self._credit = 0
        return self._inbox.take()

    async def wait_room(self) -> None:
        """Return when less than 256 KiB of this stream are queued, or none while its connection has too many.

        Without waiting it is no checkpoint.

        Raises:
            ConnectionBroken: the stream is gone.
        """
        while self._error is not None or not self._engine.has_room(self._outbox):
            self._check()
            await self._changed.park()
        await trio.lowlevel.checkpoint_if_cancelled()

    def send_nowait(self, data: bytes) -> None:
        """Queue bytes; after ``wait_room``, or for something small.

        Raises:
            ConnectionBroken: the stream is gone.
            LocalProtocolError: it has been ended, or its headers are missing.
        """
        if self._error is not None:
            self._check()
        if not self.headers_sent:
            raise LocalProtocolError(f"stream {self.id}: data before headers")
        self._engine.queue(self.id, data)
        self.connection.wire.kick()

    def send_headers(
        self, status: int, headers: Iterable[tuple[str, str]] = (), *, end: bool = False
    ) -> None:
        """Send the answer's headers (server side).

        Raises:
            ConnectionBroken: the stream is gone.
        """
        self._check()
        fields = [(":status", str(status)), *headers]
        self._engine.send_headers(self.id, fields, end=end)
        self.headers_sent = True
        self.connection.kick()

    def end(self) -> None:
        """END_STREAM after what is queued. Nothing happens when the stream is over already."""
        if not self.finished:
            self._engine.finish(self.id)
            self.connection.kick()

    def widen(self, window: int) -> None:
        """Let the peer send ``window`` bytes ahead of ``receive``, when that is more than announced."""
        self._check()
        self._engine.widen(self.id, window)
        self.connection.kick()

    def prefer(self, priority: Priority) -> None:
        """Change before whom the stream sends."""
        self._check()
        self._engine.prefer(self.id, priority)
        self.connection.kick()

    async def wait_sent(self) -> None:
        """Return when everything up to END_STREAM has been handed to the socket.

        Raises:
            ConnectionBroken: the stream is gone before.
        """
        while not self._outbox.handed:
            self._check()
            await self._changed.park()

    def reset(self, code: int = ErrorCodes.CANCEL, error: ConnectionBroken | None = None) -> None:
        """End the stream at once, both ways. What was queued or has arrived is forgotten.

        Safe at any time, as often as one likes, also when the stream or its connection is over.

        Args:
            code: what the peer is told.
            error: what users of the stream are told; without it, that it was given up here.
        """
        if self._error is None and not (self._remote_ended and self._outbox.ended):
            self._engine.reset(self.id, code)
            self.break_off(error or ConnectionBroken(f"stream {self.id} was given up on this side"))
            self.connection.kick()
        self._inbox.clear()
        self._credit = 0

    def settle(self, code: int) -> None:
        """The handler is done with the stream: an answer that is complete goes out, else it is reset.

        A peer that is still sending its request is told to stop, after the answer (RFC 9113 section 8.1).
        """
        if not self._outbox.ending:
            self.reset(code)
        elif not self._remote_ended and self._error is None:
            self._stop_after_send = True
            self.progress()

    # What follows is called by the connection, when frames arrive or leave.

    def take_response(self, status: int, headers: Headers) -> None:
        """The answer's headers are here."""
        self._status, self.headers = status, headers
        self._wake()

    def take_data(self, data: bytes, size: int) -> None:
        """Bytes have arrived; ``size`` with their padding."""
        self._credit += size
        if data:
            self._inbox.add(data)
            self._wake()

    def take_end(self) -> None:
        """END_STREAM has arrived."""
        self._remote_ended = True
        self._wake()
        self._closed_if_done()

    def progress(self) -> None:
        """Some of what was queued has left."""
        self._wake()
        if self._stop_after_send and self._outbox.ended and not self._remote_ended:
            self.reset(ErrorCodes.NO_ERROR)
        self._closed_if_done()

    def break_off(self, error: ConnectionBroken) -> None:
        """The stream is gone: wake and stop whoever uses it. What has arrived may still be received."""
        if self._error is not None:
            return
        self._error = error
        # First the scope: a handler that waits in here is to be cancelled, not to see an exception.
        if self.scope is not None and not self._outbox.ended:
            self.scope.cancel()
        self._wake()
        self.connection.forget(self)

    def _wake(self) -> None:
        if self._changed:  # mostly nobody waits
            self._changed.unpark_all()

    def _closed_if_done(self) -> None:
        if self._remote_ended and self._outbox.handed:
            self.connection.forget(self)

    def _check(self) -> None:
        if self._error is not None:
            raise renewed(self._error, sent=self._error.sent and self._outbox.handed)
