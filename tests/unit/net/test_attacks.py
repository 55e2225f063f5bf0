"""What a bad peer can do to a server, and that it harms nobody else.

Each test asserts the defence, and that beside it another connection's echoes come back at once: ``guest``
checks that. Time is virtual.
"""

from __future__ import annotations

import gc
import itertools
import ssl
import tracemalloc
from collections.abc import Callable, Iterator

import attrs
import pytest
import trio
import trio.testing
from h2.errors import ErrorCodes
from hpack import Encoder
from hyperframe.frame import (
    DataFrame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
)

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.net.admission import HANDSHAKE_TIMEOUT
from trio_argoagent.net.errors import ConnectionBroken, TlsFailed
from trio_argoagent.net.http import Exchange
from trio_argoagent.net.http2 import open_http2
from trio_argoagent.net.http2_serving import HANDLERS_PER_STREAM
from trio_argoagent.net.protocol import limits
from trio_argoagent.net.protocol.budgets import Budget, Rate
from trio_argoagent.net.tls import TlsStream

from . import rawpeer as raw
from .identities import Authority, Identity
from .rawpeer import Hall, RawPeer, guest, hall
from .test_tls import contexts

# The shape of the real ones, and a tenth of them: the tests are through sooner.
BUDGET = Budget(
    glitches=Rate(100, 20), resets=Rate(25, 5), provoked=Rate(10, 2), settings=Rate(20, 4), pings=Rate(4, 1)
)
LIMITS = attrs.evolve(
    limits.PRINCIPAL, streams=64, budget=BUDGET, patience=limits.Patience(idle=limits.NEVER)
)
MOST = 1 << 31
FLOOD = [*raw.REQUEST[:2], (":path", "/flood"), raw.REQUEST[3]]


@attrs.frozen
class Flood:
    """Frames that cost us and bring nothing.

    Attributes:
        rounds: what is sent, again and again, after HEADERS of stream 1.
        rate: how much of it is allowed.
        says: what the log says.
    """

    rounds: Callable[[], Iterator[bytes]]
    rate: Rate
    says: str


def again(part: bytes) -> Callable[[], Iterator[bytes]]:
    """The same, for ever."""
    return lambda: itertools.repeat(part)


def each_stream(*parts: Callable[[int], bytes]) -> Callable[[], Iterator[bytes]]:
    """The same for one new stream after the other."""
    return lambda: (b"".join(part(number) for part in parts) for number in itertools.count(3, 2))


def ended(stream_id: int) -> bytes:
    """A request without a body."""
    return raw.headers(stream_id, end=True)


def once_reset(part: bytes) -> Callable[[], Iterator[bytes]]:
    """The peer resets stream 1, and goes on as if it had not."""
    return lambda: itertools.chain([raw.reset(1)], itertools.repeat(part))


