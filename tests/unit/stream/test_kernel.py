"""What the kernel is told of a link's connection, on both sides of a real one."""

from __future__ import annotations

import socket
from typing import Any

import pytest
import trio

from trio_argoagent.net.sockets import USER_TIMEOUT

from .loopback import open_hub


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this platform has no TCP_USER_TIMEOUT")
@pytest.mark.parametrize("websocket", [False, True])
async def test_unacknowledged_bytes_end_a_link(monkeypatch: pytest.MonkeyPatch, websocket: bool) -> None:
    """The socket that the agent dials with and the one that the principal accepts, under either transport."""
    made: list[trio.SocketStream] = []
    original = trio.SocketStream.__init__

    def remember(self: trio.SocketStream, given: Any) -> None:
        original(self, given)
        made.append(self)

    monkeypatch.setattr(trio.SocketStream, "__init__", remember)
    async with open_hub(websocket=websocket) as hub:
        dialer = hub.web_dialer() if websocket else hub.dialer()
        async with dialer.dial() as link:
            link.send_nowait(b"hello")
            assert list(await link.receive()) == [b"hello"]
            ports = {stream.socket.getsockname()[1] == hub.port for stream in made}
            assert ports == {True, False}, "both sides are seen"
            for stream in made:
                told = stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
                assert told == USER_TIMEOUT
