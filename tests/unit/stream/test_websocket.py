"""Links over WebSockets: what both sides say when there is none, and what a bad peer can do."""

from __future__ import annotations

import gc
import ssl
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import pytest
import trio
import trio.testing
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_client_stream

from trio_argoagent.errors import LinkBroken, LinkRefused, RemoteProtocolError
from trio_argoagent.model.identity import Peer
from trio_argoagent.net.contexts import fingerprint
from trio_argoagent.net.errors import ConnectionBroken
from trio_argoagent.net.http import Exchange
from trio_argoagent.net.tls import TlsStream
from trio_argoagent.ports.transport import Link
from trio_argoagent.stream import webstream
from trio_argoagent.stream.admission import Admission
from trio_argoagent.stream.dial import DIAL_TIMEOUT
from trio_argoagent.stream.link import LINK_PATH
from trio_argoagent.stream.protocol.messages import Reason
from trio_argoagent.stream.protocol.messaging import MESSAGE, WINDOW
from trio_argoagent.stream.upgrade import SUBPROTOCOL
from trio_argoagent.stream.websocket_dial import WebSocketDialer
from trio_argoagent.stream.websocket_listen import REQUEST_TIMEOUT, WebSocketAcceptor

from .loopback import (
    ADMISSION,
    BOTH,
    agent_tls,
    client_pem,
    echo,
    nameless_pem,
    open_hub,
    principal_tls,
    server_pem,
)
from .test_dial import CLIENT_FAULTS, no_link, plain_server, refused, web_server

HTTP1 = ("http/1.1",)


def dialer(port: int) -> WebSocketDialer:
    """An agent's way to that port."""
    return WebSocketDialer("127.0.0.1", port, agent_tls(alpn=HTTP1))


@asynccontextmanager
async def tls_server(speak: Callable[[TlsStream], Awaitable[None]]) -> AsyncIterator[int]:
    """A server behind TLS that says what it likes; its port."""
    context = principal_tls(alpn=HTTP1)

    async def handshake(transport: trio.SocketStream) -> None:
        tls = TlsStream(transport, context, server_side=True)
        await tls.do_handshake()
        with suppress(trio.BrokenResourceError):
            await speak(tls)
        await trio.aclose_forcefully(tls)

    async with plain_server(handshake) as port:
        yield port


async def test_each_side_knows_the_other() -> None:
    """Names and fingerprints come from the certificates, as over HTTP/2; both protocols share the port."""
    seen: list[str] = []

    async def note(link: Link) -> None:
        seen.append(f"{link.peer.name} {link.peer.fingerprint}")

    expected = fingerprint(ssl.PEM_cert_to_DER_cert(client_pem().decode()))
    async with open_hub(note, websocket=True) as hub:
        for each in (hub.web_dialer(), hub.dialer()):
            async with each.dial() as link:
                assert await link.receive() == ()
                assert link.peer.fingerprint == fingerprint(ssl.PEM_cert_to_DER_cert(server_pem().decode()))
    assert seen == [f"a1 {expected}"] * 2


async def test_statistics_are_those_of_the_socket() -> None:
    """What one side has sent is what the other has received, TLS included."""
    at_the_principal: list[Any] = []

    async def handler(link: Link) -> None:
        while frames := await link.receive():
            for frame in frames:
                link.send_nowait(frame)
        at_the_principal.append(link.statistics())

    async with open_hub(handler, websocket=True) as hub, hub.web_dialer().dial() as link:
        link.send_nowait(bytes(200_000))
        assert [len(frame) for frame in await link.receive()] == [200_000]
        await link.close()
        assert not await link.receive()
        ours = link.statistics()
    (theirs,) = at_the_principal
    assert ours.bytes_sent >= theirs.bytes_received > 200_000
    assert (theirs.frames_sent, theirs.frames_received) == (1, 1)


async def test_websockets_that_are_not_allowed() -> None:
    """The line names the option, and whose it is."""
    async with open_hub() as hub:
        refusal = await refused(hub.web_dialer())
    assert refusal.reason is Reason.PROTOCOL
    assert refusal.detail.partition(": ")[2] == (
        "WebSockets are not allowed here: give --enable-websocket to the principal as well"
    )


@pytest.mark.parametrize("fault", CLIENT_FAULTS)
async def test_our_certificate_is_wrong(fault: str) -> None:
    """The same sentences as over HTTP/2."""
    options, text = CLIENT_FAULTS[fault]
    async with open_hub(websocket=True) as hub:
        refusal = await refused(hub.web_dialer(agent_tls(alpn=HTTP1, **options)))
    assert refusal.reason is Reason.IDENTITY
    assert text in refusal.detail