GLITCHES = "frames that do nothing"
FLOODS = {
    "empty DATA": Flood(again(raw.data(1)), BUDGET.glitches, GLITCHES),
    "padding alone": Flood(again(raw.frame(0, 1, b"\x05" + bytes(5), 8)), BUDGET.glitches, GLITCHES),
    "WINDOW_UPDATE of the connection": Flood(again(raw.window(0)), BUDGET.glitches, GLITCHES),
    "WINDOW_UPDATE of a stream": Flood(again(raw.window(1)), BUDGET.glitches, GLITCHES),
    "PRIORITY": Flood(again(PriorityFrame(1, depends_on=3).serialize()), BUDGET.glitches, GLITCHES),
    "unknown frames": Flood(again(raw.frame(0xF0, 0, b"what")), BUDGET.glitches, GLITCHES),
    "ALTSVC": Flood(again(raw.frame(0xA, 1, b"\0\0x")), BUDGET.glitches, GLITCHES),
    "GOAWAY": Flood(again(raw.goaway()), BUDGET.glitches, GLITCHES),
    "answers to no PING": Flood(again(raw.ping(ack=True)), BUDGET.glitches, GLITCHES),
    "DATA after its own reset": Flood(once_reset(raw.data(1, b"late")), BUDGET.glitches, GLITCHES),
    "WINDOW_UPDATE after its own reset": Flood(once_reset(raw.window(1)), BUDGET.glitches, GLITCHES),
    "trailers after its own reset": Flood(
        once_reset(raw.headers(1, [("x", "y")], end=True)), BUDGET.glitches, GLITCHES
    ),
    "PING": Flood(again(raw.ping()), BUDGET.pings, "PING frames"),
    "SETTINGS": Flood(again(raw.settings({4: 70_000})), BUDGET.settings, "SETTINGS frames"),
    "acknowledged SETTINGS": Flood(again(raw.settings(ack=True)), BUDGET.settings, "SETTINGS frames"),
    "RST_STREAM of one stream": Flood(again(raw.reset(1)), BUDGET.resets, "RST_STREAM frames"),
    "rapid reset (CVE-2023-44487)": Flood(
        each_stream(raw.headers, raw.reset), BUDGET.resets, "RST_STREAM frames"
    ),
    "made you reset, window overflow (CVE-2025-8671)": Flood(
        each_stream(raw.headers, lambda number: raw.window(number, MOST - 1)),
        BUDGET.provoked,
        "forced us to reset",
    ),
    "made you reset, DATA after the end": Flood(
        each_stream(ended, lambda number: raw.data(number, b"x")), BUDGET.provoked, "forced us to reset"
    ),
    "made you reset, HEADERS after the end": Flood(
        each_stream(ended, lambda number: raw.headers(number, [("x", "y")], end=True)),
        BUDGET.provoked,
        "forced us to reset",
    ),
}


def goodbye(peer: RawPeer) -> GoAwayFrame:
    """The last GOAWAY the peer was sent."""
    return [each for each in peer.seen if isinstance(each, GoAwayFrame)][-1]


def blamed(server: Hall) -> str:
    """The one thing the server has reported, which is the peer's fault."""
    (error,) = server.errors
    assert isinstance(error, RemoteProtocolError)
    return str(error)


@pytest.mark.parametrize("pause", [0.0, 0.5], ids=["at once", "slowly"])
@pytest.mark.parametrize("name", FLOODS)
async def test_flood(name: str, pause: float, autojump_clock: trio.testing.MockClock) -> None:
    """A flood is sent away when its burst is used up; one as slow as allowed is not."""
    flood = FLOODS[name]
    steps = int(flood.rate.burst * 1.2) + 20
    if pause:
        pause = 1 / flood.rate.per_second
    async with hall(limits=LIMITS) as server, guest(server):
        peer = server.connect()
        await peer.greet()
        await peer.send(raw.headers(1))
        sent = await peer.flood(itertools.islice(flood.rounds(), steps), pause)
        if pause:
            assert sent == steps and not peer.ended and not server.errors
            return
        with trio.fail_after(5):
            await peer.read()
        assert goodbye(peer).error_code == ErrorCodes.ENHANCE_YOUR_CALM
        assert flood.says.encode() in goodbye(peer).additional_data
        assert flood.says in blamed(server)
        await trio.testing.wait_all_tasks_blocked()
        # What it has opened is over, too: the guest's handler is the only one.
        assert server.running == 1 and server.peak <= LIMITS.streams * HANDLERS_PER_STREAM + 2


async def test_handlers_are_counted_not_streams(autojump_clock: trio.testing.MockClock) -> None:
    """A handler that outlives its reset stream keeps its place: so many at once and the rest is refused."""

    async def stubborn(exchange: Exchange) -> None:
        if exchange.request.path == "/echo":
            await raw.parrot(exchange)
            return
        with trio.CancelScope(shield=True):
            await trio.sleep(100)

    allowed = attrs.evolve(LIMITS, streams=8)
    async with hall(stubborn, limits=allowed) as server, guest(server):
        peer = server.connect()
        await peer.greet()
        for number in range(1, 81, 2):
            await peer.send(raw.headers(number), raw.reset(number))
        await peer.send(raw.headers(99))
        refused = await peer.until(RstStreamFrame)
        assert refused.error_code == ErrorCodes.REFUSED_STREAM
        assert server.peak == 8 * HANDLERS_PER_STREAM + 1


