"""The client over HTTP/1.1: a server without HTTP/2, and everything it may do wrong."""

from __future__ import annotations

from functools import partial

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from trio_argoagent.net.errors import ConnectionBroken
from trio_argoagent.net.http import Exchange
from trio_argoagent.net.http1 import serve_http1
from trio_argoagent.net.http1_client import IDLE
from trio_argoagent.net.lanes import HTTP1_CONNECTIONS

from .clientside import Serve, Wires
from .wiring import echo


async def serve(handler: object, stream: trio.abc.Stream) -> None:
    """One connection of our own server."""
    await serve_http1(stream, handler)  # type: ignore[arg-type]


def scripted(*answers: bytes, then_close: bool = True) -> Serve:
    """A server that sends one of these for each request, whatever it says."""

    async def speak(stream: trio.abc.Stream) -> None:
        for answer in answers:
            if b"\r\n\r\n" not in await stream.receive_some():
                return
            await stream.send_all(answer)
        if then_close:
            await stream.aclose()
        else:
            await trio.sleep_forever()

    return speak


OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


async def test_requests_share_a_connection() -> None:
    """One after the other: one dial; methods, headers and bodies arrive."""
    wires = Wires(partial(serve, echo))
    async with wires.client(http1=True) as client:
        for body in (b"a" * 300_000, b"b", b""):
            response = await client.request("POST", "/p?q=1", [("accept", "*/*")], body)
            assert (response.status, response.header("x-path"), response.body) == (200, "/p?q=1", body)
        statistics = client.statistics()
        assert (statistics.dials, statistics.requests, statistics.connections) == (1, 3, 1)


async def test_requests_at_once_are_connections() -> None:
    """Each needs its own, up to the bound; then they wait, and all are answered."""
    busy = most = 0

    async def slow(exchange: Exchange) -> None:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await trio.testing.wait_all_tasks_blocked(0.001)
        busy -= 1
        await exchange.respond(200, (), b"ok")

    wires = Wires(partial(serve, slow))
    count = HTTP1_CONNECTIONS + 20
    async with wires.client(http1=True) as client:
        async with trio.open_nursery() as nursery:
            for _ in range(count):
                nursery.start_soon(client.request, "GET", "/")
        assert client.statistics().requests == count
    assert most <= HTTP1_CONNECTIONS and wires.dials <= HTTP1_CONNECTIONS


async def test_a_stream_that_is_left_early_closes_its_connection() -> None:
    """There is no RST_STREAM: the server hears of it all the same, and the next request dials."""
    gone = trio.Event()

    async def endless(exchange: Exchange) -> None:
        if exchange.request.path != "/watch":
            return await echo(exchange)
        await exchange.start(200)
        try:
            while True:
                await exchange.send(b"line\n")
                await trio.lowlevel.checkpoint()
        finally:
            gone.set()

    async def forgiving(stream: trio.abc.Stream) -> None:
        try:
            await serve_http1(stream, endless)
        except* ConnectionBroken:
            pass

    wires = Wires(forgiving)
    async with wires.client(http1=True) as client:
        async with client.stream("GET", "/watch") as response:
            assert (await response.receive()).startswith(b"line")
        await gone.wait()
        assert (await client.request("POST", "/", (), b"x")).body == b"x"
        assert wires.dials == 2


async def test_an_idle_connection_that_the_server_ends() -> None:
    """It is noticed before the next request: a write is not sent into it."""
    wires = Wires(scripted(OK))
    async with wires.client(http1=True) as client:
        for dials in (1, 2, 3):
            assert (await client.request("PATCH", "/", (), b"{}")).body == b"ok"
            await trio.testing.wait_all_tasks_blocked()
            assert (wires.dials, client.statistics().connections) == (dials, 0)


async def test_an_idle_connection_is_not_kept_for_ever(autojump_clock: MockClock) -> None:
    """Nor is one used again on which the server has said something unasked."""
    wires = Wires(scripted(OK, OK, then_close=False))
    async with wires.client(http1=True) as client:
        await client.request("GET", "/")
        await trio.sleep(IDLE - 1)
        await client.request("GET", "/")
        await trio.sleep(IDLE + 1)
        assert (wires.dials, client.statistics().connections) == (1, 0)
    wires = Wires(scripted(OK + OK, OK + OK))
    async with wires.client(http1=True) as client:
        await client.request("GET", "/")
        await client.request("GET", "/")
        assert wires.dials == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n",
        b"\x00\x00\x12\x04\x00\x00\x00\x00\x00",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000,
    ],
)
async def test_answers_that_are_none(answer: bytes) -> None:
    """Cut off, or nonsense: the request may have been acted upon, and the connection is not used again."""
    wires = Wires(scripted(answer))
    async with wires.client(http1=True) as client:
        with pytest.raises(ConnectionBroken) as caught:
            await client.request("GET", "/")
        assert caught.value.sent
        await trio.testing.wait_all_tasks_blocked()
        assert client.statistics().connections == 0


async def test_an_answer_up_to_the_end_of_the_connection() -> None:
    """Without a length, and after interim answers: all of it is the body."""
    answer = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nconnection: close\r\n\r\neverything"
    wires = Wires(scripted(answer))
    async with wires.client(http1=True) as client:
        assert (await client.request("GET", "/")).body == b"everything"


async def test_cancelling_while_a_request_is_on_its_way(autojump_clock: MockClock) -> None:
    """The connection goes with it; the next request gets one of its own."""
    wires = Wires(scripted(then_close=False))
    async with wires.client(http1=True) as client:
        for dials in (1, 2):
            with trio.move_on_after(5):
                await client.request("GET", "/")
            await trio.testing.wait_all_tasks_blocked()
            assert (wires.dials, client.statistics().connections) == (dials, 0)