async def test_a_certificate_that_names_no_agent() -> None:
    """TLS accepts it, the principal does not, and says why."""
    context = principal_tls(require_client=False, alpn=BOTH)
    async with open_hub(context=context, websocket=True) as hub:
        refusal = await refused(hub.web_dialer(agent_tls(anonymous=True, alpn=HTTP1)))
        assert (refusal.reason, refusal.detail.partition(": ")[2]) == (
            Reason.IDENTITY,
            "a link needs a client certificate",
        )
        refusal = await refused(hub.web_dialer(agent_tls(nameless_pem(), alpn=HTTP1)))
        assert refusal.detail.endswith(": the certificate's common name is not an agent's name")


ANSWERS: dict[str, tuple[bytes, type[Exception], str]] = {
    "200": (
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        LinkRefused,
        "200 instead of an upgrade: a proxy in between does not pass WebSockets on, or this is no principal",
    ),
    "200 without an end": (
        b"HTTP/1.1 200 OK\r\n\r\n" + bytes(50_000),
        LinkRefused,
        "200 instead of an upgrade: a proxy in between does not pass WebSockets on, or this is no principal",
    ),
    "404": (
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        LinkRefused,
        "this is no principal: check --server-address and --server-port",
    ),
    "502": (
        b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 11\r\n\r\nno\nupstream",
        LinkBroken,
        "the principal, or a proxy before it, answered 502: no upstream",
    ),
    "503": (
        b"HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-length: 4\r\n\r\nbusy",
        LinkRefused,
        "busy",
    ),
    "a wrong 101": (
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
        b"sec-websocket-accept: bm8=\r\n\r\n",
        LinkRefused,
        "what answers takes no WebSockets: check --server-address and --server-port, and that no proxy in"
        " between answers in the principal's place",
    ),
    "no HTTP": (
        b"SSH-2.0-OpenSSH_9.2\r\n",
        LinkRefused,
        "what answers takes no WebSockets: check --server-address and --server-port, and that no proxy in"
        " between answers in the principal's place",
    ),
    "nothing": (b"", LinkBroken, "the principal, or a proxy before it, hung up instead of an answer"),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_what_is_answered_instead(name: str) -> None:
    """Each answer is one line that says what to do; nothing of what follows it is kept."""
    answer, kind, text = ANSWERS[name]

    async def speak(tls: TlsStream) -> None:
        await tls.receive_some()
        await tls.send_all(answer)

    async with tls_server(speak) as port:
        with pytest.raises(kind) as caught:
            async with dialer(port).dial():
                raise AssertionError("there is a link")
    assert (
        str(caught.value).removeprefix("protocol: ").removeprefix("not-ready: ")
        == f"127.0.0.1:{port}: {text}"
    )
    if name == "503":
        assert isinstance(caught.value, LinkRefused)
        assert caught.value.retry_after == 7.0


async def test_another_websocket_server() -> None:
    """One that knows nothing of our protocol is no principal."""
    from trio_websocket import wrap_server_stream

    async def speak(tls: TlsStream) -> None:
        async with trio.open_nursery() as nursery:
            request = await wrap_server_stream(nursery, tls)
            await request.accept()

    async with tls_server(speak) as port:
        refusal = await refused(dialer(port))
    assert refusal.detail.partition(": ")[2] == (
        "it takes WebSockets, but is no principal: check --server-address and --server-port"
    )


async def test_a_web_server_is_no_principal() -> None:
    """An ordinary server that ignores the upgrade answers 404."""

    async def not_found(exchange: Exchange) -> None:
        await exchange.respond(404)

    async with web_server(not_found) as port:
        assert "this is no principal" in (await refused(dialer(port))).detail


async def test_an_answer_that_never_comes(autojump_clock: trio.testing.MockClock) -> None:
    """Within the time allowed, and with nothing left behind."""
    ours, theirs = trio.testing.memory_stream_pair()
    server = TlsStream(theirs, principal_tls(alpn=HTTP1), server_side=True)

    async def connect(host: str, port: int) -> trio.abc.Stream:
        return ours

    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.do_handshake)
        dialer = WebSocketDialer("127.0.0.1", 8443, agent_tls(alpn=HTTP1), connect=connect)
        text = await no_link(dialer, anybody=True)
    assert text == f"127.0.0.1:8443: no answer within {DIAL_TIMEOUT:g} s"
    while await server.receive_some():
        pass  # The request; and then our end of the connection is closed.


# A bad agent: it has a certificate, and a WebSocket library of its own.


