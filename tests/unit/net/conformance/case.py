"""What a case is, and how its outcome is judged."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from h2.errors import ErrorCodes
from hyperframe.frame import (
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
)

from tests.unit.net.rawpeer import ping

PROTOCOL = ErrorCodes.PROTOCOL_ERROR
FLOW = ErrorCodes.FLOW_CONTROL_ERROR
SIZE = ErrorCodes.FRAME_SIZE_ERROR
CLOSED = ErrorCodes.STREAM_CLOSED
COMPRESSION = ErrorCodes.COMPRESSION_ERROR
REFUSED = ErrorCodes.REFUSED_STREAM
CALM = ErrorCodes.ENHANCE_YOUR_CALM

TOKEN = b"conforms"
ASK = ping(TOKEN)
"""Whoever answers this has taken no offence at what came before."""


@attrs.frozen
class ConnectionError_:
    """The connection ends: GOAWAY with one of these codes, then the socket (section 5.4.1)."""

    codes: tuple[ErrorCodes, ...]

    def fault(self, seen: Sequence[Frame], *, ended: bool) -> str:
        """What is wrong with that; nothing: empty."""
        goaways = [each for each in seen if isinstance(each, GoAwayFrame)]
        if not ended:
            return "the connection goes on"
        if not goaways:
            return "it ended without GOAWAY"
        got = ErrorCodes(goaways[-1].error_code)
        return "" if got in self.codes else f"GOAWAY says {got.name}"


@attrs.frozen
class StreamError:
    """One stream is reset with one of these codes, or the connection ends with it (section 5.4.2)."""

    codes: tuple[ErrorCodes, ...]
    stream_id: int = 1

    def fault(self, seen: Sequence[Frame], *, ended: bool) -> str:
        """What is wrong with that; nothing: empty."""
        resets = [each for each in seen if isinstance(each, RstStreamFrame)]
        if any(each.stream_id == self.stream_id and each.error_code in self.codes for each in resets):
            return ""
        if resets:
            return f"it was reset: {[(each.stream_id, ErrorCodes(each.error_code).name) for each in resets]}"
        return ConnectionError_(self.codes).fault(seen, ended=ended)


@attrs.frozen
class Pong:
    """Nothing happens: the PING that follows is answered, and nothing is reset."""

    def fault(self, seen: Sequence[Frame], *, ended: bool) -> str:
        """What is wrong with that; nothing: empty."""
        bad = [each for each in seen if isinstance(each, RstStreamFrame | GoAwayFrame)]
        if bad or ended:
            return f"it took offence: {bad}"
        answered = [each for each in seen if isinstance(each, PingFrame) and each.opaque_data == TOKEN]
        return "" if len(answered) == 1 and "ACK" in answered[0].flags else "the PING was not answered"


@attrs.frozen
class Answer:
    """The request is served: HEADERS, this body, END_STREAM.

    Attributes:
        stream_id: of the request.
        body: of the answer; None: any.
        most: bytes that a DATA frame may have.
    """

    stream_id: int = 1
    body: bytes | None = None
    most: int = 16_384

    def fault(self, seen: Sequence[Frame], *, ended: bool) -> str:
        """What is wrong with that; nothing: empty."""
        mine = [each for each in seen if each.stream_id == self.stream_id]
        bad = [each for each in seen if isinstance(each, RstStreamFrame | GoAwayFrame)]
        if bad or ended:
            return f"it took offence: {bad}"
        if not any(isinstance(each, HeadersFrame) for each in mine):
            return f"no answer, but {seen}"
        pieces = [each.data for each in mine if isinstance(each, DataFrame)]
        if not any("END_STREAM" in each.flags for each in mine):
            return "the answer has no end"
        if any(len(piece) > self.most for piece in pieces):
            return f"frames of {[len(piece) for piece in pieces]} bytes"
        return "" if self.body in (None, b"".join(pieces)) else f"the body is {b''.join(pieces)!r}"


@attrs.frozen
class Sent:
    """So many bytes of the answer are sent and not one more, because the window is no wider."""

    size: int
    stream_id: int = 1

    def fault(self, seen: Sequence[Frame], *, ended: bool) -> str:
        """What is wrong with that; nothing: empty."""
        if ended:
            return "the connection ended"
        size = sum(len(each.data) for each in seen if isinstance(each, DataFrame))
        return "" if size == self.size else f"{size} bytes were sent"


@attrs.frozen
class Acknowledged:
    """So many SETTINGS are acknowledged, each with an empty frame."""

    times: int

    def fault(self, seen: Sequence[Frame], *, ended: bool) -> str:
        """What is wrong with that; nothing: empty."""
        acks = [each for each in seen if isinstance(each, SettingsFrame) and "ACK" in each.flags]
        if ended or any(each.settings for each in acks):
            return f"{acks}, ended: {ended}"
        return "" if len(acks) == self.times else f"{len(acks)} were acknowledged"


Outcome = ConnectionError_ | StreamError | Pong | Answer | Sent | Acknowledged


def dies(*codes: ErrorCodes) -> ConnectionError_:
    """A connection error."""
    return ConnectionError_(codes)


def resets(*codes: ErrorCodes, stream_id: int = 1) -> StreamError:
    """A stream error."""
    return StreamError(codes, stream_id)


@attrs.frozen
class Case:
    """One thing a peer may do.

    Attributes:
        section: of RFC 9113, or of RFC 7541 in ``compression``.
        what: a sentence.
        sends: each item is one write; the connection is greeted first, unless ``raw``.
        outcome: what must come of it.
        raw: is there no preface before?
        settings: that the peer announces in its greeting.
    """

    section: str
    what: str
    sends: tuple[bytes, ...]
    outcome: Outcome
    raw: bool = False
    settings: tuple[tuple[int, int], ...] = ()

    @property
    def name(self) -> str:
        """For pytest."""
        return f"{self.section} {self.what}"
