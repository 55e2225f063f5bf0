"""Whose bytes leave next."""

from __future__ import annotations

from h2.events import DataReceived, RequestReceived
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.net.protocol.engine import Engine
from trio_argoagent.net.protocol.incoming import HEADER
from trio_argoagent.net.protocol.limits import QUANTUM, QUEUED, STREAM_WINDOW, Limits
from trio_argoagent.net.protocol.outbox import MOVED
from trio_argoagent.net.protocol.turns import SHARE, Lane, Priority, Turns

REQUEST = [(":method", "POST"), (":scheme", "https"), (":authority", "x"), (":path", "/")]


class Wired:
    """Two engines, and per stream what has arrived; streams in ``asleep`` are not read."""

    def __init__(self, streams: int, limits: Limits | None = None) -> None:
        self.client = Engine(client=True, allowed=Limits())
        self.server = Engine(client=False, allowed=limits or Limits())
        self.received: dict[int, bytearray] = {}
        self.unread: dict[int, int] = {}
        self.asleep: list[int] = []
        self.settle()
        self.link = self.client.open(REQUEST, end=False, window=0, priority=Priority.FIRST)
        self.ids = [self.client.open(REQUEST, end=False, window=0) for _ in range(streams)]
        self.settle()

    def step(self, now: float = 0) -> list[tuple[int, int]]:
        """One send of the client: the streams and sizes of its DATA."""
        up, _ = self.client.pump(now)
        events, error = self.server.receive(up, 0)  # refuses what exceeds a window
        assert error is None
        frames = []
        for event in events:
            if isinstance(event, RequestReceived):
                self.server.accept(event.stream_id)
                self.received[event.stream_id] = bytearray()
                self.unread[event.stream_id] = 0
            elif isinstance(event, DataReceived):
                self.received[event.stream_id] += event.data
                self.unread[event.stream_id] += event.flow_controlled_length
                frames.append((event.stream_id, len(event.data)))
        self.read()
        return frames

    def read(self) -> None:
        """The server's readers that are awake take what is there, and the client hears of it."""
        for stream, size in self.unread.items():
            if size and stream not in self.asleep:
                self.server.release(stream, size)
                self.unread[stream] = 0
        assert self.client.receive(self.server.pump(0)[0], 0)[1] is None

    def settle(self) -> None:
        """Until nothing moves."""
        while self.client.pending:
            self.step()
        self.read()


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("queue"), st.integers(0, 3), st.integers(1, 90_000)),
            st.tuples(st.just("step"), st.just(0), st.just(0)),
            st.tuples(st.just("sleep"), st.integers(0, 3), st.just(0)),
            st.tuples(st.just("wake"), st.integers(0, 3), st.just(0)),
            st.tuples(st.just("link"), st.just(0), st.integers(1, 3000)),
        ),
        max_size=60,
    ),
    st.sampled_from([70_000, 1 << 20]),
)
def test_any_interleaving(steps: list[tuple[str, int, int]], connection_window: int) -> None:
    """Whatever is queued, sent and read in whatever order: per stream the bytes keep theirs, no window is
    exceeded, a sleeping reader stops nobody else, and a link waits for the send that is under way at most.
    """
    wired = Wired(4, Limits(connection_window=connection_window))
    expected = {stream: bytearray() for stream in (wired.link, *wired.ids)}
    for number, (what, which, size) in enumerate(steps):
        stream = wired.link if what == "link" else wired.ids[which]
        if what in ("queue", "link"):
            data = bytes([number % 251 + 1]) * size
            wired.client.queue(stream, data)
            expected[stream] += data
        if what == "link":
            frames = wired.step()
            # All of it left with the very next send, before anybody's else.
            assert frames[0][0] == wired.link and wired.received[wired.link] == expected[wired.link]
        elif what == "sleep":
            wired.asleep.append(stream)
        elif what == "wake":
            wired.asleep = [each for each in wired.asleep if each != stream]
            wired.read()
        elif what == "step":
            assert sum(size for _, size in wired.step()) <= QUANTUM
    wired.settle()
    for stream in wired.ids:
        arrived = wired.received[stream]
        assert arrived == expected[stream][: len(arrived)]
        if stream not in wired.asleep:
            assert arrived == expected[stream]
    wired.asleep = []
    wired.read()
    wired.settle()
    assert wired.received == expected


