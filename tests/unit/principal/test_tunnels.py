"""Agents that are asked for tunnels and behave badly: their own link suffers, and nobody else's."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.errors import LinkBroken, TunnelRefused
from trio_argoagent.ports.transport import MAX_TUNNELS, Tunnel
from trio_argoagent.principal.tunnels import WITHIN
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.stream.protocol.negotiation import Capability

from .hub import Agent, Hub, open_hub

ABLE = (Capability.TUNNEL.value,)


async def asked(agent: Agent, number: int = 1) -> list[m.Open]:
    """What the agent has been asked for, once it is so many."""
    with trio.fail_after(60):
        while len(found := [each for each in agent.heard if isinstance(each, m.Open)]) < number:
            await agent.wait_change()
    return found


async def use(hub: Hub, name: str, seen: list[str]) -> None:
    """Ask for a tunnel, hear one answer, and note how it went."""
    try:
        async with hub.principal.peers[name].tunnels.open("echo") as tunnel:
            seen.append((await tunnel.receive_some()).decode())
    except (TunnelRefused, LinkBroken, trio.BrokenResourceError) as exc:
        seen.append(str(exc))


async def works(hub: Hub, name: str) -> None:
    """Another agent's tunnel is undisturbed."""
    agent, seen = await hub.join(name, capabilities=ABLE), list[str]()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(use, hub, name, seen)
        (open_,) = await asked(agent)
        async with await agent.link.open_tunnel(open_.tunnel_id) as tunnel:
            await tunnel.send_all(b"fine")
    assert seen == ["fine"]


async def test_what_is_asked(autojump_clock: MockClock) -> None:
    """Each id is another one, long enough that nobody guesses it; metadata come as they were given."""
    async with open_hub("a1") as hub:
        agent = await hub.join("a1", capabilities=ABLE)
        for _ in range(3):
            with trio.move_on_after(1):
                async with hub.principal.peers["a1"].tunnels.open("tcp", {"address": "x:1"}):
                    pytest.fail("it was opened")
        found = await asked(agent, 3)
        assert len({each.tunnel_id for each in found}) == 3
        assert {(len(each.tunnel_id), each.target, each.metadata, each.within) for each in found} == {
            (32, "tcp", (("address", "x:1"),), WITHIN)
        }


async def test_an_agent_that_never_opens(autojump_clock: MockClock) -> None:
    """Whoever waits is told after ten seconds, and coming late is no use."""
    async with open_hub("a1", "a2") as hub:
        agent, seen = await hub.join("a1", capabilities=ABLE), list[str]()
        began = trio.current_time()
        await use(hub, "a1", seen)
        assert seen == ["timeout: the agent has not opened it within 10 s"]
        assert trio.current_time() == pytest.approx(began + WITHIN, abs=1)
        (open_,) = await asked(agent)
        with pytest.raises(TunnelRefused, match="not-awaited"):
            await agent.link.open_tunnel(open_.tunnel_id)
        await works(hub, "a2")


async def test_an_agent_that_is_never_asked_and_declines(autojump_clock: MockClock) -> None:
    """A refusal of what nobody wants changes nothing; the reason of a later version is shown."""
    async with open_hub("a1") as hub:
        agent, seen = await hub.join("a1", capabilities=ABLE), list[str]()
        agent.say(m.Decline("0" * 32, m.NoTunnel.FORBIDDEN, "why not"))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(use, hub, "a1", seen)
            (open_,) = await asked(agent)
            agent.say(m.Decline(open_.tunnel_id, m.NoTunnel.OTHER, "the moon is full"))
        assert seen == ["other: agent a1: the moon is full"]
        assert not agent.ended


async def test_an_agent_that_declines_what_it_has_opened(autojump_clock: MockClock) -> None:
    """It is open, and stays so."""
    async with open_hub("a1") as hub:
        agent, seen = await hub.join("a1", capabilities=ABLE), list[str]()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(use, hub, "a1", seen)
            (open_,) = await asked(agent)
            async with await agent.link.open_tunnel(open_.tunnel_id) as tunnel:
                agent.say(m.Decline(open_.tunnel_id, m.NoTunnel.TOO_MANY, "no"))
                await trio.sleep(1)
                await tunnel.send_all(b"yes")
        assert seen == ["yes"]


