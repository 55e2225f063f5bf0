"""What every ``Transport`` must do when something is cut short: a second suite, as ``transport_contract`` is.

Whoever is cancelled is cancelled at many moments, one after the other, counted in steps of the scheduler:
what holds at each of them needs no luck to be seen.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import pytest
import trio
import trio.testing

from trio_argoagent.errors import LinkBroken, LinkError
from trio_argoagent.ports.transport import MAX_FRAME, Link
from trio_argoagent.testing.transport_contract import (
    AGENT,
    CHUNK,
    CUSHION,
    Transport,
    echo,
    send_all,
    serving,
    take,
)

MOMENTS: Final = tuple(range(0, 60, 3))
"""Steps of the scheduler after which somebody is cancelled, each in turn."""
CONNECTS: Final = 25
"""Links after which nothing may be left."""
LIFE: Final = 0.01
"""Seconds without any step: long enough for loopback, short enough to be asked often."""


async def cancelled_after(steps: int, work: Callable[[], Awaitable[object]]) -> bool:
    """Do that for so many steps of the scheduler at most; was it cut short?"""
    scope = trio.CancelScope()

    async def run() -> None:
        with scope:
            await work()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        for _ in range(steps):
            await trio.lowlevel.checkpoint()
        scope.cancel()
    return scope.cancelled_caught


def living() -> int:
    """How many tasks there are."""
    return trio.lowlevel.current_statistics().tasks_living


async def wait_living(most: int) -> None:
    """Return when there are no more tasks than that; the test's time bounds it."""
    while living() > most:
        await trio.testing.wait_all_tasks_blocked(LIFE)


