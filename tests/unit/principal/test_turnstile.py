"""Who compares when: in the order of coming, so many at once, and nobody keeps a place for long."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.principal.rivals import RIVAL_RETRY
from trio_argoagent.principal.turnstile import COMPARE_TIMEOUT, COMPARING, Turnstile
from trio_argoagent.stream.protocol import messages as m

from .hub import open_hub

OTHER = bytes(32)
"""A root that nobody has."""


async def test_in_the_order_of_coming(autojump_clock: MockClock) -> None:
    """So many at once; the next one comes when one leaves."""
    turnstile, order = Turnstile(2), list[int]()

    async def come(number: int) -> None:
        async with turnstile.place() as place:
            order.append(number)
            await trio.sleep(1)
            place.leave()
            place.leave()
            await trio.sleep(100)

    async with trio.open_nursery() as nursery:
        for number in range(6):
            nursery.start_soon(come, number)
            await trio.sleep(0.01)
        assert (order, turnstile.waiting) == ([0, 1], 4)
        await trio.sleep(1)
        assert (order, turnstile.waiting) == ([0, 1, 2, 3], 2)
        await trio.sleep(10)
        assert order == [0, 1, 2, 3, 4, 5]
        nursery.cancel_scope.cancel()


async def test_a_place_is_left_with_its_link(autojump_clock: MockClock) -> None:
    """However it ends, and also by one who still waits."""
    turnstile = Turnstile(1)
    with pytest.raises(ValueError, match="as asked"):
        async with turnstile.place():
            with trio.move_on_after(1):
                async with turnstile.place():
                    raise AssertionError("two at once")
            raise ValueError("as asked")
    async with turnstile.place():
        assert turnstile.waiting == 0


NAMES = [f"a{number}" for number in range(COMPARING + 3)]


async def test_silent_agents_delay_the_others_by_seconds(autojump_clock: MockClock) -> None:
    """Who does not answer the comparison keeps its link, but not its place."""
    async with open_hub(*NAMES) as hub:
        silent = [await hub.dial(name, root=OTHER, cluster_uid=name) for name in NAMES[:COMPARING]]
        await trio.sleep(0.5)
        late = [await hub.dial(name, root=OTHER, cluster_uid=name) for name in NAMES[COMPARING:]]
        await trio.sleep(0.5)
        assert all(any(isinstance(said, m.Welcome) for said in agent.heard) for agent in silent)
        assert not any(agent.heard for agent in late)
        await trio.sleep(COMPARE_TIMEOUT)
        assert all(isinstance(agent.heard[0], m.Welcome) for agent in late)
        assert not any(agent.ended for agent in silent)


async def test_who_compares_makes_room_at_once(autojump_clock: MockClock) -> None:
    """Equal roots need no place, and an answer frees one."""
    async with open_hub(*NAMES) as hub:
        for name in NAMES:
            await hub.join(name, cluster_uid=name)
        agents = [await hub.dial(name, root=OTHER, cluster_uid=name) for name in NAMES]
        await trio.sleep(0.5)
        for agent in agents[:3]:
            agent.say(m.Leaf(bytes(range(256)), (), True))
        await trio.sleep(0.5)
        assert all(any(isinstance(said, m.Welcome) for said in agent.heard) for agent in agents)


async def test_replaced_while_waiting(autojump_clock: MockClock) -> None:
    """It has not been welcomed yet: it is refused, with the time to keep away."""
    async with open_hub(*NAMES) as hub:
        for name in NAMES[:COMPARING]:
            await hub.dial(name, root=OTHER, cluster_uid=name)
        await trio.sleep(0.5)
        waiting = await hub.dial(NAMES[-1], instance="p1")
        await trio.sleep(0.1)
        second = await hub.dial(NAMES[-1], instance="p2")
        refusal = await waiting.hear(m.Refuse)
        assert (refusal.reason, refusal.retry_after) == (m.Reason.REPLACED, RIVAL_RETRY)
        await second.hear(m.Welcome)
