"""What every ``Transport`` must do: one suite for links in memory and on real networks.

Make a subclass in a test module with a ``transport`` fixture, and pytest collects it:

    @pytest.mark.trio  # Or trio_mode in pytest's settings.
    class TestMine(TransportContract):
        @pytest.fixture
        def transport(self) -> Transport: ...

Nothing waits for the clock but two tests, for as long as the last bytes take to come to rest (``CUSHION``).
Needs pytest and pytest-trio; tell pytest to rewrite the assertions (``pytest.register_assert_rewrite``).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Final

import attrs
import pytest
import trio
import trio.testing

from trio_argoagent.errors import LinkBroken, LocalProtocolError, Unreachable
from trio_argoagent.ports.transport import MAX_FRAME, Dialer, Link, Listener

PATIENCE: Final = 60.0
"""Seconds that any wait of a test may take."""
CUSHION: Final = 0.2
"""Seconds without any step after which nothing more is on its way."""
CHUNK: Final = 64 * 1024
"""Bytes of each frame that nobody reads."""
MAX_HELD: Final = 64 * 1024 * 1024
"""Bytes that may be on their way to a reader who does not read; a transport without a bound takes more."""
AGENT: Final = "east"
Handler = Callable[[Link], Awaitable[None]]


@attrs.frozen
class Transport:
    """One principal's listener, and the ways of agents to it.

    Attributes:
        listener: serves once.
        dialer: an agent's dialer by its name; the names are DNS labels.
    """

    listener: Listener
    dialer: Callable[[str], Dialer]


async def echo(link: Link) -> None:
    """Send back every frame until the agent ends its side."""
    while frames := await link.receive():
        for frame in frames:
            await link.wait_room()
            link.send_nowait(frame)


async def take(link: Link, count: int) -> list[bytes]:
    """The next so many frames; fewer if the peer ends first."""
    taken: list[bytes] = []
    while len(taken) < count and (frames := await link.receive()):
        taken += frames
    return taken


async def send_all(link: Link, frames: list[bytes]) -> None:
    """Send these frames, each when there is room."""
    for frame in frames:
        await link.wait_room()
        link.send_nowait(frame)


async def hear_end(link: Link) -> str:
    """Read all there is; "clean" or "broken": how the link ended."""
    try:
        while await link.receive():
            pass
    except LinkBroken:
        return "broken"
    return "clean"


@contextlib.asynccontextmanager
async def serving(transport: Transport, handler: Handler) -> AsyncIterator[None]:
    """Serve links while the context is open; all of it within ``PATIENCE``."""
    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            await nursery.start(transport.listener.serve, handler)
            yield
            nursery.cancel_scope.cancel()


class Ends:
    """A handler that notes how each agent's link ends."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}
        self._changed = trio.Event()

    async def __call__(self, link: Link) -> None:
        """Read to the end, and note it."""
        self.of[link.peer.name] = await hear_end(link)
        self._changed.set()
        self._changed = trio.Event()

    async def wait(self, agent: str) -> str:
        """How this agent's link has ended."""
        while agent not in self.of:
            await self._changed.wait()
        return self.of[agent]


