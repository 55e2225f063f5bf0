"""What tunnels may lead to on a spoke."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import pytest
import trio
from trio.testing import memory_stream_pair

from trio_argoagent.agent.targets import TCP, make_targets
from trio_argoagent.errors import TunnelRefused, UserError
from trio_argoagent.net.dialling import Connect
from trio_argoagent.ports.transport import Tunnel
from trio_argoagent.stream.protocol.reasons import NoTunnel

from ..replication.links import link_pair

Story = Callable[[Tunnel], Awaitable[None]]
ID = "0" * 32


async def nobody(host: str, port: int) -> trio.abc.Stream:
    """Whoever is dialled refuses."""
    raise ConnectionRefusedError("connection refused")


async def lead(metadata: Mapping[str, str], allowed: tuple[str, ...], connect: Connect, story: Story) -> None:
    """Ask for a tunnel to TCP, and use it."""
    mine, theirs, _ = link_pair()
    target = make_targets(allowed, connect)[TCP]

    async def use() -> None:
        async with await theirs.accept_tunnel(ID, 60.0) as tunnel:
            await story(tunnel)

    failure: Exception | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(use)
        try:
            await target(metadata, lambda: mine.open_tunnel(ID))
        except TunnelRefused as exc:
            failure = exc
            nursery.cancel_scope.cancel()
        except trio.BrokenResourceError as exc:
            failure = exc
    if failure is not None:
        raise failure


async def unused(tunnel: Tunnel) -> None:
    """There should be none."""
    pytest.fail("it was opened")


async def refused(metadata: Mapping[str, str], allowed: tuple[str, ...] = ()) -> TunnelRefused:
    """Why there is no such tunnel."""
    with pytest.raises(TunnelRefused) as caught:
        await lead(metadata, allowed, nobody, unused)
    return caught.value


async def test_a_pipe_to_an_address(autojump_clock: trio.testing.MockClock) -> None:
    """Bytes and ends pass both ways, to the address that was asked for and no other."""
    far, server = memory_stream_pair()
    dialled: list[tuple[str, int]] = []

    async def connect(host: str, port: int) -> trio.abc.Stream:
        dialled.append((host, port))
        return far

    async def story(tunnel: Tunnel) -> None:
        await tunnel.send_all(b"question")
        assert await server.receive_some() == b"question"
        await tunnel.send_eof()
        assert await server.receive_some() == b""
        await server.send_all(b"answer")
        await server.send_eof()
        assert await tunnel.receive_some() == b"answer"
        assert await tunnel.receive_some() == b""

    await lead({"address": "redis.argocd:6379"}, ("other:1", "redis.argocd:6379"), connect, story)
    assert dialled == [("redis.argocd", 6379)]


async def test_a_server_that_hangs_up_is_no_end(autojump_clock: trio.testing.MockClock) -> None:
    """The tunnel breaks: half of an answer must not look like all of it."""
    far, server = memory_stream_pair()

    async def connect(host: str, port: int) -> trio.abc.Stream:
        return far

    async def story(tunnel: Tunnel) -> None:
        assert server.receive_stream is not None
        server.receive_stream.close()
        await tunnel.send_all(b"question")
        with pytest.raises(trio.BrokenResourceError):
            await tunnel.receive_some()

    with pytest.raises(trio.BrokenResourceError):
        await lead({"address": "a:1"}, ("a:1",), connect, story)


async def test_only_where_it_is_allowed(autojump_clock: trio.testing.MockClock) -> None:
    """By default nowhere; the sentence names the flag. Nothing is dialled, so nobody can scan a network."""
    for allowed in ((), ("a:2", "b:1")):
        refusal = await refused({"address": "a:1"}, allowed)
        assert refusal.reason == NoTunnel.FORBIDDEN
        assert "a:1: add it to the agent's --tunnel-addresses" in refusal.detail
    assert (await refused({}, ("a:1",))).reason == NoTunnel.FORBIDDEN
    assert (await refused({"address": "a:1:2"}, ("a:1",))).reason == NoTunnel.FORBIDDEN


async def test_nobody_answers(autojump_clock: trio.testing.MockClock) -> None:
    """Whoever asked reads what the agent's machine says."""
    refusal = await refused({"address": "a:1"}, ("a:1",))
    assert refusal.reason == NoTunnel.UNREACHABLE
    assert refusal.detail == "a:1 cannot be reached from it: connection refused"


def test_an_address_that_is_none() -> None:
    """The operator learns of it before anything runs."""
    with pytest.raises(UserError, match="has no port"):
        make_targets(("redis",))
