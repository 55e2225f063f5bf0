"""The network in memory keeps the promises of the Transport port, and breaks them only when it is told to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
import trio

from trio_argoagent.errors import LinkBroken, LinkRefused
from trio_argoagent.ports.transport import Link
from trio_argoagent.testing.network import WINDOW, Network
from trio_argoagent.testing.scheduling import simulate, stream

Handler = Callable[[Link], Awaitable[None]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[Network]:
    """A network whose principal handles links like this."""
    network = Network(stream(1, "network"))
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


def run(story: Callable[[Network], Awaitable[None]], handler: Handler = keep) -> None:
    """Run a story on a serving network in virtual time."""

    async def main() -> None:
        async with serving(handler) as network:
            await story(network)

    simulate(main, seed=1)


async def collect(link: Link, count: int) -> list[bytes]:
    """The next frames."""
    found: list[bytes] = []
    while len(found) < count:
        found += await link.receive()
    return found


def test_frames_arrive_whole_in_order_and_after_a_delay() -> None:
    """A thousand frames there and back are the same thousand, and time has passed."""

    async def story(network: Network) -> None:
        sent = [bytes([number % 251]) * (number % 7 + 1) for number in range(1000)]
        async with network.dialer("a1").dial() as link:
            began = trio.current_time()
            for frame in sent:
                link.send_nowait(frame)
            assert await collect(link, 1000) == sent
            assert trio.current_time() > began
            assert link.statistics().frames_sent == link.statistics().frames_received == 1000
            assert network.links("a1") == 1

    run(story)


def test_both_ends_know_each_other() -> None:
    """The principal sees the agent's name, the agent the principal."""
    names: list[str] = []

    async def handler(link: Link) -> None:
        names.append(link.peer.name)

    async def story(network: Network) -> None:
        async with network.dialer("a1").dial() as link:
            assert link.peer.name == "principal"
            assert not await link.receive()
        assert names == ["a1"]

    run(story, handler)


def test_a_clean_end_delivers_what_was_queued_first() -> None:
    """After ``close`` the peer reads the rest, and then an empty sequence, again and again."""

    async def handler(link: Link) -> None:
        link.send_nowait(b"last")
        await link.close()
        with pytest.raises(LinkBroken):
            link.send_nowait(b"more")

    async def story(network: Network) -> None:
        async with network.dialer("a1").dial() as link:
            await trio.sleep(1)
            assert await link.receive() == [b"last"]
            assert not await link.receive()
            assert not await link.receive()

    run(story, handler)


def test_a_full_pipe_makes_the_sender_wait_for_room() -> None:
    """``wait_room`` returns once the peer has read."""

    async def handler(link: Link) -> None:
        await trio.sleep(10)
        await keep(link)

    async def story(network: Network) -> None:
        async with network.dialer("a1").dial() as link:
            await link.wait_room()
            link.send_nowait(bytes(WINDOW))
            await link.wait_room()
            assert trio.current_time() >= 10

    run(story, handler)


def test_a_cut_breaks_both_ends_and_lets_nobody_in_until_it_is_healed() -> None:
    """What was on the way is lost."""

    async def story(network: Network) -> None:
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

    run(story)


def test_a_half_open_link_swallows_frames_and_says_nothing() -> None:
    """Neither side learns of it; a new link works."""

    async def story(network: Network) -> None:
        async with network.dialer("a1").dial() as link:
            await trio.sleep(1)
            network.half_open("a1")
            link.send_nowait(b"x")
            with trio.move_on_after(3600) as patience:
                await link.receive()
            assert patience.cancelled_caught
        async with network.dialer("a1").dial() as link:
            link.send_nowait(b"x")
            assert await collect(link, 1) == [b"x"]

    run(story)


def test_a_refusal_is_told() -> None:
    """The agent learns why, and gets in once it is lifted."""

    async def story(network: Network) -> None:
        network.refuse("a1", "revoked")
        with pytest.raises(LinkRefused, match="revoked"):
            async with network.dialer("a1").dial():
                pass
        network.heal("a1")
        async with network.dialer("a1").dial() as link:
            await link.wait_room()

    run(story)


def test_the_end_of_the_listener_breaks_its_links() -> None:
    """A principal that dies takes its links with it, and nobody answers until another one serves."""

    async def main() -> None:
        network = Network(stream(1, "network"))
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


def test_an_exception_of_a_handler_is_kept_and_ends_its_link_only() -> None:
    """A simulation must not overlook a bug that a server would survive."""

    async def handler(link: Link) -> None:
        if link.peer.name == "bad":
            raise ValueError("a bug")
        await keep(link)

    async def main() -> None:
        network = Network(stream(1, "network"))
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
