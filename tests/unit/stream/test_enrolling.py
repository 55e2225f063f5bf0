"""The routes of enrolment, over TLS on the loopback interface."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
import trio

from trio_argoagent.net.client import HttpClient, open_client
from trio_argoagent.net.contexts import client_context
from trio_argoagent.net.errors import ConnectionBroken
from trio_argoagent.net.http import Exchange, Handler
from trio_argoagent.net.http2 import Http2Connection, open_http2
from trio_argoagent.net.tls import TlsStream
from trio_argoagent.pki.names import agent_name
from trio_argoagent.stream import listen
from trio_argoagent.stream.admission import Admission, Shown, by_certificate
from trio_argoagent.stream.dial import Http2Dialer
from trio_argoagent.stream.enrolling import enrolment_routes
from trio_argoagent.stream.listen import Http2Listener
from trio_argoagent.stream.protocol import enrolment as e

from .loopback import BOTH, agent_tls, authority, client_pem, echo, principal_tls

SEEN: list[Shown] = []


async def answer(asked: e.Enrol, shown: Shown) -> e.Answer:
    """Everybody gets what he has sent."""
    SEEN.append(shown)
    return e.Issued(asked.request, b"roots")


async def roots() -> bytes:
    """Those of the hub."""
    return authority("ours").certificate_pem


@asynccontextmanager
async def serving(
    routes: dict[tuple[str, str], Handler] | None = None, *, websocket: bool = False
) -> AsyncIterator[int]:
    """A principal's port."""
    sockets = await trio.open_tcp_listeners(0, host="127.0.0.1")
    context = principal_tls(require_client=False, alpn=BOTH)
    admission = Admission(by_certificate(agent_name))
    found = enrolment_routes(answer, roots) if routes is None else routes
    listener = Http2Listener(sockets, context, admission, websocket=websocket, routes=found)
    async with trio.open_nursery() as nursery:
        await nursery.start(listener.serve, echo)
        yield sockets[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def client(port: int, *, anonymous: bool = True) -> AsyncIterator[HttpClient]:
    """Somebody who dials it."""
    context = agent_tls(anonymous=anonymous)
    async with open_client(host="127.0.0.1", port=port, context=context) as found:
        yield found


@pytest.mark.parametrize("anonymous", [True, False], ids=["nobody", "an-agent"])
async def test_one_frame_each_way(anonymous: bool) -> None:
    """With a client certificate or without; whoever decides sees which, and from where."""
    async with serving() as port, client(port, anonymous=anonymous) as http:
        found = await http.request("POST", e.PATH, body=e.encode(e.Enrol(b"csr")))
    assert e.decode_answer(found.body) == e.Issued(b"csr", b"roots")
    shown = SEEN[-1]
    assert shown.address.startswith("127.0.0.1:")
    der = ssl.PEM_cert_to_DER_cert(client_pem().decode())
    assert shown.certificate == (None if anonymous else der)


async def test_the_roots_are_public() -> None:
    """Whoever knows what he looks for may read them before he trusts anybody."""
    async with serving() as port:
        context = client_context(ca=None, certificate=None, key=None, alpn=("h2",), verify=False)
        async with open_client(host="127.0.0.1", port=port, context=context) as http:
            found = await http.request("GET", e.ROOTS_PATH)
    assert (found.status, found.body) == (200, authority("ours").certificate_pem)


async def test_a_link_still_needs_a_certificate() -> None:
    """Nobody gets one without, though the handshake lets him through."""
    async with serving() as port, client(port) as http:
        found = await http.request("POST", "/v1/link")
        assert found.status == 401


async def test_what_is_no_request() -> None:
    """A bad body is told; a body that is too long is not read."""
    async with serving() as port, client(port) as http:
        found = await http.request("POST", e.PATH, body=b"nonsense")
        assert (found.status, found.body.strip()) == (400, b"not one frame")
        found = await http.request("POST", e.PATH, body=bytes(e.MAX_REQUEST + 100))
        assert found.status == 413
        assert (await http.request("GET", e.PATH)).status == 404


async def test_a_principal_without_the_routes() -> None:
    """It has no such path."""
    async with serving({}) as port, client(port) as http:
        assert (await http.request("POST", e.PATH, body=b"")).status == 404
        assert (await http.request("GET", e.ROOTS_PATH)).status == 404


async def test_nobody_keeps_the_port_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those who stay without a link the oldest goes when there are too many; links are none of them."""
    monkeypatch.setattr(listen, "VISITORS", 3)
    came, comes = trio.open_memory_channel[None](10)

    async def stay(exchange: Exchange) -> None:
        came.send_nowait(None)
        await trio.sleep_forever()

    async with serving({("GET", "/"): stay}) as port, AsyncExitStack() as stack:
        link = await stack.enter_async_context(Http2Dialer("127.0.0.1", port, agent_tls()).dial())
        visitors: list[Http2Connection] = []
        for _ in range(6):
            tls = TlsStream(
                await trio.open_tcp_stream("127.0.0.1", port),
                agent_tls(anonymous=True),
                server_hostname="127.0.0.1",
            )
            await tls.do_handshake()
            visitor = open_http2(tls, client=True, authority="hub")
            visitors.append(await stack.enter_async_context(visitor))
            await visitors[-1].open_stream("GET", "/", [], end_stream=True)
            await comes.receive()
        with trio.fail_after(60.0):
            for each in visitors[:3]:
                await each.wait_closed()
        assert all(each.is_open for each in visitors[3:])
        link.send_nowait(b"still here")
        assert await link.receive() == [b"still here"]


@pytest.mark.parametrize("begun", ["silent", "posts", "upgrades", "no websockets"])
async def test_nobody_keeps_the_port_full_without_http2(
    begun: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same for whoever speaks HTTP/1.1, however far his request has come."""
    monkeypatch.setattr(listen, "VISITORS", 3)
    lines = {"posts": b"POST /v1/enroll HTTP/1.1\r\n", "upgrades": b"GET /v1/link HTTP/1.1\r\n"}
    ended: list[int] = []
    changed = trio.Event()

    async def stay(number: int, tls: TlsStream) -> None:
        try:
            with suppress(ConnectionBroken, trio.BrokenResourceError):
                await tls.do_handshake()
                await tls.send_all(lines.get(begun, b""))
                while await tls.receive_some():
                    pass
        finally:
            await trio.aclose_forcefully(tls)
        ended.append(number)
        changed.set()

    websocket = begun != "no websockets"
    async with serving({}, websocket=websocket) as port, trio.open_nursery() as nursery:
        with trio.fail_after(60.0):
            for number in range(5):
                transport = await trio.open_tcp_stream("127.0.0.1", port)
                context = agent_tls(anonymous=True, alpn=("http/1.1",))
                tls = TlsStream(transport, context, server_hostname="127.0.0.1")
                nursery.start_soon(stay, number, tls)
                if number >= 3:
                    await changed.wait()
                    changed = trio.Event()
        assert len(ended) == 2 and 4 not in ended
        nursery.cancel_scope.cancel()
