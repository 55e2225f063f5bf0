"""The HTTP/2 driver over memory."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from h2.errors import ErrorCodes
from hyperframe.frame import GoAwayFrame

from trio_argoagent.errors import LinkBroken, RemoteProtocolError
from trio_argoagent.net.errors import BodyTooLarge, ConnectionBroken
from trio_argoagent.net.http import Exchange
from trio_argoagent.net.http2 import Http2Stream, open_http2
from trio_argoagent.net.protocol.limits import NEVER, ROOM, STREAM_WINDOW, Limits, Patience

from .wiring import connected, echo, read_all

LARGE = bytes(range(256)) * 20_000  # 5 MB
PATIENCE = Patience()


async def test_echo() -> None:
    """A request's method, target, headers and body arrive, and so does the answer."""

    async def handler(exchange: Exchange) -> None:
        request = exchange.request
        assert (request.method, request.path, request.query) == ("POST", "/a", {"b": ["1"], "c": [""]})
        assert request.header("x-custom") == "yes" and request.header("nothing", "-") == "-"
        assert (request.authority, request.version) == ("test", "2")
        await echo(exchange)

    async with connected(handler) as (client, _):
        stream = await client.open_stream("POST", "/a?b=1&c=", [("x-custom", "yes")])
        stream.send_nowait(b"hello")
        stream.end()
        status, headers = await stream.response()
        assert (status, dict(headers)["content-length"]) == (200, "5")
        assert await read_all(stream) == b"hello"
        assert await stream.receive() == b""


class Stuck(trio.abc.Stream):
    """A stream that cannot be closed."""

    def __init__(self, inner: trio.abc.Stream) -> None:
        self._inner = inner

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """See ``trio``."""
        await self._inner.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """See ``trio``."""
        await self._inner.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """See ``trio``."""
        return await self._inner.receive_some(max_bytes)

    async def aclose(self) -> None:
        """See ``trio``."""
        try:
            await self._inner.aclose()
        finally:
            raise RuntimeError("a bug of whoever is below")


async def test_a_stream_that_cannot_be_closed(autojump_clock: trio.testing.MockClock) -> None:
    """Whoever waits for the end of the connection is told of it all the same, and the bug comes out."""
    near, _ = trio.testing.memory_stream_pair()
    with pytest.raises(ExceptionGroup) as caught, trio.fail_after(60):
        async with open_http2(Stuck(near), client=True, authority="test") as connection:
            connection.abandon("enough")
            await trio.sleep_forever()
    assert caught.group_contains(RuntimeError, match="a bug of whoever is below")
    assert trio.current_time() == 0.0


async def test_large_bodies_both_ways() -> None:
    """Five megabytes go up and come down unchanged, over windows that are far smaller."""
    async with connected() as (client, _):
        stream = await client.open_stream("POST", "/")
        stream.send_nowait(LARGE)
        stream.end()
        assert await read_all(stream) == LARGE


async def test_many_streams() -> None:
    """More requests than the peer allows at once wait for each other, and all are answered."""
    answers: list[bytes] = []

    async with connected(limits=Limits(streams=7)) as (client, _):

        async def request(number: int) -> None:
            stream = await client.open_stream("POST", "/")
            stream.send_nowait(b"%d" % number)
            stream.end()
            answers.append(await read_all(stream))

        async with trio.open_nursery() as nursery:
            for number in range(100):
                nursery.start_soon(request, number)
        assert client.statistics().streams_opened == 100 and client.statistics().streams_open == 0
    assert sorted(map(int, answers)) == list(range(100))


async def test_stalled_streams_do_not_stop_others() -> None:
    """Streams whose reader sleeps fill their own windows only, however many they are."""

    async def flood(exchange: Exchange) -> None:
        if exchange.request.path == "/echo":
            return await echo(exchange)
        await exchange.start(200)
        while True:
            await exchange.send(bytes(100_000))

    # The connection's window is that of two streams: what stalls must not use it up.
    async with connected(flood, limits=Limits(connection_window=2 * STREAM_WINDOW)) as (client, _):
        stalled = [await client.open_stream("GET", "/flood", end_stream=True) for _ in range(80)]
        for stream in stalled:
            await stream.response()
        await trio.testing.wait_all_tasks_blocked()
        stream = await client.open_stream("POST", "/echo")
        stream.send_nowait(LARGE)
        stream.end()
        assert await read_all(stream) == LARGE


