"""Bytes between an HTTP/2 engine and a stream: one reader, one writer, one keepalive.

The reader never waits for the application or for a send. The writer alone touches the socket's sending side,
so no timeout or cancellation of a request can cut a frame in half. Between the two there is no lock: every
change of protocol state is synchronous.

All three run shielded from whoever owns the connection, because a cancelled owner must still say GOAWAY; it
calls ``abandon`` after a second. There are two ways to end: ``stop`` lets what is in line leave first,
``fail`` does not try.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import trio
from h2.events import Event, PingAckReceived, RemoteSettingsChanged

from trio_argoagent.net.errors import ConnectionBroken
from trio_argoagent.net.http2_keeper import Streams, keep
from trio_argoagent.net.http2_postman import Postman
from trio_argoagent.net.protocol.engine import Engine
from trio_argoagent.net.protocol.limits import UNSENT_CONTROL, UNSENT_FRAMES, Patience
from trio_argoagent.net.tls import TlsStream, close_socket

READ: Final = 64 * 1024
"""Bytes asked of the socket at once."""
CLOSE_TIMEOUT: Final = 1.0
"""Seconds for GOAWAY and the peer's last bytes. Closing with unread input would destroy the GOAWAY."""


class Owner(Streams, Protocol):
    """What is told of what happens. None of it waits."""

    def happened(self, event: Event) -> None:
        """A frame means something."""

    def paused(self) -> None:
        """All that could be told at once has been."""

    def progressed(self, stream_ids: Sequence[int]) -> None:
        """These streams have room again, or have sent their end."""

    def broke(self, error: ConnectionBroken) -> None:
        """The connection is over; told once."""


