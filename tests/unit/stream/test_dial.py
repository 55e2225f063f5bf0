"""Opening a link, and why there is none."""

import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trio.testing

from trio_argoagent.errors import LinkBroken, LinkRefused, Unreachable
from trio_argoagent.net.http import Exchange
from trio_argoagent.net.server import serve_https
from trio_argoagent.pki.authority import DAY
from trio_argoagent.ports.transport import Dialer
from trio_argoagent.stream.dial import DIAL_TIMEOUT, Http2Dialer
from trio_argoagent.stream.explain import answered
from trio_argoagent.stream.protocol.messages import Reason

from .loopback import agent_tls, client_pem, nameless_pem, open_hub, principal_tls, server_pem


@asynccontextmanager
async def plain_server(speak: Callable[[trio.SocketStream], Awaitable[None]]) -> AsyncIterator[int]:
    """A TCP server; its port."""
    sockets = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, speak, sockets)
        yield sockets[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def web_server(handler: Callable[[Exchange], Awaitable[None]]) -> AsyncIterator[int]:
    """An HTTPS server that is no principal, or a moody one; its port."""
    sockets = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_https, handler, sockets, principal_tls())
        yield sockets[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


async def refused(dialer: Dialer) -> LinkRefused:
    """The refusal that dialling ends in."""
    with pytest.raises(LinkRefused) as caught:
        async with dialer.dial():
            raise AssertionError("there is a link")
    assert "\n" not in str(caught.value)
    return caught.value


SERVER_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "another CA": ({"certificate": server_pem("theirs")}, "it is of an unknown issuer: give the agent"),
    "another name": ({"certificate": server_pem(host="hub.example")}, "it is for other names: issue it for"),
    "expired": ({"certificate": server_pem(lifetime=DAY)}, "it is expired: renew argocd-agent-principal-tls"),
    "no server": ({"certificate": client_pem()}, "it is for something else: issue it again, for serverAuth"),
}


@pytest.mark.parametrize("fault", SERVER_FAULTS)
async def test_the_principals_certificate_is_wrong(fault: str) -> None:
    """Each fault has a sentence of its own that names the place and the remedy."""
    options, text = SERVER_FAULTS[fault]
    async with open_hub(context=principal_tls(**options)) as hub:
        refusal = await refused(hub.dialer())
        assert refusal.reason is Reason.IDENTITY
        assert refusal.detail.startswith(
            f"127.0.0.1:{hub.port}: the principal's certificate is not accepted: {text}"
        )


async def test_the_name_that_is_asked_for_counts() -> None:
    """A principal reached by another name is refused under it, and accepted under its own."""
    async with open_hub(context=principal_tls(server_pem(host="hub.example"))) as hub:
        refusal = await refused(hub.dialer(server_hostname="other.example"))
        assert "it is for other names" in refusal.detail
        async with hub.dialer(server_hostname="hub.example").dial() as link:
            await link.close()


CLIENT_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "none": ({"anonymous": True}, "wants a client certificate and we have shown none"),
    "another CA": ({"certificate": client_pem("theirs")}, "our client certificate (unknown ca)"),
    "expired": ({"certificate": client_pem(lifetime=DAY)}, "our client certificate (certificate expired)"),
    "no client": ({"certificate": server_pem()}, "our client certificate (unsupported certificate)"),
}


@pytest.mark.parametrize("fault", CLIENT_FAULTS)
async def test_our_certificate_is_wrong(fault: str) -> None:
    """The principal's alert arrives, although our half of the handshake had succeeded."""
    options, text = CLIENT_FAULTS[fault]
    async with open_hub() as hub:
        refusal = await refused(hub.dialer(agent_tls(**options)))
        assert refusal.reason is Reason.IDENTITY
        assert text in refusal.detail