class TransportContract:
    """The suite. A subclass provides the ``transport`` fixture."""

    async def test_frames_arrive_whole_and_in_order(self, transport: Transport) -> None:
        """Frames of all sizes come as they were sent: none is lost, split, joined or overtaken."""
        sizes = [1, 2, 3, 127, 128, 16_383, 16_384, 16_385, 65_535, 65_536, 300_000, 1]
        sent = [bytes([n + 1]) * size for n, size in enumerate(sizes)]
        async with serving(transport, echo), transport.dialer(AGENT).dial() as link:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(send_all, link, sent)
                assert await take(link, len(sent)) == sent

    async def test_both_sides_speak_at_once(self, transport: Transport) -> None:
        """Neither direction waits for the other, and each keeps its own order."""
        up, down = [b"up%d" % n for n in range(1000)], [b"down%d" % n for n in range(1000)]
        heard: list[bytes] = []

        async def handler(link: Link) -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(send_all, link, down)
                heard.extend(await take(link, len(up)))

        async with serving(transport, handler), transport.dialer(AGENT).dial() as link:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(send_all, link, up)
                assert await take(link, len(down)) == down
            # The handler returns once it has heard everything, and that ends the link.
            assert not await link.receive()
        assert heard == up

    async def test_the_largest_frame_crosses(self, transport: Transport) -> None:
        """A frame of exactly the bound arrives."""
        frame = bytes(MAX_FRAME)
        async with serving(transport, echo), transport.dialer(AGENT).dial() as link:
            link.send_nowait(frame)
            assert await take(link, 1) == [frame]

    @pytest.mark.parametrize("size", [0, MAX_FRAME + 1], ids=["empty", "too long"])
    async def test_a_frame_that_is_none_is_refused(self, transport: Transport, size: int) -> None:
        """The sender learns of its own mistake, and the link goes on."""
        async with serving(transport, echo), transport.dialer(AGENT).dial() as link:
            with pytest.raises(LocalProtocolError):
                link.send_nowait(bytes(size))
            link.send_nowait(b"fine")
            assert await take(link, 1) == [b"fine"]

    async def test_a_reader_who_does_not_read_stops_the_sender(self, transport: Transport) -> None:
        """What is on its way is bounded; once the reader reads, everything arrives, in order."""
        reads, sent, total = trio.Event(), 0, MAX_HELD // CHUNK + 64
        heard: list[int] = []

        async def handler(link: Link) -> None:
            await reads.wait()
            while frames := await link.receive():
                heard.extend(int.from_bytes(frame[:4], "big") for frame in frames)

        async def send(link: Link) -> None:
            nonlocal sent
            for number in range(total):
                await link.wait_room()
                link.send_nowait(number.to_bytes(4, "big") + bytes(CHUNK - 4))
                sent = number + 1
            await link.close()

        async with serving(transport, handler), transport.dialer(AGENT).dial() as link:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(send, link)
                await trio.testing.wait_all_tasks_blocked(CUSHION)
                assert 0 < sent * CHUNK <= MAX_HELD
                reads.set()
            assert not await link.receive()
        assert heard == list(range(total))

    async def test_a_clean_end_delivers_what_was_queued(self, transport: Transport) -> None:
        """All frames before ``close`` arrive; then ``receive`` is empty, however often it is asked."""
        sent = [b"%d" % number for number in range(100)]
        heard: list[list[bytes]] = []

        async def handler(link: Link) -> None:
            heard.append(await take(link, len(sent)))
            heard.extend([[*await link.receive()], [*await link.receive()]])

        async with serving(transport, handler), transport.dialer(AGENT).dial() as link:
            for frame in sent:
                link.send_nowait(frame)
            await link.close()
            assert not await link.receive()
        assert heard == [sent, [], []]

    async def test_one_side_may_end_and_still_listen(self, transport: Transport) -> None:
        """After the agent's clean end the principal may still speak."""

        async def handler(link: Link) -> None:
            await hear_end(link)
            link.send_nowait(b"last words")

        async with serving(transport, handler), transport.dialer(AGENT).dial() as link:
            await link.close()
            assert await take(link, 2) == [b"last words"]

    async def test_nothing_is_sent_after_the_end(self, transport: Transport) -> None:
        """A frame after one's own ``close`` is an error, not lost in silence."""
        async with serving(transport, echo), transport.dialer(AGENT).dial() as link:
            await link.close()
            with pytest.raises((LocalProtocolError, LinkBroken)):
                link.send_nowait(b"late")

    async def test_an_agent_that_goes_away_breaks_the_link(self, transport: Transport) -> None:
        """Leaving the context without ``close`` is no clean end: the principal's ``receive`` raises."""
        ends = Ends()
        async with serving(transport, ends):
            async with transport.dialer(AGENT).dial() as link:
                link.send_nowait(b"the last thing anybody hears")
            assert await ends.wait(AGENT) == "broken"

    async def test_a_link_that_is_cancelled_is_broken(self, transport: Transport) -> None:
        """So is a dialler that is cancelled: the other side can tell it from a clean end."""
        ends = Ends()
        async with serving(transport, ends):
            with trio.CancelScope() as scope:
                async with transport.dialer(AGENT).dial() as link:
                    scope.cancel()
                    await link.receive()
            assert await ends.wait(AGENT) == "broken"

    async def test_a_broken_link_raises_from_every_method(self, transport: Transport) -> None:
        """Once the principal is gone, receiving, waiting and sending all say so."""
        up = trio.Event()

        async def handler(link: Link) -> None:
            up.set()
            await trio.sleep_forever()

        with trio.fail_after(PATIENCE):
            async with trio.open_nursery() as nursery:
                scope = trio.CancelScope()
                started = trio.Event()
                nursery.start_soon(_serve_within, scope, transport, handler, started)
                await started.wait()
                async with transport.dialer(AGENT).dial() as link:
                    await up.wait()
                    scope.cancel()
                    assert await hear_end(link) == "broken"
                    with pytest.raises(LinkBroken):
                        await link.wait_room()
                    with pytest.raises(LinkBroken):
                        link.send_nowait(b"x")

    async def test_dialling_nobody_is_a_broken_link(self, transport: Transport) -> None:
        """Where nobody serves, dialling raises ``Unreachable`` within its own time."""
        scope, started = trio.CancelScope(), trio.Event()
        with trio.fail_after(PATIENCE):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_serve_within, scope, transport, echo, started)
                await started.wait()
                scope.cancel()
            with pytest.raises(Unreachable):
                async with transport.dialer(AGENT).dial():
                    pass

    async def test_a_listener_that_stops_keeps_its_links(self, transport: Transport) -> None:
        """Who dials is told that nobody is there; who has a link goes on."""
        until = trio.Event()
        with trio.fail_after(PATIENCE):
            async with trio.open_nursery() as nursery:
                await nursery.start(partial(transport.listener.serve, echo, until=until))
                async with transport.dialer(AGENT).dial() as link:
                    until.set()
                    await trio.testing.wait_all_tasks_blocked()
                    with pytest.raises(Unreachable):
                        async with transport.dialer("west").dial():
                            pass
                    link.send_nowait(b"still here")
                    assert await take(link, 1) == [b"still here"]
                nursery.cancel_scope.cancel()

    async def test_a_link_that_is_retired_goes_on(self, transport: Transport) -> None:
        """Both ways, and to its clean end, however often it is said."""

        async def handler(link: Link) -> None:
            link.retire()
            await echo(link)
            link.retire()

        async with serving(transport, handler), transport.dialer(AGENT).dial() as link:
            for number in range(3):
                link.send_nowait(b"%d" % number)
                assert await take(link, 1) == [b"%d" % number]
            await link.close()
            assert not await link.receive()

    async def test_a_link_that_is_cut_is_broken_at_once(self, transport: Transport) -> None:
        """For both sides, though the agent takes nothing of what waits for it."""
        cut = trio.Event()

        async def handler(link: Link) -> None:
            with trio.move_on_after(CUSHION):
                while True:
                    await link.wait_room()
                    link.send_nowait(bytes(CHUNK))
            link.cut("enough")
            with pytest.raises(LinkBroken):
                await link.wait_room()
            cut.set()

        async with serving(transport, handler), transport.dialer(AGENT).dial() as link:
            await cut.wait()
            assert await hear_end(link) == "broken"

    async def test_many_links_do_not_mix(self, transport: Transport) -> None:
        """Each of many agents hears its own frames, and each handler knows who it talks to."""
        names = [f"agent{number}" for number in range(20)]
        heard: dict[str, list[bytes]] = {}

        async def handler(link: Link) -> None:
            await link.wait_room()
            link.send_nowait(link.peer.name.encode())
            await echo(link)

        async def agent(name: str) -> None:
            sent = [f"{name} {number}".encode() for number in range(20)]
            async with transport.dialer(name).dial() as link:
                await send_all(link, sent)
                heard[name] = await take(link, len(sent) + 1)

        async with serving(transport, handler):
            async with trio.open_nursery() as nursery:
                for name in names:
                    nursery.start_soon(agent, name)
        assert heard == {
            name: [name.encode(), *(f"{name} {number}".encode() for number in range(20))] for name in names
        }

    async def test_the_agent_knows_the_principal(self, transport: Transport) -> None:
        """The peer of an agent's link has a name, too."""
        async with serving(transport, echo), transport.dialer(AGENT).dial() as link:
            assert link.peer.name

    async def test_a_handler_that_returns_ends_its_link_cleanly(self, transport: Transport) -> None:
        """What it has sent arrives first."""

        async def handler(link: Link) -> None:
            link.send_nowait(b"goodbye")

        async with serving(transport, handler), transport.dialer(AGENT).dial() as link:
            assert await take(link, 1) == [b"goodbye"]
            assert not await link.receive()

    async def test_a_handler_that_fails_ends_its_own_link_only(self, transport: Transport) -> None:
        """The agent sees a broken link, the others nothing."""

        async def handler(link: Link) -> None:
            while frames := await link.receive():
                if b"fail" in frames:
                    raise ValueError("as asked")
                await send_all(link, [*frames])

        async with serving(transport, handler):
            async with transport.dialer("west").dial() as other, transport.dialer(AGENT).dial() as link:
                link.send_nowait(b"fail")
                assert await hear_end(link) == "broken"
                other.send_nowait(b"still here")
                assert await take(other, 1) == [b"still here"]

    async def test_statistics_count_both_ways(self, transport: Transport) -> None:
        """Frames are counted one by one; bytes include what the transport adds."""
        async with serving(transport, echo), transport.dialer(AGENT).dial() as link:
            await send_all(link, [bytes(1000), b"x"])
            await take(link, 2)
            counted = link.statistics()
            assert (counted.frames_sent, counted.frames_received) == (2, 2)
            assert counted.bytes_sent > 1001
            assert counted.bytes_received > 1001


async def _serve_within(
    scope: trio.CancelScope, transport: Transport, handler: Handler, started: trio.Event
) -> None:
    """Serve until the scope is cancelled, while others go on."""
    with scope:
        async with trio.open_nursery() as nursery:
            await nursery.start(transport.listener.serve, handler)
            started.set()
