"""Links over the loopback interface, by what --auth makes of whoever dials: certificates and a header."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import pytest
import trio
from cryptography import x509

from trio_argoagent.errors import LinkBroken, LinkError, LinkRefused
from trio_argoagent.model.identity import Peer
from trio_argoagent.model.rulings import Decision, Ruling
from trio_argoagent.net.http import Exchange
from trio_argoagent.net.http2 import Http2Connection, Http2Stream, open_http2
from trio_argoagent.net.plaintext import Neighbours
from trio_argoagent.net.server import serve_http2
from trio_argoagent.pki import keys
from trio_argoagent.ports.transport import Link, Listener
from trio_argoagent.runtime.authentication import Method
from trio_argoagent.stream.admission import Admission, Gate, Refusal
from trio_argoagent.stream.dial import Http2Dialer, TlsDialer
from trio_argoagent.stream.link import LINK_PATH
from trio_argoagent.stream.listen import Http2Listener
from trio_argoagent.stream.websocket_dial import WebSocketDialer

from ..stream.loopback import agent_tls, authority, client_pem, echo, leaf_key, open_hub, principal_tls

SVID = "spiffe://cluster.example/ns/argocd/sa/a1"
HEADER = "header:x-client-id:^spiffe://[^/]+/ns/[^/]+/sa/([^/]+)$"
MESH = Neighbours()


def svid(*uris: str) -> bytes:
    """A certificate as SPIRE issues it: no subject, and its names are URIs."""
    ca = authority("ours")
    first, last = ca.certificate.not_valid_before_utc, ca.certificate.not_valid_after_utc
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri) for uri in uris])
    builder = x509.CertificateBuilder(
        ca.certificate.subject, x509.Name([]), leaf_key().public_key(), 5, first, last
    ).add_extension(names, critical=True)
    return keys.certificate_pem(builder.sign(ca.key, keys.digest_for(ca.key)))


@pytest.mark.parametrize(
    ("auth", "uris", "line"),
    [
        ("mtls:CN=([^,]+)", (), ""),
        ("mtls:uri:^spiffe://[^/]+/argocd-agent/agent/(.+)$", (), ""),
        ("mtls:uri:/sa/([^/]+)$", (SVID,), ""),
        ("mtls:uri:/sa/([^/]+)$", (SVID, SVID + "2"), "matches more than once"),
        ("mtls:uri:/sa/([^/]+)$", (), "does not match"),
        ("mtls:CN=([^,]+)", (SVID,), "does not match"),
        ("", (SVID,), "common name"),
    ],
)
async def test_by_certificate(auth: str, uris: tuple[str, ...], line: str) -> None:
    """The agent is who its verified certificate says, or its log says why it is nobody; so does the audit."""
    rulings: list[Ruling] = []
    admission = Admission(Method.parse(auth).identify("argocd"), audit=rulings.append)
    async with open_hub(whose, admission=admission) as hub:
        dialer = hub.dialer(agent_tls(svid(*uris) if uris else client_pem()))
        if line:
            with pytest.raises(LinkRefused, match=line):
                async with dialer.dial():
                    raise AssertionError("it was let in")
        else:
            async with dialer.dial() as link:
                assert await link.receive() == [b"a1"]
    assert [(each.decision, each.agent) for each in rulings] == [(Decision.REFUSED, "")] * bool(line)
    assert all(len(each.fingerprint) == 64 and each.address for each in rulings)


async def whose(link: Link) -> None:
    """Tell the agent who it is."""
    link.send_nowait(link.peer.name.encode())
    await link.receive()


@attrs.frozen
class Mesh:
    """A principal that listens without TLS."""

    port: int
    errors: list[Exception]
    peers: list[Peer]


@asynccontextmanager
async def plain_hub(context: object = MESH, gate: Gate | None = None) -> AsyncIterator[Mesh]:
    """One that knows agents by a header, and echoes."""
    sockets = await trio.open_tcp_listeners(0, host="127.0.0.1")
    mesh = Mesh(sockets[0].socket.getsockname()[1], [], [])
    identify = Method.parse(HEADER).identify("argocd")
    admission = Admission(identify, gate) if gate is not None else Admission(identify)

    async def handler(link: Link) -> None:
        mesh.peers.append(link.peer)
        await echo(link)

    assert isinstance(context, Neighbours)
    listener: Listener = Http2Listener(sockets, context, admission, mesh.errors.append, True)
    async with trio.open_nursery() as nursery:
        await nursery.start(listener.serve, handler)
        yield mesh
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def sidecar(port: int, *values: str) -> AsyncIterator[int]:
    """What a mesh's proxies do together: whoever comes through is named in the header. HTTP/2 only."""

    async def forward(upstream: Http2Connection, exchange: Exchange) -> None:
        named = [("x-client-id", value) for value in values]
        stream = await upstream.open_stream(
            exchange.request.method, exchange.request.target, [*exchange.request.headers, *named]
        )
        assert exchange.stream is not None
        status, headers = await stream.response()
        exchange.stream.send_headers(status, headers)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pump, exchange.stream, stream)
            nursery.start_soon(pump, stream, exchange.stream)

    async def pump(source: Http2Stream, sink: Http2Stream) -> None:
        while data := await source.receive():
            await sink.wait_room()
            sink.send_nowait(data)
        sink.end()

    async def serve(stream: trio.SocketStream) -> None:
        out = await trio.open_tcp_stream("127.0.0.1", port)
        async with open_http2(out, client=True, authority="hub") as upstream:
            await serve_http2(lambda exchange: forward(upstream, exchange), stream, on_error=lambda exc: None)

    sockets = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, serve, sockets)
        yield sockets[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


async def test_a_mesh_names_the_agent() -> None:
    """Neither program does TLS; the proxy between them says who the agent is."""
    async with plain_hub() as hub, sidecar(hub.port, SVID) as port:
        async with Http2Dialer("127.0.0.1", port, None).dial() as link:
            link.send_nowait(b"hello")
            assert await link.receive() == [b"hello"]
    assert [(peer.name, peer.fingerprint) for peer in hub.peers] == [("a1", "")]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ((), "there is none"),
        ((SVID, SVID), "there are 2 of them"),
        (("a1",), "does not match"),
        (("spiffe://d/ns/n/sa/argocd",), "the principal's own namespace"),
    ],
)
async def test_a_header_that_names_nobody(values: tuple[str, ...], line: str) -> None:
    """The agent's log says what the mesh does wrong."""
    async with plain_hub() as hub, sidecar(hub.port, *values) as port:
        with pytest.raises(LinkRefused, match=line):
            async with Http2Dialer("127.0.0.1", port, None).dial():
                raise AssertionError("it was let in")


