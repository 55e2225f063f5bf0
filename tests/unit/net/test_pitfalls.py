"""The ways in which HTTP/2 over Trio goes wrong when it is written down naively, one test each.

Each docstring says what the naive way does. All of them have been seen, in other drivers or in experiments.
"""

from __future__ import annotations

import gc
import ssl
from contextlib import suppress

import pytest
import trio
import trio.testing
from hpack import Decoder
from hyperframe.frame import DataFrame, HeadersFrame, PingFrame, WindowUpdateFrame

from trio_argoagent.errors import LocalProtocolError, RemoteProtocolError
from trio_argoagent.net.errors import ConnectionBroken, TlsFailed
from trio_argoagent.net.http import Exchange
from trio_argoagent.net.http2 import open_http2
from trio_argoagent.net.protocol.limits import CLOSED_STREAMS, STREAM_WINDOW, Limits
from trio_argoagent.net.tls import TlsStream

from . import rawpeer as raw
from .identities import Authority, Identity
from .rawpeer import RawPeer, hall
from .test_tls import contexts, handshaken
from .wiring import connected, echo, read_all

NARROW = Limits(stream_window=65_535, connection_window=65_536)


async def test_1_bytes_leave_in_the_order_in_which_they_were_made() -> None:
    """Naive: bytes are taken from h2 before the send lock, two tasks swap theirs, and the peer's compression
    state is nonsense.

    Here twenty tasks send at once through a transport that is slow in odd ways. What arrives is decoded by
    one decoder, in order.
    """
    near, far = trio.testing.memory_stream_pair()
    pump, count = near.send_stream.send_all_hook, 0

    async def slow() -> None:
        nonlocal count
        count += 1
        for _ in range(count % 5):
            await trio.lowlevel.checkpoint()
        await pump()

    near.send_stream.send_all_hook = slow
    peer = RawPeer(far, server=True)
    async with open_http2(near, client=True, authority="x") as client, trio.open_nursery() as nursery:
        await peer.send(raw.settings())
        await client.wait_ready()

        async def send(number: int) -> None:
            stream = await client.open_stream("POST", f"/{number}", [("x-same", "v" * 50)])
            for part in range(5):
                stream.send_nowait(b"%d %d." % (number, part))
                await trio.lowlevel.checkpoint()
            stream.end()
            await stream.wait_sent()

        async with trio.open_nursery() as senders:
            for number in range(20):
                senders.start_soon(send, number)
        decoder, paths, bodies = Decoder(), dict[int, str](), dict[int, bytes]()
        while len([each for each in peer.seen if "END_STREAM" in each.flags]) < 20:
            await peer.receive()
        for each in peer.seen[1:]:
            if isinstance(each, HeadersFrame):
                paths[each.stream_id] = dict(decoder.decode(each.data))[":path"]
                bodies[each.stream_id] = b""
            elif isinstance(each, DataFrame):
                bodies[each.stream_id] += each.data
        assert sorted(paths.values()) == sorted(f"/{number}" for number in range(20))
        for stream_id, path in paths.items():
            number = int(path[1:])
            assert bodies[stream_id] == b"".join(b"%d %d." % (number, part) for part in range(5))
        nursery.cancel_scope.cancel()


