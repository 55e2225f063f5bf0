"""Whatever a peer sends: typed errors, answers in proportion, nothing kept beyond the bounds."""

from __future__ import annotations

import contextlib

from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset
from hyperframe.frame import PriorityFrame
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trio_argoagent.errors import LocalProtocolError, RemoteProtocolError
from trio_argoagent.net.protocol.engine import Engine
from trio_argoagent.net.protocol.limits import CLOSED_STREAMS, FRAME, PRINCIPAL, QUANTUM, Limits

from .. import rawpeer as raw

STREAMS = st.integers(0, 12) | st.sampled_from([2**31 - 1, 255, 511])
SIZES = st.sampled_from([0, 1, 100, 16_384, FRAME])
ALLOWED = Limits(streams=4, budget=PRINCIPAL.budget)
START = raw.PREFACE + raw.settings()


class Victim:
    """A server's engine and an application that answers everything, or resets it."""

    def __init__(self) -> None:
        self.engine = Engine(client=False, allowed=ALLOWED)
        self.error: RemoteProtocolError | None = None
        self.now = 0.0
        self.taken = self.given = 0

    def take(self, data: bytes) -> None:
        """Bytes arrive. Nothing may be raised, and nothing kept without a bound."""
        if self.error is not None:
            return
        self.taken += len(data)
        events, self.error = self.engine.receive(data, self.now)
        assert self.error is None or type(self.error) is RemoteProtocolError
        for event in events:
            if isinstance(event, RequestReceived):
                self.engine.accept(event.stream_id)
                with contextlib.suppress(LocalProtocolError):  # it may be reset already
                    self.engine.send_headers(event.stream_id, [(":status", "200")], end=False)
                    self.engine.queue(event.stream_id, bytes(1000))
            elif isinstance(event, DataReceived):
                self.engine.release(event.stream_id, event.flow_controlled_length)
            elif isinstance(event, StreamEnded):
                if event.stream_id % 3:
                    self.engine.finish(event.stream_id)
                else:
                    self.engine.reset(event.stream_id, 8)
            elif isinstance(event, StreamReset):
                self.engine.drop(event.stream_id)
        while out := self.engine.pump(self.now)[0]:
            assert len(out) <= QUANTUM + 10_000 + 4 * len(data)
            self.given += len(out)
        self.check()

    def check(self) -> None:
        """What it keeps, and what it has been made to say."""
        h2 = self.engine._h2
        assert len(h2.streams) <= 2 * ALLOWED.streams + 1
        assert len(h2._closed_streams) <= CLOSED_STREAMS
        assert len(h2.incoming_buffer._data) <= FRAME + 9 + self.taken % FRAME + FRAME
        assert len(h2.remote_settings) < 20
        # Each request is answered with a kilobyte; beside that, an answer is a small frame.
        assert self.given <= 10_000 + 4 * self.taken + 1100 * h2.highest_inbound_stream_id


def number(high: int) -> st.SearchStrategy[int]:
    """With the ends, where the trouble is."""
    return st.integers(0, high) | st.sampled_from([0, 1, high])


FRAMES = st.one_of(
    st.builds(raw.headers, STREAMS.filter(bool), end=st.booleans(), whole=st.booleans()),
    st.builds(
        raw.headers, STREAMS.filter(bool), st.just([(":status", "200"), ("x", "y")]), end=st.booleans()
    ),
    st.builds(lambda id_, last: raw.continuation(id_, b"", last=last), STREAMS.filter(bool), st.booleans()),
    st.builds(
        lambda id_, size, end: raw.data(id_, bytes(size), end=end), STREAMS.filter(bool), SIZES, st.booleans()
    ),
    st.builds(raw.reset, STREAMS.filter(bool), number(2**32 - 1)),
    st.builds(lambda id_, by: raw.window(id_, by), STREAMS, st.integers(1, 2**31 - 1)),
    st.builds(
        lambda code, value: raw.frame(4, 0, code.to_bytes(2, "big") + value.to_bytes(4, "big")),
        number(10),
        number(2**32 - 1),
    ),
    st.just(raw.settings(ack=True)),
    st.builds(lambda ack: raw.ping(ack=ack), st.booleans()),
    st.builds(raw.goaway, number(2**31 - 1), number(2**32 - 1)),
    st.builds(lambda id_, on: PriorityFrame(id_, depends_on=on).serialize(), STREAMS.filter(bool), STREAMS),
    st.builds(raw.frame, st.integers(0, 20), STREAMS, st.binary(max_size=40), st.integers(0, 255)),
)


