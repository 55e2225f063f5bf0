"""Tunnels of a whole fleet: from the principal's peer to a target on the spoke, and how they end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio

from trio_argoagent.errors import LinkBroken, LocalProtocolError, TunnelRefused
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.transport import MAX_TUNNELS
from trio_argoagent.principal.peer import Peer
from trio_argoagent.stream.protocol.negotiation import OURS, Capability
from trio_argoagent.stream.protocol.reasons import NoTunnel
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.fleet import Fleet, SpokePlan, open_fleet
from trio_argoagent.testing.networks import LEVELS
from trio_argoagent.testing.scheduling import simulate

Story = Callable[[Fleet, Peer], Awaitable[None]]
BYTES = bytes(range(256)) * 4096


@pytest.fixture(params=LEVELS)
def level(request: pytest.FixtureRequest) -> int:
    """Frames in memory, and HTTP/2 over bytes in memory."""
    found: int = request.param
    return found


def play(level: int, story: Story, *, able: bool = True) -> None:
    """Tell it on a fleet of two spokes that are connected."""
    offers = {} if able else {"m1": OURS.without(Capability.TUNNEL)}

    async def main() -> None:
        async with open_fleet((SpokePlan("m1"), SpokePlan("m2")), level=level, offers=offers) as fleet:
            await fleet.until(lambda: fleet.network.links("m1") == fleet.network.links("m2") == 1)
            await trio.sleep(5)
            await story(fleet, peer_of(fleet))

    simulate(main, seed=4)


def peer_of(fleet: Fleet, name: str = "m1") -> Peer:
    """The agent as the principal knows it."""
    assert fleet.principal.instance is not None
    return fleet.principal.instance.peers[name]


async def echoed(peer: Peer, data: bytes = BYTES) -> bytes:
    """What comes back of this."""
    back = bytearray()
    async with peer.tunnels.open("echo") as tunnel, trio.open_nursery() as nursery:

        async def say() -> None:
            await tunnel.send_all(data)
            await tunnel.send_eof()

        nursery.start_soon(say)
        while piece := await tunnel.receive_some():
            back += piece
    return bytes(back)


def test_there_and_back(level: int) -> None:
    """All bytes, in order, to the clean end; and both sides have counted them."""

    async def story(fleet: Fleet, peer: Peer) -> None:
        assert await echoed(peer) == BYTES
        agent = fleet.agents["m1"].instance
        assert agent is not None
        for traffic in (peer.status().traffic, agent.status().traffic):
            carried = (traffic.tunnels, traffic.tunnel_bytes_sent, traffic.tunnel_bytes_received)
            assert carried == (1, len(BYTES), len(BYTES))

    play(level, story)


def test_many_beside_replication(level: int) -> None:
    """As many as there may be, all at once, while the fleet does its work; one more is refused."""

    async def story(fleet: Fleet, peer: Peer) -> None:
        done: list[int] = []

        async def one(number: int) -> None:
            text = bytes([number]) * 100_000
            async with peer.tunnels.open("echo") as tunnel:
                await all_open.wait()
                assert await echo_within(tunnel, text) == text
            done.append(number)

        async def echo_within(tunnel: trio.abc.HalfCloseableStream, text: bytes) -> bytes:
            back = bytearray()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(tunnel.send_all, text)
                while len(back) < len(text):
                    back += await tunnel.receive_some()
            return bytes(back)

        all_open = trio.Event()
        async with trio.open_nursery() as nursery:
            for number in range(MAX_TUNNELS):
                nursery.start_soon(one, number)
            await trio.sleep(5)
            with pytest.raises(TunnelRefused, match="too-many: this link has 64 tunnels"):
                await echoed(peer)
            await fleet.hub_as("user").create(APPLICATIONS, application("web", namespace="m1"))
            all_open.set()
        assert sorted(done) == [*range(MAX_TUNNELS)]
        await fleet.wait_consistent()
        assert await echoed(peer) == BYTES

    play(level, story)


def test_what_the_agent_does_not_have(level: int) -> None:
    """Whoever asked reads why, and nothing is left of it."""

    async def story(fleet: Fleet, peer: Peer) -> None:
        for target, metadata, reason, sentence in (
            ("redis", {}, NoTunnel.UNKNOWN_TARGET, "agent m1: it has no redis, only: echo, tcp"),
            ("tcp", {"address": "10.0.0.1:22"}, NoTunnel.FORBIDDEN, "the agent's --tunnel-addresses"),
            ("tcp", {}, NoTunnel.FORBIDDEN, "is not an address"),
        ):
            with pytest.raises(TunnelRefused, match=sentence) as refused:
                async with peer.tunnels.open(target, metadata):
                    pytest.fail("it was opened")
            assert refused.value.reason == reason
        with pytest.raises(LocalProtocolError):
            async with peer.tunnels.open("No Target"):
                pytest.fail("it was opened")
        assert await echoed(peer) == BYTES
        assert peer.links == 1

    play(level, story)


def test_an_agent_without_tunnels(level: int) -> None:
    """It is not asked, so its link stays; who wants one reads what to do."""

    async def story(fleet: Fleet, peer: Peer) -> None:
        with pytest.raises(TunnelRefused, match="agent m1 is of a version without tunnels: upgrade"):
            await echoed(peer)
        assert await echoed(peer_of(fleet, "m2")) == BYTES
        assert peer.links == 1

    play(level, story, able=False)


def test_an_agent_that_is_away(level: int) -> None:
    """There is nobody to ask, and that is said at once."""

    async def story(fleet: Fleet, peer: Peer) -> None:
        fleet.agents["m1"].crash()
        await fleet.until(lambda: peer.link is None)
        with pytest.raises(TunnelRefused, match="not-connected: agent m1 is not connected"):
            await echoed(peer)

    play(level, story)


def test_the_link_is_cut(level: int) -> None:
    """Who reads sees it broken, who waits elsewhere is cancelled and told; the next link has them again."""

    async def story(fleet: Fleet, peer: Peer) -> None:
        told: list[str] = []

        async def read() -> None:
            with pytest.raises((trio.BrokenResourceError, LinkBroken)):
                async with peer.tunnels.open("echo") as tunnel:
                    await tunnel.receive_some()
            told.append("reader")

        async def wait() -> None:
            with pytest.raises(LinkBroken):
                async with peer.tunnels.open("echo"):
                    await trio.sleep_forever()
            told.append("waiter")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            nursery.start_soon(wait)
            await trio.sleep(2)
            fleet.network.cut("m1")
            assert await echoed(peer_of(fleet, "m2")) == BYTES
        assert sorted(told) == ["reader", "waiter"]
        fleet.network.heal("m1")
        await fleet.until(lambda: peer.link is not None)
        await trio.sleep(2)
        assert await echoed(peer) == BYTES

    play(level, story)


def test_nobody_reads(level: int) -> None:
    """A tunnel whose user does not read holds what its windows hold; replication and other tunnels go on."""

    async def story(fleet: Fleet, peer: Peer) -> None:
        sent = 0

        async def pour() -> None:
            nonlocal sent
            async with peer.tunnels.open("echo") as tunnel:
                while True:
                    await tunnel.send_all(bytes(65536))
                    sent += 65536

        async with trio.open_nursery() as nursery:
            nursery.start_soon(pour)
            await trio.sleep(30)
            held = sent
            assert 0 < held < 8 * 1024 * 1024
            await fleet.hub_as("user").create(APPLICATIONS, application("web", namespace="m1"))
            await fleet.wait_consistent()
            assert await echoed(peer) == BYTES
            assert sent == held
            nursery.cancel_scope.cancel()
        assert await echoed(peer) == BYTES

    play(level, story)


def test_the_same_seed_the_same_tunnels(level: int) -> None:
    """Nothing in them escapes the seed."""
    seen: list[list[float]] = []

    async def story(fleet: Fleet, peer: Peer) -> None:
        times: list[float] = []
        for _ in range(5):
            await echoed(peer, bytes(10_000))
            times.append(trio.current_time())
        seen.append(times)

    play(level, story)
    play(level, story)
    assert seen[0] == seen[1]