async def test_a_header_of_ones_own_is_one_too_many() -> None:
    """An agent that adds the header itself is refused, where the proxy adds its own beside it."""
    mine = (("x-client-id", "spiffe://d/ns/n/sa/a2"),)
    async with plain_hub() as hub, sidecar(hub.port, SVID) as port:
        with pytest.raises(LinkRefused, match="there are 2 of them"):
            async with Http2Dialer("127.0.0.1", port, None, headers=mine).dial():
                raise AssertionError("it was let in")


@pytest.mark.parametrize("dialer", [Http2Dialer, WebSocketDialer])
async def test_headers_of_the_agent_go_with_each_request(dialer: type[TlsDialer]) -> None:
    """Links and tunnels alike, over whatever carries them."""
    asked: list[str] = []

    def gate(peer: Peer) -> Refusal | None:
        asked.append(peer.name)
        return None

    tunnel_id = f"{7:032x}"
    async with plain_hub(gate=gate) as hub:
        async with dialer("127.0.0.1", hub.port, None, headers=(("x-client-id", SVID),)).dial() as link:
            link.send_nowait(b"hello")
            assert await link.receive() == [b"hello"]
            with pytest.raises(Exception, match="not"):
                await link.open_tunnel(tunnel_id)
    assert asked == ["a1", "a1"]


async def test_two_agents_on_one_connection_of_a_proxy() -> None:
    """The second one is refused and told what to change; the connection ends."""
    async with plain_hub() as hub:
        stream = await trio.open_tcp_stream("127.0.0.1", hub.port)
        async with open_http2(stream, client=True, authority="hub") as connection:
            first = await connection.open_stream("POST", LINK_PATH, [("x-client-id", SVID)])
            assert (await first.response())[0] == 200
            second = await connection.open_stream("POST", LINK_PATH, [("x-client-id", SVID + "2")])
            assert (await second.response())[0] == 421
            assert b"a connection of its own" in await second.receive()
            with trio.fail_after(60):
                await connection.wait_closed()


async def test_who_may_not_connect_without_tls() -> None:
    """Somebody who is not on this machine, nor in the networks named, is not even heard."""

    class Nobody(Neighbours):
        def may(self, peer: str, here: str) -> bool:
            return False

    async with plain_hub(Nobody()) as hub:
        with pytest.raises(LinkBroken, match="--plaintext-from"):
            async with Http2Dialer("127.0.0.1", hub.port, None, headers=(("x-client-id", SVID),)).dial():
                raise AssertionError("it was let in")
        assert [str(error) for error in hub.errors] == [
            "127.0.0.1 may not connect without TLS (--plaintext-from)"
        ]


async def test_tls_where_there_is_none() -> None:
    """Each side is told which option it is about."""
    async with plain_hub() as hub:
        with pytest.raises(LinkError, match="no link"):
            async with Http2Dialer("127.0.0.1", hub.port, agent_tls()).dial():
                raise AssertionError("it was let in")
        assert "begins with TLS, and there is none here" in str(hub.errors[0])
    async with open_hub(context=principal_tls()) as tls_hub:
        with pytest.raises(LinkBroken, match="we speak without TLS"):
            async with Http2Dialer("127.0.0.1", tls_hub.port, None).dial():
                raise AssertionError("it was let in")