@asynccontextmanager
async def raw_agent(port: int, path: str = LINK_PATH) -> AsyncIterator[WebSocketConnection]:
    """A WebSocket of an agent that says what it likes."""
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    async with TlsStream(stream, agent_tls(alpn=HTTP1), server_hostname="127.0.0.1") as tls:
        await tls.do_handshake()
        async with trio.open_nursery() as nursery:
            options: dict[str, Any] = {"subprotocols": [SUBPROTOCOL]}
            wrapped: Any = tls
            yield await wrap_client_stream(nursery, wrapped, "127.0.0.1", path, **options)
            nursery.cancel_scope.cancel()


NONSENSE: dict[str, list[str | bytes]] = {
    "more than the window": [bytes(MESSAGE)] * (WINDOW // MESSAGE + 1),
    "after the end": [b"", b"x"],
    "a grant for nothing": ["1000000"],
    "a frame that is too long": [b"\xff\xff\xff\xff"],
    "a message that is too long": [bytes(MESSAGE + 1)],
}


@pytest.mark.parametrize("name", NONSENSE)
async def test_a_peer_that_breaks_the_rules(name: str) -> None:
    """Its link is broken off, whoever serves it is told why, and another agent's link goes on."""
    broken = trio.Event()

    async def handler(link: Link) -> None:
        if name == "more than the window" and link.peer.name == "a1":
            await broken.wait()
        while frames := await link.receive():
            for frame in frames:
                link.send_nowait(frame)

    async with open_hub(handler, websocket=True) as hub:
        other = hub.web_dialer(agent_tls(client_pem(agent="other"), alpn=HTTP1))
        with trio.fail_after(60):
            async with other.dial() as link:
                async with raw_agent(hub.port) as socket:
                    for message in NONSENSE[name]:
                        await socket.send_message(message)
                    with pytest.raises(ConnectionClosed):
                        while True:
                            await socket.get_message()
                    broken.set()
                link.send_nowait(b"still here")
                assert await link.receive() == [b"still here"]
        await trio.testing.wait_all_tasks_blocked()
        kinds = (RemoteProtocolError, LinkBroken)
        assert hub.errors and all(isinstance(error, kinds) for error in hub.errors)


UPGRADE: Final = (
    f"GET {LINK_PATH} HTTP/1.1\r\nhost: hub\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n"
    f"sec-websocket-protocol: {SUBPROTOCOL}\r\n\r\n"
).encode()


@asynccontextmanager
async def bytes_of_an_agent(port: int) -> AsyncIterator[TlsStream]:
    """An upgraded connection without any library: for frames that none of them sends."""
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    async with TlsStream(stream, agent_tls(alpn=HTTP1), server_hostname="127.0.0.1") as tls:
        await tls.do_handshake()
        await tls.send_all(UPGRADE)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += await tls.receive_some()
        yield tls


_PINGS: Final = "WebSocket: too many PING frames: more than 4 at once and 0.1 a second"
_NOTHINGS: Final = "WebSocket: too many frames that do nothing: more than 1000 at once and 100 a second"
_RULES: Final = "the peer breaks the rules of WebSockets"
FLOODS: dict[str, tuple[bytes, str]] = {
    "pings": (b"\x89\x80mask" * 5, _PINGS),
    # So many that a slow machine, too, gets to the end of what comes back meanwhile.
    "empty fragments": ((b"\x02\x80mask" + b"\x00\x80mask" * 199 + b"\x80\x81maskm") * 500, _NOTHINGS),
    "answers that nobody asked for": (b"\x8a\x80mask" * 100_000, _NOTHINGS),
    "reserved bits": (b"\xf2\x80mask", _RULES),
    "no mask": (b"\x82\x01x", _RULES),
    "no text": (b"\x81\x82\0\0\0\0\xff\xff", _RULES),
}


@pytest.mark.parametrize("name", FLOODS)
async def test_a_flood_of_frames(name: str) -> None:
    """Whoever holds the link is told why it ends, and so is whoever counts misconduct."""
    data, text = FLOODS[name]
    heard: list[str] = []
    strikes: list[tuple[str, str]] = []
    struck = trio.Event()

    async def handler(link: Link) -> None:
        try:
            await link.receive()
        except LinkBroken as exc:
            heard.append(str(exc))

    def strike(peer: Peer, why: str) -> None:
        strikes.append((peer.name, why))
        struck.set()

    admission = Admission(ADMISSION.identify, strike=strike)
    hub_of = open_hub(handler, websocket=True, admission=admission)
    async with hub_of as hub, bytes_of_an_agent(hub.port) as tls:
        with trio.fail_after(60):
            with suppress(ConnectionBroken, trio.BrokenResourceError):
                await tls.send_all(data)
                while await tls.receive_some():
                    pass
            await struck.wait()
    assert len(heard) == 1 and heard[0].startswith(text)
    assert strikes == [("a1", heard[0])]


async def test_whoever_takes_nothing_any_more_has_broken_no_rule() -> None:
    """A send that fails, while nothing has come that would say why, is nobody's misconduct."""
    ours, theirs = trio.testing.memory_stream_pair()

    async def handler(link: Link) -> None:
        link.send_nowait(b"hello")
        await link.receive()

    async with trio.open_nursery() as nursery:

        async def agent() -> None:
            await ours.send_all(UPGRADE)
            assert (await ours.receive_some()).startswith(b"HTTP/1.1 101 ")
            await ours.receive_stream.aclose()

        nursery.start_soon(agent)
        acceptor = WebSocketAcceptor(handler, Admission(lambda shown: Peer("a1", "", "")))
        with pytest.raises(LinkBroken):
            await acceptor.serve(theirs)


async def test_pings_are_answered_while_nobody_reads() -> None:
    """A handler that is busy with something else keeps neither pings nor a Close waiting."""
    goes_on = trio.Event()

    async def handler(link: Link) -> None:
        await goes_on.wait()
        while await link.receive():
            pass

    async with open_hub(handler, websocket=True) as hub, raw_agent(hub.port) as socket:
        with trio.fail_after(30):
            frame = (WINDOW - 4).to_bytes(4) + bytes(WINDOW - 4)
            for start in range(0, WINDOW, MESSAGE):
                await socket.send_message(frame[start : start + MESSAGE])
            await socket.ping()
            goes_on.set()


async def test_a_peer_that_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up after a while, also if it talks all the time and so is never silent."""
    monkeypatch.setattr(webstream, "STALLED", 0.5)
    said: list[str] = []
    given_up = trio.Event()

    async def handler(link: Link) -> None:
        with pytest.raises(LinkBroken) as caught:
            while True:
                await link.wait_room()
                link.send_nowait(bytes(MESSAGE))
        said.append(str(caught.value))
        given_up.set()

    async with open_hub(handler, websocket=True) as hub, raw_agent(hub.port) as socket:
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:

                async def drop() -> None:
                    with suppress(ConnectionClosed):
                        while True:
                            await socket.get_message()

                async def talk() -> None:
                    with suppress(ConnectionClosed):
                        while True:
                            await socket.send_message(b"\0")

                nursery.start_soon(drop)
                nursery.start_soon(talk)
                await given_up.wait()
    assert said == ["the peer has taken nothing for 0.5 s"]


async def test_tiny_messages_are_kept_together() -> None:
    """A window full of two bytes at a time costs about its size in memory, though nobody reads it."""
    goes_on = trio.Event()

    async def handler(link: Link) -> None:
        await goes_on.wait()
        while await link.receive():
            pass

    count = 3_000
    async with open_hub(handler, websocket=True) as hub, raw_agent(hub.port) as socket:
        await socket.send_message((2 * count).to_bytes(4))
        await socket.ping()
        gc.collect()
        tracemalloc.start()
        with trio.fail_after(60):
            for n in range(count):
                await socket.send_message(n.to_bytes(2))
            await socket.ping()
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        goes_on.set()
    assert kept < 20 * 2 * count


async def test_a_path_that_is_nothing() -> None:
    """Whoever asks for another path is told so."""
    async with open_hub(websocket=True) as hub:
        with pytest.raises(BaseExceptionGroup) as caught, trio.fail_after(30):
            async with raw_agent(hub.port, "/v1/other"):
                raise AssertionError("there is a WebSocket")
    (rejected,) = caught.value.exceptions
    assert rejected.args[0] == 404 and rejected.args[2] == b"there is nothing here"


async def test_whoever_asks_for_no_websocket() -> None:
    """A plain request is refused, and counts as a peer's fault."""
    async with open_hub(websocket=True) as hub:
        stream = await trio.open_tcp_stream("127.0.0.1", hub.port)
        tls = TlsStream(stream, agent_tls(alpn=HTTP1), server_hostname="127.0.0.1")
        await tls.do_handshake()
        await tls.send_all(b"GET /v1/link HTTP/1.1\r\nhost: hub\r\n\r\n")
        with trio.fail_after(30):
            assert (await tls.receive_some()).startswith(b"HTTP/1.1 400 ")
            while await tls.receive_some():
                pass
        await tls.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert [type(error) for error in hub.errors] == [RemoteProtocolError]


async def test_an_agent_that_asks_for_nothing(autojump_clock: trio.testing.MockClock) -> None:
    """A connection without a request ends after the time allowed."""
    ours, theirs = trio.testing.memory_stream_pair()
    with pytest.raises(LinkBroken, match=r"^no WebSocket within 10 s$"):
        await WebSocketAcceptor(echo, ADMISSION).serve(theirs)
    assert trio.current_time() == REQUEST_TIMEOUT
    assert not await ours.receive_some()