async def test_an_agent_that_asks(autojump_clock: MockClock) -> None:
    """Only the principal does: its link ends."""
    async with open_hub("a1", "a2") as hub:
        agent = await hub.join("a1", capabilities=ABLE)
        agent.say(m.Open("0" * 32, "echo", (), 1.0))
        await agent.wait_end()
        await works(hub, "a2")


async def test_an_agent_without_tunnels_that_declines(autojump_clock: MockClock) -> None:
    """It speaks of what was not agreed on: its link ends."""
    async with open_hub("a1", "a2") as hub:
        agent = await hub.join("a1")
        agent.say(m.Decline("0" * 32, m.NoTunnel.FORBIDDEN, "why not"))
        await agent.wait_end()
        await works(hub, "a2")


async def test_an_agent_that_opens_what_nobody_asked_for(autojump_clock: MockClock) -> None:
    """Some dozens of attempts later its link has ended."""
    async with open_hub("a1", "a2") as hub:
        agent = await hub.join("a1", capabilities=ABLE)
        attempts = 0
        with pytest.raises(LinkBroken):
            while attempts < 1000:
                attempts += 1
                with pytest.raises(TunnelRefused):
                    await agent.link.open_tunnel(f"{attempts:032x}")
        assert attempts < 100
        await works(hub, "a2")


async def test_an_agent_that_opens_and_stalls(autojump_clock: MockClock) -> None:
    """Its users wait, for no more bytes than the windows hold; its place is free when they have gone."""
    async with open_hub("a1", "a2") as hub:
        agent, ends = await hub.join("a1", capabilities=ABLE), list[Tunnel]()
        sent = [0] * MAX_TUNNELS

        async def pour(number: int) -> None:
            async with hub.principal.peers["a1"].tunnels.open("echo") as tunnel:
                while True:
                    await tunnel.send_all(bytes(65536))
                    sent[number] += 65536

        async with trio.open_nursery() as nursery:
            for number in range(MAX_TUNNELS):
                nursery.start_soon(pour, number)
            for open_ in await asked(agent, MAX_TUNNELS):
                ends.append(await agent.link.open_tunnel(open_.tunnel_id))
            await trio.sleep(60)
            assert 0 < sum(sent) < MAX_TUNNELS * 1024 * 1024
            await works(hub, "a2")
            agent.say(m.Ping(b"still there?"))
            assert (await agent.hear(m.Pong)).token == b"still there?"
            nursery.cancel_scope.cancel()
        for end in ends:
            with pytest.raises(trio.BrokenResourceError):
                await end.send_all(b"x")
            end.abort()
        agent.heard.clear()
        seen: list[str] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(use, hub, "a1", seen)
            (open_,) = await asked(agent)
            async with await agent.link.open_tunnel(open_.tunnel_id) as tunnel:
                await tunnel.send_all(b"fine")
        assert seen == ["fine"]


async def test_who_gives_up_before_it_is_said_has_not_asked(autojump_clock: MockClock) -> None:
    """A wish that is withdrawn at once does not reach the agent."""
    async with open_hub("a1") as hub:
        agent = await hub.join("a1", capabilities=ABLE)
        with trio.CancelScope() as scope:
            scope.cancel()
            async with hub.principal.peers["a1"].tunnels.open("echo"):
                pytest.fail("it was opened")
        await trio.sleep(60)
        assert not [each for each in agent.heard if isinstance(each, m.Open)]


async def test_a_link_that_is_about_to_be_left(autojump_clock: MockClock) -> None:
    """No tunnel is opened on it any more; one that has been asked for stays."""
    async with open_hub("a1") as hub, trio.open_nursery() as nursery:
        agent, seen = await hub.join("a1", capabilities=ABLE), list[str]()
        nursery.start_soon(use, hub, "a1", seen)
        (open_,) = await asked(agent)
        async with await agent.link.open_tunnel(open_.tunnel_id) as tunnel:
            hub.principal.drain("a1")
            await agent.hear(m.Drain)
            with pytest.raises(TunnelRefused, match="goes on over another connection"):
                async with hub.principal.peers["a1"].tunnels.open("echo"):
                    pytest.fail("it was opened")
            await tunnel.send_all(b"still here")
        await trio.sleep(1)
        assert seen == ["still here"]