async def test_a_certificate_that_names_no_agent() -> None:
    """TLS accepts it, the principal does not, and says why; so too without any, where TLS asks for none."""
    async with open_hub(context=principal_tls(require_client=False)) as hub:
        refusal = await refused(hub.dialer(agent_tls(anonymous=True)))
        assert refusal.reason is Reason.IDENTITY
        assert refusal.detail.endswith(": a link needs a client certificate")
        refusal = await refused(hub.dialer(agent_tls(nameless_pem())))
        assert refusal.reason is Reason.IDENTITY
        assert refusal.detail.endswith(": the certificate's common name is not an agent's name")


@pytest.mark.parametrize("alpn", [(), ("http/1.1",)], ids=["ignored", "refused"])
async def test_no_http2(alpn: tuple[str, ...]) -> None:
    """A server that does not agree on HTTP/2 is named as such."""
    async with open_hub(context=principal_tls(alpn=alpn)) as hub:
        refusal = await refused(hub.dialer())
        assert (refusal.reason, "speaks TLS but not HTTP/2" in refusal.detail) == (Reason.PROTOCOL, True)


async def test_no_tls() -> None:
    """A port that speaks something else is named as such."""

    async def speak(stream: trio.SocketStream) -> None:
        await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with plain_server(speak) as port:
        refusal = await refused(Http2Dialer("127.0.0.1", port, agent_tls()))
        assert (refusal.reason, "does not speak TLS" in refusal.detail) == (Reason.PROTOCOL, True)


async def no_link(dialer: Dialer, *, anybody: bool = False) -> str:
    """What is said when there is nobody, or ``anybody`` who does not answer."""
    with pytest.raises(LinkBroken) as caught:
        async with dialer.dial():
            raise AssertionError("there is a link")
    assert isinstance(caught.value, Unreachable) is not anybody
    return str(caught.value)


async def test_nobody_listens() -> None:
    """A refused connection asks for the principal and names the flags."""
    with socket.socket() as held:
        # Bound but not listening: nobody else can get the port meanwhile.
        held.bind(("127.0.0.1", 0))
        text = await no_link(Http2Dialer("127.0.0.1", held.getsockname()[1], agent_tls()))
    assert "connection refused: is the principal running" in text


async def test_no_such_name() -> None:
    """A name without an address says so."""

    async def connect(host: str, port: int) -> trio.abc.Stream:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    text = await no_link(Http2Dialer("hub.invalid", 8443, agent_tls(), connect=connect))
    assert text == "hub.invalid:8443: no address is known for hub.invalid: check --server-address and DNS"


async def test_no_way_there() -> None:
    """A network that has no route says so."""

    async def connect(host: str, port: int) -> trio.abc.Stream:
        raise OSError(errno.EHOSTUNREACH, "No route to host")

    text = await no_link(Http2Dialer("hub", 8443, agent_tls(), connect=connect))
    assert text == "hub:8443: no way there: No route to host"


async def test_packets_that_vanish(autojump_clock: trio.testing.MockClock) -> None:
    """A connection that nobody takes or refuses is given up."""

    async def connect(host: str, port: int) -> trio.abc.Stream:
        await trio.sleep_forever()
        raise AssertionError

    text = await no_link(Http2Dialer("hub", 8443, agent_tls(), connect=connect))
    assert text == "hub:8443: no answer within 10 s"


async def test_hanging_up_in_the_handshake() -> None:
    """A peer that hangs up at once is worth trying again: it may be a proxy with nobody behind it."""

    async def hang_up(stream: trio.SocketStream) -> None:
        await stream.receive_some(1)

    async with plain_server(hang_up) as port:
        text = await no_link(Http2Dialer("127.0.0.1", port, agent_tls()))
    assert text.startswith(f"127.0.0.1:{port}: no link: it hung up before it said anything")


async def test_dropped_before_it_is_a_connection() -> None:
    """A load balancer with nobody behind it may be so quick that connecting fails by its reset."""

    async def connect(host: str, port: int) -> trio.abc.Stream:
        raise OSError(f"all attempts to connect to {host}:{port} failed") from ConnectionResetError("reset")

    text = await no_link(Http2Dialer("hub", 8443, agent_tls(), connect=connect))
    assert text == "hub:8443: no link: all attempts to connect to hub:8443 failed"


