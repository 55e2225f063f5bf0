"""One connection's two directions, joined: what arrives opens windows, windows decide what is sent.

``pump`` gives the bytes of the next send: control frames first, then DATA of the streams in turn, one frame
each, 64 KiB altogether. DATA enters h2 only there, so a reset, a GOAWAY or a cancelled sender never leaves
half a message behind in a buffer that nobody can reach. Every method is synchronous, hence atomic: there is
no lock to be cancelled in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from h2.errors import ErrorCodes
from h2.events import Event, RemoteSettingsChanged, StreamReset, WindowUpdated

from trio_argoagent.errors import LocalProtocolError, RemoteProtocolError
from trio_argoagent.net.protocol.connection import Connection
from trio_argoagent.net.protocol.limits import FRAME, QUANTUM, ROOM, Limits
from trio_argoagent.net.protocol.outbox import Outbox

Headers = Iterable[tuple[str, str]]
LAST_STREAM: Final = 2**31 - 1
"""The stream id in a GOAWAY that announces the end without refusing anything yet (RFC 9113 section 6.8)."""


class Engine:
    """One side of a connection.

    Args:
        client: whether this side opens streams.
        allowed: what is announced to the peer.
    """

    def __init__(self, *, client: bool, allowed: Limits) -> None:
        self._h2 = Connection(client=client, allowed=allowed)
        self._stream_window = allowed.stream_window
        self._outboxes: dict[int, Outbox] = {}
        self._turns: deque[int] = deque()
        self._unhanded: list[int] = []

    def receive(self, data: bytes | bytearray) -> tuple[list[Event], RemoteProtocolError | None]:
        """What the peer's bytes mean; with an error the connection is over once ``pump`` is empty."""
        events, error = self._h2.receive(data)
        for event in events:
            if isinstance(event, WindowUpdated) and event.stream_id:
                self._schedule(event.stream_id)
            elif isinstance(event, WindowUpdated | RemoteSettingsChanged):
                for stream_id in self._outboxes:
                    self._schedule(stream_id)
            elif isinstance(event, StreamReset):
                self._forget(event.stream_id)
        return events, error

    def pump(self) -> tuple[bytes, list[int]]:
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
        while self._turns and self._h2.unsent < QUANTUM:
            stream_id = self._turns.popleft()
            outbox = self._outboxes[stream_id]
            outbox.queued = False
            had_room = outbox.size < ROOM
            self._send_frame(stream_id, outbox)
            if outbox.ended or (not had_room and outbox.size < ROOM):
                progressed.append(stream_id)
        return self._h2.data_to_send(), progressed

    @property
    def unsent(self) -> int:
        """Bytes of control frames that wait to be sent."""
        return self._h2.unsent

    @property
    def pending(self) -> bool:
        """Whether ``pump`` may have something."""
        return bool(self._turns) or self._h2.unsent > 0

    def room(self) -> int:
        """Streams the peer lets us open now; 0 or less: none."""
        return self._h2.remote_settings.max_concurrent_streams - self._h2.open_outbound_streams

    def may_open(self) -> bool:
        """Whether the peer lets us open one more stream now."""
        return self.room() > 0

    def open(self, headers: Headers, *, end: bool, window: int) -> int:
        """Open a stream and return its id.

        Args:
            headers: pseudo-headers first.
            end: nothing follows.
            window: bytes the peer may send ahead of the reader; below the announced one it has no effect.
        """
        stream_id = self._h2.get_next_available_stream_id()
        self.send_headers(stream_id, headers, end=end)
        self.widen(stream_id, window)
        return stream_id

    def widen(self, stream_id: int, window: int) -> None:
        """Let the peer send ``window`` bytes ahead of the reader of a stream instead of the announced."""
        if window > self._stream_window:
            self._h2.increment_flow_control_window(window - self._stream_window, stream_id)

    def accept(self, stream_id: int) -> None:
        """The peer has opened a stream: be ready to send on it."""
        self._outboxes[stream_id] = Outbox()

    def send_headers(self, stream_id: int, headers: Headers, *, end: bool) -> None:
        """Send a request's or a response's headers.

        Raises:
            LocalProtocolError: they are not allowed here, or the peer's limit is reached.
        """
        self._h2.put_headers(stream_id, headers, end=end)
        outbox = self._outboxes.setdefault(stream_id, Outbox())
        if end:
            outbox.ending = outbox.ended = True
            self._unhanded.append(stream_id)

    def queue(self, stream_id: int, data: bytes) -> None:
        """Queue bytes of a stream."""
        outbox = self._outboxes[stream_id]
        if outbox.ending:
            raise LocalProtocolError(f"stream {stream_id} has been ended already")
        outbox.put(data)
        self._schedule(stream_id)

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
        stream = self._h2.streams.get(stream_id)
        if stream is not None and not stream.closed:
            self._h2.reset_stream(stream_id, code)

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
        self._h2.ping(token)

    def goaway(self, code: int = ErrorCodes.NO_ERROR, *, last: int | None = None) -> None:
        """GOAWAY.

        Args:
            code: why.
            last: the last stream that is being served; without it, the last one that has arrived.
        """
        self._h2.close_connection(code, last_stream_id=last)

    def _schedule(self, stream_id: int) -> None:
        outbox = self._outboxes.get(stream_id)
        if outbox is None or outbox.queued or not (outbox.size or (outbox.ending and not outbox.ended)):
            return
        outbox.queued = True
        self._turns.append(stream_id)

    def _send_frame(self, stream_id: int, outbox: Outbox) -> None:
        """One DATA frame of as much as fits; the stream queues up again when there is more to send now."""
        room = min(self._h2.local_flow_control_window(stream_id), self._h2.max_outbound_frame_size, FRAME)
        if outbox.size and room <= 0:
            # The window can be negative after SETTINGS. A WINDOW_UPDATE puts the stream back in line.
            return
        data = outbox.take(room) if outbox.size else b""
        outbox.ended = outbox.handed = outbox.ending and not outbox.size
        self._h2.send_data(stream_id, data, end_stream=outbox.ended)
        self._schedule(stream_id)

    def _forget(self, stream_id: int) -> None:
        outbox = self._outboxes.get(stream_id)
        if outbox is None:
            return
        outbox.clear()
        if outbox.queued:
            outbox.queued = False
            self._turns.remove(stream_id)
