"""DATA and WINDOW_UPDATE, accounted for without the library's frames and state machines.

On a connection that stands nearly every frame is of an open stream, and changes nothing but windows. The
library makes a frame of it, asks two state machines, which answer that nothing changes, and makes two sets of
flags: ten times what the rest costs. So here the windows are changed directly. Whatever is not so plain is
left to the library, which alone decides about it: padding, frames without content, windows that would be too
wide, streams that are over or never were or have no headers yet, anything within a header block.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from h2.connection import ConnectionInputs, ConnectionState, H2Connection
from h2.events import DataReceived, Event, WindowUpdated
from h2.stream import H2Stream, StreamInputs, StreamState
from hyperframe.frame import DataFrame, WindowUpdateFrame

from trio_argoagent.net.protocol.budgets import Meter
from trio_argoagent.net.protocol.incoming import END_STREAM, HEADER, Frames

_INCREMENT: Final = struct.Struct(">L")
"""What is in a WINDOW_UPDATE."""


class PlainData(H2Connection):
    """A connection of the library that does what is plain about DATA and windows by itself.

    Attributes:
        incoming_buffer: bytes that have arrived.
        answers: to the peer's frames, that wait to be sent.
        frames: received so far.
    """

    incoming_buffer: Frames
    answers: int
    frames: int
    _meter: Meter
    _now: float

    def _receive_data(self, stream: H2Stream | None, length: int, flags: int) -> Sequence[Event] | None:
        """What a DATA frame at the head of what has arrived means; None: that is for the library to say.

        Raises:
            ProtocolError: its window does not hold so much, or its stream was to be shorter.
        """
        if stream is None or flags & ~END_STREAM or not (length or flags):
            return None
        states = stream.state_machine
        if states.state not in RECEIVE or not states.headers_received:
            return None
        body = self.incoming_buffer.cut(length)
        if body is None:
            return None
        self.frames += 1
        ours = self._inbound_flow_control_window_manager
        ours.window_consumed(length)
        events = self._receive_body(stream, body, flags)
        if increment := ours.process_bytes(length):
            self.answers += 1
            self._prepare_for_sending([WindowUpdateFrame(0, window_increment=increment)])
        return events

    def _receive_body(self, stream: H2Stream, body: bytes, flags: int) -> list[Event]:
        length = len(body)
        if flags & END_STREAM:
            return stream.receive_data(body, True, length)[1]
        stream._inbound_window_manager.window_consumed(length)
        stream._track_content_length(length, False)
        return [DataReceived(stream_id=stream.stream_id, data=body, flow_controlled_length=length)]

    def _receive_update(
        self, stream: H2Stream | None, stream_id: int, length: int
    ) -> Sequence[Event] | None:
        """What a WINDOW_UPDATE at the head of what has arrived means; None: that is for the library to say.

        Raises:
            DenialOfServiceError: there are too many for nothing.
        """
        widened: H2Connection | H2Stream | None = stream if stream_id else self
        if widened is None or (stream is not None and stream.state_machine.state not in SEND):
            return None
        body = self.incoming_buffer.peek(length) if length == _INCREMENT.size else None
        if body is None:
            return None
        (increment,) = _INCREMENT.unpack(body)
        window = widened.outbound_flow_control_window + increment
        if not increment or window > MAX_WINDOW:
            return None
        self.incoming_buffer.cut(length)
        self.frames += 1
        self._meter.excuse(self._now)
        widened.outbound_flow_control_window = window
        return [WindowUpdated(stream_id=stream_id, delta=increment)]

    def _send_plain(self, stream_id: int, data: bytes | memoryview, *, end: bool) -> None:
        """Send DATA without padding that fits into a frame and the windows.

        Raises:
            ProtocolError: nothing may be sent on that stream.
        """
        stream = self._get_stream_by_id(stream_id)
        states = stream.state_machine
        if states.state not in SEND or not self._stands():
            self.state_machine.process_input(ConnectionInputs.SEND_DATA)
            states.process_input(StreamInputs.SEND_DATA)
        if end:
            states.process_input(StreamInputs.SEND_END_STREAM)
        length = len(data)
        stream.outbound_flow_control_window -= length
        self.outbound_flow_control_window -= length
        out = self._data_to_send
        out += HEADER.pack(length >> 8, length & 0xFF, DataFrame.type, END_STREAM if end else 0, stream_id)
        out += data

    def _stands(self) -> bool:
        """Whether DATA leaves the connection in its state."""
        state = self.state_machine.state
        return state is ConnectionState.CLIENT_OPEN or state is ConnectionState.SERVER_OPEN


# Tuples: whether an Enum is in a set is asked of its hash, which is computed in Python.
RECEIVE: Final = (StreamState.OPEN, StreamState.HALF_CLOSED_LOCAL)
SEND: Final = (StreamState.OPEN, StreamState.HALF_CLOSED_REMOTE)
"""States of a stream that DATA and headers do not change."""
MAX_WINDOW: Final = 2**31 - 1
"""Bytes (RFC 9113 section 6.9.1)."""