async def test_room() -> None:
    """A sender waits once 256 KiB are queued, and goes on when the peer has taken some."""
    streams: list[Http2Stream] = []

    async def handler(exchange: Exchange) -> None:
        assert exchange.stream is not None
        streams.append(exchange.stream)
        await exchange.start(200)
        await trio.sleep_forever()

    async with connected(handler) as (client, _):
        stream = await client.open_stream("POST", "/")
        await stream.response()
        stream.send_nowait(bytes(STREAM_WINDOW + ROOM))
        await trio.testing.wait_all_tasks_blocked()
        with trio.move_on_after(0) as waited:
            await stream.wait_room()
        assert waited.cancelled_caught
        assert len(await streams[0].receive()) == STREAM_WINDOW
        await stream.wait_room()


async def test_cancelled_sender_harms_nobody() -> None:
    """A task cancelled while it waits for room leaves RST_STREAM, and the connection goes on."""
    reset = trio.Event()

    async def handler(exchange: Exchange) -> None:
        if exchange.request.path == "/echo":
            return await echo(exchange)
        try:
            await trio.sleep_forever()
        finally:
            reset.set()

    async with connected(handler) as (client, _):
        with trio.CancelScope() as scope:
            stream = await client.open_stream("POST", "/stuck")
            try:
                for _ in range(100):
                    await stream.wait_room()
                    stream.send_nowait(bytes(50_000))
                    if not scope.cancel_called and _ == 50:
                        raise AssertionError("there was room for more than the windows allow")
                    if _ == 9:
                        scope.cancel()
            finally:
                stream.reset()
        assert scope.cancelled_caught
        await reset.wait()
        stream = await client.open_stream("POST", "/echo")
        stream.send_nowait(b"alive")
        stream.end()
        assert await read_all(stream) == b"alive"


async def test_reset_by_the_client_cancels_the_handler() -> None:
    """RST_STREAM cancels exactly the handler of that stream."""
    running: list[str] = []
    done = trio.Event()

    async def handler(exchange: Exchange) -> None:
        running.append(exchange.request.path)
        try:
            await exchange.start(200)
            await trio.sleep_forever()
        finally:
            running.remove(exchange.request.path)
            done.set()

    async with connected(handler) as (client, _):
        one = await client.open_stream("GET", "/1", end_stream=True)
        two = await client.open_stream("GET", "/2", end_stream=True)
        await one.response()
        await two.response()
        one.reset()
        one.reset()
        await done.wait()
        assert running == ["/2"]
        with pytest.raises(ConnectionBroken, match="given up on this side"):
            await one.receive()


async def test_handler_that_forgets_to_answer() -> None:
    """A handler that returns too early resets the stream, so the client does not wait for ever."""

    async def handler(exchange: Exchange) -> None:
        if exchange.request.path == "/half":
            await exchange.start(200)
            await exchange.send(b"half")

    async with connected(handler) as (client, _):
        stream = await client.open_stream("GET", "/", end_stream=True)
        with pytest.raises(LinkBroken, match="INTERNAL_ERROR"):
            await stream.response()
        stream = await client.open_stream("GET", "/half", end_stream=True)
        with pytest.raises(LinkBroken, match="INTERNAL_ERROR"):
            await read_all(stream)


async def test_early_answer_stops_the_upload() -> None:
    """An answer before the end of the body is readable, and the rest of the upload is refused."""

    async def handler(exchange: Exchange) -> None:
        with pytest.raises(BodyTooLarge):
            await exchange.body(limit=10)
        await exchange.respond(413, [], b"too large")

    async with connected(handler) as (client, _):
        stream = await client.open_stream("POST", "/")
        stream.send_nowait(LARGE)
        status, _headers = await stream.response()
        assert (status, await read_all(stream)) == (413, b"too large")
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(ConnectionBroken, match="NO_ERROR"):
            stream.send_nowait(b"more")


async def test_handler_exception_is_not_lost() -> None:
    """What a handler raises comes out of ``open_http2``, and the stream is reset."""

    async def handler(exchange: Exchange) -> None:
        await exchange.body()
        raise ZeroDivisionError

    with pytest.RaisesGroup(ZeroDivisionError, flatten_subgroups=True):
        async with connected(handler) as (client, _):
            stream = await client.open_stream("GET", "/", end_stream=True)
            with pytest.raises(LinkBroken):
                await stream.response()
            await trio.sleep_forever()


async def test_a_bug_closes_the_connection(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock
) -> None:
    """It comes out of ``open_http2``, and the peer learns at once that nobody is there any more."""
    near, far = trio.testing.memory_stream_pair()
    with pytest.RaisesGroup(ZeroDivisionError, flatten_subgroups=True):
        async with open_http2(near, client=True) as client:

            def fail(data: bytes, now: float) -> None:
                raise ZeroDivisionError

            monkeypatch.setattr(client.engine, "receive", fail)
            await far.send_all(b"anything")
            await client.wire.finished.wait()
    with trio.fail_after(1):
        while await far.receive_some():
            pass


