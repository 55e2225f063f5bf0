"""Frames are the ones that the library would make, whatever the bytes and however they are split."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from h2.exceptions import FrameTooLargeError, ProtocolError
from h2.frame_buffer import FrameBuffer
from hyperframe.frame import ContinuationFrame, DataFrame, Frame, HeadersFrame, PingFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.net.protocol.connection import Connection
from trio_argoagent.net.protocol.incoming import Frames
from trio_argoagent.net.protocol.limits import Limits

LARGEST = 1000


def data(stream_id: int, body: bytes, padding: int | None, end: bool, odd_flags: int) -> bytes:
    """A DATA frame; an odd flag means nothing."""
    frame = DataFrame(stream_id, body)
    if padding is not None:
        frame.flags.add("PADDED")
        frame.pad_length = padding
    if end:
        frame.flags.add("END_STREAM")
    text = bytearray(frame.serialize())
    text[4] |= odd_flags
    return bytes(text)


def open_headers(body: bytes) -> bytes:
    """HEADERS that CONTINUATION must follow."""
    return HeadersFrame(1, body).serialize()


FRAMES = st.one_of(
    st.builds(
        data,
        st.sampled_from([1, 3, 2**31 - 1]),
        st.binary(max_size=LARGEST + 20),
        st.none() | st.integers(0, 20),
        st.booleans(),
        st.sampled_from([0, 0x02, 0xF0]),
    ),
    st.just(b"\0\0\x01\0\0\0\0\0\0x"),  # DATA of no stream
    st.just(PingFrame(opaque_data=b"12345678").serialize()),
    st.builds(open_headers, st.binary(max_size=9)),
    st.just(ContinuationFrame(1, b"c", flags=["END_HEADERS"]).serialize()),
    st.binary(min_size=9, max_size=9),
)


def outcome(buffer: FrameBuffer, pieces: Iterable[bytes]) -> list[object]:
    """All that comes out, or how it ends."""
    buffer.max_frame_size = LARGEST
    found: list[object] = []
    try:
        for piece in pieces:
            buffer.add_data(piece)
            found.extend(told(frame) for frame in buffer)
    except ProtocolError as exc:
        found.append((type(exc), str(exc)))
    return found


def told(frame: Frame) -> object:
    """What matters of a frame."""
    length = frame.flow_controlled_length if isinstance(frame, DataFrame) else 0
    body = getattr(frame, "data", None)
    return type(frame), frame.stream_id, sorted(frame.flags), body, frame.body_len, length


@settings(deadline=None, max_examples=200)
@given(st.lists(FRAMES, max_size=6).map(b"".join), st.lists(st.integers(1, 400), min_size=1))
def test_the_librarys_frames(stream: bytes, sizes: list[int]) -> None:
    """The same frames and the same errors, in order; one that is too large is refused sooner."""
    pieces, at = [], 0
    while at < len(stream):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(stream[at : at + size])
        at += size
    ours = outcome(Frames(server=False, block=10_000), pieces)
    theirs = outcome(FrameBuffer(server=False), pieces)
    if ours and isinstance(ours[-1], tuple) and ours[-1][0] is FrameTooLargeError:
        theirs = [*theirs[: len(ours) - 1], ours[-1]]
    assert ours == theirs


def test_too_large_at_once() -> None:
    """A length out of bounds is refused when its header is here, not when its body is."""
    ours = Frames(server=False, block=10_000)
    ours.max_frame_size = LARGEST
    ours.add_data((LARGEST + 1).to_bytes(3) + b"\0\0\0\0\0\x01")
    with pytest.raises(FrameTooLargeError):
        next(ours)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.binary(max_size=300), st.integers(1, 130), st.booleans()), max_size=4))
def test_data_on_its_way_out(sent: list[tuple[bytes, int, bool]]) -> None:
    """As the library would write it."""
    connection = Connection(client=True, allowed=Limits())
    request = [(":method", "POST"), (":scheme", "https"), (":path", "/"), (":authority", "a")]
    connection.max_outbound_frame_size = 65_536
    connection.outbound_flow_control_window = 2**20
    connection.take()  # the preface
    for number, (part, times, end) in enumerate(sent):
        body = part * times
        stream_id = 2 * number + 1
        connection.put_headers(stream_id, request, end=False)
        connection.take()
        connection.put_data(stream_id, memoryview(body) if end else body, end=end)
        frame = DataFrame(stream_id, body, flags=["END_STREAM"] if end else [])
        expected = frame.serialize()
        assert bytes(connection.take()) == expected
    assert connection.take() == b""
