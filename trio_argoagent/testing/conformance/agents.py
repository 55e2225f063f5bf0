"""What an agent must do, asked by a principal that wants nothing."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import attrs
import trio
from msgspec import structs

from trio_argoagent.ports.transport import TUNNEL_ID, Link, Listener
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.stream.protocol.negotiation import Capability
from trio_argoagent.testing.conformance.cases import (
    ENDING,
    STEADY,
    Case,
    Report,
    expect,
    judging,
)
from trio_argoagent.testing.conformance.talk import Fault, Talk

REDIAL: Final = 45.0
"""Seconds in which an agent whose link has ended dials again: its longest wait, and some."""
RETRY_AFTER: Final = 5.0
"""Seconds that a refused agent is told to wait."""


@attrs.frozen
class _Visit:
    """One link that the agent has opened."""

    talk: Talk
    done: trio.Event
    came: float


async def says_hello(talk: Talk) -> None:
    """The first message is a hello that can be read."""
    await talk.hear(m.Hello)


async def keeps_to_its_offer(talk: Talk) -> None:
    """A version that it has not offered."""
    hello = await talk.hear(m.Hello)
    talk.say(_welcome(hello, protocol=hello.protocols[1] + 1))
    await talk.hear_end()


async def works_without_capabilities(talk: Talk) -> None:
    """It can do more, and we cannot."""
    talk.say(_welcome(await talk.hear(m.Hello), capabilities=()))
    await talk.still_there()


async def hears_one_welcome(talk: Talk) -> None:
    """Two of them."""
    hello = await welcome(talk)
    talk.say(_welcome(hello))
    await talk.hear_end()


async def hears_no_hello(talk: Talk) -> None:
    """A principal that speaks like an agent."""
    talk.say(await welcome(talk))
    await talk.hear_end()


async def drains(talk: Talk) -> None:
    """The principal wants it on another connection, which the next case is going to use."""
    await welcome(talk)
    talk.say(m.Drain())
    await talk.still_there()
    goodbye = await talk.hear(m.Goodbye, REDIAL)
    expect(goodbye.reason is m.Reason.MOVED, f"expected a goodbye with moved, it said {goodbye.reason.value}")
    talk.say(m.Goodbye(m.Reason.MOVED, ""))
    await talk.hear_end()


async def declines(talk: Talk) -> None:
    """A tunnel to nowhere."""
    hello = await welcome(talk)
    if Capability.TUNNEL.value not in hello.capabilities:
        return
    tunnel_id = "5c" * TUNNEL_ID
    talk.say(m.Open(tunnel_id, "conformance-nowhere", (), 10.0))
    decline = await talk.hear(m.Decline)
    expect(decline.tunnel_id == tunnel_id, "it declined a tunnel that nobody asked for")
    said = decline.reason.value
    expect(decline.reason is m.NoTunnel.UNKNOWN_TARGET, f"expected unknown-target, it said {said}")


async def welcome(talk: Talk) -> m.Hello:
    """Hear its hello and make it welcome."""
    hello = await talk.hear(m.Hello)
    talk.say(_welcome(hello))
    return hello


def _welcome(hello: m.Hello, **changes: object) -> m.Welcome:
    made = m.Welcome(
        protocol=hello.protocols[0],
        capabilities=tuple(each.value for each in Capability if each.value in hello.capabilities),
        version="conformance",
        instance="conformance",
        principal_uid="conformance",
        agent="conformance",
        root=hello.root,
        keepalive=60.0,
    )
    return structs.replace(made, **changes)


def _after_welcome(case: Case) -> Case:
    async def act(talk: Talk) -> None:
        await welcome(talk)
        await case.act(talk)

    return attrs.evolve(case, act=act)


LINKS: Final = (
    Case("hello", "the first message is a hello", says_hello),
    Case("offer", "a version that was not offered ends the link", keeps_to_its_offer),
    Case(
        "no-capabilities", "a principal that can do nothing more is good enough", works_without_capabilities
    ),
    Case("second-welcome", "a second welcome ends the link", hears_one_welcome),
    Case("wrong-role", "a principal that says hello is left", hears_no_hello),
    Case("drain", "drained, it works on, dials another connection and leaves with moved", drains),
    Case("declined-tunnel", "a tunnel to an unknown target is declined", declines),
    *(_after_welcome(each) for each in (*STEADY, *ENDING)),
)
"""Each on a link of its own."""


class _Door:
    """Links as they come, one at a time; whoever comes meanwhile waits."""

    def __init__(self) -> None:
        self._put, self._visits = trio.open_memory_channel[_Visit](math.inf)

    async def serve(self, link: Link) -> None:
        """One link, until the case that uses it is over."""
        visit = _Visit(Talk(link), trio.Event(), trio.current_time())
        self._put.send_nowait(visit)
        await visit.done.wait()

    @asynccontextmanager
    async def visit(self) -> AsyncIterator[_Visit]:
        """The next link.

        Raises:
            Fault: none is dialled.
        """
        with trio.move_on_after(REDIAL) as waiting:
            visit = await self._visits.receive()
        if waiting.cancelled_caught:
            raise Fault(f"no link was dialled for {REDIAL:g} s")
        try:
            yield visit
        finally:
            visit.done.set()


async def check_agent(listener: Listener, report: Report) -> None:
    """Ask an agent, which dials again after each case; that takes its own waits.

    Args:
        listener: where it dials.
        report: told each verdict.
    """
    door = _Door()

    async with trio.open_nursery() as nursery:
        await nursery.start(listener.serve, door.serve)
        for case in LINKS:
            with judging(case, report):
                async with door.visit() as visit:
                    await case.act(visit.talk)
        await _check_patience(door, report)
        nursery.cancel_scope.cancel()


async def _check_patience(door: _Door, report: Report) -> None:
    """The one case that takes two links."""
    case = Case(
        "retry-after", f"refused, it waits {RETRY_AFTER:g} s as it is told, and dials again", says_hello
    )
    with judging(case, report):
        async with door.visit() as visit:
            await visit.talk.hear(m.Hello)
            visit.talk.say(m.Refuse(m.Reason.NOT_READY, "not yet", RETRY_AFTER))
            refused = trio.current_time()
            await visit.talk.hear_end()
        async with door.visit() as again:
            waited = again.came - refused
            expect(waited >= RETRY_AFTER, f"it dialled again after {waited:.1f} s")