async def test_lost_connection() -> None:
    """EOF without END_STREAM is an abort on the client, and cancels the handlers on the server."""
    cancelled = trio.Event()

    async def handler(exchange: Exchange) -> None:
        try:
            await exchange.start(200)
            await exchange.send(b"part")
            await trio.sleep_forever()
        finally:
            cancelled.set()

    near, far = trio.testing.memory_stream_pair()
    async with (
        open_http2(far, client=False, handler=handler) as server,
        open_http2(near, client=True, authority="test") as client,
    ):
        stream = await client.open_stream("GET", "/", end_stream=True)
        assert await stream.receive() == b"part"
        await near.send_stream.aclose()
        await far.send_stream.aclose()
        with pytest.raises(ConnectionBroken) as caught:
            await stream.receive()
        assert caught.value.sent
        await cancelled.wait()
        await server.wait_closed()
        await client.wait_closed()
        assert not client.is_open
        with pytest.raises(ConnectionBroken) as refused:
            await client.open_stream("GET", "/")
        assert not refused.value.sent


async def test_unfinished_request_was_not_sent() -> None:
    """A request that never left as a whole may be sent again, and the error says so."""
    near, far = trio.testing.memory_stream_pair()
    async with (
        open_http2(far, client=False, handler=echo),
        open_http2(near, client=True, authority="test") as client,
    ):
        stream = await client.open_stream("POST", "/")
        stream.send_nowait(b"half of it")
        await trio.testing.wait_all_tasks_blocked()
        await far.send_stream.aclose()
        with pytest.raises(ConnectionBroken) as caught:
            await stream.response()
        assert not caught.value.sent


async def test_drain_lets_streams_finish() -> None:
    """After GOAWAY the client opens nothing new, and what is in progress comes to its end."""
    go_on = trio.Event()

    async def handler(exchange: Exchange) -> None:
        await exchange.start(200)
        await go_on.wait()
        await exchange.send(LARGE)
        await exchange.end()

    async with connected(handler) as (client, server), trio.open_nursery() as nursery:
        stream = await client.open_stream("GET", "/", end_stream=True)
        await stream.response()
        nursery.start_soon(server.drain)
        await trio.testing.wait_all_tasks_blocked()
        assert not client.is_open
        with pytest.raises(ConnectionBroken, match="being closed") as caught:
            await client.open_stream("GET", "/")
        assert not caught.value.sent
        go_on.set()
        assert await read_all(stream) == LARGE
        await client.wait_closed()


async def test_drain_has_a_limit(autojump_clock: trio.testing.MockClock) -> None:
    """A stream that does not end is broken off when the grace is over."""

    async def handler(exchange: Exchange) -> None:
        await exchange.start(200)
        await trio.sleep_forever()

    async with connected(handler) as (client, server):
        stream = await client.open_stream("GET", "/", end_stream=True)
        await stream.response()
        before = trio.current_time()
        await server.drain(grace=3)
        assert 3 <= trio.current_time() - before <= 5
        with pytest.raises(ConnectionBroken):
            await stream.receive()


async def test_cancelled_owner_says_goaway(autojump_clock: trio.testing.MockClock) -> None:
    """Cancelling the context sends GOAWAY and closes, within a second."""
    near, far = trio.testing.memory_stream_pair()
    async with open_http2(far, client=False, handler=echo) as server:
        before = trio.current_time()
        with trio.move_on_after(5):
            async with open_http2(near, client=True, authority="test") as client:
                await client.wait_ready()
                await trio.sleep_forever()
        assert trio.current_time() - before <= 6
        await server.wait_closed()
        assert not server.is_open and server.error is not None and server.error.__cause__ is None


async def test_leaving_a_dead_peer_takes_a_second(autojump_clock: trio.testing.MockClock) -> None:
    """A peer that neither reads nor answers cannot hold the context open."""
    near, _far = trio.testing.lockstep_stream_pair()
    before = trio.current_time()
    async with open_http2(near, client=True):
        pass
    assert trio.current_time() - before <= 1


async def test_what_a_peer_says_at_the_end_is_one_line(autojump_clock: trio.testing.MockClock) -> None:
    """It goes into a log, where it must not look like a line of ours."""
    near, far = trio.testing.memory_stream_pair()
    async with open_http2(near, client=True) as client:
        bye = GoAwayFrame(0, error_code=11, additional_data=b"calm\n2026 ERROR \x1b[2Jforged" + bytes(5000))
        await far.send_all(bytes.fromhex("000000040000000000") + bye.serialize())  # after empty SETTINGS
        await far.send_eof()
        await client.wait_closed()
    assert str(client.error) == (
        "the peer ended the connection: ENHANCE_YOUR_CALM (calm 2026 ERROR [2Jforged)"
    )