async def test_continuation_flood(autojump_clock: trio.testing.MockClock) -> None:
    """Eight CONTINUATION frames are put together, a ninth or too many bytes end it all (CVE-2024-27316)."""
    block = Encoder().encode(list(raw.REQUEST))
    async with hall(limits=LIMITS) as server, guest(server):
        good = server.connect()
        await good.greet()
        pieces = [block[at : at + 3] for at in range(0, len(block), 3)]
        await good.send(HeadersFrame(1, pieces[0]).serialize())
        for piece in pieces[1:8]:
            await good.send(raw.continuation(1, piece))
        await good.send(raw.continuation(1, b"".join(pieces[8:]), last=True))
        await good.until(HeadersFrame)
        for piece, count in ((b"", 9), (bytes(6000), 3)):
            bad = server.connect()
            await bad.greet()
            await bad.send(raw.headers(1, whole=False))
            for _ in range(count):
                await bad.send(raw.continuation(1, piece))
            await bad.read()
            assert goodbye(bad).error_code == ErrorCodes.ENHANCE_YOUR_CALM
        assert all("header block" in str(error) for error in server.errors) and len(server.errors) == 2


async def test_hpack_bomb(autojump_clock: trio.testing.MockClock) -> None:
    """A few bytes that become a long header list end the connection before the list is kept."""
    encoder = Encoder()
    encoder.encode([("x-large", "v" * 3000)])
    bomb = encoder.encode([("x-large", "v" * 3000)] * 1000)
    assert len(bomb) < 3000
    async with hall(limits=LIMITS) as server, guest(server):
        peer = server.connect()
        await peer.greet()
        seed = Encoder().encode([*raw.REQUEST, ("x-large", "v" * 3000)])
        await peer.send(HeadersFrame(1, seed, flags=["END_HEADERS"]).serialize())
        await peer.until(HeadersFrame)
        await peer.send(HeadersFrame(3, bomb, flags=["END_HEADERS"]).serialize())
        await peer.read()
        assert goodbye(peer).error_code == ErrorCodes.ENHANCE_YOUR_CALM
        assert "header" in blamed(server).lower()


async def test_settings_are_not_kept(autojump_clock: trio.testing.MockClock) -> None:
    """SETTINGS that nobody has defined leave nothing behind, and too many of them end the connection."""
    async with hall(limits=LIMITS) as server, guest(server):
        peer = server.connect()
        await peer.greet()
        entries = b"".join(number.to_bytes(2, "big") + bytes(4) for number in range(1000, 1033))
        await peer.send(raw.frame(4, 0, entries[:-6]))
        await peer.send(raw.headers(1))
        await peer.until(HeadersFrame)
        await peer.send(raw.frame(4, 0, entries))
        await peer.read()
        assert goodbye(peer).error_code == ErrorCodes.ENHANCE_YOUR_CALM
        assert "SETTINGS with 33 entries" in blamed(server)


async def test_header_table_is_clamped(autojump_clock: trio.testing.MockClock) -> None:
    """A peer that offers a compression table of 4 GB gets 4 KiB, and answers stay readable."""
    fields = [(f"x-{number}", "v" * 900) for number in range(12)]

    async def chatty(exchange: Exchange) -> None:
        if exchange.request.path == "/echo":
            await raw.parrot(exchange)
        else:
            await exchange.respond(200, fields)

    async with hall(chatty, limits=LIMITS) as server, guest(server):
        peer = server.connect()
        await peer.greet({1: 2**32 - 1})
        for number in (1, 3):
            await peer.send(raw.headers(number, end=True))
        while len([each for each in peer.seen if isinstance(each, HeadersFrame)]) < 2:
            await peer.receive()
        first, second = (each for each in peer.seen if isinstance(each, HeadersFrame))
        # Twelve fields of a kilobyte do not fit into 4 KiB: the second answer cannot refer to the first.
        assert len(second.data) > len(first.data) // 2