class Wire:
    """The three tasks of one connection.

    Args:
        stream: what carries the bytes.
        engine: what they mean.
        owner: is told of it.
        patience: how long the peer may take.
        postman: takes to the socket what need not wait; without one the writer does it all.

    Attributes:
        heard: when the last byte came.
        sending: since when the stream has been taking what was handed to it; None: it has taken all.
        error: how the connection ended, if it has.
        settled: the peer's SETTINGS are here, or the connection is over.
        closed: the connection is over.
        finished: the tasks are, too.
        farewell: what the peer gave as its reason, when it says so before it hangs up.
    """

    def __init__(
        self,
        stream: trio.abc.Stream,
        engine: Engine,
        owner: Owner,
        patience: Patience,
        postman: Postman | None = None,
    ) -> None:
        self.error: ConnectionBroken | None = None
        self.settled = trio.Event()
        self.closed = trio.Event()
        self.finished = trio.Event()
        self.farewell = ""
        self._stream = stream
        self._engine = engine
        self._owner = owner
        self._patience = patience
        self._scope = trio.CancelScope(shield=True)
        self._work = trio.Event()
        # Without TLS, or over what is no socket, there is no way to send without a wait.
        self._postman = postman if isinstance(stream, TlsStream) and stream.is_direct else None
        self._called = self._idle = self._left = False
        self._bug: Exception | None = None
        self._written = trio.lowlevel.ParkingLot()
        self._stopping = False
        self.heard = trio.current_time()
        self.sending: float | None = None
        self._pings: dict[bytes, trio.Event] = {}
        self._pinged = 0
        self._sent = self._received = 0

    @property
    def sent(self) -> int:
        """Bytes on the socket so far, TLS included."""
        return self._stream.bytes_sent if isinstance(self._stream, TlsStream) else self._sent

    @property
    def received(self) -> int:
        """Bytes from the socket so far, TLS included."""
        return self._stream.bytes_received if isinstance(self._stream, TlsStream) else self._received

    def kick(self) -> None:
        """There may be something to write."""
        if self._called:
            return
        if self._idle and self._postman is not None and not self._stopping:
            self._called = self._postman.call(self)
        if not self._called:
            self._idle = False
            self._work.set()

    def flush(self, now: float) -> None:
        """Write what the socket takes at once, in place of a writer that sleeps; the rest is the writer's.

        From the call to here the writer has slept: nobody else wakes it, once the postman is called.

        Args:
            now: seconds on Trio's clock.
        """
        is_all = False
        if self.error is None:
            try:
                is_all = self._hand_over(now)
            except (trio.BrokenResourceError, trio.ClosedResourceError) as exc:
                self.fail(_broken(self.farewell or "the connection broke", exc))
            except Exception as exc:
                # A bug of ours ends this connection, as if the writer had met it, and no other.
                self._bug = exc
        # Only now: what was added meanwhile must not call the postman beside a writer that is woken here.
        self._called = False
        if not is_all or self.error is not None:
            self._idle = False
            self._work.set()

    def ping(self) -> trio.Event:
        """Send a PING; the event is set when it is answered, or the connection is over."""
        answered = trio.Event()
        if self.error is not None:
            answered.set()
            return answered
        self._pinged += 1
        token = self._pinged.to_bytes(8, "big")
        self._pings[token] = answered
        self._engine.ping(token)
        self.kick()
        return answered

    def stop(self, error: ConnectionBroken, *, goaway: bool = True) -> None:
        """The end, as we want it: what is in line to be written leaves first, then GOAWAY."""
        if self.error is None:
            self._stopping = True
            if goaway:
                self._engine.goaway()
            self._end(error)

    def fail(self, error: ConnectionBroken) -> None:
        """The end, as it came: nothing can be written any more."""
        if self.error is None:
            self._end(error)
        self._scope.cancel()

    def abandon(self) -> None:
        """The time for an orderly end is over: close."""
        self._scope.cancel()

    async def run(self) -> None:
        """Until the connection is over, or has met a bug of ours. The stream is closed then."""
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(keep, self, self._engine, self._owner, self._patience)
                    async with trio.open_nursery() as both:
                        both.start_soon(self._write)
                        await self._read()
                    nursery.cancel_scope.cancel()
        finally:
            try:
                if not close_socket(self._stream):
                    # Shielded, because it would else notice that the owner is cancelled, and hide the bug.
                    with trio.CancelScope(shield=True):
                        await trio.aclose_forcefully(self._stream)
            finally:
                self.finished.set()

    async def _read(self) -> None:
        try:
            while data := await self._stream.receive_some(READ):
                self._received += len(data)
                self.heard = trio.current_time()
                await self._take_all(data)
        except ConnectionBroken as exc:
            self.fail(exc)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as exc:
            self.fail(_broken(self.farewell or "the connection broke", exc))
        else:
            if not self._stopping:
                self.fail(ConnectionBroken(self.farewell or "the peer closed the connection"))

    async def _take_all(self, data: bytes | bytearray) -> None:
        """Look at some frames at a time, so that no peer gets further ahead than the bounds allow."""
        while not self._stopping:
            self._take(data)
            while self.error is None and self._too_many_answers():
                await self._written.park()
            if not self._engine.more:
                return
            data = b""
            await trio.lowlevel.checkpoint()

    def _too_many_answers(self) -> bool:
        return self._engine.unsent > UNSENT_CONTROL or self._engine.answers > UNSENT_FRAMES

    def _take(self, data: bytes | bytearray) -> None:
        events, error = self._engine.receive(data, self.heard)
        for event in events:
            if type(event) is RemoteSettingsChanged:
                self.settled.set()
            elif type(event) is PingAckReceived:
                answered = self._pings.pop(event.ping_data, None)
                if answered is not None:
                    answered.set()
                continue
            self._owner.happened(event)
        if error is not None:
            self.stop(_broken(str(error), error), goaway=False)
        self._owner.paused()
        if self._engine.pending:
            self.kick()

    async def _write(self) -> None:
        try:
            while True:
                if self._bug is not None:
                    raise self._bug
                if not (self._engine.pending or self._left):
                    if self._stopping:
                        break
                    self._work = trio.Event()
                    self._idle = True
                    await self._work.wait()
                    continue
                now = trio.current_time()
                data = self._pump(now)
                if data or self._left:
                    self.sending = now  # ``keep`` looks at it: a timer for each send would be felt.
                    await self._stream.send_all(data)
                    self.sending, self._left = None, False
                    self._sent += len(data)
                    if self._written:
                        self._written.unpark_all()
            if isinstance(self._stream, TlsStream | trio.abc.HalfCloseableStream):
                await self._stream.send_eof()
        except (trio.BrokenResourceError, trio.ClosedResourceError) as exc:
            self.fail(_broken(self.farewell or "the connection broke", exc))

    def _hand_over(self, now: float) -> bool:
        """What ``_write`` does, without a wait: is nothing left?"""
        data = self._pump(now)
        if data:
            assert isinstance(self._stream, TlsStream)  # nobody else has a postman
            self._left = not self._stream.send_now(data)
            if self._written:
                self._written.unpark_all()
        return not (self._left or self._engine.pending)

    def _pump(self, now: float) -> bytes | bytearray:
        data, progressed = self._engine.pump(now)
        if progressed:
            self._owner.progressed(progressed)
        return data

    def _end(self, error: ConnectionBroken) -> None:
        self.error = error
        self._owner.broke(error)
        for answered in self._pings.values():
            answered.set()
        self._pings.clear()
        self.settled.set()
        self.closed.set()
        self._written.unpark_all()
        self.kick()


def _broken(text: str, cause: BaseException) -> ConnectionBroken:
    error = ConnectionBroken(text)
    error.__cause__ = cause
    return error
