"""HEADERS that pass by the library's frames leave everything as the library would have left it."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import pytest
from h2.errors import ErrorCodes
from hpack import Encoder
from hyperframe.frame import ContinuationFrame, DataFrame, Frame, HeadersFrame, RstStreamFrame
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trio_argoagent.errors import LocalProtocolError
from trio_argoagent.net.protocol.connection import Connection
from trio_argoagent.net.protocol.limits import Limits

LIMITS = Limits(streams=3)
REQUEST = [(":method", "PUT"), (":scheme", "https"), (":authority", "x"), (":path", "/")]
ANSWER = [(":status", "200")]
LISTS = [
    REQUEST,
    [*REQUEST, ("content-length", "3")],
    [*REQUEST, ("content-length", "x")],
    [(":method", "HEAD"), *REQUEST[1:]],
    [*REQUEST, ("connection", "close")],
    ANSWER,
    [*ANSWER, ("content-length", "3")],
    [(":status", "304"), ("content-length", "3")],
    [(":status", "103"), ("link", "x")],
    [("x", "y")],
    [],
]


class Library(Connection):
    """Nothing is plain."""

    def _receive_plain(self) -> None:
        return None

    def _send_first(self, stream_id: int, fields: Sequence[tuple[bytes, bytes]], *, end: bool) -> bool:
        return False


@attrs.frozen
class Sent:
    """Headers that are sent here."""

    stream_id: int
    fields: list[tuple[str, str]]
    end: bool


def headers(stream_id: int, which: int, flags: Sequence[str], huffman: bool, cut: int) -> bytes:
    """A HEADERS frame of one of the lists; with a cut, a CONTINUATION follows."""
    block = Encoder().encode(LISTS[which], huffman=huffman)
    frame = HeadersFrame(
        stream_id, block[:cut] if cut else block, flags=[*flags], pad_length=2 * ("PADDED" in flags)
    )
    if not cut:
        frame.flags.add("END_HEADERS")
        return frame.serialize()
    return frame.serialize() + ContinuationFrame(stream_id, block[cut:], flags=["END_HEADERS"]).serialize()


STREAM = st.sampled_from([1, 3, 5, 7, 9, 11, 2])
FLAGS = st.sampled_from([(), (), ("END_STREAM",), ("END_STREAM",), ("PADDED",), ("PRIORITY",)])
WHICH = st.integers(0, len(LISTS) - 1)
STEPS = st.lists(
    st.one_of(
        st.builds(headers, STREAM, st.just(0) | WHICH, FLAGS, st.booleans(), st.just(0)),
        st.builds(headers, STREAM, st.sampled_from([5, 6, 7]) | WHICH, FLAGS, st.booleans(), st.just(0)),
        st.builds(headers, STREAM, WHICH, FLAGS, st.booleans(), st.just(2)),
        st.builds(Sent, STREAM, st.sampled_from(LISTS[:1] + LISTS[5:]), st.booleans()),
        st.builds(lambda i, end: DataFrame(i, b"abc", flags=["END_STREAM"] * end).serialize(), STREAM,
                  st.booleans()),
        st.builds(lambda i: RstStreamFrame(i, error_code=8).serialize(), STREAM),
        st.builds(lambda i: HeadersFrame(i, b"\x82\xff\xff", flags=["END_HEADERS"]).serialize(), STREAM),
    ),
    max_size=8,
)  # fmt: skip


def opened(kind: type[Connection], *, client: bool) -> Connection:
    """A side that stands. The client's has sent requests on streams 1 and 3, a HEAD and one that goes on."""
    server, other = Connection(client=False, allowed=LIMITS), kind(client=True, allowed=Limits())
    if not client:
        server, other = kind(client=False, allowed=LIMITS), Connection(client=True, allowed=Limits())
    for _ in range(2):
        assert server.receive(bytes(other.take()), 0)[1] is None
        assert other.receive(bytes(server.take()), 0)[1] is None
    if not client:
        return server
    other.put_headers(1, LISTS[3], end=True)
    other.put_headers(3, REQUEST, end=False)
    return other


def played(side: Connection, steps: Sequence[bytes | Sent], cut: int) -> list[object]:
    """All that can be seen of it after each step."""
    seen: list[object] = [bytes(side.take())]
    for step in steps:
        if isinstance(step, Sent):
            try:
                side.put_headers(step.stream_id, step.fields, end=step.end)
            except LocalProtocolError as exc:
                return [*seen, str(exc)]
            seen.append(bytes(side.take()))
            continue
        for piece in (step[:cut], step[cut:]):
            events, error = side.receive(piece, 0)
            seen += [repr(event) for event in events]
            seen += [(side.frames, side.answers, side.more, side._meter._earned, bytes(side.take()))]
            if error is not None:
                return [*seen, str(error), type(error.__cause__)]
        seen.append([(number, _state(side, number)) for number in side.streams])
    return seen


def _state(side: Connection, number: int) -> object:
    stream, states = side.streams[number], vars(side.streams[number].state_machine)
    lengths = stream.request_method, stream._expected_content_length, stream._actual_content_length
    return states, lengths, side.state_machine.state, side.highest_inbound_stream_id


@settings(deadline=None, max_examples=250)
@given(STEPS, st.integers(0, 60) | st.just(100_000), st.booleans())
@example([headers(1, 0, ("END_STREAM",), False, 0), Sent(1, ANSWER, False), Sent(1, ANSWER, False)], 9, False)
@example([headers(i, 0, (), False, 0) for i in (1, 3, 5, 7)], 0, False)
@example([headers(1, 7, ("END_STREAM",), False, 0), headers(3, 8, (), True, 0)], 0, True)
@example([bytes(3) + b"\1\4" + bytes(4)], 0, False)
@example([Sent(5, REQUEST, True), Sent(7, REQUEST, False), Sent(9, REQUEST, False)], 0, True)
def test_as_the_library_does_it(steps: list[bytes | Sent], cut: int, client: bool) -> None:
    """The same events, bytes, states and errors, whatever arrives and is sent, and however it is cut."""
    ours, theirs = (played(opened(kind, client=client), steps, cut) for kind in (Connection, Library))
    assert ours == theirs


def test_a_long_list_goes_out_in_pieces() -> None:
    """One frame holds no more than the peer takes."""
    fields = [*ANSWER, ("x", "y" * 40_000)]
    seen = []
    for kind in (Connection, Library):
        server = opened(kind, client=False)
        server.max_outbound_frame_size = 16_384
        assert server.receive(headers(1, 0, (), False, 0), 0)[1] is None
        server.put_headers(1, fields, end=True)
        seen.append(bytes(server.take()))
    assert seen[0] == seen[1] and len(seen[0]) > 40_000 + 2 * 9


def test_a_request_and_its_answer_make_no_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """On either side of a connection on which there has been one."""
    client, server = opened(Connection, client=True), opened(Connection, client=False)
    assert server.receive(bytes(client.take()), 0)[1] is None
    monkeypatch.setattr(Frame, "__init__", None)
    for number in range(5, 9, 2):
        client.put_headers(number, REQUEST, end=True)
        assert len(server.receive(bytes(client.take()), 0)[0]) == 2
        server.put_headers(number, ANSWER, end=True)
        assert len(client.receive(bytes(server.take()), 0)[0]) == 2
        server.put_reset(number, ErrorCodes.CANCEL)  # It is over: nothing to send.
