"""The server of what a program shows, as strangers meet it."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.net.http import Request
from trio_argoagent.net.linger import LINGER
from trio_argoagent.runtime.observing import routes, server, shared
from trio_argoagent.runtime.observing.board import Board
from trio_argoagent.runtime.observing.server import CONNECTIONS, PATIENCE, serve
from trio_argoagent.runtime.observing.shared import Shared

LIVEZ = b"GET /livez HTTP/1.1\r\nhost: me\r\n\r\n"


@asynccontextmanager
async def served(more: routes.Routes | None = None) -> AsyncIterator[int]:
    """A program's health, and more, on loopback; its port."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, {**routes.health(Board()), **(more or {})}, listeners)
        yield listeners[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


async def say(port: int, data: bytes) -> bytes:
    """Send this, and read until the server has hung up."""
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        return await hear(stream, data)


async def hear(stream: trio.SocketStream, data: bytes) -> bytes:
    """The same on a connection that is there."""
    heard = b""
    try:
        await stream.send_all(data)
        async for piece in stream:
            heard += piece
    except trio.BrokenResourceError:
        pass  # It has hung up while something was on its way to it.
    return heard


async def test_a_request() -> None:
    """One on a connection: who asks every ten seconds needs none in between."""
    async with served() as port:
        head, _, body = (await say(port, LIVEZ + LIVEZ)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in head.lower()
    assert b"cache-control: no-store" in head.lower()
    assert body == b"ok\n"


async def test_a_request_without_a_body() -> None:
    """HEAD says how long it would be."""
    async with served() as port:
        heard = await say(port, LIVEZ.replace(b"GET", b"HEAD"))
    assert heard.startswith(b"HTTP/1.1 200 ")
    assert b"content-length: 3" in heard.lower()
    assert heard.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("data", "status", "also"),
    [
        (b"POST /livez HTTP/1.1\r\nhost: me\r\ncontent-length: 3\r\n\r\nabc", 405, b"allow: get, head"),
        (b"GET /nowhere HTTP/1.1\r\nhost: me\r\n\r\n", 404, b"there is /livez"),
        (b"GET /livez HTTP/1.1\r\n\r\n", 400, b"host"),
        (b"\x16\x03\x01\x00\x05hello\r\n\r\n", 400, b""),
        (b"GET /livez HTTP/1.1\r\nx: " + b"x" * (1 << 20) + b"\r\n\r\n", 400, b""),
        (b"GET /" + b"x" * (1 << 20), 400, b""),
    ],
    ids=["method", "path", "no-host", "tls", "header", "target"],
)
async def test_bad_requests(data: bytes, status: int, also: bytes) -> None:
    """Each gets its answer, or at least its end, and the next one is served."""
    async with served() as port:
        heard = await say(port, data)
        # What is still being sent when the server hangs up can cost us its answer.
        assert heard.startswith(b"HTTP/1.1 %d " % status) or (not heard and len(data) > 1 << 20)
        assert not heard or also in heard.lower()
        assert (await say(port, LIVEZ)).endswith(b"\r\n\r\nok\n")


async def test_idle_connections_keep_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes when there are too many, and not because it has been there for too long."""
    monkeypatch.setattr(server, "PATIENCE", math.inf)
    async with served() as port:
        idle = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(500)]
        for _ in range(3):
            assert (await say(port, LIVEZ)).endswith(b"\r\n\r\nok\n")
        with trio.fail_after(60):
            for stream in idle[:-CONNECTIONS]:
                assert await hear(stream, b"") == b""
        for stream in idle:
            await trio.aclose_forcefully(stream)


async def test_a_bug_costs_one_answer(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the next one is served."""

    def broken(request: Request, rest: str) -> routes.Answer:
        raise ValueError("a bug")

    async with served({"readyz": broken}) as port:
        assert (await say(port, LIVEZ.replace(b"livez", b"readyz"))).startswith(b"HTTP/1.1 500 ")
        assert (await say(port, LIVEZ)).endswith(b"\r\n\r\nok\n")
    assert "a bug" in caplog.text


async def test_patience(autojump_clock: MockClock) -> None:
    """Who says nothing, or no more, is not waited for."""
    async with served() as port:
        for data in (b"", LIVEZ[:20]):
            began = trio.current_time()
            assert await say(port, data) == b""
            assert PATIENCE <= trio.current_time() - began <= PATIENCE + LINGER


async def test_many_who_ask_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is written once for all of them."""
    written = 0

    def pieces() -> Iterator[bytes]:
        nonlocal written
        written += 1
        for _ in range(100):
            yield b"x"

    monkeypatch.setattr(shared, "SLICE", 0.0)
    shown = Shared(pieces, lambda: 0.0)
    heard: list[bytes] = []

    async def ask() -> None:
        heard.append(await say(port, LIVEZ.replace(b"livez", b"metrics")))

    async with served({"metrics": lambda request, rest: routes.Answer(200, (shown,))}) as port:
        async with trio.open_nursery() as nursery:
            for _ in range(CONNECTIONS):
                nursery.start_soon(ask)
    assert [each.endswith(b"\r\n\r\n" + b"x" * 100) for each in heard] == [True] * CONNECTIONS
    assert written == 1
