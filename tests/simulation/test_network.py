"""The networks of both levels keep the promises of the Transport port, and break them only when told to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import trio

from trio_argoagent.errors import LinkBroken, LinkRefused, LocalProtocolError
from trio_argoagent.ports.transport import Link
from trio_argoagent.testing.conditions import Conditions, Tear
from trio_argoagent.testing.network import WINDOW
from trio_argoagent.testing.networks import LEVELS, make_network
from trio_argoagent.testing.scheduling import simulate, stream

MOST = 4 * 1024 * 1024
"""Bytes; more than either network takes from a link that nobody reads."""
SILENT = 40.0
"""Seconds; less than HTTP/2 itself waits for a peer."""
Net = Conditions[Any]
Handler = Callable[[Link], Awaitable[None]]


@pytest.fixture(params=LEVELS)
def level(request: pytest.FixtureRequest) -> int:
    """Frames in memory, and HTTP/2 over bytes in memory."""
    found: int = request.param
    return found


@asynccontextmanager
async def serving(handler: Handler, level: int) -> AsyncIterator[Net]:
    """A network whose principal handles links like this."""
    network = make_network(level, stream(1, "network"))
    async with trio.open_nursery() as nursery:
        await nursery.start(network.listener().serve, handler)
        yield network
        nursery.cancel_scope.cancel()
    assert not network.failures


async def echo(link: Link) -> None:
    """Send back what arrives, until the peer ends."""
    while frames := await link.receive():
        for frame in frames:
            link.send_nowait(frame)


async def keep(link: Link) -> None:
    """Hold the link open and read, as a handler that meets a broken link does."""
    with suppress(LinkBroken):
        await echo(link)


def run(level: int, story: Callable[[Net], Awaitable[None]], handler: Handler = keep) -> None:
    """Run a story on a serving network in virtual time."""

    async def main() -> None:
        async with serving(handler, level) as network:
            await story(network)

    simulate(main, seed=1)


async def collect(link: Link, count: int) -> list[bytes]:
    """The next frames."""
    found: list[bytes] = []
    while len(found) < count:
        found += await link.receive()
    return found


def test_frames_arrive_whole_in_order_and_after_a_delay(level: int) -> None:
    """A thousand frames there and back are the same thousand, and time has passed."""

    async def story(network: Net) -> None:
        sent = [bytes([number % 251]) * (number % 7 + 1) for number in range(1000)]
        async with network.dialer("a1").dial() as link:
            began = trio.current_time()
            for frame in sent:
                link.send_nowait(frame)
            assert await collect(link, 1000) == sent
            assert trio.current_time() > began
            assert link.statistics().frames_sent == link.statistics().frames_received == 1000
            assert network.links("a1") == 1

    run(level, story)


def test_both_ends_know_each_other(level: int) -> None:
    """The principal sees the agent's name, the agent the principal."""
    names: list[str] = []

    async def handler(link: Link) -> None:
        names.append(link.peer.name)

    async def story(network: Net) -> None:
        async with network.dialer("a1").dial() as link:
            assert link.peer.name == "principal"
            assert not await link.receive()
        assert names == ["a1"]

    run(level, story, handler)


def test_a_clean_end_delivers_what_was_queued_first(level: int) -> None:
    """After ``close`` the peer reads the rest, and then an empty sequence, again and again."""

    async def handler(link: Link) -> None:
        link.send_nowait(b"last")
        await link.close()
        with pytest.raises((LinkBroken, LocalProtocolError)):
            link.send_nowait(b"more")

    async def story(network: Net) -> None:
        async with network.dialer("a1").dial() as link:
            await trio.sleep(1)
            assert await link.receive() == [b"last"]
            assert not await link.receive()
            assert not await link.receive()

    run(level, story, handler)


