"""Frames in a stream of bytes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.errors import LocalProtocolError, RemoteProtocolError
from trio_argoagent.ports.transport import MAX_FRAME
from trio_argoagent.stream.protocol.framing import Framer, prefix


@settings(deadline=None, max_examples=200)
@given(st.lists(st.binary(min_size=1, max_size=40)), st.data())
def test_however_the_bytes_are_split(frames: list[bytes], data: st.DataObject) -> None:
    """The same frames come out, in order, and none before its last byte."""
    stream = b"".join(prefix(frame) + frame for frame in frames)
    framer, got, at = Framer(), [], 0
    while at < len(stream):
        size = data.draw(st.integers(1, 50))
        got += framer.feed(stream[at : at + size])
        at = min(at + size, len(stream))
        whole, ends = 0, 0
        for frame in frames:
            ends += 4 + len(frame)
            whole += ends <= at
        assert len(got) == whole
    assert got == frames
    assert framer.pending == 0


def test_pending_tells_that_a_frame_was_cut_off() -> None:
    """The rest of a stream that ended too early is visible."""
    framer = Framer()
    assert framer.feed(b"\0\0\0\x02ab\0\0\0\x05hel") == [b"ab"]
    assert framer.pending == 7


@pytest.mark.parametrize("size", [0, MAX_FRAME + 1, 2**32 - 1])
def test_a_length_out_of_bounds_is_refused_at_once(size: int) -> None:
    """The prefix alone is enough, and afterwards nothing more is taken."""
    framer = Framer()
    with pytest.raises(RemoteProtocolError, match=str(size)):
        framer.feed(size.to_bytes(4))
    with pytest.raises(RemoteProtocolError):
        framer.feed(b"\0\0\0\x01a")


def test_the_largest_frame() -> None:
    """A frame of exactly the bound passes, in pieces of 64 KiB."""
    frame, framer, got = bytes(MAX_FRAME), Framer(), []
    data = prefix(frame) + frame
    for at in range(0, len(data), 65_536):
        got += framer.feed(data[at : at + 65_536])
    assert got == [frame]


@pytest.mark.parametrize("frame", [b"", bytes(MAX_FRAME + 1)], ids=["empty", "too long"])
def test_what_cannot_be_sent(frame: bytes) -> None:
    """Our own frames are held to the same bounds."""
    with pytest.raises(LocalProtocolError):
        prefix(frame)
