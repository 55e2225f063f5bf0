"""The HTTPS server and the client, over loopback TLS."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.net.client import HttpClient, open_client
from trio_argoagent.net.errors import ConnectionBroken, TlsFailed
from trio_argoagent.net.http import Exchange, Handler
from trio_argoagent.net.server import serve_http, serve_https
from trio_argoagent.net.tls import common_name, server_context

from .identities import Authority, Identity
from .test_tls import contexts
from .wiring import echo, listening

LARGE = bytes(range(256)) * 20_000  # 5 MB


@pytest.fixture
def plain(authority: Authority, server_identity: Identity) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts without client certificates."""
    return contexts(authority, server_identity)


@pytest.fixture
def errors() -> list[Exception]:
    """What the server has reported."""
    return []


@asynccontextmanager
async def serving(
    handler: Handler, both: tuple[ssl.SSLContext, ssl.SSLContext], errors: list[Exception]
) -> AsyncIterator[HttpClient]:
    """A server, and a client for it."""
    async with listening(serve_https, handler, both[0], on_error=errors.append) as port:
        async with open_client(host="127.0.0.1", port=port, context=both[1]) as client:
            yield client


async def test_requests(plain: tuple[ssl.SSLContext, ssl.SSLContext], errors: list[Exception]) -> None:
    """Requests share one connection; large bodies arrive whole; bytes are counted as on the socket."""
    async with serving(echo, plain, errors) as client:
        response = await client.request("POST", "/x?y=%20z", [("accept", "*/*")], b"hello")
        assert (response.status, response.body) == (200, b"hello")
        assert response.header("x-path") == "/x?y=%20z"
        assert (await client.request("POST", "/", (), LARGE)).body == LARGE
        assert (await client.request("HEAD", "/")).body == b""
        statistics = client.statistics()
        assert (statistics.dials, statistics.requests) == (1, 3)
        assert statistics.bytes_sent > len(LARGE) and statistics.bytes_received > len(LARGE)
    assert errors == []


async def test_concurrent_requests_dial_once(
    plain: tuple[ssl.SSLContext, ssl.SSLContext], errors: list[Exception]
) -> None:
    """A hundred tasks that start together wait for the same dial."""
    async with serving(echo, plain, errors) as client:
        async with trio.open_nursery() as nursery:
            for _ in range(100):
                nursery.start_soon(client.request, "GET", "/")
        assert client.statistics().dials == 1 and client.statistics().requests == 100


async def test_identity(
    authority: Authority, server_identity: Identity, client_identity: Identity, errors: list[Exception]
) -> None:
    """The handler sees whose certificate the request came with."""

    async def handler(exchange: Exchange) -> None:
        assert exchange.request.peer_certificate is not None
        await exchange.respond(200, [], common_name(exchange.request.peer_certificate).encode())

    async with serving(handler, contexts(authority, server_identity, client_identity), errors) as client:
        assert (await client.request("GET", "/")).body == b"agent-1"


async def test_missing_client_certificate(
    authority: Authority, server_identity: Identity, client_identity: Identity, errors: list[Exception]
) -> None:
    """A client without a certificate gets an error that says so, and was not served."""
    mutual = contexts(authority, server_identity, client_identity)
    without = contexts(authority, server_identity)
    async with serving(echo, (mutual[0], without[1]), errors) as client:
        with pytest.raises(TlsFailed, match="certificate required") as caught:
            await client.request("GET", "/")
        assert not caught.value.sent
    assert [type(error) for error in errors] == [TlsFailed]


