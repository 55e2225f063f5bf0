"""Whatever carries links keeps the contract of every ``Transport``: in memory, on loopback, proxied."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio

from trio_argoagent.net.connect import tunnel
from trio_argoagent.net.dialling import Connect
from trio_argoagent.net.proxy import Proxy
from trio_argoagent.ports.transport import Dialer
from trio_argoagent.stream.dial import Http2Dialer
from trio_argoagent.stream.listen import Http2Listener
from trio_argoagent.stream.websocket_dial import WebSocketDialer
from trio_argoagent.testing.forwardproxy import ForwardProxy
from trio_argoagent.testing.network import Network
from trio_argoagent.testing.transport_contract import Transport, TransportContract
from trio_argoagent.testing.transport_troubles import TroubleContract
from trio_argoagent.testing.tunnel_contract import TunnelContract
from trio_argoagent.testing.wire import WireNetwork

from ..unit.stream.loopback import ADMISSION, BOTH, agent_tls, client_pem, principal_tls

QUICK = (0.0, 0.0005)
"""No latency to speak of: the suites run on the real clock."""


class TestMemory(TransportContract, TroubleContract, TunnelContract):
    """The suites over the simulator's network."""

    @pytest.fixture
    def transport(self) -> Transport:
        """Whole frames."""
        network = Network(random.Random(1), latency=QUICK)
        return Transport(network.listener(), network.dialer)


def wire(*, websocket: bool = False, proxied: bool = False) -> Transport:
    """Bytes in memory, cut anywhere."""
    network = WireNetwork(random.Random(1), websocket=websocket, proxied=proxied, latency=QUICK)
    return Transport(network.listener(), network.dialer)


class TestWire(TransportContract, TroubleContract, TunnelContract):
    """The suites over the simulator's HTTP/2."""

    @pytest.fixture
    def transport(self) -> Transport:
        """Straight."""
        return wire()


class TestWireWebSocket(TransportContract, TroubleContract, TunnelContract):
    """The suites over the simulator's WebSockets."""

    @pytest.fixture
    def transport(self) -> Transport:
        """Straight."""
        return wire(websocket=True)


class TestWireProxied(TransportContract, TroubleContract):
    """The suites over either, through a proxy in memory."""

    @pytest.fixture(params=[False, True], ids=["http2", "websocket"])
    def transport(self, request: pytest.FixtureRequest) -> Transport:
        """All agents go through it."""
        return wire(websocket=request.param, proxied=True)


def http2_dialer(name: str, port: int, connect: Connect) -> Dialer:
    """An agent's way over HTTP/2."""
    return Http2Dialer("127.0.0.1", port, agent_tls(client_pem(agent=name)), connect=connect)


def web_dialer(name: str, port: int, connect: Connect) -> Dialer:
    """Likewise over WebSockets."""
    context = agent_tls(client_pem(agent=name), alpn=("http/1.1",))
    return WebSocketDialer("127.0.0.1", port, context, connect=connect)


@asynccontextmanager
async def loopback(
    dialer: Callable[[str, int, Connect], Dialer], connect: Connect = trio.open_tcp_stream
) -> AsyncIterator[Transport]:
    """A free port of this machine that takes both, and a certificate for each agent."""
    sockets = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = sockets[0].socket.getsockname()[1]
    listener = Http2Listener(sockets, principal_tls(alpn=BOTH), ADMISSION, lambda error: None, True)
    yield Transport(listener, lambda name: dialer(name, port, connect))
    for each in sockets:
        await each.aclose()


class TestHttp2(TransportContract, TroubleContract, TunnelContract):
    """The suites over the whole way: frames, HTTP/2, TLS, sockets."""

    @pytest.fixture
    async def transport(self) -> AsyncIterator[Transport]:
        """Straight."""
        async with loopback(http2_dialer) as transport:
            yield transport


class TestWebSocket(TransportContract, TroubleContract, TunnelContract):
    """Likewise over WebSockets."""

    @pytest.fixture
    async def transport(self) -> AsyncIterator[Transport]:
        """Straight."""
        async with loopback(web_dialer) as transport:
            yield transport


class TestProxied(TransportContract):
    """The suite through a forward proxy on loopback."""

    @pytest.fixture(params=[http2_dialer, web_dialer], ids=["http2", "websocket"])
    async def transport(
        self, request: pytest.FixtureRequest, nursery: trio.Nursery
    ) -> AsyncIterator[Transport]:
        """All agents go through it."""
        proxies = await trio.open_tcp_listeners(0, host="127.0.0.1")
        await nursery.start(trio.serve_listeners, ForwardProxy().serve, proxies)
        through = tunnel(Proxy("127.0.0.1", proxies[0].socket.getsockname()[1]))
        async with loopback(request.param, through) as transport:
            yield transport
