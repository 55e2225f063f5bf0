"""One connection's two directions, joined: what arrives opens windows, windows decide what is sent.

``pump`` gives the bytes of the next send: control frames first, then DATA of the streams in turn (``turns``),
64 KiB altogether. DATA enters h2 only there, so a reset, a GOAWAY or a cancelled sender never leaves
half a message behind in a buffer that nobody can reach. Every method is synchronous, hence atomic: there is
no lock to be cancelled in.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from h2.errors import ErrorCodes
from h2.events import DataReceived, Event, RemoteSettingsChanged, StreamReset, WindowUpdated

from trio_argoagent.errors import LocalProtocolError, RemoteProtocolError
from trio_argoagent.net.protocol.connection import Connection
from trio_argoagent.net.protocol.incoming import HEADER
from trio_argoagent.net.protocol.limits import FRAME, QUANTUM, QUEUED, ROOM, Limits
from trio_argoagent.net.protocol.outbox import Outbox
from trio_argoagent.net.protocol.turns import Priority, Turns

Headers = Iterable[tuple[str, str]]
LAST_STREAM: Final = 2**31 - 1
"""The stream id in a GOAWAY that announces the end without refusing anything yet (RFC 9113 section 6.8)."""
_PIECE: Final = 4 * 1024
"""Bytes; a send with less space left goes as it is: a frame as small as that costs more than it brings."""
_EASED: Final = QUEUED * 3 // 4
"""Bytes queued below which a connection that was full is not any more."""


class Engine:
    """One side of a connection.

    Args:
        client: whether this side opens streams.
        allowed: what is announced to the peer, and what it may cost us.
    """

    def __init__(self, *, client: bool, allowed: Limits) -> None:
        self._h2 = Connection(client=client, allowed=allowed)
        self._stream_window = allowed.stream_window
        self._outboxes: dict[int, Outbox] = {}
        self._turns = Turns()
        self._unhanded: list[int] = []
        # Streams that only the connection's window holds up, in the order in which they will go on.
        self._shut: OrderedDict[int, None] = OrderedDict()
        self._queued = 0
        self._full = self._eased = False

    def receive(
        self, data: bytes | bytearray | memoryview, now: float
    ) -> tuple[list[Event], RemoteProtocolError | None]:
        """What the peer's bytes mean; with an error the connection is over once ``pump`` is empty.

        It looks at ``FRAMES`` frames at most. While there is ``more``, call it again, with nothing new.

        Args:
            data: as much as there is.
            now: seconds on any clock that does not go back, as everywhere here.
        """
        events, error = self._h2.receive(data, now)
        for event in events:
            if type(event) is DataReceived:
                continue  # most are
            if isinstance(event, WindowUpdated) and event.stream_id:
                self._schedule(event.stream_id)
            elif isinstance(event, WindowUpdated):
                shut, self._shut = self._shut, OrderedDict()
                for stream_id in shut:
                    self._schedule(stream_id)
            elif isinstance(event, RemoteSettingsChanged):
                for stream_id in self._outboxes:
                    self._schedule(stream_id)
            elif isinstance(event, StreamReset):
                self._forget(event.stream_id)
        return events, error

    def pump(self, now: float) -> tuple[bytes | bytearray, list[int]]:
        """The next bytes for the socket, empty when nothing may be sent now.

        Whoever calls this hands them to the socket. With them come the streams that have room again or have
        sent their END_STREAM.
        """
        progressed: list[int] = []
        for stream_id in self._unhanded:
            if outbox := self._outboxes.get(stream_id):
                outbox.handed = True
                progressed.append(stream_id)
        self._unhanded.clear()
        left = QUANTUM
        while left >= _PIECE and (turn := self._turns.next(left)):
            lane, most = turn
            stream_id = next(iter(lane))
            outbox = self._outboxes[stream_id]
            waited = self._full or outbox.size >= ROOM
            size, more = self._send_frame(stream_id, outbox, most, now)
            lane.took(size + HEADER.size, more=more)
            left -= size + HEADER.size
            if outbox.ended or (waited and self.has_room(outbox)):
                progressed.append(stream_id)
        if self._eased:
            self._eased = False
            progressed += [each for each, outbox in self._outboxes.items() if self.has_room(outbox)]
        return self._h2.take(), progressed

    def has_room(self, outbox: Outbox) -> bool:
        """May more be queued there? Where the connection is full, a stream still has its next message.

        So what stalled streams have queued is bounded, and never keeps another one from sending.
        """
        return outbox.size < ROOM and not (self._full and outbox.size)

    def stalled(self, since: float) -> list[int]:
        """Streams whose bytes have been waiting for the peer's window since before that time."""
        return [
            stream_id
            for stream_id, outbox in self._outboxes.items()
            if outbox.stalled is not None and outbox.stalled <= since
        ]

    @property
    def unsent(self) -> int:
        """Bytes of control frames that wait to be sent."""
        return self._h2.unsent

    @property
    def answers(self) -> int:
        """Frames that wait to be sent because of one of the peer's."""
        return self._h2.answers

    @property
    def frames(self) -> int:
        """Frames received so far."""
        return self._h2.frames

    @property
    def more(self) -> bool:
        """Whether frames that have been handed over may not have been looked at yet."""
        return self._h2.more

    @property
    def pending(self) -> bool:
        """Whether ``pump`` may have something."""
        return self._h2.unsent > 0 or bool(self._turns.first or self._turns.normal) or self._eased

    def room(self) -> int:
        """Streams the peer lets us open now; 0 or less: none."""
        return self._h2.remote_settings.max_concurrent_streams - self._h2.open_outbound_streams

    def may_open(self) -> bool:
        """Whether the peer lets us open one more stream now."""
        return self.room() > 0

    def open(self, headers: Headers, *, end: bool, window: int, priority: Priority = Priority.NORMAL) -> int:
        """Open a stream and return its id.

        Args:
            headers: pseudo-headers first.
            end: nothing follows.
            window: bytes the peer may send ahead of the reader; below the announced one it has no effect.
            priority: before whom it sends.
        """
        stream_id = self._h2.get_next_available_stream_id()
        self.send_headers(stream_id, headers, end=end)
        self.widen(stream_id, window)
        self._outboxes[stream_id].lane = self._turns.lane(priority)
        return stream_id

    def widen(self, stream_id: int, window: int) -> None:
        """Let the peer send ``window`` bytes ahead of the reader of a stream instead of the announced."""
        if window > self._stream_window:
            self._h2.increment_flow_control_window(window - self._stream_window, stream_id)

    def accept(self, stream_id: int) -> None:
        """The peer has opened a stream: be ready to send on it."""
        self._outboxes[stream_id] = Outbox(self._turns.normal)

    def prefer(self, stream_id: int, priority: Priority) -> None:
        """Change before whom a stream sends."""
        outbox = self._outboxes[stream_id]
        outbox.lane.leave(stream_id)
        outbox.lane = self._turns.lane(priority)
        self._schedule(stream_id)

    def send_headers(self, stream_id: int, headers: Headers, *, end: bool) -> None:
        """Send a request's or a response's headers.

        Raises:
            LocalProtocolError: they are not allowed here, or the peer's limit is reached.
        """
        self._h2.put_headers(stream_id, headers, end=end)
        outbox = self._outboxes.setdefault(stream_id, Outbox(self._turns.normal))
        if end:
            outbox.ending = outbox.ended = True
            self._unhanded.append(stream_id)

    def queue(self, stream_id: int, data: bytes) -> None:
        """Queue bytes of a stream."""
        outbox = self._outboxes[stream_id]
        if outbox.ending:
            raise LocalProtocolError(f"stream {stream_id} has been ended already")
        if data:
            outbox.put(data)
            outbox.lane[stream_id] = None
            self._queued += len(data)
            if self._queued >= QUEUED:
                self._full = True

    def finish(self, stream_id: int) -> None:
        """END_STREAM after what is queued."""
        outbox = self._outboxes[stream_id]
        if not outbox.ending:
            outbox.ending = True
            self._schedule(stream_id)

    def outbox(self, stream_id: int) -> Outbox:
        """What the stream still has to send."""
        return self._outboxes[stream_id]

    def reset(self, stream_id: int, code: int) -> None:
        """RST_STREAM, unless the stream is over already; what was queued is forgotten."""
        self._forget(stream_id)
        self._h2.put_reset(stream_id, code)

    def release(self, stream_id: int, size: int) -> None:
        """The reader has taken ``size`` flow-controlled bytes of a stream."""
        self._h2.release(stream_id, size)

    def drop(self, stream_id: int) -> None:
        """The stream is over on both sides."""
        self._forget(stream_id)
        self._outboxes.pop(stream_id, None)
        self._h2.forget(stream_id)

    def ping(self, token: bytes) -> None:
        """PING with 8 bytes."""
        self._h2.put_ping(token)

    def goaway(self, code: int = ErrorCodes.NO_ERROR, *, last: int | None = None) -> None:
        """GOAWAY.

        Args:
            code: why.
            last: the last stream that is being served; without it, the last one that has arrived.
        """
        self._h2.close_connection(code, last_stream_id=last)

    def _schedule(self, stream_id: int) -> None:
        outbox = self._outboxes.get(stream_id)
        if outbox is not None and (outbox.size or (outbox.ending and not outbox.ended)):
            outbox.lane[stream_id] = None

    def _send_frame(self, stream_id: int, outbox: Outbox, most: int, now: float) -> tuple[int, bool]:
        """One DATA frame of as much as fits: its size, and whether the stream could send more at once."""
        window = self._h2.local_flow_control_window(stream_id)
        # With its header, so that bulk fills TLS records to the last byte, and never leaves a tiny one.
        room = min(window, self._h2.max_outbound_frame_size, FRAME, max(1, most - HEADER.size))
        if outbox.size and room <= 0:
            # The window can be negative after SETTINGS. A WINDOW_UPDATE puts the stream back in line.
            outbox.stall(now)
            if self._h2.outbound_flow_control_window <= 0:
                self._shut[stream_id] = None
            return 0, False
        data = outbox.take(room) if outbox.size else b""
        size = len(data)
        outbox.ended = outbox.handed = outbox.ending and not outbox.size
        self._h2.put_data(stream_id, data, end=outbox.ended)
        if outbox.stalled is not None:
            outbox.moved(size)
        self._freed(size)
        return size, outbox.size > 0

    def _freed(self, size: int) -> None:
        self._queued -= size
        if self._full and self._queued < _EASED:
            self._full, self._eased = False, True

    def _forget(self, stream_id: int) -> None:
        outbox = self._outboxes.get(stream_id)
        if outbox is not None:
            outbox.lane.leave(stream_id)
            self._shut.pop(stream_id, None)
            self._freed(outbox.size)
            outbox.clear()