async def test_nobody_there() -> None:
    """A refused connection is one line with the address, and nothing was sent."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    await listeners[0].aclose()
    async with open_client(host="127.0.0.1", port=port, context=None) as client:
        with pytest.raises(ConnectionBroken, match=f"127.0.0.1:{port}") as caught:
            await client.request("GET", "/")
    assert not caught.value.sent


async def test_server_without_http2(
    authority: Authority, server_identity: Identity, errors: list[Exception]
) -> None:
    """A server that agrees on nothing but HTTP/1.1 is spoken to in HTTP/1.1."""
    _, client_side = contexts(authority, server_identity)
    old = server_context(
        certificate=server_identity.certificate,
        key=server_identity.key,
        client_ca=None,
        require_client=False,
        alpn=("http/1.1",),
    )
    async with serving(echo, (old, client_side), errors) as client:
        assert (await client.request("POST", "/", (), LARGE)).body == LARGE
        assert (await client.request("POST", "/", (), b"again")).body == b"again"
        assert client.statistics().dials == 1 and client.statistics().bytes_sent > len(LARGE)


async def test_failing_handler(plain: tuple[ssl.SSLContext, ssl.SSLContext], errors: list[Exception]) -> None:
    """A handler's exception costs its own request: 500 or a reset, a report, and the server goes on."""

    async def handler(exchange: Exchange) -> None:
        if exchange.request.path == "/late":
            await exchange.start(200)
            await exchange.send(b"x")
        if exchange.request.path == "/echo":
            return await exchange.respond(200, [], await exchange.body(limit=3))
        raise ZeroDivisionError

    async with serving(handler, plain, errors) as client:
        assert (await client.request("GET", "/")).status == 500
        with pytest.raises(ConnectionBroken, match="INTERNAL_ERROR"):
            await client.request("GET", "/late")
        assert (await client.request("POST", "/echo", (), b"1234")).status == 413
        assert (await client.request("POST", "/echo", (), b"123")).body == b"123"
        assert client.statistics().dials == 1
    assert [type(error).__name__ for error in errors] == [
        "ZeroDivisionError",
        "ZeroDivisionError",
        "BodyTooLarge",
    ]


async def test_streamed_answer(plain: tuple[ssl.SSLContext, ssl.SSLContext], errors: list[Exception]) -> None:
    """A watch arrives as it is written, and leaving it early cancels the handler."""
    ended = trio.Event()

    async def handler(exchange: Exchange) -> None:
        await exchange.start(200, [("content-type", "application/json")])
        await exchange.send(b'{"one":1}\n')
        try:
            await trio.sleep_forever()
        finally:
            ended.set()

    async with serving(handler, plain, errors) as client:
        async with client.stream("GET", "/watch") as response:
            assert response.status == 200 and response.header("content-type") == "application/json"
            assert await response.receive() == b'{"one":1}\n'
        await ended.wait()
    assert errors == []


