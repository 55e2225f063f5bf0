"""The port at which Argo CD finds Redis: bytes both ways, and how either end may go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import pytest
import trio
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

from trio_argoagent.net.contexts import client_context
from trio_argoagent.principal import redisproxy
from trio_argoagent.principal.redisproxy import RedisProxy
from trio_argoagent.redis.client import CONNECT_TIMEOUT, open_redis
from trio_argoagent.redis.server import RedisServer, over_tcp
from trio_argoagent.runtime.events import Event
from trio_argoagent.testing.redisfake import FakeRedis

from ..stream.loopback import authority, principal_tls

BULK = bytes(range(256)) * 4096
"""A mebibyte."""


@attrs.define
class World:
    """A proxy, the far ends of what it dials, and its log."""

    lines: list[Event] = attrs.field(factory=list)
    dialled: list[trio.StapledStream] = attrs.field(factory=list)
    down: bool = False

    async def connect(self) -> trio.abc.Stream:
        """Redis, spoken by hand."""
        await trio.lowlevel.checkpoint()
        if self.down:
            raise ConnectionRefusedError("refused")
        near, far = memory_stream_pair()
        self.dialled.append(far)
        return near

    def proxy(self) -> RedisProxy:
        """The one under test."""
        return RedisProxy(RedisServer("redis:6379", self.connect), None, self.lines.append)


@asynccontextmanager
async def through(world: World) -> AsyncIterator[tuple[trio.StapledStream, trio.StapledStream, RedisProxy]]:
    """A client's end, Redis' end, and the proxy between them."""
    client, stream = memory_stream_pair()
    proxy = world.proxy()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(proxy.serve, stream)
        await wait_all_tasks_blocked()
        yield client, world.dialled[-1], proxy
        nursery.cancel_scope.cancel()
    assert proxy.connections == 0


async def read_to_end(stream: trio.abc.ReceiveStream) -> bytes:
    """Everything up to the clean end."""
    pieces = []
    while piece := await stream.receive_some():
        pieces.append(bytes(piece))
    return b"".join(pieces)


async def test_bytes_go_both_ways(autojump_clock: MockClock) -> None:
    """Unread, unchanged, as many as there are; an end of one direction leaves the other."""
    async with through(World()) as (client, redis, _):
        async with trio.open_nursery() as nursery:
            got: list[bytes] = []

            async def serve() -> None:
                got.append(await read_to_end(redis))
                await redis.send_all(b"late answer " + BULK)
                await redis.aclose()

            nursery.start_soon(serve)
            await client.send_all(BULK)
            await client.send_eof()
            assert await read_to_end(client) == b"late answer " + BULK
        assert got == [BULK]


async def test_redis_ends_first(autojump_clock: MockClock) -> None:
    """Its last words arrive, and then the end."""
    async with through(World()) as (client, redis, proxy):
        await redis.send_all(b"-ERR max number of clients reached\r\n")
        await redis.aclose()
        assert await read_to_end(client) == b"-ERR max number of clients reached\r\n"
        await trio.sleep(3)
        assert proxy.connections == 0


async def test_a_client_that_vanishes(autojump_clock: MockClock) -> None:
    """Redis is not left with its connection."""
    async with through(World()) as (client, redis, proxy):
        await client.aclose()
        assert await read_to_end(redis) == b""
        with pytest.raises(trio.BrokenResourceError):
            while True:
                await redis.send_all(b"x")
        await trio.sleep(3)
        assert proxy.connections == 0


async def test_a_slow_reader_is_waited_for(autojump_clock: MockClock) -> None:
    """What one side does not read is not gathered here."""

    class Slow(trio.abc.Stream):
        """Takes nothing until it is told to."""

        def __init__(self) -> None:
            self.taken, self.go = 0, trio.Event()

        async def send_all(self, data: object) -> None:
            await self.go.wait()
            self.taken += len(bytes(data))  # type: ignore[call-overload]

        async def wait_send_all_might_not_block(self) -> None:
            await self.go.wait()

        async def receive_some(self, max_bytes: int | None = None) -> bytes:
            await trio.sleep_forever()
            raise AssertionError("unreachable")

        async def aclose(self) -> None:
            await trio.lowlevel.checkpoint()

    class Fast(Slow):
        """Has more to say, always."""

        said = 0

        async def receive_some(self, max_bytes: int | None = None) -> bytes:
            await trio.lowlevel.checkpoint()
            assert max_bytes is not None
            self.said += max_bytes
            return bytes(max_bytes)

    slow, fast = Slow(), Fast()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(redisproxy.pump, slow, fast)
        await wait_all_tasks_blocked()
        assert fast.said == redisproxy.CHUNK
        nursery.cancel_scope.cancel()


async def test_a_redis_that_is_away(autojump_clock: MockClock) -> None:
    """The client is let go cleanly, and there is one line a minute however often it comes."""
    world = World(down=True)
    proxy = world.proxy()
    for _ in range(20):
        client, stream = memory_stream_pair()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(proxy.serve, stream)
            assert await read_to_end(client) == b""
            await client.aclose()
        await trio.sleep(5)
    assert [line.text for line in world.lines] == [
        "Redis at redis:6379 cannot be reached for Argo CD: refused"
    ] * 2


async def test_a_redis_that_does_not_answer(autojump_clock: MockClock) -> None:
    """A black hole holds nobody for longer than a connection may take."""
    lines: list[Event] = []
    proxy = RedisProxy(RedisServer("hole", trio.sleep_forever), None, lines.append)  # type: ignore[arg-type]
    client, stream = memory_stream_pair()
    began = trio.current_time()
    await proxy.serve(stream)
    assert trio.current_time() - began == CONNECT_TIMEOUT
    assert await read_to_end(client) == b""
    assert len(lines) == 1


async def test_one_too_many(monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock) -> None:
    """Beyond the bound connections are closed at once; the others go on, and one that ends makes room."""
    monkeypatch.setattr(redisproxy, "MAX_CONNECTIONS", 2)
    world = World()
    proxy = world.proxy()
    async with trio.open_nursery() as nursery:
        ends = [memory_stream_pair() for _ in range(4)]
        for _, stream in ends[:3]:
            nursery.start_soon(proxy.serve, stream)
            await wait_all_tasks_blocked()
        assert (proxy.connections, len(world.dialled), len(world.lines)) == (2, 2, 1)
        assert await read_to_end(ends[2][0]) == b""
        await ends[0][0].aclose()
        assert await read_to_end(world.dialled[0]) == b""
        await world.dialled[0].aclose()
        await trio.sleep(3)
        nursery.start_soon(proxy.serve, ends[3][1])
        await wait_all_tasks_blocked()
        assert (proxy.connections, len(world.dialled)) == (2, 3)
        assert proxy.accepted == 4
        nursery.cancel_scope.cancel()


async def test_over_tls() -> None:
    """On sockets: a client of ours speaks TLS to the port, and plain RESP arrives at Redis."""
    fake = FakeRedis("word")
    lines: list[Event] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fake.run)
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listeners[0].socket.getsockname()[1]
        proxy = RedisProxy(fake.server(), principal_tls(require_client=False, alpn=()), lines.append)
        await nursery.start(proxy.run, listeners)
        context = client_context(ca=authority("ours").certificate_pem, certificate=None, key=None, alpn=())
        with trio.fail_after(60):
            near = over_tcp("127.0.0.1", port, lambda: context, password="word")
            async with open_redis(near) as connection:
                await connection.set("k", BULK)
                assert await connection.get("k") == BULK
            while proxy.connections:  # noqa: ASYNC110 (it says goodbye by itself)
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    assert lines == []