async def test_shut_window(autojump_clock: trio.testing.MockClock) -> None:
    """A peer that asks for much and opens no window has its stream reset after a minute; no DATA was sent."""
    async with hall(limits=LIMITS) as server, guest(server):
        peer = server.connect()
        await peer.greet({4: 0})
        await peer.send(raw.headers(1, FLOOD, end=True))
        began = trio.current_time()
        async with trio.open_nursery() as nursery:

            async def stay() -> None:
                while True:
                    await trio.sleep(15)
                    await peer.send(raw.ping())

            nursery.start_soon(stay)
            assert (await peer.until(RstStreamFrame)).stream_id == 1
            waited = trio.current_time() - began
            nursery.cancel_scope.cancel()
        assert 60 <= waited <= 95
        await trio.testing.wait_all_tasks_blocked()
        assert server.running == 1 and not server.errors
        assert not [each for each in peer.seen if isinstance(each, DataFrame)]


async def test_window_by_the_byte(autojump_clock: trio.testing.MockClock) -> None:
    """Opening a window by a byte now and then is no progress: the same end."""
    async with hall(limits=LIMITS) as server, guest(server):
        peer = server.connect()
        await peer.greet({4: 0})
        await peer.send(raw.headers(1, FLOOD, end=True))
        async with trio.open_nursery() as nursery:

            async def dribble() -> None:
                while True:
                    await trio.sleep(10)
                    await peer.send(raw.window(1))

            nursery.start_soon(dribble)
            assert (await peer.until(RstStreamFrame)).stream_id == 1
            nursery.cancel_scope.cancel()
        assert trio.current_time() <= 100 and not server.errors


async def test_peer_that_does_not_read(autojump_clock: trio.testing.MockClock) -> None:
    """A peer that takes nothing from its socket is given up after one send's time, with its handlers."""
    async with hall(limits=LIMITS) as server, guest(server), trio.open_nursery() as nursery:
        near, far = trio.testing.lockstep_stream_pair()
        peer = RawPeer(near)
        nursery.start_soon(server.welcome, far)
        nursery.start_soon(peer.send, raw.PREFACE + raw.settings() + raw.headers(1))
        await trio.sleep(LIMITS.patience.send - 1)
        assert server.running == 2
        await trio.sleep(1.1)
        assert server.running == 1


async def test_goodbye_to_a_peer_that_does_not_read(autojump_clock: trio.testing.MockClock) -> None:
    """Nor does a connection that is to end wait longer for its last bytes to leave."""
    near, far = trio.testing.memory_stream_pair()

    async def never() -> None:
        await trio.sleep_forever()

    far.send_stream.send_all_hook = never
    async with open_http2(far, client=False, limits=LIMITS) as server:
        await near.send_all(raw.PREFACE + raw.settings() + raw.frame(0, 0, b"of no stream"))
        await server.wait_closed()
        assert isinstance(server.wire.error and server.wire.error.__cause__, RemoteProtocolError)
        assert trio.current_time() == 0
        await server.wire.finished.wait()
        assert trio.current_time() == LIMITS.patience.send


async def test_flood_of_a_peer_that_does_not_read(autojump_clock: trio.testing.MockClock) -> None:
    """Answers to frames are queued to a bound; then nothing more is read until they have left."""
    loud = attrs.evolve(LIMITS, budget=attrs.evolve(BUDGET, pings=Rate(1 << 30, 0)))
    async with hall(limits=loud) as server, guest(server), trio.open_nursery() as nursery:
        near, far = trio.testing.memory_stream_pair()
        hold, pump = trio.Event(), far.send_stream.send_all_hook

        async def later() -> None:
            await hold.wait()
            await pump()

        far.send_stream.send_all_hook = later
        peer = RawPeer(near)
        nursery.start_soon(server.welcome, far)
        await peer.send(raw.PREFACE, raw.settings(), raw.ping() * 20_000)
        await trio.testing.wait_all_tasks_blocked()
        await peer.send(raw.headers(1))
        await trio.testing.wait_all_tasks_blocked()
        assert server.running == 1  # nobody has looked at that request
        hold.set()
        await peer.until(HeadersFrame)
        answers = [each for each in peer.seen if isinstance(each, PingFrame) and "ACK" in each.flags]
        assert len(answers) == 20_000 and server.running == 2


