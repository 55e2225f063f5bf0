"""What the tunnels of every ``Transport`` must do: one suite, used as ``transport_contract`` is.

Nothing waits for the clock but what must show that a sender has stopped (``CUSHION``), and an id that is good
for a moment.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import attrs
import pytest
import trio
import trio.testing

from trio_argoagent.errors import LinkBroken, TunnelRefused
from trio_argoagent.ports.transport import MAX_TUNNELS, TUNNEL_ID, Link, LinkStatistics, Tunnel
from trio_argoagent.stream.protocol.reasons import NoTunnel
from trio_argoagent.testing.transport_contract import (
    CUSHION,
    PATIENCE,
    Transport,
    hear_end,
    send_all,
    serving,
    take,
)

AGENT: Final = "east"
CHUNK: Final = 64 * 1024
MAX_HELD: Final = 4 * 1024 * 1024
"""Bytes that may be on their way through a tunnel that nobody reads."""
STEPS: Final = 40
"""Steps of the scheduler after which opening a tunnel is cancelled, each of so many in turn."""
AT_ONCE: Final = 0.001
"""Seconds that an id is good for, to see it expire."""


@attrs.define
class Ends:
    """The two ends of one agent's link."""

    agent: Link
    principal: Link
    _asked: int = 0

    def new_id(self) -> str:
        """An id that was not used before on this link."""
        self._asked += 1
        return self._asked.to_bytes(TUNNEL_ID, "big").hex()

    async def tunnel(self) -> tuple[Tunnel, Tunnel]:
        """A new tunnel: the agent's end and the principal's."""
        tunnel_id, ends = self.new_id(), dict[str, Tunnel]()

        async def accept() -> None:
            ends["principal"] = await self.principal.accept_tunnel(tunnel_id, PATIENCE)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(accept)
            await trio.testing.wait_all_tasks_blocked()
            ends["agent"] = await self.agent.open_tunnel(tunnel_id)
        return ends["agent"], ends["principal"]


@contextlib.asynccontextmanager
async def linked(transport: Transport, *agents: str) -> AsyncIterator[list[Ends]]:
    """Links of these agents, each held until the context ends or it breaks."""
    held, changed = dict[str, Link](), trio.Event()

    async def hold(link: Link) -> None:
        nonlocal changed
        held[link.peer.name] = link
        changed.set()
        await hear_end(link)

    async with serving(transport, hold), contextlib.AsyncExitStack() as stack:
        ends: list[Ends] = []
        for name in agents or (AGENT,):
            mine = await stack.enter_async_context(transport.dialer(name).dial())
            mine.send_nowait(b"hello")
            while name not in held:
                changed = trio.Event()
                await changed.wait()
            ends.append(Ends(mine, held[name]))
        yield ends


async def echo(tunnel: Tunnel) -> None:
    """Send back what comes, to its end."""
    async with tunnel:
        while data := await tunnel.receive_some():
            await tunnel.send_all(data)


async def say(tunnel: Tunnel, data: bytes) -> None:
    """Send this and nothing more."""
    await tunnel.send_all(data)
    await tunnel.send_eof()


async def hear(tunnel: Tunnel) -> bytes:
    """All there is, to the clean end."""
    heard = bytearray()
    while data := await tunnel.receive_some():
        heard += data
    return bytes(heard)


async def clog(tunnel: Tunnel) -> int:
    """Send until nothing more is taken; how much that was."""
    sent = 0

    async def pour() -> None:
        nonlocal sent
        while True:
            await tunnel.send_all(bytes(CHUNK))
            sent += CHUNK

    async with trio.open_nursery() as nursery:
        nursery.start_soon(pour)
        await trio.testing.wait_all_tasks_blocked(CUSHION)
        nursery.cancel_scope.cancel()
    return sent


