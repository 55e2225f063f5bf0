"""DATA and windows, accounted for without the library, leave everything as it would have left it."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import attrs
import pytest
from h2.connection import ConnectionState
from h2.exceptions import ProtocolError
from h2.stream import StreamState
from hyperframe.frame import (
    DataFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    WindowUpdateFrame,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trio_argoagent.net.protocol.connection import Connection
from trio_argoagent.net.protocol.limits import Limits

LIMITS = Limits(stream_window=40_000, connection_window=70_000, frame=16_384)
REQUEST = [(":method", "POST"), (":scheme", "https"), (":authority", "x"), (":path", "/")]


class Library(Connection):
    """Nothing is plain."""

    def _receive_plain(self) -> None:
        return None

    def put_data(self, stream_id: int, data: bytes | memoryview, *, end: bool) -> None:
        """See ``Connection``."""
        self.send_data(stream_id, data, end_stream=end)


def data(stream_id: int, size: int, flags: Sequence[str], padding: int) -> bytes:
    """A DATA frame."""
    return DataFrame(stream_id, b"d" * size, flags=list(flags), pad_length=padding).serialize()


def odd(stream_id: int, size: int) -> bytes:
    """One with flags that mean nothing, and the reserved bit of its stream."""
    return struct.pack(">BHBBL", 0, size, 0, 0xF6, stream_id | 1 << 31) + b"o" * size


def update(stream_id: int, increment: int, size: int) -> bytes:
    """A WINDOW_UPDATE, perhaps of a wrong size, and with flags that mean nothing."""
    head = struct.pack(">BHBBL", 0, size, 8, 0x31, stream_id)
    return head + struct.pack(">L", increment)[:size].ljust(size)


STREAM = st.sampled_from([1, 3, 5])
SIZE = st.integers(0, 40) | st.integers(12_000, 16_384)
DATA = st.builds(data, STREAM, SIZE, st.sampled_from([(), (), ("END_STREAM",)]), st.just(0))
INCREMENT = st.integers(1, 70_000)
WRONG = st.sampled_from([0, 2**31 - 1, 2**31])
OTHERS = st.one_of(
    st.builds(data, STREAM, SIZE, st.just(("PADDED",)), st.integers(0, 9)),
    st.builds(odd, STREAM, st.integers(0, 9)),
    st.builds(lambda stream_id: RstStreamFrame(stream_id, error_code=8).serialize(), STREAM),
    st.builds(update, STREAM | st.just(0), INCREMENT, st.just(4)),
    st.just(PingFrame(opaque_data=b"12345678").serialize()),
)
LAST = st.one_of(
    st.just(b""),
    st.just(data(7, 1, (), 0)),  # nobody has opened it
    st.just(struct.pack(">BHBBL", 0, 1, 0, 0, 0) + b"z"),  # of no stream
    st.just(HeadersFrame(7, b"").serialize() + data(1, 1, (), 0)),  # CONTINUATION must follow
    st.just(struct.pack(">BHBBL", 1, 0, 0, 0, 1)),  # longer than a frame may be
    st.builds(update, STREAM | st.sampled_from([0, 7]), WRONG, st.just(4)),
    st.builds(update, STREAM | st.just(0), INCREMENT, st.integers(0, 9)),
)


@attrs.frozen
class Take:
    """The reader takes bytes, as many as it likes."""

    stream_id: int
    size: int


@attrs.frozen
class Reset:
    """The stream is given up here."""

    stream_id: int


STEPS = st.lists(
    st.one_of(
        st.lists(DATA, min_size=1, max_size=4).map(b"".join),
        OTHERS,
        st.builds(Take, STREAM, st.integers(0, 20_000)),
        st.builds(Reset, STREAM),
    ),
    max_size=12,
)


def opened(kind: type[Connection], lengths: Sequence[int | None], *, client: bool = False) -> Connection:
    """One side of a connection with streams 1, 3 and 5, some of which may have said how long they are.

    The server's side has ended stream 3. The client's has ended it, too, and has no answer on it yet.
    """
    server, other = Connection(client=False, allowed=Limits()), Connection(client=True, allowed=Limits())
    if client:
        other = kind(client=True, allowed=LIMITS)
    else:
        server = kind(client=False, allowed=LIMITS)
    for number, length in enumerate(lengths):
        promised = [] if length is None else [("content-length", str(length))]
        stream_id = 2 * number + 1
        other.put_headers(stream_id, [*REQUEST, *([] if client else promised)], end=client and stream_id == 3)
        assert server.receive(bytes(other.take()), 0)[1] is None
        if client and stream_id != 3:
            server.put_headers(stream_id, [(":status", "200"), *promised], end=False)
    if client:
        assert other.receive(bytes(server.take()), 0)[1] is None
        return other
    server.put_headers(3, [(":status", "200")], end=True)
    return server


def played(server: Connection, steps: Sequence[bytes | Take | Reset], cut: int) -> list[object]:
    """All that can be seen of it after each step."""
    seen: list[object] = []
    for step in steps:
        if isinstance(step, Take):
            server.release(step.stream_id, step.size)
        elif isinstance(step, Reset):
            server.put_reset(step.stream_id, 8)
        else:
            for piece in (step[:cut], step[cut:]):
                events, error = server.receive(piece, 0)
                seen += [repr(event) for event in events]
                seen += [(server.frames, server.answers, server.more, bytes(server.take()))]
                if error is not None:
                    return [*seen, str(error), type(error.__cause__)]
        seen.append([(i, windows(server, i)) for i in server.streams])
    return seen


def windows(server: Connection, stream_id: int) -> object:
    """Of the connection and of a stream, both ways, and what states they are in."""
    stream = server.streams[stream_id]
    managers = (server._inbound_flow_control_window_manager, stream._inbound_window_manager)
    return (
        [vars(manager) for manager in managers],
        (server.outbound_flow_control_window, stream.outbound_flow_control_window),
        (server.state_machine.state, stream.state_machine.state, stream._actual_content_length),
    )


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.none() | st.integers(0, 100), min_size=3, max_size=3),
    STEPS,
    LAST,
    st.integers(0, 60) | st.just(100_000),
    st.booleans(),
)
@example([None] * 3, [data(1, 16_000, (), 0), Take(1, 16_000)] * 4, b"", 0, False)
@example([None] * 3, [data(1, 1, ("END_STREAM",), 0), data(1, 1, (), 0)], b"", 0, False)
@example([None] * 3, [], HeadersFrame(7, b"").serialize() + data(1, 1, (), 0), 9, False)
@example([None] * 3, [data(3, 1, (), 0)], b"", 0, True)
@example([None] * 3, [update(0, 2**31 - 65_536, 4), update(1, 2**31 - 65_536, 4)], update(1, 1, 4), 0, False)
@example([None] * 3, [update(5, 5, 4), update(0, 5, 4)], update(0, 2**31 - 65_540, 4), 0, False)
@example([None] * 3, [], update(5, 2**31 + 1, 4), 11, False)
@example([None] * 3, [Reset(1), update(1, 5, 4)], update(5, 0, 4), 0, True)
def test_as_the_library_takes_it(
    lengths: list[int | None], steps: list[bytes | Take | Reset], last: bytes, cut: int, client: bool
) -> None:
    """The same events, answers, windows, states and errors, whatever arrives and however it is cut."""
    ours, theirs = (
        played(opened(kind, lengths, client=client), [*steps, last], cut) for kind in (Connection, Library)
    )
    assert ours == theirs


def test_on_a_closed_connection() -> None:
    """Nothing is received any more."""
    seen = []
    for kind in (Connection, Library):
        server = opened(kind, [None] * 3)
        server.state_machine.state = ConnectionState.CLOSED
        seen.append(played(server, [data(1, 5, (), 0)], 0))
    assert seen[0] == seen[1]


def test_most_of_it_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small messages, the end of a body and windows make no frame of the library."""
    server = opened(Connection, [None, None, None])
    monkeypatch.setattr(DataFrame, "__init__", None)
    monkeypatch.setattr(WindowUpdateFrame, "__init__", None)
    assert server.receive(update(0, 1, 4) + update(1, 2, 4), 0)[1] is None
    body = struct.pack(">BHBBL", 0, 4, 0, 0, 1) + b"data" + struct.pack(">BHBBL", 0, 0, 0, 1, 5)
    events, error = server.receive(body, 0)
    server.put_data(1, b"answer", end=True)
    assert len(events) == 3 and error is None
    assert server.streams[5].state_machine.state is StreamState.HALF_CLOSED_REMOTE


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(STREAM | st.just(7), st.integers(0, 50), st.booleans()), max_size=8), st.booleans())
@example([(1, 5, False)], True)
@example([(3, 5, False)], False)
def test_as_the_library_sends_it(sent: list[tuple[int, int, bool]], over: bool) -> None:
    """The same bytes, windows, states and refusals."""
    seen = []
    for kind in (Connection, Library):
        server, what = opened(kind, [None, None, None]), list[object]()
        if over:
            server.state_machine.state = ConnectionState.CLOSED
        server.take()
        for stream_id, size, end in sent:
            try:
                server.put_data(stream_id, b"s" * size, end=end)
                what.append((bytes(server.take()), windows(server, stream_id)))
            except (ProtocolError, KeyError) as exc:
                what.append(isinstance(exc, ProtocolError) or stream_id == 7)
        seen.append(what)
    assert seen[0] == seen[1]
