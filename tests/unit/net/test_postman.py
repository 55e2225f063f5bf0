"""One task writes for many connections, what need not wait; their writers do the rest."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
import trio
import trio.testing

from trio_argoagent.net.http import Exchange
from trio_argoagent.net.http2 import Http2Connection, Http2Stream, open_http2
from trio_argoagent.net.http2_postman import Postman, employed
from trio_argoagent.net.http2_wire import Wire
from trio_argoagent.net.protocol.engine import Engine
from trio_argoagent.net.server import serve_https
from trio_argoagent.net.sockets import Direct
from trio_argoagent.net.tls import TlsStream

from .identities import Authority, Identity
from .test_tls import contexts
from .wiring import echo, listening, read_all

LARGE = bytes(range(256)) * 4_000  # 1 MB
Contexts = tuple[ssl.SSLContext, ssl.SSLContext]


@pytest.fixture
def both(authority: Authority, server_identity: Identity) -> Contexts:
    """Of a server and its clients."""
    return contexts(authority, server_identity)


@asynccontextmanager
async def dialled(port: int, context: ssl.SSLContext) -> AsyncIterator[Http2Connection]:
    """A connection to a server on loopback."""
    transport = await trio.open_tcp_stream("127.0.0.1", port)
    tls = TlsStream(transport, context, server_hostname="localhost")
    await tls.do_handshake()
    async with open_http2(tls, client=True, authority="test") as connection:
        yield connection


async def chatting(exchange: Exchange) -> None:
    """Send back each piece as it comes, in two parts."""
    await exchange.start(200)
    while piece := await exchange.receive():
        await exchange.send(piece[:1])
        await exchange.send(piece[1:])


async def unread(exchange: Exchange) -> None:
    """Answer a request whose body nobody will read: its end asks the peer to stop sending (NO_ERROR)."""
    await exchange.respond(200, [], LARGE[:5000])


async def say(stream: Http2Stream, text: bytes) -> bytes:
    """There and back."""
    stream.send_nowait(text)
    heard = b""
    while len(heard) < len(text):
        heard += await stream.receive()
    return heard


class Sends:
    """Who has sent what on the servers' side, and how much the kernel is made to take at once."""

    def __init__(self, patch: pytest.MonkeyPatch, most: int = 1 << 30) -> None:
        self.now: list[int] = []
        self.by_writers = 0
        send_all, send_now, direct = TlsStream.send_all, TlsStream.send_now, Direct.send_now

        async def counted(stream: TlsStream, data: bytes) -> None:
            self.by_writers += stream._tls.server_side
            await send_all(stream, data)

        def at_once(stream: TlsStream, data: bytes) -> bool:
            self.now.append(len(data))
            return send_now(stream, data)

        patch.setattr(TlsStream, "send_all", counted)
        patch.setattr(TlsStream, "send_now", at_once)
        patch.setattr(Direct, "send_now", lambda self, data: direct(self, data[:most]))