async def test_tiny_frames_are_kept_together(autojump_clock: trio.testing.MockClock) -> None:
    """A window full of single bytes costs about its size in memory, though each came in its own frame."""

    async def asleep(exchange: Exchange) -> None:
        if exchange.request.path == "/echo":
            await raw.parrot(exchange)
        await trio.sleep_forever()

    async with hall(asleep, limits=LIMITS) as server, guest(server):
        peer = server.connect()
        await peer.greet()
        await peer.send(raw.headers(1))
        size = 10_000
        gc.collect()
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(20):
            await peer.send(raw.data(1, b"x") * (size // 20))
            await trio.testing.wait_all_tasks_blocked()
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert after - before < 10 * size


async def test_rst_of_an_idle_stream(autojump_clock: trio.testing.MockClock) -> None:
    """Resetting what was never opened is a protocol error (RFC 9113 section 6.4)."""
    async with hall(limits=LIMITS) as server, guest(server):
        peer = server.connect()
        await peer.greet()
        await peer.send(raw.reset(7))
        await peer.read()
        assert goodbye(peer).error_code == ErrorCodes.PROTOCOL_ERROR
        assert "nobody has opened" in blamed(server)


async def test_too_many_streams(autojump_clock: trio.testing.MockClock) -> None:
    """One stream more than allowed ends the connection, and all its handlers."""
    async with hall(limits=LIMITS) as server, guest(server):
        peer = server.connect()
        await peer.greet()
        await peer.send(*(raw.headers(number) for number in range(1, 2 * LIMITS.streams + 1, 2)))
        await trio.testing.wait_all_tasks_blocked()
        assert not server.errors
        await peer.send(raw.headers(2 * LIMITS.streams + 1))
        await peer.read()
        assert "streams" in blamed(server)
        await trio.testing.wait_all_tasks_blocked()
        assert server.running == 1 and server.peak == LIMITS.streams + 1


BROKEN = {
    "content-length": raw.headers(1, [*raw.REQUEST, ("content-length", "3")]) + raw.data(1, b"four"),
    "upper case": raw.frame(1, 1, b"\x82\x87\x84\x41\x01x\x40\x01X\x01y", 4),
    "no path": raw.headers(1, [*raw.REQUEST[:2], raw.REQUEST[3]]),
    "two hosts": raw.headers(1, [*raw.REQUEST, ("host", "a"), ("host", "b")]),
    "connection header": raw.headers(1, [*raw.REQUEST, ("connection", "close")]),
    "frame size": raw.frame(0, 1, bytes(65_537)),
    "padding": raw.headers(1) + raw.frame(0, 1, b"\xff", 8),
    "WINDOW_UPDATE of nothing": raw.headers(1) + raw.frame(8, 1, bytes(4)),
    "PRIORITY of itself": raw.headers(1) + PriorityFrame(1, depends_on=1).serialize(),
    "DATA beyond the window": raw.headers(1, FLOOD) + raw.data(1, bytes(65_536)) * 5,
    "even stream": raw.headers(2),
    "garbage in HPACK": raw.frame(1, 1, b"\xff\xff\xff\xff\xff\xff", 4),
    "PUSH_PROMISE": raw.headers(1) + raw.frame(5, 1, b"\0\0\0\2\x82", 4),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_broken_frames(name: str, autojump_clock: trio.testing.MockClock) -> None:
    """What breaks the protocol ends its own connection, with GOAWAY and a reason."""
    async with hall(limits=LIMITS) as server, guest(server):
        peer = server.connect()
        await peer.greet()
        await peer.send(BROKEN[name])
        with trio.fail_after(5):
            await peer.read()
        assert goodbye(peer).error_code != ErrorCodes.NO_ERROR
        assert blamed(server).startswith("HTTP/2: ")


async def test_no_preface(autojump_clock: trio.testing.MockClock) -> None:
    """Who says nothing, or half of the preface, or no SETTINGS, has five seconds."""
    async with hall(limits=LIMITS) as server, guest(server):
        peers = [server.connect() for _ in range(3)]
        await peers[1].send(raw.PREFACE[:10])
        await peers[2].send(raw.PREFACE + raw.ping())
        for peer in peers:
            await peer.read()
        assert trio.current_time() == pytest.approx(LIMITS.patience.settings, abs=1.1)


async def test_no_request(autojump_clock: trio.testing.MockClock) -> None:
    """On the principal's port a connection without a stream lasts ten seconds, at its beginning and later."""
    async with hall(limits=limits.PRINCIPAL) as server, guest(server):
        peer = server.connect()
        await peer.greet()
        await trio.sleep(9)
        await peer.send(raw.headers(1))
        await trio.sleep(60)
        assert server.running == 2
        began = trio.current_time()
        await peer.send(raw.reset(1))
        await peer.read()
        assert trio.current_time() - began == pytest.approx(10, abs=1.1)
        assert goodbye(peer).error_code == ErrorCodes.NO_ERROR and not server.errors


async def test_silent_agent(autojump_clock: trio.testing.MockClock) -> None:
    """On the principal's port a link that says nothing for 75 seconds is gone; nobody asks it."""
    async with hall(limits=limits.PRINCIPAL) as server:
        peer = server.connect()
        await peer.greet()
        await peer.send(raw.headers(1))
        began = trio.current_time()
        await peer.read()
        assert trio.current_time() - began == pytest.approx(75, abs=1.1)
        assert not [each for each in peer.seen if isinstance(each, PingFrame)]


@pytest.fixture
def tls(authority: Authority, server_identity: Identity) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts of both sides."""
    return contexts(authority, server_identity)


async def test_silent_handshakes(
    tls: tuple[ssl.SSLContext, ssl.SSLContext], autojump_clock: trio.testing.MockClock
) -> None:
    """Hundreds who begin a handshake and say no more keep nobody out, and have ten seconds."""

    async def secure(transport: trio.abc.Stream) -> trio.abc.Stream:
        stream = TlsStream(transport, tls[1], server_hostname="localhost")
        with trio.fail_after(1):
            await stream.do_handshake()
        return stream

    async with hall(limits=LIMITS, context=tls[0]) as server:
        silent = [server.connect() for _ in range(300)]
        for peer in silent[::3]:
            await peer.send(b"\x16\x03\x01\x02\x00")
        hello = ssl.MemoryBIO()
        begun = tls[1].wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            begun.do_handshake()
        first = hello.read()
        for peer in silent[1::3]:
            await peer.send(first)
        async with guest(server, secure):
            for peer in silent:
                await peer.read()
            assert trio.current_time() == pytest.approx(HANDSHAKE_TIMEOUT, abs=0.1)
        assert len(server.errors) == 300
        assert all(
            isinstance(error, ConnectionBroken) and "no TLS handshake" in str(error)
            for error in server.errors
        )


async def test_noise_instead_of_tls(
    tls: tuple[ssl.SSLContext, ssl.SSLContext], autojump_clock: trio.testing.MockClock
) -> None:
    """What is no TLS gets an alert and is reported as the peer's fault."""
    async with hall(limits=LIMITS, context=tls[0]) as server:
        peer = server.dial()
        await peer.send_all(b"\x16\x03\x03\x00\x04\x63\x00\x00\x00")
        answer = await peer.receive_some()
        assert answer[:1] == b"\x15"  # a record of type alert
        await trio.testing.wait_all_tasks_blocked()
        assert [type(error) for error in server.errors] == [TlsFailed]