async def test_silent_peer(autojump_clock: trio.testing.MockClock) -> None:
    """A peer that answers no PING is given up."""
    near, far = trio.testing.memory_stream_pair()
    async with open_http2(near, client=True) as client:
        await far.send_all(bytes.fromhex("000000040000000000"))  # SETTINGS, empty
        await client.wait_closed()
        assert trio.current_time() == pytest.approx(PATIENCE.silence + PATIENCE.answer)
        assert "silent" in str(client.error)


async def test_quiet_peer_is_kept(autojump_clock: trio.testing.MockClock) -> None:
    """Two quiet ends that answer PINGs stay connected for hours."""
    async with connected(limits=Limits(patience=Patience(idle=NEVER))) as (client, server):
        await trio.sleep(7200)
        assert client.is_open and server.is_open
        assert client.statistics().bytes_sent < 20_000


async def test_no_settings(autojump_clock: trio.testing.MockClock) -> None:
    """A peer that is connected but says nothing is no HTTP/2 peer."""
    near, _far = trio.testing.memory_stream_pair()
    async with open_http2(near, client=True) as client:
        with pytest.raises(ConnectionBroken, match="SETTINGS"):
            await client.wait_ready()
        assert trio.current_time() == pytest.approx(PATIENCE.settings)


async def test_peer_that_does_not_read(autojump_clock: trio.testing.MockClock) -> None:
    """One send that does not get through within its time ends the connection."""
    near, far = trio.testing.lockstep_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(far.send_all, bytes.fromhex("000000040000000000"))
        async with open_http2(near, client=True) as client:
            await client.wait_closed()
            assert trio.current_time() == pytest.approx(PATIENCE.send)
            assert "taken nothing" in str(client.error)


async def test_nonsense_is_the_peers_fault() -> None:
    """Bytes that are no HTTP/2 end the connection with GOAWAY, and the cause says whose fault it was."""
    near, far = trio.testing.memory_stream_pair()
    async with open_http2(far, client=False, handler=echo) as server:
        await near.send_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await server.wait_closed()
        assert server.error is not None and isinstance(server.error.__cause__, RemoteProtocolError)
        await trio.testing.wait_all_tasks_blocked()
        assert b"\x07\x00" in await near.receive_some()  # a GOAWAY frame's type


async def test_refused_stream_may_be_repeated() -> None:
    """A stream that the peer says it has not touched is reported as never sent."""
    near, far = trio.testing.memory_stream_pair()
    async with (
        open_http2(far, client=False),
        open_http2(near, client=True, authority="x") as client,
    ):
        stream = await client.open_stream("GET", "/", end_stream=True)
        with pytest.raises(ConnectionBroken, match="REFUSED_STREAM") as caught:
            await stream.response()
        assert not caught.value.sent


async def test_goaway_gives_back_what_was_not_touched() -> None:
    """Streams above a GOAWAY's last id end at once, marked as never sent; those below go on."""
    near, far = trio.testing.memory_stream_pair()
    async with open_http2(near, client=True, authority="x") as client:
        await far.send_all(bytes.fromhex("000000040000000000"))
        first = await client.open_stream("GET", "/1", end_stream=True)
        second = await client.open_stream("GET", "/2", end_stream=True)
        await far.send_all(bytes.fromhex("00000807" + "0000000000" + "00000001" + "00000000"))
        with pytest.raises(ConnectionBroken) as caught:
            await second.response()
        assert not caught.value.sent and not client.is_open
        await far.send_all(bytes.fromhex("0000010105" + "00000001" + "88"))  # :status 200
        assert await first.response() == (200, ())


async def test_wide_window() -> None:
    """A stream that asks for a wide window is sent a megabyte ahead of its reader."""

    async def handler(exchange: Exchange) -> None:
        await exchange.start(200)
        await exchange.send(LARGE)
        await exchange.end()

    async with connected(handler) as (client, _):
        stream = await client.open_stream("GET", "/", end_stream=True, window=1 << 20)
        await stream.response()
        await trio.testing.wait_all_tasks_blocked()
        assert len(await stream.receive()) == 1 << 20
        stream.reset(ErrorCodes.CANCEL)


async def test_wait_sent() -> None:
    """A sender can wait until its last byte is on the socket, also when there is nothing but headers."""

    async def handler(exchange: Exchange) -> None:
        assert exchange.stream is not None
        await exchange.respond(204)
        await exchange.stream.wait_sent()

    async with connected(handler) as (client, server):
        stream = await client.open_stream("GET", "/", end_stream=True)
        await stream.wait_sent()
        assert await stream.response() == (204, (("content-length", "0"),))
        await trio.testing.wait_all_tasks_blocked()
        assert server.statistics().streams_open == 0
