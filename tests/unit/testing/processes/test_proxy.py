"""The proxy over streams in memory, in virtual time; resets over TCP, since only TCP has them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import attrs
import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from trio_argoagent.testing.processes import proxy
from trio_argoagent.testing.processes.proxy import Passage, open_passage
from trio_argoagent.testing.processes.toxics import Toxic

SILENT = Toxic(mute_up=True, mute_down=True)


@attrs.define
class World:
    """A passage, and the place that it leads to."""

    passage: Passage
    nursery: trio.Nursery
    accepted: trio.MemoryReceiveChannel[trio.abc.Stream]
    sends: int = 0
    """How often the passage has sent something on to where it leads."""

    async def dial(self) -> trio.abc.Stream:
        """The client's end of a new connection through the passage."""
        client, theirs = memory_stream_pair()
        self.nursery.start_soon(self.passage.carry, theirs)
        await trio.testing.wait_all_tasks_blocked()
        return client

    async def connect(self) -> tuple[trio.abc.Stream, trio.abc.Stream]:
        """Both ends of one."""
        client = await self.dial()
        return client, self.accepted.receive_nowait()


@asynccontextmanager
async def open_world() -> AsyncIterator[World]:
    """A world that is gone when the context ends."""
    send, receive = trio.open_memory_channel[trio.abc.Stream](100)

    async def connect() -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        mine, theirs = memory_stream_pair()
        deliver = mine.send_stream.send_all_hook
        assert deliver is not None

        async def count() -> None:
            world.sends += 1
            await deliver()

        mine.send_stream.send_all_hook = count
        send.send_nowait(theirs)
        return mine

    async with trio.open_nursery() as nursery:
        with send, receive:
            world = World(Passage(connect, Random(1)), nursery, receive)
            yield world
        nursery.cancel_scope.cancel()


async def read(stream: trio.abc.Stream, size: int) -> bytes:
    """That many bytes."""
    data = b""
    while len(data) < size:
        more = await stream.receive_some(size - len(data))
        assert more, data
        data += more
    return data


async def hears_nothing(stream: trio.abc.Stream) -> bool:
    """Does nothing come for an hour, not even an end?"""
    with trio.move_on_after(3600) as hour:
        await stream.receive_some(1)
    return hour.cancelled_caught


async def test_bytes_and_ends_go_both_ways(autojump_clock: MockClock) -> None:
    """What one end says the other one hears; a half that is closed leaves the other half open."""
    async with open_world() as world:
        client, server = await world.connect()
        await client.send_all(b"question")
        assert await read(server, 8) == b"question"
        await client.send_eof()  # type: ignore[attr-defined]
        assert await server.receive_some(1) == b""
        await server.send_all(b"answer")
        assert await read(client, 6) == b"answer"
        await server.aclose()
        assert await client.receive_some(1) == b""
        assert world.passage.counted["carried"] == 1


async def test_a_cut_ends_what_is_open(autojump_clock: MockClock) -> None:
    """Both ends see it, and who dials again gets through."""
    async with open_world() as world:
        client, server = await world.connect()
        world.passage.cut()
        assert await client.receive_some(1) == b""
        assert await server.receive_some(1) == b""
        client, server = await world.connect()
        await client.send_all(b"x")
        assert await read(server, 1) == b"x"
        assert world.passage.counted["cut"] == 1


async def test_a_closed_passage_refuses_newcomers_only(autojump_clock: MockClock) -> None:
    """Who is in stays in; two closures end when both have ended."""
    async with open_world() as world:
        client, server = await world.connect()
        with world.passage.closed():
            with world.passage.closed():
                pass
            refused = await world.dial()
            assert await refused.receive_some(1) == b""
            with pytest.raises(trio.WouldBlock):
                world.accepted.receive_nowait()
            await client.send_all(b"x")
            assert await read(server, 1) == b"x"
        await world.connect()
        assert world.passage.counted["refused"] == 1


async def test_nobody_at_the_other_end_is_a_refusal(autojump_clock: MockClock) -> None:
    """Where nobody listens, who dials is put out."""

    async def connect() -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        raise OSError("nobody there")

    passage = Passage(connect, Random(1))
    client, theirs = memory_stream_pair()
    await passage.carry(theirs)
    assert await client.receive_some(1) == b""
    assert passage.counted["refused"] == 1


async def test_silence_is_for_good(autojump_clock: MockClock) -> None:
    """A connection that was silent once never says anything again; one that comes later does."""
    async with open_world() as world:
        client, server = await world.connect()
        with world.passage.toxic(SILENT):
            await client.send_all(b"lost")
        await client.send_all(b"lost, too")
        await server.send_all(b"lost as well")
        assert await hears_nothing(server)
        assert await hears_nothing(client)
        assert world.passage.counted["swallowed"] == len(b"lost" + b"lost, too" + b"lost as well")
        client, server = await world.connect()
        await client.send_all(b"x")
        assert await read(server, 1) == b"x"


