"""Frames over one HTTP/2 stream, over TLS on the loopback interface."""

import ssl

import pytest
import trio
import trio.testing

from trio_argoagent.errors import LinkBroken, LocalProtocolError, RemoteProtocolError, TunnelRefused
from trio_argoagent.model.identity import Peer
from trio_argoagent.net.certificates import all_facts, pem_blocks
from trio_argoagent.net.contexts import fingerprint
from trio_argoagent.net.http import Exchange
from trio_argoagent.net.http2 import open_http2
from trio_argoagent.ports.transport import MAX_FRAME, TUNNEL_ID, Link
from trio_argoagent.stream.link import CLOSE_TIMEOUT, LINK_PATH, Http2Link

from .loopback import authority, client_pem, open_hub, server_pem


def fingerprint_of(pem: bytes) -> str:
    """The fingerprint of a PEM certificate."""
    return fingerprint(ssl.PEM_cert_to_DER_cert(pem.decode()))


async def receive(link: Link, count: int) -> list[bytes]:
    """So many frames."""
    frames: list[bytes] = []
    while len(frames) < count:
        got = await link.receive()
        assert got, "the link ended too early"
        frames += got
    return frames


async def test_frames_arrive_whole_and_in_order() -> None:
    """Small and large frames come back as they were sent."""
    sent = [bytes([n % 256]) * size for n, size in enumerate([1, 2, 16_384, 16_385, 300_000, 3, 70_000])]
    async with open_hub() as hub, hub.dialer().dial() as link:
        async with trio.open_nursery() as nursery:

            async def send() -> None:
                for frame in sent:
                    await link.wait_room()
                    link.send_nowait(frame)

            nursery.start_soon(send)
            assert await receive(link, len(sent)) == sent


async def test_the_largest_frame_crosses() -> None:
    """A frame of the bound, far beyond every window, arrives."""
    frame = bytes(MAX_FRAME)
    async with open_hub() as hub, hub.dialer().dial() as link:
        link.send_nowait(frame)
        assert await receive(link, 1) == [frame]


async def test_each_side_knows_the_other() -> None:
    """Names, fingerprints and how long they count come from the certificates."""
    seen: list[Peer] = []

    async def note(link: Link) -> None:
        seen.append(link.peer)

    async with open_hub(note) as hub, hub.dialer().dial() as link:
        assert await link.receive() == ()
        (dialled,) = seen
        leaf, root = all_facts(pem_blocks(client_pem() + authority("ours").certificate_pem))
        ends = min(leaf.not_after, root.not_after)
        assert dialled == Peer("a1", leaf.fingerprint, dialled.address, ends, leaf.issued, root.anchor)
        assert dialled.address.startswith("127.0.0.1:")
        assert link.peer == Peer("127.0.0.1", fingerprint_of(server_pem()), f"127.0.0.1:{hub.port}")


async def test_a_clean_end_delivers_what_was_queued() -> None:
    """Each side may end; the other hears all that came before, and may still speak."""
    async with open_hub() as hub, hub.dialer().dial() as link:
        for number in range(100):
            link.send_nowait(b"%d" % number)
        await link.close()
        assert await receive(link, 100) == [b"%d" % number for number in range(100)]
        assert await link.receive() == ()
        with pytest.raises(LocalProtocolError):
            link.send_nowait(b"late")
    assert hub.errors == []


async def test_statistics_count_frames_and_bytes() -> None:
    """What has crossed is counted on the connection, overhead included."""
    async with open_hub() as hub, hub.dialer().dial() as link:
        link.send_nowait(bytes(1000))
        link.send_nowait(b"x")
        await receive(link, 2)
        counted = link.statistics()
        assert (counted.frames_sent, counted.frames_received) == (2, 2)
        assert counted.bytes_sent > 1000
        assert counted.bytes_received > 1000


async def test_leaving_the_context_breaks_the_link_for_the_principal() -> None:
    """A link that just goes away is LinkBroken at the other end: no clean end, and no cancellation."""
    broken: list[LinkBroken] = []
    done = trio.Event()

    async def wait(link: Link) -> None:
        try:
            await link.receive()
        except LinkBroken as exc:
            broken.append(exc)
        done.set()

    async with open_hub(wait) as hub:
        async with hub.dialer().dial():
            pass
        await done.wait()
        assert len(broken) == 1


