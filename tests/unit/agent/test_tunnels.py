"""A principal that asks for tunnels as it must not: the agent ends the link, and goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
from msgspec import structs
from trio.testing import MockClock

from trio_argoagent.agent.tunnels import MAX_UNSAID
from trio_argoagent.errors import LinkBroken
from trio_argoagent.ports.transport import MAX_TUNNELS, Link
from trio_argoagent.stream.protocol import codec
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.stream.protocol.negotiation import Capability

from .test_uplink import WELCOME, Principal, run_spoke, say

ABLE = structs.replace(WELCOME, capabilities=(Capability.TUNNEL.value,))


def ask(number: int, target: str = "echo", within: float = 10.0) -> m.Open:
    """Ask for one."""
    return m.Open(f"{number:032x}", target, (), within)


def declined(principal: Principal) -> list[m.Decline]:
    """What the agent has said about it."""
    return [message for message in principal.heard if isinstance(message, m.Decline)]


async def test_nothing_was_agreed_on(autojump_clock: MockClock) -> None:
    """A principal that has not named tunnels in its welcome has none to ask for."""
    spoke = await run_spoke(say(WELCOME, ask(1), stay=50), 100)
    assert len(spoke.principal.dials) > 2
    assert not declined(spoke.principal)


async def test_an_agent_is_told_no(autojump_clock: MockClock) -> None:
    """The principal has nothing to decline."""
    spoke = await run_spoke(say(ABLE, m.Decline("0" * 32, m.NoTunnel.OTHER, ""), stay=50), 100)
    assert len(spoke.principal.dials) > 2


async def test_a_tunnel_that_is_not_awaited(autojump_clock: MockClock) -> None:
    """The agent tries, is turned away, says so, and its link lives."""
    spoke = await run_spoke(say(ABLE, ask(1), ask(2, "nothing"), stay=500), 100)
    assert len(spoke.principal.dials) == 1
    found = {each.tunnel_id: each.reason for each in declined(spoke.principal)}
    assert found == {
        ask(1).tunnel_id: m.NoTunnel.NOT_AWAITED,
        ask(2).tunnel_id: m.NoTunnel.UNKNOWN_TARGET,
    }


async def test_more_than_it_serves(autojump_clock: MockClock) -> None:
    """So many at once are served; the rest are declined, and the link lives."""
    asks = [ask(number) for number in range(MAX_TUNNELS + 10)]

    async def handler(principal: Principal, link: Link) -> None:
        link.send_nowait(codec.encode(ABLE))
        async with trio.open_nursery() as nursery:
            for each in asks[:MAX_TUNNELS]:
                nursery.start_soon(link.accept_tunnel, each.tunnel_id, 60.0)
            await trio.sleep(1)
            for each in asks:
                link.send_nowait(codec.encode(each))
            await principal.listen(link)

    spoke = await run_spoke(handler, 100)
    assert len(spoke.principal.dials) == 1
    assert [(each.tunnel_id, each.reason) for each in declined(spoke.principal)] == [
        (each.tunnel_id, m.NoTunnel.TOO_MANY) for each in asks[MAX_TUNNELS:]
    ]


async def test_a_principal_that_does_not_hear_no(autojump_clock: MockClock) -> None:
    """What it asks for and is refused is not kept for it without a bound: its link ends."""
    asked: list[int] = []

    async def handler(principal: Principal, link: Link) -> None:
        asked.append(0)
        link.send_nowait(codec.encode(ABLE))
        with pytest.raises(LinkBroken):
            while asked[-1] < 20_000:
                asked[-1] += 1
                link.send_nowait(codec.encode(ask(asked[-1], "nothing")))
                if asked[-1] % 100 == 0:
                    await trio.sleep(0.1)

    spoke = await run_spoke(handler, 6)
    assert len(spoke.principal.dials) > 1
    assert MAX_UNSAID < asked[0] < 20_000


async def test_the_time_is_over(autojump_clock: MockClock) -> None:
    """A target that takes too long is given up, and the principal told."""
    handler: Callable[[Principal, Link], Awaitable[None]] = say(ABLE, ask(1, within=0.0), stay=50)
    spoke = await run_spoke(handler, 40)
    assert [each.reason for each in declined(spoke.principal)] == [m.NoTunnel.TIMEOUT]