async def test_2_both_sides_may_wait_for_windows_at_once() -> None:
    """Naive: the send lock is held while waiting for a window. Both sides do, and neither can send the
    WINDOW_UPDATE that the other one waits for: with 20 KB messages, nearly every time.
    """
    size = 2_000_000
    async with connected(raw.parrot, limits=NARROW) as (client, _):
        stream = await client.open_stream("POST", "/")
        heard = 0
        async with trio.open_nursery() as nursery:

            async def send() -> None:
                for _ in range(size // 20_000):
                    await stream.wait_room()
                    stream.send_nowait(bytes(20_000))
                stream.end()

            nursery.start_soon(send)
            while piece := await stream.receive():
                heard += len(piece)
        assert heard == size


async def test_3_good_frames_before_a_bad_one_count(autojump_clock: trio.testing.MockClock) -> None:
    """Naive: h2 raises, and the events of the frames before the bad one are lost; when it is called again, it
    goes on with a state that is over.
    """
    heard: list[bytes] = []
    paths: list[str] = []

    async def handler(exchange: Exchange) -> None:
        paths.append(exchange.request.path)
        assert exchange.stream is not None
        exchange.stream.scope = None
        await exchange.start(200)
        while piece := await exchange.receive():
            heard.append(piece)

    async with hall(handler) as server:
        peer = server.connect()
        await peer.greet()
        await peer.send(raw.headers(1))
        await peer.until(HeadersFrame)
        bad = raw.frame(6, 0, b"short")
        await peer.send(raw.data(1, b"good"), bad, raw.headers(3), raw.data(1, b"too late"))
        await peer.read()
        assert heard == [b"good"] and paths == ["/"]


async def test_4_windows_may_be_negative() -> None:
    """Naive: data is sliced by a window of -15,990. And whoever waits for a window is woken by its own
    WINDOW_UPDATE only: not by SETTINGS, nor by the connection's.
    """
    async with hall(echo, limits=Limits()) as server:
        peer = server.connect()
        await peer.greet({4: 20_000})
        await peer.send(
            raw.headers(1), *(raw.data(1, bytes(10_000)) for _ in range(10)), raw.data(1, end=True)
        )
        while sizes(peer) < 20_000:
            await peer.receive()
        await peer.send(raw.settings({4: 100}), raw.ping(b"negative"))
        await peer.until(PingFrame)
        assert sizes(peer) == 20_000
        await peer.send(raw.settings({4: 60_000}))
        while sizes(peer) < 60_000:
            await peer.receive()
        await peer.send(raw.settings({4: 200_000}))
        while sizes(peer) < 65_535:  # the connection's window
            await peer.receive()
        await peer.send(raw.window(0, 100_000))
        while sizes(peer) < 100_000:
            await peer.receive()
        assert sizes(peer) == 100_000 and not server.errors


def sizes(peer: RawPeer) -> int:
    """Bytes of DATA that it has received."""
    return sum(len(each.data) for each in peer.seen if isinstance(each, DataFrame))


async def test_5_data_comes_after_headers() -> None:
    """Naive: h2 lets an answer begin with DATA, and the peer ends the connection."""
    refused: list[LocalProtocolError] = []

    async def hasty(exchange: Exchange) -> None:
        assert exchange.stream is not None
        try:
            exchange.stream.send_nowait(b"too early")
        except LocalProtocolError as exc:
            refused.append(exc)
        await exchange.respond(200, (), b"in order")

    async with connected(hasty) as (client, _):
        stream = await client.open_stream("GET", "/", end_stream=True)
        assert (await stream.response())[0] == 200 and await read_all(stream) == b"in order"
        assert "data before headers" in str(refused[0])


async def test_6_streams_that_are_over_are_forgotten() -> None:
    """Naive: h2 looks for closed streams only when the next one is opened, at each of them; a connection that
    has carried a thousand and rests keeps all of them.
    """
    async with connected() as (client, server):
        for _ in range(CLOSED_STREAMS + 100):
            stream = await client.open_stream("GET", "/", end_stream=True)
            await read_all(stream)
        await trio.testing.wait_all_tasks_blocked()
        for side in (client.engine, server.engine):
            assert not side._h2.streams and not side._outboxes
            assert len(side._h2._closed_streams) <= CLOSED_STREAMS


async def test_7_a_failed_handshake_leaves_nobody_waiting(
    authority: Authority, server_identity: Identity, autojump_clock: trio.testing.MockClock
) -> None:
    """Naive: reader and writer start before Trio's handshake; it fails in one, the other waits for ever."""
    server, _ = contexts(authority, server_identity)
    _, client = contexts(Authority.make("other"), server_identity)
    near, far = trio.testing.memory_stream_pair()
    ends = TlsStream(near, client, server_hostname="localhost"), TlsStream(far, server, server_side=True)

    async def use(stream: TlsStream) -> None:
        with pytest.raises(TlsFailed):
            await stream.do_handshake()
        with suppress(ConnectionBroken, trio.BrokenResourceError):
            assert await stream.receive_some() == b""
        with pytest.raises((ConnectionBroken, trio.BrokenResourceError)):
            await stream.send_all(b"x")
        await stream.aclose()

    with trio.fail_after(1):
        async with trio.open_nursery() as nursery:
            for stream in ends:
                nursery.start_soon(use, stream)


async def test_8_connected_means_accepted(
    authority: Authority, server_identity: Identity, client_identity: Identity
) -> None:
    """Naive: a TLS 1.3 client's handshake succeeds before the server has judged its certificate, and then the
    server hangs up without a word: the agent believes that it is connected, and sees an end.
    """
    mutual, _ = contexts(authority, server_identity, client_identity)
    _, nameless = contexts(authority, server_identity)
    async with hall(context=mutual) as server:
        tls = TlsStream(server.dial(), nameless, server_hostname="localhost")
        await tls.do_handshake()
        async with open_http2(tls, client=True, authority="x") as client:
            with pytest.raises(TlsFailed, match="certificate required") as caught:
                await client.wait_ready()
            assert not caught.value.sent and not client.is_open


async def test_9_one_read_takes_all_records(authority: Authority, server_identity: Identity) -> None:
    """Naive: one read of the TLS stream gives one record of 16 KiB, however much is asked for: a scheduler
    round and two locks for each.
    """
    async with handshaken(*contexts(authority, server_identity)) as (a, b):
        await a.send_all(bytes(60_000))
        assert len(await b.receive_some(256 * 1024)) == 60_000


async def test_10_padding_is_acknowledged() -> None:
    """Naive: the bytes of the data are acknowledged, not those of the frame, and each padded frame makes both
    windows smaller for good. (Acknowledging too much is not noticed at all.)
    """
    async with hall(raw.by_path, limits=NARROW) as server:
        peer = server.connect()
        await peer.greet()
        await peer.send(raw.headers(1))
        padded = raw.frame(0, 1, b"\xff" + b"x" + bytes(255), 8)
        for _ in range(2000):
            await peer.send(padded)
            await trio.testing.wait_all_tasks_blocked()
        await peer.send(raw.ping())
        await peer.until(PingFrame)
        opened = {0: 0, 1: 0}
        for each in peer.seen:
            if isinstance(each, WindowUpdateFrame):
                opened[each.stream_id] += each.window_increment
        sent = 2000 * 257
        assert not server.errors
        for each in opened.values():
            assert sent - NARROW.stream_window <= each <= sent + 1


async def test_11_the_reader_waits_for_nobody(autojump_clock: trio.testing.MockClock) -> None:
    """Naive: the reader hands bytes to the application, or answers a PING, and waits until it is done. A slow
    stream stops all of them, and two ends that do so wait for each other.
    """

    async def handler(exchange: Exchange) -> None:
        if exchange.request.path == "/echo":
            await raw.parrot(exchange)
        await trio.sleep_forever()

    async with hall(handler) as server, raw.guest(server):
        peer = server.connect()
        await peer.greet()
        await peer.send(raw.headers(1), raw.data(1, bytes(60_000)) * (STREAM_WINDOW // 60_000))
        await peer.send(raw.ping(b"still ok"))
        assert (await peer.until(PingFrame)).opaque_data == b"still ok"
        echo_path = [*raw.REQUEST[:2], (":path", "/echo"), raw.REQUEST[3]]
        await peer.send(raw.headers(3, echo_path), raw.data(3, b"hello", end=True))
        assert (await peer.until(DataFrame)).data == b"hello"


@pytest.mark.parametrize("how", ["headers twice", "illegal header", "data after the end"])
async def test_12_our_own_mistakes_cost_their_stream(
    how: str, autojump_clock: trio.testing.MockClock
) -> None:
    """Naive: a call that h2 refuses leaves the stream closed in its state machine and open at the peer, which
    waits for ever; or the error takes the connection along.
    """

    async def careless(exchange: Exchange) -> None:
        if exchange.request.path == "/echo":
            await raw.parrot(exchange)
            return
        if how == "illegal header":
            await exchange.start(200, [("Bad Name", "x")])
        await exchange.start(200)
        if how == "headers twice":
            await exchange.start(200)
        assert exchange.stream is not None
        exchange.stream.end()
        exchange.stream.send_nowait(b"late")

    async with hall(careless) as server, raw.guest(server) as guest:
        client = guest.stream.connection
        stream = await client.open_stream("GET", "/", end_stream=True)
        with trio.fail_after(1):
            try:
                status, _ = await stream.response()
                await read_all(stream)
                outcome = str(status)
            except ConnectionBroken as exc:
                outcome = str(exc)
        expected = {"headers twice": "INTERNAL_ERROR", "illegal header": "500", "data after the end": "200"}
        assert expected[how] in outcome
        assert client.is_open and [type(error) for error in server.errors] == [LocalProtocolError]


async def test_13_one_context_for_all(
    authority: Authority, server_identity: Identity, autojump_clock: trio.testing.MockClock
) -> None:
    """Naive: an SSL context for each connection, a millisecond each; tickets for sessions that nobody takes
    up again, which cost a third of each handshake.
    """
    both = contexts(authority, server_identity)
    assert both[0].num_tickets == 0
    gc.collect()
    made = sum(type(each) is ssl.SSLContext for each in gc.get_objects())
    async with hall(context=both[0]) as server:

        async def secure(transport: trio.abc.Stream) -> trio.abc.Stream:
            stream = TlsStream(transport, both[1], server_hostname="localhost")
            await stream.do_handshake()
            return stream

        for _ in range(5):
            async with raw.guest(server, secure):
                pass
        assert sum(type(each) is ssl.SSLContext for each in gc.get_objects()) == made
    assert not [error for error in server.errors if isinstance(error, RemoteProtocolError)]