async def test_a_handler_that_fails_ends_its_own_link_only() -> None:
    """The agent sees a broken link, the error is reported, and other links go on."""

    async def fail_on_request(link: Link) -> None:
        while frames := await link.receive():
            if b"fail" in frames:
                raise ValueError("as asked")
            for frame in frames:
                link.send_nowait(frame)

    async with open_hub(fail_on_request) as hub:
        async with hub.dialer().dial() as other, hub.dialer().dial() as link:
            link.send_nowait(b"fail")
            with pytest.raises(LinkBroken):
                await link.receive()
            other.send_nowait(b"still here")
            assert await receive(other, 1) == [b"still here"]
            await other.close()
            assert await other.receive() == ()
        assert [str(error) for error in hub.errors] == ["as asked"]


async def test_a_frame_that_is_cut_off_is_no_clean_end() -> None:
    """A stream that ends within a frame is broken, however politely it ends."""

    async def cut(link: Link) -> None:
        assert isinstance(link, Http2Link)
        link._carrier.send_nowait(b"\0\0\0\x05abc")

    async with open_hub(cut) as hub, hub.dialer().dial() as link:
        with pytest.raises(LinkBroken, match="in the middle of a frame"):
            await link.receive()


async def test_a_frame_that_is_too_long_is_refused_at_its_length() -> None:
    """Nobody waits for a frame beyond the bound, and nobody sends one."""

    async def boast(link: Link) -> None:
        assert isinstance(link, Http2Link)
        link._carrier.send_nowait((MAX_FRAME + 1).to_bytes(4))
        await link.receive()

    async with open_hub(boast) as hub, hub.dialer().dial() as link:
        with pytest.raises(LocalProtocolError):
            link.send_nowait(bytes(MAX_FRAME + 1))
        with pytest.raises(RemoteProtocolError, match=str(MAX_FRAME + 1)):
            await link.receive()


async def test_wait_room_holds_a_sender_that_nobody_reads() -> None:
    """What is queued stays bounded while the peer takes nothing."""
    sent = 0

    async def idle(link: Link) -> None:
        await trio.sleep_forever()

    async def flood(link: Link) -> None:
        nonlocal sent
        while True:
            await link.wait_room()
            link.send_nowait(bytes(65_536))
            sent += 65_536

    async with open_hub(idle) as hub, hub.dialer().dial() as link, trio.open_nursery() as nursery:
        nursery.start_soon(flood, link)
        await trio.testing.wait_all_tasks_blocked(cushion=0.2)
        # Its window of 1 MiB, our 256 KiB, and one frame.
        assert 1_000_000 < sent < 2_000_000
        nursery.cancel_scope.cancel()


async def test_closing_does_not_wait_for_ever(autojump_clock: trio.testing.MockClock) -> None:
    """A peer that takes nothing more is broken off after the time allowed."""

    async def idle(exchange: Exchange) -> None:
        await exchange.start(200)
        await trio.sleep_forever()

    ours, theirs = trio.testing.memory_stream_pair()
    async with (
        open_http2(theirs, client=False, handler=idle),
        open_http2(ours, client=True, authority="hub") as connection,
    ):
        stream = await connection.open_stream("POST", LINK_PATH)
        link = Http2Link(stream, Peer("hub"))
        link.send_nowait(bytes(1_000_000))
        start = trio.current_time()
        with pytest.raises(LinkBroken, match="within 5 s"):
            await link.close()
        assert trio.current_time() - start == pytest.approx(CLOSE_TIMEOUT)
        with pytest.raises(LinkBroken, match="given up"):
            await link.receive()


async def test_a_retired_connection_takes_no_tunnel() -> None:
    """The agent is told so, the link goes on, and the connection ends by itself after it."""

    async def handler(link: Link) -> None:
        link.retire()
        link.send_nowait(b"retired")
        while frames := await link.receive():
            link.send_nowait(frames[0])

    async with open_hub(handler) as hub, hub.dialer().dial() as link:
        assert isinstance(link, Http2Link)
        assert await receive(link, 1) == [b"retired"]
        connection = link._connection
        await connection.wait_leaving()
        with pytest.raises(TunnelRefused):
            await link.open_tunnel("00" * TUNNEL_ID)
        link.send_nowait(b"still here")
        assert await receive(link, 1) == [b"still here"]
        await link.close()
        with trio.fail_after(60):
            await connection.wait_closed()
