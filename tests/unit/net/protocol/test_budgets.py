"""What frames cost that bring nothing, and that honest traffic never pays."""

from __future__ import annotations

import pytest
from h2.events import DataReceived, RequestReceived
from h2.exceptions import DenialOfServiceError
from hyperframe.frame import WindowUpdateFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.net.protocol.budgets import EARNED, Bucket, Budget, Charge, Meter, Rate
from trio_argoagent.net.protocol.engine import Engine
from trio_argoagent.net.protocol.limits import CLIENT, NEVER, PRINCIPAL, Limits

REQUEST = [(":method", "POST"), (":scheme", "https"), (":authority", "x"), (":path", "/")]


@settings(deadline=None, max_examples=200)
@given(
    st.integers(1, 20),
    st.sampled_from([0.1, 1.0, 10.0]),
    st.lists(st.floats(0, 5, allow_nan=False), max_size=60),
)
def test_bucket(burst: int, per_second: float, pauses: list[float]) -> None:
    """In no stretch of time are more tokens taken than the burst and what came back, and none is lost."""
    bucket = Bucket(Rate(burst, per_second))
    now = 100.0
    taken: list[float] = []
    for pause in pauses:
        now += pause
        if bucket.take(now):
            taken.append(now)
        else:
            recent = [at for at in taken if now - at < burst / per_second]
            assert recent  # an untouched bucket is full again by then
    for first, start in enumerate(taken):
        for last in range(first, len(taken)):
            assert last - first + 1 <= burst + (taken[last] - start) * per_second + 1e-6


def test_each_charge_has_its_own_bucket() -> None:
    """What is spent on one kind of frame is not missing for another, and the error names kind and rate."""
    meter = Meter(Budget(resets=Rate(1, 0.5)))
    meter.charge(Charge.RESET, 0)
    meter.charge(Charge.GLITCH, 0)
    with pytest.raises(DenialOfServiceError, match=r"many RST_STREAM frames: more than 1 at once and 0\.5"):
        meter.charge(Charge.RESET, 0)
    meter.charge(Charge.RESET, 2)


def test_what_is_earned_is_bounded() -> None:
    """Frames that traffic excuses cannot be saved up without end."""
    meter = Meter(Budget(glitches=Rate(1, 0)))
    for _ in range(10):
        meter.earn(EARNED)
    for _ in range(EARNED + 1):
        meter.excuse(0)
    with pytest.raises(DenialOfServiceError, match="do nothing"):
        meter.excuse(0)


@settings(deadline=None, max_examples=12)
@given(
    st.lists(st.sampled_from([1, 200, 4096, 20_000, 200_000]), min_size=1, max_size=12),
    st.sampled_from([1, 4096, 1 << 30]),
)
def test_honest_traffic_is_free(sizes: list[int], step: int) -> None:
    """However fast it goes, no answer that is read costs its reader anything.

    The clock stands still: nothing comes back but what is earned. The reader opens both windows for each
    frame, or for each 4 KiB as Go does, or by halves as most do.
    """
    server = Engine(client=False, allowed=Limits(budget=Budget(glitches=Rate(5, 0))))
    client = Engine(client=True, allowed=Limits())
    carry(client, server, step)
    for size in sizes * 3:
        stream = client.open(REQUEST, end=True, window=1 << 20)
        carry(client, server, step)
        server.send_headers(stream, [(":status", "200")], end=False)
        for _ in range(20):
            server.queue(stream, bytes(size))
            carry(client, server, step)
        server.finish(stream)
        carry(client, server, step)
        client.drop(stream)
        server.drop(stream)


def carry(client: Engine, server: Engine, step: int) -> None:
    """Bytes both ways until nothing moves; the client reads, and opens its windows by ``step`` bytes."""
    unread: dict[int, int] = {}
    moved = True
    while moved:
        up, _ = client.pump(0)
        extra = bytearray()
        events, error = server.receive(up, 0)
        assert error is None
        for event in events:
            if isinstance(event, RequestReceived):
                server.accept(event.stream_id)
        down, _ = server.pump(0)
        for event in client.receive(down, 0)[0]:
            if isinstance(event, DataReceived):
                id_ = event.stream_id
                client.release(id_, event.flow_controlled_length)
                unread[id_] = unread.get(id_, 0) + event.flow_controlled_length
                if step < 1 << 30 and unread[id_] >= step:
                    # Beside what this client opens itself, by a byte: its own count stays right.
                    extra += WindowUpdateFrame(0, window_increment=1).serialize()
                    extra += WindowUpdateFrame(id_, window_increment=1).serialize()
                    unread[id_] = 0
        assert server.receive(bytes(extra), 0)[1] is None
        moved = bool(up or down)


def test_streams_given_up_are_free() -> None:
    """Frames that were on their way to a stream when it was reset cost nothing."""
    server = Engine(client=False, allowed=Limits(budget=Budget(glitches=Rate(1, 0))))
    client = Engine(client=True, allowed=Limits())
    carry(client, server, 1 << 30)
    for _ in range(10):
        stream = client.open(REQUEST, end=False, window=0)
        late = []
        for _ in range(200):
            client.queue(stream, bytes(1000))
            late.append(client.pump(0)[0])
        assert server.receive(late[0], 0)[1] is None
        server.accept(stream)
        server.reset(stream, 8)
        for data in late[1:]:
            assert server.receive(data, 0)[1] is None
        carry(client, server, 1 << 30)


def test_pings_of_an_agent() -> None:
    """A PING every ten seconds is fine for as long as it takes, three more are forgiven, a fourth is not."""
    client = Engine(client=True, allowed=Limits())
    server = Engine(client=False, allowed=PRINCIPAL)
    carry(client, server, 1 << 30)
    now = 0.0
    for _ in range(1000):
        now += 10
        client.ping(bytes(8))
        assert server.receive(client.pump(now)[0], now)[1] is None
        client.receive(server.pump(now)[0], now)
    for _ in range(3):
        client.ping(bytes(8))
        assert server.receive(client.pump(now)[0], now)[1] is None
    client.ping(bytes(8))
    _, error = server.receive(client.pump(now)[0], now)
    assert error is not None and "too many PING frames" in str(error)


def test_what_the_principal_allows() -> None:
    """The figures that docs/link.md tells."""
    assert PRINCIPAL.budget == Budget(
        glitches=Rate(1000, 100),
        resets=Rate(256, 10),
        provoked=Rate(10, 1),
        settings=Rate(20, 1),
        pings=Rate(4, 0.1),
    )
    patience = PRINCIPAL.patience
    assert (patience.settings, patience.send, patience.stalled) == (5, 30, 60)
    assert (patience.silence, patience.answer, patience.idle) == (75, 0, 10)
    assert (CLIENT.patience.silence, CLIENT.patience.answer, CLIENT.patience.idle) == (30, 20, NEVER)