def test_a_full_pipe_makes_the_sender_wait_for_room(level: int) -> None:
    """``wait_room`` returns once the peer has read."""

    async def handler(link: Link) -> None:
        await trio.sleep(10)
        await keep(link)

    async def story(network: Net) -> None:
        async with network.dialer("a1").dial() as link:
            await link.wait_room()
            for _ in range(MOST // WINDOW):
                link.send_nowait(bytes(WINDOW))
            await link.wait_room()
            assert trio.current_time() >= 10

    run(level, story, handler)


def test_a_cut_breaks_both_ends_and_lets_nobody_in_until_it_is_healed(level: int) -> None:
    """What was on the way is lost."""

    async def story(network: Net) -> None:
        async with network.dialer("a1").dial() as link:
            await trio.sleep(1)
            link.send_nowait(b"lost")
            network.cut("a1")
            for attempt in (link.receive, link.wait_room):
                with pytest.raises(LinkBroken):
                    await attempt()
        with pytest.raises(LinkBroken):
            async with network.dialer("a1").dial():
                pass
        async with network.dialer("a2").dial() as other:
            other.send_nowait(b"x")
            assert await collect(other, 1) == [b"x"]
        network.heal("a1")
        async with network.dialer("a1").dial() as link:
            link.send_nowait(b"x")
            assert await collect(link, 1) == [b"x"]

    run(level, story)


def test_a_half_open_link_swallows_frames_and_says_nothing(level: int) -> None:
    """Neither side learns of it; a new link works."""

    async def story(network: Net) -> None:
        async with network.dialer("a1").dial() as link:
            await trio.sleep(1)
            network.half_open("a1")
            link.send_nowait(b"x")
            with trio.move_on_after(SILENT) as patience:
                await link.receive()
            assert patience.cancelled_caught
        async with network.dialer("a1").dial() as link:
            link.send_nowait(b"x")
            assert await collect(link, 1) == [b"x"]

    run(level, story)


def test_a_refusal_is_told(level: int) -> None:
    """The agent learns why, and gets in once it is lifted."""

    async def story(network: Net) -> None:
        network.refuse("a1", "revoked")
        with pytest.raises(LinkRefused, match="revoked"):
            async with network.dialer("a1").dial():
                pass
        network.heal("a1")
        async with network.dialer("a1").dial() as link:
            await link.wait_room()

    run(level, story)


def test_the_end_of_the_listener_breaks_its_links(level: int) -> None:
    """A principal that dies takes its links with it, and nobody answers until another one serves."""

    async def main() -> None:
        network = make_network(level, stream(1, "network"))
        with trio.CancelScope() as principal:
            async with trio.open_nursery() as nursery:
                await nursery.start(network.listener().serve, keep)
                async with network.dialer("a1").dial() as link:
                    await trio.sleep(1)
                    principal.cancel()
                    with trio.CancelScope(shield=True), pytest.raises(LinkBroken):
                        await link.receive()
        with pytest.raises(LinkBroken):
            async with network.dialer("a1").dial():
                pass

    simulate(main, seed=1)


def test_an_exception_of_a_handler_is_kept_and_ends_its_link_only(level: int) -> None:
    """A simulation must not overlook a bug that a server would survive."""

    async def handler(link: Link) -> None:
        if link.peer.name == "bad":
            raise ValueError("a bug")
        await keep(link)

    async def main() -> None:
        network = make_network(level, stream(1, "network"))
        async with trio.open_nursery() as nursery:
            await nursery.start(network.listener().serve, handler)
            async with network.dialer("good").dial() as good:
                async with network.dialer("bad").dial() as bad:
                    with pytest.raises(LinkBroken):
                        await bad.receive()
                good.send_nowait(b"x")
                assert await collect(good, 1) == [b"x"]
            nursery.cancel_scope.cancel()
        assert [str(exc) for exc in network.failures] == ["a bug"]

    simulate(main, seed=1)


@pytest.mark.parametrize("how", list(Tear))
@pytest.mark.parametrize("after", [0, 5, 30, 1000])
def test_a_link_is_torn_in_the_middle_of_what_it_carries(level: int, after: int, how: Tear) -> None:
    """What was whole arrives, in order; then both sides know, and a new link works."""

    async def story(network: Net) -> None:
        async with network.dialer("a1").dial() as link:
            await trio.sleep(1)
            network.tear("a1", after, how)
            sent, heard = [bytes([number]) * 100 for number in range(20)], list[bytes]()
            with pytest.raises(LinkBroken):
                for frame in sent:
                    link.send_nowait(frame)
                while frames := await link.receive():
                    heard += frames
            assert heard == sent[: len(heard)]
            assert 100 * len(heard) <= max(after, 2000 if how is not Tear.BREAK else 0)
        async with network.dialer("a1").dial() as link:
            link.send_nowait(b"x")
            assert await collect(link, 1) == [b"x"]

    run(level, story)


def test_an_expired_certificate_is_refused_until_it_is_renewed(level: int) -> None:
    """The open link ends, and the agent is told why it gets no other."""

    async def story(network: Net) -> None:
        async with network.dialer("a1").dial() as link:
            await trio.sleep(1)
            network.expire("a1")
            with pytest.raises(LinkBroken):
                await link.receive()
        with pytest.raises(LinkRefused, match="expired"):
            async with network.dialer("a1").dial():
                pass
        network.renew("a1")
        async with network.dialer("a1").dial() as link:
            link.send_nowait(b"x")
            assert await collect(link, 1) == [b"x"]

    run(level, story)


def test_one_direction_can_vanish_alone(level: int) -> None:
    """What the agent says arrives, what the principal says does not."""
    heard: list[bytes] = []

    async def handler(link: Link) -> None:
        with suppress(LinkBroken):
            while frames := await link.receive():
                heard.extend(frames)
                link.send_nowait(b"answer")

    async def story(network: Net) -> None:
        async with network.dialer("a1").dial() as link:
            await trio.sleep(1)
            network.half_open("a1", up=False, down=True)
            link.send_nowait(b"x")
            with trio.move_on_after(20) as patience, suppress(LinkBroken):
                await link.receive()
            assert patience.cancelled_caught
            assert heard == [b"x"]

    run(level, story, handler)


def test_a_narrow_line_carries_so_much_a_second_in_one_direction(level: int) -> None:
    """Its sender waits for room, everything arrives in order, and the other direction is as fast as ever."""

    async def story(network: Net) -> None:
        network.narrow("east", up=100_000.0)
        sent = [bytes([number]) * 10_000 for number in range(150)]
        async with network.dialer("east").dial() as link, trio.open_nursery() as nursery:
            began = trio.current_time()

            async def send() -> None:
                for frame in sent:
                    await link.wait_room()
                    link.send_nowait(frame)
                assert 5.0 < trio.current_time() - began < 15.0

            nursery.start_soon(send)
            assert await collect(link, len(sent)) == sent
            assert 14.9 < trio.current_time() - began < 17.0
        network.heal("east")
        async with network.dialer("east").dial() as link:
            began = trio.current_time()
            link.send_nowait(bytes(100_000))
            assert await collect(link, 1) == [bytes(100_000)]
            assert trio.current_time() - began < 1.0

    run(level, story)


def test_links_of_one_agent_share_its_line(level: int) -> None:
    """Two links take twice as long as one; another agent's are not concerned."""

    async def story(network: Net) -> None:
        network.narrow("east", down=10_000.0)
        took: dict[str, float] = {}

        async def fetch(name: str, agent: str) -> None:
            async with network.dialer(agent).dial() as link:
                began = trio.current_time()
                link.send_nowait(bytes(100_000))
                await collect(link, 1)
                took[name] = trio.current_time() - began

        async with trio.open_nursery() as nursery:
            for name, agent in (("one", "east"), ("two", "east"), ("three", "west")):
                nursery.start_soon(fetch, name, agent)
        assert took["three"] < 1.0
        assert 19.9 < max(took["one"], took["two"]) < 25.0

    run(level, story)
