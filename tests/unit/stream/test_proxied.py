"""A link through a forward proxy, and the line that says why there is none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio
import trio.testing

from trio_argoagent.errors import LinkBroken, Unreachable
from trio_argoagent.net.connect import ANSWER_TIMEOUT, tunnel
from trio_argoagent.net.errors import ProxyFailed
from trio_argoagent.net.proxy import Proxy, parse_proxy
from trio_argoagent.stream.dial import DIAL_TIMEOUT, Http2Dialer
from trio_argoagent.stream.explain import explain
from trio_argoagent.testing.forwardproxy import ForwardProxy

from .loopback import agent_tls, open_hub, principal_tls, server_pem
from .test_dial import plain_server

HUB = "hub.example"
"""A name that only the proxy can resolve."""


@asynccontextmanager
async def open_proxy(port: int, authorization: str = "") -> AsyncIterator[tuple[ForwardProxy, int]]:
    """A proxy on loopback that finds everything at that port of loopback; and its own port."""

    async def connect(host: str, _: int) -> trio.abc.Stream:
        return await trio.open_tcp_stream("127.0.0.1", port)

    proxy = ForwardProxy(connect, authorization=authorization)
    async with plain_server(proxy.serve) as here:
        yield proxy, here


def through(url: str) -> Http2Dialer:
    """An agent's way through that proxy."""
    return Http2Dialer(HUB, 8443, agent_tls(), connect=tunnel(parse_proxy(url)))


async def test_a_link_through_a_proxy_with_a_password() -> None:
    """The proxy sees where to and who asks; TLS is end to end, and the proxy alone resolves the name."""
    wanted = parse_proxy("http://me:secret@p:1").authorization
    async with open_hub(context=principal_tls(server_pem(host=HUB))) as hub:
        async with open_proxy(hub.port, wanted) as (proxy, port):
            async with through(f"http://me:secret@127.0.0.1:{port}").dial() as link:
                link.send_nowait(b"x" * 300_000)
                assert await link.receive() == [b"x" * 300_000]
                assert (link.peer.name, link.peer.address) == (HUB, f"{HUB}:8443")
                await link.close()
                assert not await link.receive()
        assert proxy.asked == [f"{HUB}:8443"]


async def line(url: str) -> str:
    """Why there is no link through that proxy."""
    with pytest.raises(LinkBroken) as caught:
        async with through(url).dial():
            raise AssertionError("there is a link")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("user", "remedy"),
    [
        ("", "it wants a user and a password; write its URL as http://user:password@host:port"),
        ("me:wrong@", "it does not accept the user and the password in its URL"),
    ],
)
async def test_passwords(user: str, remedy: str) -> None:
    """A missing password and a wrong one have different remedies; none is shown."""
    async with open_proxy(1, "Basic bwU6c2VjcmV0") as (_, port):
        said = await line(f"http://{user}127.0.0.1:{port}")
    where = f"{HUB}:8443: the proxy 127.0.0.1:{port}: 407 Proxy Authentication Required: "
    assert said == where + remedy


REMEDIES = {
    b"HTTP/1.1 403 Forbidden\r\n\r\n": "403 Forbidden: it does not allow hub.example:8443: have it allowed"
    " there, or put the host into NO_PROXY",
    b"HTTP/1.1 405 No\r\n\r\n": "405 No: it takes no CONNECT: is this address that of a forward proxy?",
    b"HTTP/1.1 502 Bad Gateway\r\n\r\n": "502 Bad Gateway: it cannot reach hub.example:8443: check host and"
    " port, and whether the proxy can resolve the name",
    b"HTTP/1.1 429 Slow down\r\n\r\n": "it refuses: 429 Slow down",
    b"HTTP/1.1 429 Slow\x9b2J  down\r\n\r\n": "it refuses: 429 Slow 2J down",
    b"SSH-2.0-OpenSSH_9.2\r\n\r\n": "it does not speak HTTP: check its address, and http:// or https://",
    b"": "it hung up",
}


@pytest.mark.parametrize("answer", REMEDIES)
async def test_what_a_proxy_answers(answer: bytes) -> None:
    """Each answer is one line that names the proxy, what it said, and what to do."""

    async def speak(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(answer)
        await stream.aclose()

    async with plain_server(speak) as port:
        said = await line(f"http://127.0.0.1:{port}")
    assert said == f"{HUB}:8443: the proxy 127.0.0.1:{port}: {REMEDIES[answer]}"


async def test_a_proxy_that_is_not_there() -> None:
    """It is the proxy that refuses the connection: nobody is sent to look at the principal."""
    async with plain_server(trio.aclose_forcefully) as port:
        pass
    said = await line(f"http://127.0.0.1:{port}")
    assert said.startswith(f"{HUB}:8443: the proxy 127.0.0.1:{port}: ")
    assert said.endswith(": check its address") and "principal" not in said


def test_what_has_cost_nobody_anything() -> None:
    """Where there was nobody, an agent may soon ask again; a proxy that says no is not pestered."""
    for nobody, kind in ((True, Unreachable), (False, LinkBroken)):
        assert type(explain(ProxyFailed("the proxy", nobody=nobody), host=HUB, where=HUB)) is kind


async def test_a_proxy_that_does_not_answer(autojump_clock: trio.testing.MockClock) -> None:
    """It is named before the dialler loses its own patience."""
    ours, _theirs = trio.testing.memory_stream_pair()

    async def connect(host: str, port: int) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        return ours

    dialer = Http2Dialer(HUB, 8443, agent_tls(), connect=tunnel(Proxy("p", 3128), connect))
    assert ANSWER_TIMEOUT < DIAL_TIMEOUT
    with pytest.raises(LinkBroken, match=r"^hub.example:8443: the proxy p:3128: no answer within 8 s$"):
        async with dialer.dial():
            pass
    assert trio.current_time() == ANSWER_TIMEOUT


async def test_a_cancelled_dialler_leaves_no_tunnel() -> None:
    """The proxy's connection is closed with the dial that asked for it."""
    asked, closed = trio.Event(), trio.Event()

    async def speak(stream: trio.SocketStream) -> None:
        while await stream.receive_some():
            asked.set()
        closed.set()

    async with plain_server(speak) as port, trio.open_nursery() as nursery:
        nursery.start_soon(partial(line, f"http://127.0.0.1:{port}"))
        await asked.wait()
        nursery.cancel_scope.cancel()
        with trio.CancelScope(shield=True), trio.fail_after(10):
            await closed.wait()
    assert closed.is_set()
