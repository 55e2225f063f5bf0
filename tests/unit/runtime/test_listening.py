"""Listening sockets are closed whatever happens between binding and serving."""

from __future__ import annotations

import errno

import pytest
import trio

from trio_argoagent.runtime.listening import open_listeners

LOOPBACK = "127.0.0.1"


async def test_the_port_is_free_again_after_a_cancellation() -> None:
    """Stopped before anybody served, the next start gets the same port."""
    port = 0
    with trio.CancelScope() as scope:
        async with open_listeners(LOOPBACK, 0) as listeners:
            port = listeners[0].socket.getsockname()[1]
            scope.cancel()
            await trio.sleep_forever()
    async with open_listeners(LOOPBACK, port) as listeners:
        assert listeners[0].socket.getsockname()[1] == port


async def test_a_server_may_have_closed_them() -> None:
    """Closing twice is no error."""
    async with open_listeners(LOOPBACK, 0) as listeners:
        await listeners[0].aclose()


async def test_a_port_in_use() -> None:
    """The caller hears of it."""
    async with open_listeners(LOOPBACK, 0) as listeners:
        port = listeners[0].socket.getsockname()[1]
        with pytest.raises(OSError) as caught:
            async with open_listeners(LOOPBACK, port):
                pass
    assert caught.value.errno == errno.EADDRINUSE
