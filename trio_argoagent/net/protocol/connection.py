"""The protocol library's connection, bent in ten places where it does not fit.

It builds on names that h2 does not promise to keep; setup.cfg pins the version and a test holds each bend:

1. Settings. Initial values count as acknowledged, so h2 never copies them to where it checks: a peer's first
   64 KiB frame would kill the connection. They are set by hand.
2. Frames are not turned into text. h2 evaluates ``repr`` of every frame it receives, logging or not, which
   is more than half of the cost of a 64 KiB frame.
3. GOAWAY does not end the connection, and does not throw away what is queued: RFC 9113 section 6.8 lets the
   streams finish.
4. The windows are apart. A stream's window opens when its reader takes the bytes, the connection's when they
   arrive; else four stalled streams would starve a fifth.
5. SETTINGS are bounded: so many entries, known ids only, no larger HPACK table than the default.
6. Header lists are checked by ``headers``, in one pass and before anything else is done, so one that is
   refused leaves no trace in the compression state. Blocks of them are written and read by ``blocks``.
7. Open streams are counted without looking at each: a hundred watches would make every request dearer.
8. Every frame passes ``_receive_frame``, and there those that bring nobody anything are paid for
   (``budgets``). h2's events would be no place for that: it tells of late frames only once, or not at all.
   Late frames for a stream that we have reset are not answered once more: that would spend the budget of a
   peer that could not know.
9. Where h2 is laxer than RFC 9113, or has another code: SETTINGS come first (3.4), RST_STREAM of a stream
   that never was (6.4), CONTINUATION of nothing (6.10), headers that cannot be decompressed (4.3), a request
   that ends with its headers although they promise a body (8.1.1), and, in ``incoming``, frames that are too
   long (4.2) and acknowledgements of SETTINGS that hold some (6.5).
10. What is plain about DATA, HEADERS and WINDOW_UPDATE is done without the library (``plain``,
    ``plainheaders``): a third of what a bulk transfer costs, and half of what the protocol of small messages
    and of requests does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from h2.config import H2Configuration
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    StreamReset,
)
from h2.exceptions import (
    DenialOfServiceError,
    ProtocolError,
    StreamClosedError,
    StreamIDTooLowError,
)
from h2.settings import SettingCodes, Settings
from h2.stream import StreamClosedBy
from hyperframe.exceptions import InvalidPaddingError
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from trio_argoagent.errors import LocalProtocolError, RemoteProtocolError
from trio_argoagent.net.protocol import limits
from trio_argoagent.net.protocol.bends import OutlivesGoaway
from trio_argoagent.net.protocol.blocks import PlainDecoder, PlainEncoder
from trio_argoagent.net.protocol.budgets import (
    BYTES_PER_UPDATE,
    LATE_PER_RESET,
    UPDATES_PER_FRAME,
    Charge,
    Meter,
)
from trio_argoagent.net.protocol.headers import Part, outbound
from trio_argoagent.net.protocol.incoming import Frames
from trio_argoagent.net.protocol.plainheaders import PlainHeaders

DEFAULT_WINDOW: Final = 65_535
"""Bytes every connection starts with (RFC 9113 section 6.9.2)."""
_KNOWN_SETTINGS: Final = frozenset(int(code) for code in SettingCodes)


# What frames cost that are not charged elsewhere; those that are not here are glitches.
_CHARGES: Final[Mapping[type[Frame], Charge]] = {
    PingFrame: Charge.PING,
    RstStreamFrame: Charge.RESET,
    SettingsFrame: Charge.SETTINGS,
}
_REASON: Final = 200
"""Bytes of a reason in GOAWAY."""


class Connection(PlainHeaders):
    """One side of an HTTP/2 connection. Its first bytes are ready to be sent when it has been made.

    Args:
        client: whether this side opens streams.
        allowed: what is announced to the peer, and what it may cost us.

    Attributes:
        answers: to the peer's frames, that wait to be sent.
        frames: received so far.
        more: frames that have been handed over may not have been looked at yet.
    """

    MAX_CLOSED_STREAMS = limits.CLOSED_STREAMS

    def __init__(self, *, client: bool, allowed: limits.Limits) -> None:
        super().__init__(
            H2Configuration(
                client_side=client,
                header_encoding=None,
                validate_inbound_headers=False,
                normalize_inbound_headers=False,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self.answers = self.frames = 0
        self.more = False
        self._now = 0.0
        self._meter = Meter(allowed.budget)
        self.incoming_buffer = Frames(server=not client, block=allowed.header_list)
        self.state_machine = OutlivesGoaway()
        self.encoder = PlainEncoder()
        self.decoder = PlainDecoder(allowed.header_list)
        settings = {
            SettingCodes.INITIAL_WINDOW_SIZE: allowed.stream_window,
            SettingCodes.MAX_FRAME_SIZE: allowed.frame,
            SettingCodes.MAX_CONCURRENT_STREAMS: allowed.streams,
            SettingCodes.MAX_HEADER_LIST_SIZE: allowed.header_list,
        }
        if client:
            settings[SettingCodes.ENABLE_PUSH] = 0
        self.local_settings = Settings(client=client, initial_values=settings)
        self.max_inbound_frame_size = allowed.frame
        self.initiate_connection()
        self.increment_flow_control_window(allowed.connection_window - DEFAULT_WINDOW)

    @property
    def unsent(self) -> int:
        """Bytes waiting to be sent."""
        return len(self._data_to_send)

    def receive(
        self, data: bytes | bytearray | memoryview, now: float
    ) -> tuple[list[Event], RemoteProtocolError | None]:
        """What the peer's bytes mean: events, and the error that ends the connection, if there is one.

        With an error the GOAWAY is ready to be sent, and nothing may be received any more. The events before
        it are good; h2's own method loses them.

        It looks at ``FRAMES`` frames at most. While there is ``more``, call it again, with nothing new.

        Args:
            data: as much as there is.
            now: seconds on any clock that does not go back.
        """
        events: list[Event] = []
        self._now, before = now, self.frames
        try:
            self.incoming_buffer.add_data(data)
            self.incoming_buffer.max_frame_size = self.max_inbound_frame_size
            while self.frames - before < limits.FRAMES:
                if (plain := self._receive_plain()) is not None:
                    events += plain
                elif (frame := next(self.incoming_buffer, None)) is not None:
                    events += self._receive_frame(frame)
                else:
                    break
            self.more = self.frames - before == limits.FRAMES
        except (ProtocolError, InvalidPaddingError) as exc:
            code = exc.error_code if isinstance(exc, ProtocolError) else ErrorCodes.PROTOCOL_ERROR
            reason = str(exc) or type(exc).__name__
            self.close_connection(code, reason.encode("ascii", "replace")[:_REASON])
            error = RemoteProtocolError(f"HTTP/2: {reason}")
            error.__cause__ = exc
            return events, error
        return events, None

    def release(self, stream_id: int, size: int) -> None:
        """A reader has taken bytes of a stream: let the peer send as many again.

        Args:
            stream_id: the stream; one that is over is left alone.
            size: flow-controlled bytes, padding included.
        """
        stream = self.streams.get(stream_id)
        if stream is not None and stream.open:
            self._prepare_for_sending(stream.acknowledge_received_data(size))

    def put_data(self, stream_id: int, data: bytes | memoryview, *, end: bool) -> None:
        """Send DATA that fits into a frame and the windows."""
        self._send_plain(stream_id, data, end=end)
        self._meter.earn(UPDATES_PER_FRAME + len(data) // BYTES_PER_UPDATE)

    def put_reset(self, stream_id: int, code: int) -> None:
        """Send RST_STREAM, unless the stream is over."""
        stream = self.streams.get(stream_id)
        if stream is not None and not stream.closed:
            self.reset_stream(stream_id, code)
            self._meter.earn(LATE_PER_RESET)

    def put_ping(self, token: bytes) -> None:
        """Send PING."""
        self.ping(token)
        self._meter.earn(1)

    def take(self) -> bytes | bytearray:
        """What is ready to be sent; it is gone from here."""
        self.answers = 0
        if not self._data_to_send:
            return b""
        taken, self._data_to_send = self._data_to_send, bytearray()
        return taken

    def put_headers(self, stream_id: int, headers: Iterable[tuple[str, str]], *, end: bool) -> None:
        """Send a request's or a response's headers, or change nothing that the peer can see.

        Raises:
            LocalProtocolError: the headers are not allowed, here or at all.
        """
        known = stream_id in self.streams
        try:
            fields = outbound(headers, Part.REQUEST if self.config.client_side else Part.RESPONSE)
            if not self._send_first(stream_id, fields, end=end):
                self.send_headers(stream_id, fields, end_stream=end)
        except ProtocolError as exc:
            if not known:
                self.streams.pop(stream_id, None)
            raise LocalProtocolError(f"cannot send headers on stream {stream_id}: {exc}") from exc

    def forget(self, stream_id: int) -> None:
        """Nobody will ask for that stream any more; frames that come late for it are told from nonsense."""
        stream = self.streams.get(stream_id)
        if stream is not None and stream.closed:
            del self.streams[stream_id]
            self._closed_streams[stream_id] = stream.closed_by

    def _open_streams(self, remainder: int) -> int:
        # One side alone opens streams. Some here may have ended in this very read, so at the limit each is
        # looked at.
        opened = self.remote_settings if self.config.client_side else self.local_settings
        if len(self.streams) < opened.max_concurrent_streams:
            return len(self.streams)
        return super()._open_streams(remainder)

    def _receive_frame(self, frame: Frame) -> list[Event]:
        self.frames += 1
        kind = type(frame)
        if self.frames == 1 and (kind is not SettingsFrame or "ACK" in frame.flags):
            raise ProtocolError("the first frame must be SETTINGS")
        if kind is not DataFrame and kind is not HeadersFrame:
            self._charge(kind, frame)
        try:
            frames, events = self._frame_dispatch_table[kind](frame)
        except (StreamClosedError, StreamIDTooLowError) as exc:
            events = self._receive_late(exc)
        else:
            if frames:
                self.answers += len(frames)
                self._prepare_for_sending(frames)
        if events and type(events[0]) is StreamReset and not events[0].remote_reset:
            self._meter.charge(Charge.PROVOKED, self._now)
        return list(events)

    def _charge(self, kind: type[Frame], frame: Frame) -> None:
        """What a frame costs its sender; DATA and HEADERS are looked at where they are understood."""
        if kind is WindowUpdateFrame or (kind is PingFrame and "ACK" in frame.flags):
            self._meter.excuse(self._now)
        else:
            self._meter.charge(_CHARGES.get(kind, Charge.GLITCH), self._now)

    def _receive_late(self, exc: StreamClosedError | StreamIDTooLowError) -> list[Event]:
        """A frame for a stream that is over: harmless after a reset (5.1), otherwise the connection's end."""
        self._meter.excuse(self._now)
        events = exc._events if isinstance(exc, StreamClosedError) else []
        if self._stream_is_closed_by_reset(exc.stream_id):
            if events or not self._was_reset_here(exc.stream_id):
                reset = RstStreamFrame(exc.stream_id)
                reset.error_code = ErrorCodes.STREAM_CLOSED
                self.answers += 1
                self._prepare_for_sending([reset])
            return events
        if isinstance(exc, StreamIDTooLowError) and self._stream_is_closed_by_end(exc.stream_id):
            raise StreamClosedError(exc.stream_id) from exc
        raise exc

    def _was_reset_here(self, stream_id: int) -> bool:
        """Then the peer knows, or will: to tell it again for each frame would cost it its own budget."""
        return self._stream_closed_by(stream_id) is StreamClosedBy.SEND_RST_STREAM

    def _receive_headers_frame(self, frame: HeadersFrame) -> tuple[list[Frame], list[Event]]:
        known = self.streams.get(frame.stream_id)
        promised = known._expected_content_length if known else None
        frames, events = super()._receive_headers_frame(frame)
        self._vet(self.streams[frame.stream_id], events[0], promised, end="END_STREAM" in frame.flags)
        return frames, events

    def _receive_naked_continuation(self, frame: ContinuationFrame) -> None:
        raise ProtocolError(f"CONTINUATION on stream {frame.stream_id}, which has no headers to go on with")

    def _receive_data_frame(self, frame: DataFrame) -> tuple[list[Frame], list[Event]]:
        if not frame.data and "END_STREAM" not in frame.flags:
            self._meter.charge(Charge.GLITCH, self._now)
        frames, events = super()._receive_data_frame(frame)
        if events and type(events[0]) is DataReceived:
            manager = self._inbound_flow_control_window_manager
            increment = manager.process_bytes(frame.flow_controlled_length)
            if increment:
                frames.append(WindowUpdateFrame(0, window_increment=increment))
        return frames, events

    def _handle_data_on_closed_stream(
        self, events: list[Event], exc: StreamClosedError, frame: DataFrame
    ) -> tuple[list[Frame], list[Event]]:
        self._meter.excuse(self._now)
        frames, events = super()._handle_data_on_closed_stream(events, exc, frame)
        if not events and self._was_reset_here(frame.stream_id):
            frames = [each for each in frames if not isinstance(each, RstStreamFrame)]
        return frames, events

    def _receive_rst_stream_frame(self, frame: RstStreamFrame) -> tuple[list[Frame], list[Event]]:
        if frame.stream_id > (
            self.highest_outbound_stream_id
            if self._stream_id_is_outbound(frame.stream_id)
            else self.highest_inbound_stream_id
        ):
            raise ProtocolError(f"RST_STREAM of stream {frame.stream_id}, which nobody has opened")
        return super()._receive_rst_stream_frame(frame)

    def _receive_settings_frame(self, frame: SettingsFrame) -> tuple[list[Frame], list[Event]]:
        if len(frame.settings) > limits.SETTINGS_ENTRIES:
            raise DenialOfServiceError(f"SETTINGS with {len(frame.settings)} entries")
        frame.settings = {code: v for code, v in frame.settings.items() if code in _KNOWN_SETTINGS}
        result = super()._receive_settings_frame(frame)
        if self.encoder.header_table_size > limits.HEADER_TABLE:
            self.encoder.header_table_size = limits.HEADER_TABLE
        return result

    def _receive_goaway_frame(self, frame: GoAwayFrame) -> tuple[list[Frame], list[Event]]:
        unsent = self.data_to_send()
        result = super()._receive_goaway_frame(frame)
        self._data_to_send += unsent
        return result