async def test_silence_hides_an_end(autojump_clock: MockClock) -> None:
    """Half-open: one end has gone, and the other one is not told."""
    async with open_world() as world:
        client, server = await world.connect()
        with world.passage.toxic(SILENT):
            await client.aclose()
            assert await hears_nothing(server)
            await server.send_all(b"is anybody there?")


async def test_who_dials_into_silence_is_not_noticed(autojump_clock: MockClock) -> None:
    """The connection seems to be made, and nobody is at the other end."""
    async with open_world() as world:
        with world.passage.toxic(SILENT):
            client = await world.dial()
            await client.send_all(b"hello")
            with pytest.raises(trio.WouldBlock):
                world.accepted.receive_nowait()
        assert await hears_nothing(client)


async def test_one_direction_alone_can_be_silent(autojump_clock: MockClock) -> None:
    """What is asked arrives, what is answered does not."""
    async with open_world() as world:
        with world.passage.toxic(Toxic(mute_down=True)):
            client, server = await world.connect()
            await client.send_all(b"question")
            assert await read(server, 8) == b"question"
            await server.send_all(b"answer")
            assert await hears_nothing(client)


async def test_latency_delays_and_keeps_the_order(autojump_clock: MockClock) -> None:
    """Bytes are late by half to one and a half of it, and never overtake each other."""
    async with open_world() as world:
        client, server = await world.connect()
        with world.passage.toxic(Toxic(latency=10.0)):
            for part in (b"a", b"b", b"c", b"d"):
                await client.send_all(part)
                await trio.sleep(1.0)
            assert await read(server, 4) == b"abcd"
            assert 8.0 <= trio.current_time() <= 18.0


async def test_a_slow_wire_is_slow(autojump_clock: MockClock) -> None:
    """So many bytes a second; when it is healed, the rest comes at once."""
    async with open_world() as world:
        client, server = await world.connect()
        with world.passage.toxic(Toxic(rate=100.0)):
            await client.send_all(bytes(1000))
            await read(server, 500)
            assert trio.current_time() == pytest.approx(5.0, abs=0.2)
        await read(server, 500)
        assert trio.current_time() == pytest.approx(5.1, abs=0.3)


async def test_slices_arrive_one_by_one(autojump_clock: MockClock) -> None:
    """The same bytes, in many small pieces."""
    async with open_world() as world:
        client, server = await world.connect()
        with world.passage.toxic(Toxic(piece=4)):
            world.sends = 0
            await client.send_all(bytes(range(200)))
            assert await read(server, 200) == bytes(range(200))
            assert world.sends >= 200 / 8


async def test_corruption_is_counted(autojump_clock: MockClock) -> None:
    """What arrives is not what was sent, and the proxy says how often."""
    async with open_world() as world:
        client, server = await world.connect()
        with world.passage.toxic(Toxic(flips=1.0)):
            await client.send_all(b"12345678")
            assert await read(server, 8) != b"12345678"
        await client.send_all(b"12345678")
        assert await read(server, 8) == b"12345678"
        assert world.passage.counted["spoilt"] == 1


async def test_a_full_passage_refuses(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections of one passage are bounded."""
    monkeypatch.setattr(proxy, "MAX_CONNECTIONS", 2)
    async with open_world() as world:
        first, _ = await world.connect()
        await world.connect()
        refused = await world.dial()
        assert await refused.receive_some(1) == b""
        await first.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert world.passage.counted == {"carried": 2, "refused": 1}


async def test_over_tcp_a_cut_is_a_reset() -> None:
    """Both ends get RST, and a port of its own leads to wherever it leads at the moment."""
    accepted: list[trio.SocketStream] = []
    arrived = trio.Event()

    async def serve(stream: trio.SocketStream) -> None:
        accepted.append(stream)
        arrived.set()
        await trio.sleep_forever()

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
            nursery.start_soon(trio.serve_listeners, serve, listeners)
            port = listeners[0].socket.getsockname()[1]
            async with open_passage(lambda: port, Random(1)) as passage:
                client = await trio.open_tcp_stream("127.0.0.1", passage.port)
                await arrived.wait()
                await client.send_all(b"x")
                assert await accepted[0].receive_some(1) == b"x"
                passage.cut()
                for end in (client, accepted[0]):
                    with pytest.raises(trio.BrokenResourceError):
                        await end.receive_some(1)
                await client.aclose()
            nursery.cancel_scope.cancel()