async def test_hanging_up_amid_the_handshake() -> None:
    """Whoever has said something has had work with us."""

    async def hang_up(stream: trio.SocketStream) -> None:
        await stream.receive_some(1)
        await stream.send_all(b"\x16\x03\x03")

    async with plain_server(hang_up) as port:
        text = await no_link(Http2Dialer("127.0.0.1", port, agent_tls()), anybody=True)
    assert text.startswith(f"127.0.0.1:{port}: no link: ")


async def test_nothing_comes_back(autojump_clock: trio.testing.MockClock) -> None:
    """A peer that accepts and then is silent is given up after the time allowed, to the second."""
    ours, theirs = trio.testing.memory_stream_pair()

    async def connect(host: str, port: int) -> trio.abc.Stream:
        return ours

    text = await no_link(Http2Dialer("hub", 8443, agent_tls(), connect=connect), anybody=True)
    assert text == "hub:8443: no TLS connection within 10 s"
    assert trio.current_time() == pytest.approx(DIAL_TIMEOUT)
    # Our side of it was closed.
    while await theirs.receive_some(65_536):
        pass


async def test_a_web_server_is_no_principal() -> None:
    """404 means a wrong address."""

    async def not_found(exchange: Exchange) -> None:
        await exchange.respond(404)

    async with web_server(not_found) as port:
        refusal = await refused(Http2Dialer("127.0.0.1", port, agent_tls()))
        assert "this is no principal" in refusal.detail


async def test_a_principal_that_is_not_ready() -> None:
    """503 says when to come back."""

    async def later(exchange: Exchange) -> None:
        await exchange.respond(503, [("retry-after", "7")], b"caches are filling")

    async with web_server(later) as port:
        refusal = await refused(Http2Dialer("127.0.0.1", port, agent_tls()))
        assert (refusal.reason, refusal.retry_after) == (Reason.NOT_READY, 7.0)
        assert refusal.detail.endswith(": caches are filling")


def test_what_a_proxy_says_stays_one_line() -> None:
    """Neither line ends nor control characters of an answer reach the log."""
    error = answered(502, "<html>\r\n  bad\x1b[31m\tgateway", 0.0, where="hub:443")
    assert isinstance(error, LinkBroken)
    assert str(error) == "hub:443: the principal, or a proxy before it, answered 502: <html> bad [31m gateway"


async def test_what_the_body_raises_leaves_alone() -> None:
    """The caller's own error comes out of the context as it is, not in a group."""
    async with open_hub() as hub:
        error = ValueError("mine")
        with pytest.raises(ValueError, match="mine") as caught:
            async with hub.dialer().dial():
                raise error
        assert caught.value is error


async def test_a_group_that_the_body_raises_stays_whole() -> None:
    """A nursery in the body that fails twice loses neither of its errors."""

    async def fail(text: str) -> None:
        raise ValueError(text)

    async with open_hub() as hub:
        both = (pytest.RaisesExc(ValueError, match=text) for text in ("one", "two"))
        with pytest.RaisesGroup(*both):
            async with hub.dialer().dial(), trio.open_nursery() as nursery:
                nursery.start_soon(fail, "one")
                nursery.start_soon(fail, "two")


async def test_dialling_can_be_cancelled() -> None:
    """Cancelling it in the middle leaves nothing behind and is not turned into an error."""
    arrived = trio.Event()
    closed = trio.Event()

    async def silent(stream: trio.SocketStream) -> None:
        arrived.set()
        while await stream.receive_some(65_536):
            pass
        closed.set()

    async with plain_server(silent) as port:

        async def dial() -> None:
            async with Http2Dialer("127.0.0.1", port, agent_tls()).dial():
                raise AssertionError("there is a link")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(dial)
            await arrived.wait()
            nursery.cancel_scope.cancel()
        await closed.wait()
