"""The protocol library's connection, bent in seven places where it does not fit.

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
   refused leaves no trace in the compression state. Huffman coding is left to the peer: in Python it costs
   more than the bytes it saves.
7. Open streams are counted without looking at each: a hundred watches would make every request dearer.

This is also the place where counters against abuse go: every frame passes ``_receive_frame``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from h2.config import H2Configuration
from h2.connection import ConnectionInputs, ConnectionState, H2Connection, H2ConnectionStateMachine
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    InformationalResponseReceived,
    RequestReceived,
    ResponseReceived,
    TrailersReceived,
)
from h2.exceptions import DenialOfServiceError, ProtocolError, StreamClosedError, StreamIDTooLowError
from h2.settings import SettingCodes, Settings
from hpack import Encoder
from hyperframe.exceptions import InvalidPaddingError
from hyperframe.frame import (
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from trio_argoagent.errors import LocalProtocolError, RemoteProtocolError
from trio_argoagent.net.protocol import limits
from trio_argoagent.net.protocol.headers import Part, check, outbound

DEFAULT_WINDOW: Final = 65_535
"""Bytes every connection starts with (RFC 9113 section 6.9.2)."""
_KNOWN_SETTINGS: Final = frozenset(int(code) for code in SettingCodes)


_TRANSITIONS: Final = H2ConnectionStateMachine._transitions | {
    (state, goaway): (None, state)
    for state in (ConnectionState.IDLE, ConnectionState.CLIENT_OPEN, ConnectionState.SERVER_OPEN)
    for goaway in (ConnectionInputs.SEND_GOAWAY, ConnectionInputs.RECV_GOAWAY)
}


_PARTS: Final[Mapping[type[Event], Part]] = {
    RequestReceived: Part.REQUEST,
    ResponseReceived: Part.RESPONSE,
    InformationalResponseReceived: Part.RESPONSE,
    TrailersReceived: Part.TRAILERS,
}


class _OutlivesGoaway(H2ConnectionStateMachine):
    _transitions = _TRANSITIONS


class _PlainEncoder(Encoder):
    def encode(self, headers: Any, huffman: bool = False) -> bytes:
        return super().encode(headers, huffman)


class Connection(H2Connection):
    """One side of an HTTP/2 connection. Its first bytes are ready to be sent when it has been made.

    Args:
        client: whether this side opens streams.
        allowed: what is announced to the peer.
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
        self.state_machine = _OutlivesGoaway()
        self.encoder = _PlainEncoder()
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
        self.decoder.max_header_list_size = allowed.header_list
        self.initiate_connection()
        self.increment_flow_control_window(allowed.connection_window - DEFAULT_WINDOW)

    @property
    def unsent(self) -> int:
        """Bytes waiting to be sent."""
        return len(self._data_to_send)

    def receive(self, data: bytes | bytearray) -> tuple[list[Event], RemoteProtocolError | None]:
        """What the peer's bytes mean: events, and the error that ends the connection, if there is one.

        With an error the GOAWAY is ready to be sent, and nothing may be received any more. The events before
        it are good; h2's own method loses them.
        """
        events: list[Event] = []
        try:
            self.incoming_buffer.add_data(data)
            self.incoming_buffer.max_frame_size = self.max_inbound_frame_size
            for frame in self.incoming_buffer:
                events += self._receive_frame(frame)
        except (ProtocolError, InvalidPaddingError) as exc:
            code = exc.error_code if isinstance(exc, ProtocolError) else ErrorCodes.PROTOCOL_ERROR
            self._terminate_connection(code)
            error = RemoteProtocolError(f"HTTP/2: {exc}" if str(exc) else f"HTTP/2: {type(exc).__name__}")
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

    def put_headers(self, stream_id: int, headers: Iterable[tuple[str, str]], *, end: bool) -> None:
        """Send a request's or a response's headers, or change nothing that the peer can see.

        Raises:
            LocalProtocolError: the headers are not allowed, here or at all.
        """
        known = stream_id in self.streams
        try:
            fields = outbound(headers, Part.REQUEST if self.config.client_side else Part.RESPONSE)
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
        try:
            frames, events = self._frame_dispatch_table[type(frame)](frame)
        except (StreamClosedError, StreamIDTooLowError) as exc:
            return self._receive_late(exc)
        self._prepare_for_sending(frames)
        return list(events)

    def _receive_late(self, exc: StreamClosedError | StreamIDTooLowError) -> list[Event]:
        """A frame for a stream that is over: harmless after a reset (5.1), otherwise the connection's end."""
        if self._stream_is_closed_by_reset(exc.stream_id):
            reset = RstStreamFrame(exc.stream_id)
            reset.error_code = ErrorCodes.STREAM_CLOSED
            self._prepare_for_sending([reset])
            return exc._events if isinstance(exc, StreamClosedError) else []
        if isinstance(exc, StreamIDTooLowError) and self._stream_is_closed_by_end(exc.stream_id):
            raise StreamClosedError(exc.stream_id) from exc
        raise exc

    def _receive_headers_frame(self, frame: HeadersFrame) -> tuple[list[Frame], list[Event]]:
        frames, events = super()._receive_headers_frame(frame)
        head: Any = events[0]
        check(head.headers, _PARTS[type(head)])
        return frames, events

    def _receive_data_frame(self, frame: DataFrame) -> tuple[list[Frame], list[Event]]:
        frames, events = super()._receive_data_frame(frame)
        if events and type(events[0]) is DataReceived:
            manager = self._inbound_flow_control_window_manager
            increment = manager.process_bytes(frame.flow_controlled_length)
            if increment:
                frames.append(WindowUpdateFrame(0, window_increment=increment))
        return frames, events

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