async def test_client_that_goes_away(
    plain: tuple[ssl.SSLContext, ssl.SSLContext], errors: list[Exception]
) -> None:
    """Closing the client cancels the server's handlers, without a report."""
    started, ended = trio.Event(), trio.Event()

    async def handler(exchange: Exchange) -> None:
        started.set()
        try:
            await trio.sleep_forever()
        finally:
            ended.set()

    async with listening(serve_https, handler, plain[0], on_error=errors.append) as port:
        async with (
            open_client(host="127.0.0.1", port=port, context=plain[1]) as client,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(client.request, "GET", "/")
            await started.wait()
            nursery.cancel_scope.cancel()
        await ended.wait()
    assert errors == []


async def test_reopened_when_the_server_restarts(
    plain: tuple[ssl.SSLContext, ssl.SSLContext], errors: list[Exception]
) -> None:
    """The request after the connection's end dials again, and bytes of both connections are counted."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    async with open_client(host="127.0.0.1", port=port, context=plain[1]) as client:
        for _ in range(2):
            async with trio.open_nursery() as nursery:
                await nursery.start(serve_https, echo, listeners, plain[0])
                assert (await client.request("POST", "/", (), bytes(10_000))).status == 200
                nursery.cancel_scope.cancel()
            await trio.testing.wait_all_tasks_blocked(0.01)
            listeners = await trio.open_tcp_listeners(port, host="127.0.0.1")
        assert client.statistics().dials == 2
        assert client.statistics().bytes_sent > 20_000
        await listeners[0].aclose()


async def test_request_in_progress_when_the_server_stops(
    plain: tuple[ssl.SSLContext, ssl.SSLContext], errors: list[Exception]
) -> None:
    """A request that was sent and not answered says that it may have been acted upon."""
    started = trio.Event()

    async def handler(exchange: Exchange) -> None:
        await exchange.body()
        started.set()
        await trio.sleep_forever()

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    async with open_client(host="127.0.0.1", port=port, context=plain[1]) as client:
        async with trio.open_nursery() as nursery:
            await nursery.start(serve_https, handler, listeners, plain[0])

            async def request() -> None:
                with pytest.raises(ConnectionBroken) as caught:
                    await client.request("POST", "/", (), b"x")
                assert caught.value.sent

            async with trio.open_nursery() as inner:
                inner.start_soon(request)
                await started.wait()
                nursery.cancel_scope.cancel()


async def test_bad_peers_do_not_matter(
    plain: tuple[ssl.SSLContext, ssl.SSLContext], errors: list[Exception]
) -> None:
    """Noise and early hang-ups cost their own connections, and are reported as the peers' fault."""
    async with listening(serve_https, echo, plain[0], on_error=errors.append) as port:
        for noise in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", b""):
            stream = await trio.open_tcp_stream("127.0.0.1", port)
            if noise:
                await stream.send_all(noise)
            await stream.send_eof()
            while await stream.receive_some():
                pass
            await stream.aclose()
        async with open_client(host="127.0.0.1", port=port, context=plain[1]) as client:
            assert (await client.request("GET", "/")).status == 200
    assert [type(error) for error in errors] == [TlsFailed] * 3


def talk(port: int, context: ssl.SSLContext) -> list[tuple[int, bytes]]:
    """Three requests of the standard library's client on one connection."""
    connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=60)
    answers = []
    for method, path, body in (("POST", "/a", b"hello"), ("POST", "/b", LARGE), ("GET", "/c", None)):
        connection.request(method, path, body)
        response = connection.getresponse()
        answers.append((response.status, response.read()))
        assert not response.will_close
    connection.close()
    return answers


async def test_http1_keep_alive(
    authority: Authority, server_identity: Identity, errors: list[Exception]
) -> None:
    """An independent HTTP/1.1 client sends several requests on one connection."""
    server, _ = contexts(authority, server_identity)
    client = ssl.create_default_context(cadata=authority.certificate.decode())

    async def handler(exchange: Exchange) -> None:
        assert exchange.request.version == "1.1" and exchange.stream is None
        assert exchange.request.authority.startswith("localhost:")
        await exchange.respond(200, [], await exchange.body(1 << 30))

    async with listening(serve_https, handler, server, on_error=errors.append) as port:
        answers = await trio.to_thread.run_sync(talk, port, client)
    assert answers == [(200, b"hello"), (200, LARGE), (200, b"")]
    assert errors == []


def watch(port: int) -> list[bytes]:
    """Two lines of an endless answer, then hang up."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/watch")
    response = connection.getresponse()
    lines = [response.readline(), response.readline()]
    connection.close()
    response.close()
    return lines


async def test_http1_watch(errors: list[Exception]) -> None:
    """A chunked answer arrives line by line, and hanging up cancels the handler."""
    ended = trio.Event()

    async def handler(exchange: Exchange) -> None:
        await exchange.start(200, [("content-type", "application/json")])
        try:
            for line in (b"one\n", b"two\n"):
                await exchange.send(line)
            await trio.sleep_forever()
        finally:
            ended.set()

    async with listening(serve_http, handler, on_error=errors.append) as port:
        assert await trio.to_thread.run_sync(watch, port) == [b"one\n", b"two\n"]
        await ended.wait()
    assert errors == []


async def test_http1_nonsense(errors: list[Exception]) -> None:
    """What is no HTTP gets 400 and is reported as the peer's fault."""
    async with listening(serve_http, echo, on_error=errors.append) as port:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(b"nonsense\r\n\r\n")
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 400 ")
        await stream.aclose()
        await trio.testing.wait_all_tasks_blocked(0.01)
    assert [type(error) for error in errors] == [RemoteProtocolError]