def test_the_link_does_not_starve_tunnels() -> None:
    """A link that always has something to send leaves a share of each send to the rest."""
    wired = Wired(2)
    for stream in (wired.link, *wired.ids):
        wired.client.queue(stream, bytes(STREAM_WINDOW))
    sends = [wired.step() for _ in range(3)]
    for frames in sends:
        assert frames[0][0] == wired.link
        assert sum(size + HEADER.size for stream, size in frames if stream != wired.link) == SHARE
        assert sum(size + HEADER.size for _, size in frames) == QUANTUM


def test_shares_are_equal() -> None:
    """Two streams that always have something get the same number of bytes, whatever a third one sends."""
    wired = Wired(3)
    bulk, other, small = wired.ids
    for stream in (bulk, other):
        wired.client.queue(stream, bytes(STREAM_WINDOW))
    got = {bulk: 0, other: 0, small: 0}
    for _ in range(5):
        wired.client.queue(small, bytes(300))
        for stream, size in wired.step():
            got[stream] += size
    assert got[small] == 1500 and abs(got[bulk] - got[other]) <= QUANTUM


def test_stalled_streams_cannot_fill_the_connection() -> None:
    """Above 4 MiB a stream has room only while it has nothing queued: what stalls is bounded, others run."""
    wired = Wired(40)
    wired.asleep = wired.ids[:-1]
    rounds = 0
    while any(room := [s for s in wired.asleep if wired.client.has_room(wired.client.outbox(s))]):
        for stream in room:
            wired.client.queue(stream, bytes(50_000))
        wired.settle()
        rounds += 1
    queued = sum(wired.client.outbox(stream).size for stream in wired.asleep)
    assert QUEUED <= queued <= QUEUED + len(wired.asleep) * 50_000 and rounds > 5
    awake = wired.ids[-1]
    for _ in range(100):
        assert wired.client.has_room(wired.client.outbox(awake))
        wired.client.queue(awake, bytes(50_000))
        wired.settle()
    assert len(wired.received[awake]) == 5_000_000
    # One of them is read again, and the connection eases: whoever waits is told.
    for stream in wired.asleep[:25]:
        wired.client.reset(stream, 8)
    _, progressed = wired.client.pump(0)
    assert set(wired.asleep[25:]) <= set(progressed)


def test_a_stalled_stream_is_known() -> None:
    """Since when a stream waits for its window is told; a byte now and then does not count as progress."""
    wired = Wired(1, Limits(stream_window=70_000))
    (stream,) = wired.ids
    wired.asleep = [stream]
    wired.client.queue(stream, bytes(200_000))
    wired.step()
    wired.step(50)
    assert wired.client.stalled(49) == [] and wired.client.stalled(50) == [stream]
    wired.server.widen(stream, 70_000 + MOVED - 1)
    wired.read()
    wired.step(60)
    assert wired.client.stalled(50) == [stream]
    wired.asleep = []
    wired.read()
    wired.settle()
    assert wired.client.stalled(1000) == []


def test_lanes() -> None:
    """The first lane goes first, until only the share of the other is left of the send."""
    turns = Turns()
    assert turns.next(QUANTUM) is None
    turns.normal[1] = None
    assert turns.next(100) == (turns.normal, 100)
    turns.first[3] = None
    assert turns.next(QUANTUM) == (turns.first, QUANTUM - SHARE)
    assert turns.next(SHARE) == (turns.normal, SHARE)
    turns.normal.leave(1)
    assert turns.next(SHARE) == (turns.first, SHARE)
    assert turns.lane(Priority.FIRST) is turns.first and turns.lane(Priority.NORMAL) is turns.normal


def test_a_turn_is_as_long_as_is_owed() -> None:
    """A turn that a full send has cut short goes on; then the stream queues up again. Leaving gives it up."""
    lane = Lane({1: None, 2: None})
    lane.took(QUANTUM - 10, more=True)
    assert list(lane) == [1, 2] and lane.owed == 10
    lane.took(10, more=True)
    assert list(lane) == [2, 1] and lane.owed == QUANTUM
    lane.took(5, more=True)
    lane.leave(1)
    assert lane.owed == QUANTUM - 5
    lane.leave(2)
    lane.leave(2)
    assert not lane and lane.owed == QUANTUM


def test_leaving_is_as_fast_for_many() -> None:
    """The work of leaving a lane does not grow with its length: no comparison walks over it."""
    compared = 0

    class Counted(int):
        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return int.__eq__(self, int(other))  # type: ignore[call-overload]

        __hash__ = int.__hash__

    lane = Lane.fromkeys(Counted(number) for number in range(1000))
    compared = 0
    for number in range(999, 0, -1):
        lane.leave(Counted(number))
    assert compared < 10_000
