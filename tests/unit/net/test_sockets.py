"""The direct way to a socket says what the stream says, and waits only where it has to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from trio_argoagent.net.peeked import Peeked
from trio_argoagent.net.sockets import port
from trio_argoagent.net.tls import TlsStream, close_socket

from .identities import Authority, Identity
from .test_tls import contexts


@asynccontextmanager
async def joined() -> AsyncIterator[tuple[trio.SocketStream, trio.SocketStream]]:
    """Two ends of a connection over loopback."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        near = await trio.testing.open_stream_to_socket_listener(listener)
        far = await listener.accept()
    async with near, far:
        yield near, far


async def test_more_than_the_kernel_takes() -> None:
    """All of it arrives, in order, while somebody reads at the other end; then the end."""
    body = b"".join(number.to_bytes(4) for number in range(4_000_000))
    got = bytearray()
    async with joined() as (near, far), trio.open_nursery() as nursery:

        async def send() -> None:
            await port(near).send_all(body)
            await near.send_eof()

        nursery.start_soon(send)
        while piece := await port(far).receive_some(65_536):
            got += piece
    assert got == body


async def test_what_the_kernel_takes_is_not_waited_for() -> None:
    """A small send is no checkpoint, so it costs no pass of the scheduler; receiving is one."""
    async with joined() as (near, far):
        with trio.testing.assert_no_checkpoints():
            await port(near).send_all(b"small")
        with trio.testing.assert_checkpoints():
            assert await port(far).receive_some(100) == b"small"


async def test_closed_here() -> None:
    """Whoever waits is told; afterwards nothing reaches a number that may be another connection's."""
    async with joined() as (near, far):
        direct = port(near)

        async def wait() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await direct.receive_some(1)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await trio.testing.wait_all_tasks_blocked()
            await near.aclose()
        async with joined() as (other, _):
            with pytest.raises(trio.ClosedResourceError):
                await direct.send_all(b"for somebody else")
            with pytest.raises(trio.ClosedResourceError):
                await direct.receive_some(1)
            assert other.socket.fileno() >= 0
        assert await port(far).receive_some(1) == b""


async def test_gone_there() -> None:
    """A peer that has closed with our bytes unread breaks the connection."""
    async with joined() as (near, far):
        direct = port(near)
        await direct.send_all(b"unread")
        await trio.lowlevel.wait_readable(far.socket.fileno())
        await far.aclose()
        with pytest.raises(trio.BrokenResourceError):
            await direct.receive_some(1)
        with pytest.raises(trio.BrokenResourceError):
            await direct.send_all(b"more")


def test_other_streams_are_their_own_way() -> None:
    """Memory, tunnels, proxies: nothing is added and nothing is left out."""
    near, _ = trio.testing.memory_stream_pair()
    assert port(near) is near


async def test_a_socket_is_closed_without_a_wait(authority: Authority, server_identity: Identity) -> None:
    """Whatever stands on it; what is no socket is left to whoever can wait."""
    server, _ = contexts(authority, server_identity)
    async with joined() as (near, far):
        with trio.testing.assert_no_checkpoints():
            assert close_socket(TlsStream(Peeked(near), server, server_side=True))
            assert close_socket(near)  # again: nothing happens
        assert near.socket.fileno() < 0
        with pytest.raises(trio.ClosedResourceError):
            await near.receive_some()
        assert await far.receive_some() == b""
    assert not close_socket(trio.testing.memory_stream_pair()[0])