class TroubleContract:
    """The suite. A subclass provides the ``transport`` fixture."""

    async def test_an_agent_cut_off_at_any_moment(self, transport: Transport) -> None:
        """What the principal has heard is a beginning of what was said, whole frames, and no clean end."""
        sent = [bytes([number]) * (number * 997 % 50_000 + 1) for number in range(60)]
        heard: dict[str, list[bytes]] = {}
        ends: dict[str, str] = {}

        async def handler(link: Link) -> None:
            frames = heard[link.peer.name] = []
            try:
                while arrived := await link.receive():
                    frames += arrived
                ends[link.peer.name] = "clean"
            except LinkBroken:
                ends[link.peer.name] = "broken"

        async def speak(name: str) -> None:
            async with transport.dialer(name).dial() as link:
                await send_all(link, sent)
                await trio.sleep_forever()

        async with serving(transport, handler):
            for steps in MOMENTS:
                assert await cancelled_after(steps, partial(speak, f"agent{steps}"))
            while len(ends) < len(heard):
                await trio.testing.wait_all_tasks_blocked(LIFE)
        assert all(frames == sent[: len(frames)] for frames in heard.values())
        assert {*ends.values()} <= {"broken"}

    async def test_a_cancelled_receive_loses_nothing(self, transport: Transport) -> None:
        """However often, and whenever: every frame comes once, in order."""
        sent = [b"%d" % number * 100 for number in range(300)]

        async def handler(link: Link) -> None:
            await send_all(link, sent)
            await link.close()

        async with serving(transport, handler), transport.dialer(AGENT).dial() as link:
            heard: list[bytes] = []
            ended = False

            async def hear() -> None:
                nonlocal ended
                frames = await link.receive()
                heard.extend(frames)
                ended = not frames

            steps = 0
            while not ended:
                await cancelled_after(steps % 7, hear)
                steps += 1
        assert heard == sent

    async def test_a_cancelled_wait_for_room_sends_nothing(self, transport: Transport) -> None:
        """Whoever gives up has said nothing, and the next frame follows the last one that was sent."""
        reads = trio.Event()
        heard: list[int] = []

        async def handler(link: Link) -> None:
            await reads.wait()
            while frames := await link.receive():
                heard.extend(int.from_bytes(frame[:4], "big") for frame in frames)

        async with serving(transport, handler), transport.dialer(AGENT).dial() as link:
            sent, gave_up = 0, 0

            async def send() -> None:
                nonlocal sent
                await link.wait_room()
                link.send_nowait(sent.to_bytes(4, "big") + bytes(CHUNK - 4))
                sent += 1

            while gave_up < 3:
                with trio.move_on_after(CUSHION) as scope:
                    await send()
                gave_up += scope.cancelled_caught
            reads.set()
            for _ in range(3):
                await send()
            await link.close()
            assert not await link.receive()
        assert heard == list(range(sent))

    async def test_a_cancelled_dial_leaves_nothing(self, transport: Transport) -> None:
        """At whichever step: no task stays on either side, and the next dial works."""
        async with serving(transport, echo):
            await trio.testing.wait_all_tasks_blocked()
            before = living()
            for steps in MOMENTS:

                async def dial() -> None:
                    async with transport.dialer(AGENT).dial():
                        await trio.sleep_forever()

                await cancelled_after(steps, dial)
            await wait_living(before)
            async with transport.dialer(AGENT).dial() as link:
                link.send_nowait(b"as ever")
                assert await take(link, 1) == [b"as ever"]

    @pytest.mark.parametrize("how", ["clean", "agent", "handler"])
    async def test_nothing_is_left_of_links_that_were(self, transport: Transport, how: str) -> None:
        """However they end, there are as many tasks as before."""

        async def handler(link: Link) -> None:
            while await link.receive():
                if how == "handler":
                    raise LinkBroken("as asked")

        async with serving(transport, handler):
            await trio.testing.wait_all_tasks_blocked()
            before = living()
            for _ in range(CONNECTS):
                async with transport.dialer(AGENT).dial() as link:
                    link.send_nowait(b"hello")
                    if how == "clean":
                        await link.close()
                        assert not await link.receive()
                    elif how == "handler":
                        with pytest.raises(LinkBroken):
                            while await link.receive():
                                pass
            await wait_living(before)

    async def test_large_frames_both_ways_at_once(self, transport: Transport) -> None:
        """Neither side waits for the other, although neither can take all of it at once."""
        up, down = bytes(MAX_FRAME // 2), b"x" * (MAX_FRAME // 2)
        heard: list[bytes] = []

        async def handler(link: Link) -> None:
            link.send_nowait(down)
            heard.extend(await take(link, 1))
            await link.close()

        async with serving(transport, handler), transport.dialer(AGENT).dial() as link:
            link.send_nowait(up)
            assert await take(link, 1) == [down]
            assert not await link.receive()
        assert heard == [up]

    async def test_the_principal_may_end_first_and_still_listen(self, transport: Transport) -> None:
        """Half-close is for both sides."""
        heard: list[bytes] = []
        done = trio.Event()

        async def handler(link: Link) -> None:
            link.send_nowait(b"that is all")
            await link.close()
            heard.extend(await take(link, 100))
            done.set()

        async with serving(transport, handler), transport.dialer(AGENT).dial() as link:
            assert await take(link, 2) == [b"that is all"]
            for number in range(50):
                await link.wait_room()
                link.send_nowait(b"%d" % number)
            await link.close()
            await done.wait()
        assert heard == [b"%d" % number for number in range(50)]

    async def test_both_ends_count_the_same_frames(self, transport: Transport) -> None:
        """What one side has sent the other has received, and bytes never become fewer."""
        theirs: list[Link] = []

        async def handler(link: Link) -> None:
            theirs.append(link)
            await echo(link)

        async with serving(transport, handler), transport.dialer(AGENT).dial() as link:
            seen = 0
            for round_ in range(1, 4):
                await send_all(link, [bytes(10_000)] * 20)
                await take(link, 20)
                ours = link.statistics()
                assert ours.frames_sent == ours.frames_received == 20 * round_
                assert ours.bytes_sent > seen + 200_000
                seen = ours.bytes_sent
            counted = theirs[0].statistics()
            assert (counted.frames_sent, counted.frames_received) == (60, 60)
            assert counted.bytes_received > 600_000

    async def test_a_link_ends_while_somebody_waits(self, transport: Transport) -> None:
        """Whoever waits for a frame, or for room, is told at once when the peer goes away."""
        told: list[str] = []

        async def wait(name: str, work: Callable[[], Awaitable[object]]) -> None:
            try:
                while True:
                    await work()
            except LinkError:
                told.append(name)

        async def handler(link: Link) -> None:
            async def pour() -> None:
                await link.wait_room()
                link.send_nowait(bytes(CHUNK))

            async with trio.open_nursery() as nursery:
                nursery.start_soon(wait, "room", pour)
                nursery.start_soon(wait, "frame", link.receive)
            ended.set()

        ended = trio.Event()
        async with serving(transport, handler):
            async with transport.dialer(AGENT).dial():
                await trio.testing.wait_all_tasks_blocked(CUSHION)
            await ended.wait()
        assert sorted(told) == ["frame", "room"]