async def test_writers_sleep(both: Contexts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever small a server says to anybody is written for its writer; what is queued together, at once."""
    async with listening(serve_https, chatting, both[0]) as port:
        async with dialled(port, both[1]) as one, dialled(port, both[1]) as other:
            streams = [await each.open_stream("POST", "/") for each in (one, other)]
            for stream in streams:
                assert await say(stream, b"first") == b"first"
            sends = Sends(monkeypatch)
            for stream in streams * 3:
                assert await say(stream, b"hello") == b"hello"
            assert sends.by_writers == 0
            assert len(sends.now) == 6  # not 12


async def test_what_the_kernel_does_not_take(both: Contexts, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer goes on where it was left, in order, and the next small message is written at once again."""
    sends = Sends(monkeypatch, most=1000)
    async with listening(serve_https, chatting, both[0]) as port:
        async with dialled(port, both[1]) as client:
            stream = await client.open_stream("POST", "/")
            assert await say(stream, LARGE) == LARGE
            before, written = sends.by_writers, len(sends.now)
            assert before and written
            await trio.testing.wait_all_tasks_blocked()
            assert await say(stream, b"small") == b"small"
            assert (sends.by_writers, len(sends.now)) == (before, written + 1)


@pytest.mark.parametrize("most", [1, 100, 1 << 30])
async def test_whole_answers(both: Contexts, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """However little the kernel takes, with END_STREAM and GOAWAY at the end."""
    Sends(monkeypatch, most=most)
    body = LARGE[: most * 1000]
    async with listening(serve_https, echo, both[0]) as port:
        async with dialled(port, both[1]) as client:
            for _ in range(2):
                stream = await client.open_stream("POST", "/")
                stream.send_nowait(body)
                stream.end()
                assert await read_all(stream) == body


async def test_an_end_that_asks_for_more(both: Contexts, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is added while the end of an answer is written is the writer's too, when the rest already is."""
    Sends(monkeypatch, most=100)
    async with listening(serve_https, unread, both[0]) as port:
        async with dialled(port, both[1]) as client:
            for _ in range(2):
                stream = await client.open_stream("POST", "/")
                stream.send_nowait(b"a beginning")
                assert await read_all(stream) == LARGE[:5000]


async def test_a_bug_is_one_connection_s(both: Contexts, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told as if the writer had met it, and the others never hear of it."""
    errors: list[Exception] = []
    bad: list[Engine] = []
    pump = Engine.pump

    def broken(engine: Engine, now: float) -> tuple[bytes | bytearray, list[int]]:
        if engine in bad:
            raise RuntimeError("a bug")
        return pump(engine, now)

    async def handler(exchange: Exchange) -> None:
        if exchange.request.path == "/bad":
            assert exchange.stream is not None
            bad.append(exchange.stream.connection.engine)
        await chatting(exchange)

    monkeypatch.setattr(Engine, "pump", broken)
    async with listening(serve_https, handler, both[0], on_error=errors.append) as port:
        async with dialled(port, both[1]) as well, dialled(port, both[1]) as ill:
            stream = await well.open_stream("POST", "/")
            await ill.open_stream("POST", "/bad")
            await ill.wait_closed()
            assert await say(stream, b"hello") == b"hello"
    assert len(errors) == 1
    assert isinstance(errors[0], ExceptionGroup) and "a bug" in repr(errors[0])


async def test_goodbye_without_a_postman(both: Contexts) -> None:
    """A server that is cancelled still says GOAWAY to each: the writers do it."""
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        serving = trio.CancelScope()

        async def serve(task_status: trio.TaskStatus[Any]) -> None:
            with serving:
                await serve_https(chatting, listeners, both[0], task_status=task_status)

        await nursery.start(serve)
        port = listeners[0].socket.getsockname()[1]
        async with dialled(port, both[1]) as client:
            stream = await client.open_stream("POST", "/")
            assert await say(stream, b"hello") == b"hello"
            serving.cancel()
            await client.wait_leaving()
            await client.wait_closed()
            assert client._leaving  # a GOAWAY has come, before the end


class Caller:
    """A wire that calls the postman again, so often, when it is flushed, and then does something else."""

    def __init__(self, postman: Postman, again: int, then: Callable[[], None] = lambda: None) -> None:
        self.postman, self.again, self.then, self.flushed = postman, again, then, 0

    def call(self) -> bool:
        """Have it flushed."""
        return self.postman.call(cast(Wire, self))

    def flush(self, now: float) -> None:
        """See ``Wire``."""
        self.flushed += 1
        if self.flushed <= self.again:
            self.call()
            self.then()


async def test_who_calls_during_the_round() -> None:
    """Is served in the next one, and others come between."""
    passes = 0

    async def count() -> None:
        nonlocal passes
        while True:
            passes += 1
            await trio.lowlevel.checkpoint()

    async with employed() as postman, trio.open_nursery() as nursery:
        caller = Caller(postman, again=5)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(count)
        assert caller.call()
        while caller.flushed < 6:
            await trio.lowlevel.checkpoint()
        assert passes >= 5
        nursery.cancel_scope.cancel()


async def test_nobody_is_forgotten() -> None:
    """Who has called when it ends is served; who comes later is told that it is over."""
    postman = Postman()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(postman.run)
        await trio.testing.wait_all_tasks_blocked()
        caller = Caller(postman, again=1, then=nursery.cancel_scope.cancel)
        assert caller.call()
    assert caller.flushed == 2
    assert not caller.call()
