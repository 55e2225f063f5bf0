"""Two engines, back to back."""

from __future__ import annotations

import pytest
from h2.events import DataReceived, Event, RequestReceived, StreamEnded, StreamReset
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.errors import LocalProtocolError
from trio_argoagent.net.protocol.engine import Engine
from trio_argoagent.net.protocol.limits import FRAME, QUANTUM, ROOM, STREAM_WINDOW, Limits

REQUEST = [(":method", "POST"), (":scheme", "https"), (":authority", "x"), (":path", "/")]


class Two:
    """A client and a server, and what the server has received."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.client = Engine(client=True, allowed=Limits())
        self.server = Engine(client=False, allowed=limits or Limits())
        self.received: dict[int, bytearray] = {}
        self.ended: list[int] = []
        self.order: list[int] = []
        self.exchange()

    def exchange(self, *, reading: bool = True) -> None:
        """Carry bytes both ways until nothing moves."""
        moved = True
        while moved:
            up, _ = self.client.pump(0)
            events, error = self.server.receive(up, 0)
            assert error is None and len(up) <= QUANTUM + FRAME + 100
            for event in events:
                self.take(event, reading)
            down, _ = self.server.pump(0)
            assert self.client.receive(down, 0)[1] is None
            moved = bool(up or down)

    def take(self, event: Event, reading: bool) -> None:
        """What the server does with an event."""
        if isinstance(event, RequestReceived):
            self.server.accept(event.stream_id)
            self.received[event.stream_id] = bytearray()
        elif isinstance(event, DataReceived):
            self.received[event.stream_id] += event.data
            self.order.append(event.stream_id)
            if reading:
                self.server.release(event.stream_id, event.flow_controlled_length)
        elif isinstance(event, StreamEnded):
            self.ended.append(event.stream_id)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 150_000)), max_size=15),
    st.sampled_from([16_384, FRAME]),
    st.sampled_from([70_000, STREAM_WINDOW]),
)
def test_everything_arrives(sends: list[tuple[int, int]], frame: int, window: int) -> None:
    """Whatever is queued on whichever stream arrives there, whole and in order, then its end."""
    two = Two(Limits(frame=frame, stream_window=window, connection_window=max(window, 65_536)))
    streams = [two.client.open(REQUEST, end=False, window=0) for _ in range(4)]
    expected: dict[int, bytearray] = {stream: bytearray() for stream in streams}
    for number, (which, size) in enumerate(sends):
        data = bytes([number + 1]) * size
        two.client.queue(streams[which], data)
        expected[streams[which]] += data
        if number % 4 == 3:
            two.exchange()
    for stream in streams:
        two.client.finish(stream)
    two.exchange()
    assert two.received == expected and sorted(two.ended) == streams
    assert all(two.client.outbox(stream).handed for stream in streams)


def test_streams_take_turns() -> None:
    """A stream with much to send does not keep one with little waiting for more than a frame."""
    two = Two()
    bulk, small = (two.client.open(REQUEST, end=False, window=0) for _ in range(2))
    two.client.queue(bulk, bytes(STREAM_WINDOW))
    two.client.queue(small, b"quick")
    two.exchange()
    assert two.order.index(small) == 1


def test_small_messages_are_joined() -> None:
    """A thousand small messages are a few frames."""
    two = Two()
    stream = two.client.open(REQUEST, end=False, window=0)
    for _ in range(1000):
        two.client.queue(stream, bytes(200))
    two.exchange()
    assert len(two.received[stream]) == 200_000 and len(two.order) == -(-200_000 // FRAME)


def test_room_is_told_once() -> None:
    """A stream is reported when it falls below its room, and when its end has left; not in between."""
    two = Two()
    stream = two.client.open(REQUEST, end=False, window=0)
    two.client.queue(stream, bytes(ROOM + FRAME))
    told = []
    while (step := two.client.pump(0))[0]:
        told.append(step[1])
        for event in two.server.receive(step[0], 0)[0]:
            two.take(event, reading=True)
    assert [stream] in told and sum(map(len, told)) == 1
    two.exchange()
    two.client.finish(stream)
    assert two.client.pump(0)[1] == [stream]


def test_control_is_sent_past_blocked_data() -> None:
    """With every window used up, a reset and a PING still leave at once."""
    two = Two()
    stream, other = (two.client.open(REQUEST, end=False, window=0) for _ in range(2))
    two.client.queue(stream, bytes(2 * STREAM_WINDOW))
    two.exchange(reading=False)
    assert two.client.outbox(stream).size == STREAM_WINDOW and not two.client.pending
    two.client.reset(other, 8)
    two.client.ping(bytes(8))
    events, _ = two.server.receive(two.client.pump(0)[0], 0)
    assert any(isinstance(event, StreamReset) for event in events)


def test_reset_forgets_what_was_queued() -> None:
    """Nothing of a reset stream is sent, and resetting again does nothing."""
    two = Two()
    stream = two.client.open(REQUEST, end=False, window=0)
    two.exchange()
    two.client.queue(stream, b"never")
    two.client.reset(stream, 8)
    two.client.reset(stream, 8)
    two.exchange()
    assert two.received[stream] == b""


def test_nothing_after_the_end() -> None:
    """Queueing on a stream that has been ended is a bug on this side."""
    two = Two()
    stream = two.client.open(REQUEST, end=False, window=0)
    two.client.finish(stream)
    with pytest.raises(LocalProtocolError, match="ended already"):
        two.client.queue(stream, b"x")


def test_handed_means_the_whole_request() -> None:
    """A request counts as handed over with its END_STREAM only, with a body and without."""
    two = Two()
    bare = two.client.open(REQUEST, end=True, window=0)
    full = two.client.open(REQUEST, end=False, window=0)
    assert not two.client.outbox(bare).handed
    two.client.queue(full, b"x")
    two.client.pump(0)
    assert two.client.outbox(bare).handed and not two.client.outbox(full).handed
    two.client.finish(full)
    two.client.pump(0)
    assert two.client.outbox(full).handed


def test_wide_windows() -> None:
    """A window is widened by what it lacks; asking for less changes nothing."""
    two = Two()
    stream = two.client.open(REQUEST, end=False, window=1 << 20)
    narrow = two.client.open(REQUEST, end=False, window=10)
    two.exchange()
    for id_ in (stream, narrow):
        two.server.send_headers(id_, [(":status", "200")], end=False)
        two.server.queue(id_, bytes(1 << 21))
    two.exchange()
    for id_, expected in ((stream, 1 << 20), (narrow, STREAM_WINDOW)):
        assert (1 << 21) - two.server.outbox(id_).size == expected
