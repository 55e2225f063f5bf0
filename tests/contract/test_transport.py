"""Links in memory, and HTTP/2 over TLS on loopback, keep the contract of every ``Transport``."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import pytest
import trio

from trio_argoagent.pki.names import agent_name
from trio_argoagent.stream.dial import Http2Dialer
from trio_argoagent.stream.listen import Http2Listener
from trio_argoagent.stream.websocket_dial import WebSocketDialer
from trio_argoagent.testing.network import Network
from trio_argoagent.testing.transport_contract import Transport, TransportContract
from trio_argoagent.testing.tunnel_contract import TunnelContract
from trio_argoagent.testing.wire import WireNetwork

from ..unit.stream.loopback import BOTH, agent_tls, client_pem, principal_tls


class TestMemory(TransportContract, TunnelContract):
    """The suite over the simulator's network."""

    @pytest.fixture
    def transport(self) -> Transport:
        """A network without latency to speak of: the suite runs on the real clock."""
        network = Network(random.Random(1), latency=(0.0, 0.0005))
        return Transport(network.listener(), network.dialer)


class TestWire(TransportContract, TunnelContract):
    """The suite over the simulator's HTTP/2: bytes in memory, cut anywhere."""

    @pytest.fixture
    def transport(self) -> Transport:
        """Likewise without latency to speak of."""
        network = WireNetwork(random.Random(1), latency=(0.0, 0.0005))
        return Transport(network.listener(), network.dialer)


class TestWebSocket(TransportContract, TunnelContract):
    """The suite over WebSockets: TLS, sockets, the principal's one port."""

    @pytest.fixture
    async def transport(self) -> AsyncIterator[Transport]:
        """As for HTTP/2."""
        sockets = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = sockets[0].socket.getsockname()[1]

        def dialer(name: str) -> WebSocketDialer:
            context = agent_tls(client_pem(agent=name), alpn=("http/1.1",))
            return WebSocketDialer("127.0.0.1", port, context)

        context = principal_tls(alpn=BOTH)
        yield Transport(Http2Listener(sockets, context, agent_name, lambda error: None, True), dialer)
        for listener in sockets:
            await listener.aclose()


class TestHttp2(TransportContract, TunnelContract):
    """The suite over the whole way: frames, HTTP/2, TLS, sockets."""

    @pytest.fixture
    async def transport(self) -> AsyncIterator[Transport]:
        """A free port of this machine, and a certificate for each agent."""
        sockets = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = sockets[0].socket.getsockname()[1]

        def dialer(name: str) -> Http2Dialer:
            return Http2Dialer("127.0.0.1", port, agent_tls(client_pem(agent=name)))

        yield Transport(Http2Listener(sockets, principal_tls(), agent_name, lambda error: None), dialer)
        for listener in sockets:
            await listener.aclose()