@settings(deadline=None, max_examples=120)
@given(st.lists(FRAMES, max_size=25))
@example([raw.headers(1), raw.settings({4: 0}), raw.data(1, end=True), raw.settings({4: 2**31 - 1})])
@example([raw.headers(1), raw.window(1, 2**31 - 1), raw.data(1, b"late"), raw.reset(1)])
@example([raw.headers(1, end=True), raw.data(1, b"x"), raw.headers(1, end=True), raw.window(1)])
@example([raw.headers(3, end=True), raw.headers(1)])
@example([raw.headers(1), raw.goaway(), raw.headers(3), raw.goaway(2**31 - 1)])
@example([raw.headers(1, whole=False), raw.data(1)])
@example([raw.headers(1), raw.settings({5: 16_384}), raw.settings({5: 16_777_215}), raw.data(1, end=True)])
@example([raw.headers(n) for n in (1, 3, 5, 7)] + [raw.reset(1), raw.headers(9), raw.headers(11)])
def test_any_frames(frames: list[bytes]) -> None:
    """Any sequence of frames, sensible or not."""
    victim = Victim()
    victim.take(START)
    for each in frames:
        victim.now += 0.01
        victim.take(each)


def conversation() -> bytes:
    """What an honest client sends: four requests with bodies, one of which it gives up."""
    client = Engine(client=True, allowed=Limits())
    server = Engine(client=False, allowed=ALLOWED)
    client.receive(server.pump(0)[0], 0)
    said = b""
    for which in range(4):
        stream = client.open([*raw.REQUEST, ("x-number", str(which))], end=False, window=1 << 20)
        client.queue(stream, bytes(300 * which))
        said += client.pump(0)[0]
        if which == 2:
            client.reset(stream, 8)
        else:
            client.finish(stream)
        client.ping(bytes(8))
        said += client.pump(0)[0]
    return said


HONEST = conversation()
CHANGES = st.tuples(
    st.sampled_from(["flip", "insert", "delete", "repeat"]),
    st.integers(0, len(HONEST)),
    st.integers(1, 60),
    st.binary(min_size=1, max_size=12),
)


def changed(said: bytes, changes: list[tuple[str, int, int, bytes]]) -> bytes:
    """Something of it is different."""
    for how, at, size, noise in changes:
        at = min(at, len(said))
        if how == "flip":
            said = said[:at] + noise + said[at + len(noise) :]
        elif how == "insert":
            said = said[:at] + noise + said[at:]
        elif how == "delete":
            said = said[:at] + said[at + size :]
        else:
            said = said[: at + size] + said[at:]
    return said


def test_the_honest_conversation_is_one() -> None:
    """Unchanged, it is served without an error: what follows are changes of something that works."""
    victim = Victim()
    victim.take(HONEST)
    assert victim.error is None and victim.given > 2000


@settings(deadline=None, max_examples=150)
@given(st.lists(CHANGES, min_size=1, max_size=3), st.integers(1, 400))
def test_changed_traffic(changes: list[tuple[str, int, int, bytes]], piece: int) -> None:
    """Honest traffic with bytes changed, added, missing or twice, cut anywhere."""
    victim = Victim()
    said = changed(HONEST, changes)
    for start in range(0, len(said), piece):
        victim.take(said[start : start + piece])


@settings(deadline=None, max_examples=100)
@given(st.lists(st.binary(max_size=300), max_size=8), st.booleans())
def test_noise(pieces: list[bytes], greeted: bool) -> None:
    """Bytes without any sense, before or after the preface."""
    victim = Victim()
    if greeted:
        victim.take(START)
    for each in pieces:
        victim.take(each)
