"""HEADERS, without the library's frames; see ``plain`` for DATA.

The library's state machines decide about streams as ever. What is left out are its frames, each with sets of
flags, and what it finds out about fields that are checked here anyway: half of what it costs to open a stream
or to answer on one. Only the first headers of a stream are plain, in one frame as they arrive: informational
answers, trailers, padding and priorities are left to the library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from h2.connection import AllowedStreamIDs
from h2.events import (
    Event,
    InformationalResponseReceived,
    RequestReceived,
    ResponseReceived,
    TrailersReceived,
)
from h2.exceptions import InvalidBodyLengthError
from h2.stream import H2Stream, StreamInputs
from h2.utilities import extract_method_header
from hpack import HeaderTuple
from hyperframe.frame import ContinuationFrame, DataFrame, HeadersFrame, WindowUpdateFrame

from trio_argoagent.net.protocol.budgets import UPDATES_PER_FRAME
from trio_argoagent.net.protocol.headers import Part, check
from trio_argoagent.net.protocol.incoming import END_STREAM, HEADER
from trio_argoagent.net.protocol.plain import RECEIVE, SEND, PlainData

_END_HEADERS: Final = 0x04
_PARTS: Final[Mapping[type[Event], Part]] = {
    RequestReceived: Part.REQUEST,
    ResponseReceived: Part.RESPONSE,
    InformationalResponseReceived: Part.RESPONSE,
    TrailersReceived: Part.TRAILERS,
}


class PlainHeaders(PlainData):
    """A connection of the library that does what is plain about its usual frames by itself."""

    def _receive_plain(self) -> Sequence[Event] | None:
        """What the next frame means if it is a plain one and all of it is here; None: it is not.

        Raises:
            ProtocolError: it must not be.
        """
        head = self.incoming_buffer.head()
        if head is None or not self._stands():
            return None
        length, kind, flags, stream_id = head
        stream = self.streams.get(stream_id)
        if kind == DataFrame.type:
            return self._receive_data(stream, length, flags)
        if kind == HeadersFrame.type and flags & ~END_STREAM == _END_HEADERS:
            return self._receive_first(stream, stream_id, length, flags)
        if kind == WindowUpdateFrame.type:
            return self._receive_update(stream, stream_id, length)
        return None

    def _receive_first(
        self, stream: H2Stream | None, stream_id: int, length: int, flags: int
    ) -> Sequence[Event] | None:
        """The first headers of a stream."""
        if stream is None:
            if not self._may_come(stream_id):
                return None
        elif stream.state_machine.headers_received or stream.state_machine.state not in RECEIVE:
            return None
        block = self.incoming_buffer.cut(length)
        if block is None:
            return None
        self.frames += 1
        fields = self.decoder.decode(block, raw=True)
        if stream is None:
            stream = self._begin_new_stream(stream_id, AllowedStreamIDs.ODD)
        end = bool(flags & END_STREAM)
        events = stream.receive_headers(fields, end, None)[1]
        self._vet(stream, events[0], None, end=end)
        return events

    def _may_come(self, stream_id: int) -> bool:
        """Whether the peer may open that stream now."""
        return (
            not self.config.client_side
            and stream_id % 2 == 1
            and stream_id > self.highest_inbound_stream_id
            and self.open_inbound_streams < self.local_settings.max_concurrent_streams
        )

    def _vet(self, stream: H2Stream, head: Any, promised: int | None, *, end: bool) -> None:
        """May they be, and with ``end``: do they keep what content-length has promised before them?

        Raises:
            ProtocolError: no.
        """
        check(head.headers, _PARTS[type(head)])
        if end:
            self._check_length(stream, head, promised)
        # Windows are opened for a request before anything has been sent on it.
        self._meter.earn(UPDATES_PER_FRAME)

    def _check_length(self, stream: H2Stream, head: Any, promised: int | None) -> None:
        """Nothing follows these headers: is that what content-length has promised, here or before (8.1.1)?"""
        expected, actual = stream._expected_content_length, stream._actual_content_length
        expected = promised if expected is None else expected
        if expected in (None, actual) or (b":status", b"304") in head.headers:
            return  # 304 tells the length of what it does not send.
        raise InvalidBodyLengthError(expected, actual)

    def _send_first(self, stream_id: int, fields: Sequence[HeaderTuple], *, end: bool) -> bool:
        """Send the first headers of a stream; False: they are not, and the library knows what they are.

        Raises:
            ProtocolError: the stream may not be opened.
        """
        stream = self.streams.get(stream_id)
        if not self._stands():
            return False
        if stream is None:
            if not self._may_go():
                return False
            stream = self._begin_new_stream(stream_id, AllowedStreamIDs.ODD)
            stream.request_method = extract_method_header(fields)
        elif not _is_answer(stream, fields):
            return False
        stream.state_machine.process_input(StreamInputs.SEND_HEADERS)
        block = self.encoder.encode(fields)
        if end:
            stream.state_machine.process_input(StreamInputs.SEND_END_STREAM)
        self._put_block(stream_id, block, END_STREAM if end else 0)
        return True

    def _may_go(self) -> bool:
        """Whether one more stream may be opened here now."""
        most = self.remote_settings.max_concurrent_streams
        return bool(self.config.client_side and self.open_outbound_streams < most)

    def _put_block(self, stream_id: int, block: bytes, flags: int) -> None:
        kind, most = HeadersFrame.type, self.max_outbound_frame_size
        while True:
            piece, block = block[:most], block[most:]
            flags |= 0 if block else _END_HEADERS
            length = len(piece)
            self._data_to_send += HEADER.pack(length >> 8, length & 0xFF, kind, flags, stream_id)
            self._data_to_send += piece
            if not block:
                return
            kind, flags = ContinuationFrame.type, 0


def _is_answer(stream: H2Stream, fields: Sequence[HeaderTuple]) -> bool:
    """Are these the first headers there, and final ones?"""
    states = stream.state_machine
    return states.state in SEND and not states.headers_sent and not fields[0][1].startswith(b"1")