class TunnelContract:
    """The suite. A subclass provides the ``transport`` fixture."""

    async def test_a_tunnel_is_a_stream_of_trio(self, transport: Transport) -> None:
        """It passes Trio's own checks of a half-closeable stream, from either end."""
        async with linked(transport) as (ends,):

            async def clogged() -> tuple[Tunnel, Tunnel]:
                both = await ends.tunnel()
                for end in both:
                    await clog(end)
                return both

            await trio.testing.check_half_closeable_stream(ends.tunnel, clogged)

    async def test_each_direction_ends_by_itself(self, transport: Transport) -> None:
        """Whichever side ends first still hears all that the other one has to say."""
        async with linked(transport) as (ends,):
            for first, second in [await ends.tunnel(), (await ends.tunnel())[::-1]]:
                await say(first, b"question")
                assert await hear(second) == b"question"
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(say, second, bytes(1_000_000))
                    assert await hear(first) == bytes(1_000_000)
                await first.aclose()
                await second.aclose()

    async def test_an_abort_is_no_clean_end(self, transport: Transport) -> None:
        """The other side sees it broken, receiving and sending, whichever side it is."""
        async with linked(transport) as (ends,):
            for first, second in [await ends.tunnel(), (await ends.tunnel())[::-1]]:
                await first.send_all(b"half of what there was to")
                first.abort()
                with pytest.raises(trio.BrokenResourceError):
                    await hear(second)
                with pytest.raises(trio.BrokenResourceError):
                    await second.send_all(b"what?")
                first.abort()
                with pytest.raises(trio.ClosedResourceError):
                    await first.send_all(b"more")

    @pytest.mark.parametrize("how", ["cancelled", "failed"])
    async def test_leaving_by_an_exception_is_no_clean_end(self, transport: Transport, how: str) -> None:
        """What closes a tunnel because something went wrong must not look like the end of the data."""
        async with linked(transport) as (ends,):
            for first, second in [await ends.tunnel(), (await ends.tunnel())[::-1]]:
                with trio.CancelScope() as scope, contextlib.suppress(ValueError):
                    async with first:
                        if how == "failed":
                            raise ValueError("as asked")
                        scope.cancel()
                        await first.receive_some()
                with pytest.raises(trio.BrokenResourceError):
                    await hear(second)

    async def test_nobody_reads_and_nobody_else_waits(self, transport: Transport) -> None:
        """A full tunnel stops its own sender; the link and another tunnel go on, and all of it arrives."""
        async with linked(transport) as (ends,):
            for full, reader in [await ends.tunnel(), (await ends.tunnel())[::-1]]:
                sent = await clog(full)
                assert 0 < sent <= MAX_HELD
                mine, theirs = await ends.tunnel()
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(echo, theirs)
                    await say(mine, bytes(2 * MAX_HELD // 16))
                    assert len(await hear(mine)) == 2 * MAX_HELD // 16
                await send_all(ends.principal, [b"%d" % n for n in range(100)])
                assert await take(ends.agent, 100) == [b"%d" % n for n in range(100)]
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(full.send_eof)
                    # What was cancelled may have been sent in part.
                    assert sent <= len(await hear(reader)) <= sent + CHUNK

    async def test_frames_of_the_link_go_in_between(self, transport: Transport) -> None:
        """Bulk through a tunnel, both ways, while the link keeps its order."""
        size, frames = 32 * CHUNK, [b"%d" % n * 50 for n in range(500)]
        async with linked(transport) as (ends,):
            mine, theirs = await ends.tunnel()
            async with trio.open_nursery() as nursery:
                for tunnel in (mine, theirs):
                    nursery.start_soon(say, tunnel, bytes(size))
                nursery.start_soon(send_all, ends.principal, frames)

                async def check(tunnel: Tunnel) -> None:
                    assert len(await hear(tunnel)) == size

                nursery.start_soon(check, mine)
                nursery.start_soon(check, theirs)
                assert await take(ends.agent, len(frames)) == frames

    async def test_as_many_as_there_may_be(self, transport: Transport) -> None:
        """All of them work at once, each with its own bytes; one more is refused, until one ends."""
        async with linked(transport) as (ends,), trio.open_nursery() as nursery:
            open_now = [await ends.tunnel() for _ in range(MAX_TUNNELS)]
            with pytest.raises(TunnelRefused) as refused:
                await ends.principal.accept_tunnel(ends.new_id(), PATIENCE)
            assert refused.value.reason == NoTunnel.TOO_MANY
            with pytest.raises(TunnelRefused) as refused:
                await ends.agent.open_tunnel(ends.new_id())
            assert refused.value.reason == NoTunnel.TOO_MANY

            async def check(mine: Tunnel, number: int) -> None:
                text = bytes([number]) * 100_000
                nursery.start_soon(say, mine, text)
                assert await hear(mine) == text

            async with trio.open_nursery() as checks:
                for number, (mine, theirs) in enumerate(open_now):
                    nursery.start_soon(echo, theirs)
                    checks.start_soon(check, mine, number)
            for mine, _ in open_now:
                await mine.aclose()
            await ends.tunnel()

    @pytest.mark.parametrize("how", ["agent", "handler"])
    async def test_the_end_of_the_link_breaks_its_tunnels(self, transport: Transport, how: str) -> None:
        """Both ends of a tunnel see it broken, and so does who waits for one: agent gone, or principal."""
        told: list[str] = []
        opened, leave = trio.Event(), trio.Event()

        async def wait_in(tunnel: Tunnel) -> None:
            try:
                await tunnel.receive_some()
            except trio.BrokenResourceError:
                told.append("broken")

        async def hold(link: Link) -> None:
            nursery.start_soon(awaiting, link)
            nursery.start_soon(wait_in, await link.accept_tunnel(f"{1:032x}", PATIENCE))
            opened.set()
            if how == "handler":
                await leave.wait()
            else:
                await hear_end(link)

        async def awaiting(link: Link) -> None:
            try:
                await link.accept_tunnel(f"{2:032x}", PATIENCE)
            except LinkBroken:
                told.append("no link")

        async with trio.open_nursery() as nursery, serving(transport, hold):
            async with transport.dialer(AGENT).dial() as link:
                tunnel = await _open_soon(link, f"{1:032x}")
                await opened.wait()
                if how == "handler":
                    leave.set()
                    await wait_in(tunnel)
                else:
                    nursery.start_soon(wait_in, tunnel)
                    await trio.testing.wait_all_tasks_blocked()
            while len(told) < 3:
                await trio.testing.wait_all_tasks_blocked()
        assert sorted(told) == ["broken", "broken", "no link"]

    async def test_what_nobody_awaits_is_refused(self, transport: Transport) -> None:
        """Unknown, used, too late, or somebody else's: one answer for all, and both links go on."""
        async with linked(transport, "east", "west") as (east, west):
            used, late, stolen = east.new_id(), f"{2**100:032x}", f"{2**101:032x}"
            async with trio.open_nursery() as nursery:
                nursery.start_soon(east.principal.accept_tunnel, used, PATIENCE)
                await trio.testing.wait_all_tasks_blocked()
                first = await east.agent.open_tunnel(used)
            with pytest.raises(TunnelRefused) as timeout:
                await east.principal.accept_tunnel(late, AT_ONCE)
            assert timeout.value.reason == NoTunnel.TIMEOUT
            answers: list[str] = []
            async with trio.open_nursery() as nursery:
                nursery.start_soon(east.principal.accept_tunnel, stolen, PATIENCE)
                await trio.testing.wait_all_tasks_blocked()
                attempts = [(east, used), (east, late), (east, f"{2**102:032x}"), (west, stolen), (east, "x")]
                for ends, tunnel_id in attempts:
                    with pytest.raises(TunnelRefused) as refused:
                        await ends.agent.open_tunnel(tunnel_id)
                    answers.append(str(refused.value))
                # It was not used up by who had no right to it.
                await (await east.agent.open_tunnel(stolen)).aclose()
            assert len({*answers}) == 1
            assert str(NoTunnel.NOT_AWAITED.value) in answers[0]
            await first.send_all(b"still open")
            await west.tunnel()

    async def test_an_agent_that_guesses_is_cut_off(self, transport: Transport) -> None:
        """Its link ends after some dozens of attempts; another agent's does not."""
        async with linked(transport, "east", "west") as (east, west):
            with pytest.raises(LinkBroken):
                for _ in range(1000):
                    with contextlib.suppress(TunnelRefused):
                        await east.agent.open_tunnel(east.new_id())
            mine, theirs = await west.tunnel()
            await mine.send_all(b"undisturbed")
            assert await theirs.receive_some() == b"undisturbed"

    async def test_a_cancelled_opening_leaves_nothing(self, transport: Transport) -> None:
        """At whichever step either side is cancelled: nothing stays open, and there is room as before."""
        async with linked(transport) as (ends,):
            for steps in range(STEPS):
                for side in ("agent", "principal", "both"):
                    await _cancel_after(ends, steps, side)
            for _ in range(MAX_TUNNELS):
                await ends.tunnel()

    async def test_a_cancelled_wait_leaves_the_tunnel_whole(self, transport: Transport) -> None:
        """Receiving and sending go on where they were."""
        async with linked(transport) as (ends,):
            mine, theirs = await ends.tunnel()
            for wait in (mine.receive_some, theirs.receive_some):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(wait)
                    await trio.testing.wait_all_tasks_blocked()
                    nursery.cancel_scope.cancel()
            await clog(mine)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(mine.send_eof)
                assert {*await hear(theirs)} == {0}

    async def test_statistics_count_tunnels(self, transport: Transport) -> None:
        """How many there were, and their bytes both ways, at both ends."""
        async with linked(transport) as (ends,):
            for _ in range(2):
                mine, theirs = await ends.tunnel()
                await say(mine, bytes(1000))
                await say(theirs, bytes(10))
                await hear(mine)
                await hear(theirs)
            for link, sent, received in ((ends.agent, 2000, 20), (ends.principal, 20, 2000)):
                counted = link.statistics()
                assert counted == attrs.evolve(
                    counted, tunnels=2, tunnel_bytes_sent=sent, tunnel_bytes_received=received
                )
                assert counted.plus(LinkStatistics(tunnels=1)).tunnels == 3


async def _open_soon(link: Link, tunnel_id: str) -> Tunnel:
    """Open a tunnel that the principal will await in a moment."""
    while True:
        try:
            return await link.open_tunnel(tunnel_id)
        except TunnelRefused:
            await trio.lowlevel.checkpoint()


async def _cancel_after(ends: Ends, steps: int, side: str) -> None:
    """Begin to open a tunnel; after so many steps one side or both lose interest."""
    tunnel_id, made = ends.new_id(), list[Tunnel]()
    scopes = {"agent": trio.CancelScope(), "principal": trio.CancelScope()}

    async def run(who: str, opening: Callable[[], Awaitable[Tunnel]]) -> None:
        with scopes[who], contextlib.suppress(TunnelRefused):
            made.append(await opening())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run, "principal", lambda: ends.principal.accept_tunnel(tunnel_id, PATIENCE))
        nursery.start_soon(run, "agent", lambda: ends.agent.open_tunnel(tunnel_id))
        for _ in range(steps):
            await trio.lowlevel.checkpoint()
        for who, scope in scopes.items():
            if side in (who, "both"):
                scope.cancel()
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    for tunnel in made:
        tunnel.abort()
