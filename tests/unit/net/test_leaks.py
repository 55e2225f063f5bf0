"""A server is after a thousand connections what it was before."""

from __future__ import annotations

import gc
import tracemalloc
from collections import Counter

import trio
import trio.testing

from trio_argoagent.net.http2 import open_http2

from . import rawpeer as raw
from .rawpeer import Hall, hall
from .wiring import read_all

WAYS = ("asks and goes", "is reset", "breaks the protocol", "hangs up", "goes in the middle of a frame")


async def visit(server: Hall, way: str) -> None:
    """One connection, from its beginning to its end."""
    if way == "asks and goes":
        async with open_http2(server.dial(), client=True, authority="x") as client:
            stream = await client.open_stream("POST", "/echo")
            stream.send_nowait(bytes(5000))
            stream.end()
            assert len(await read_all(stream)) == 5000
        return
    peer = server.connect()
    await peer.greet()
    await peer.send(raw.headers(1), raw.headers(3))
    if way == "is reset":
        await peer.send(raw.reset(1), raw.goaway())
    elif way == "breaks the protocol":
        await peer.send(raw.reset(99))
        await peer.read()
    elif way == "goes in the middle of a frame":
        await peer.send(raw.headers(5)[:5])
    await peer.stream.aclose()


def census() -> Counter[str]:
    """What there is of our kinds of object, of HTTP/2's, and of Trio's that live while somebody waits."""
    gc.collect()
    kinds = ("trio_argoagent.net", "h2.", "hpack.", "hyperframe.")
    waiting = ("trio._core._run.Task", "trio._core._run.Nursery", "trio._core._run.CancelScope")
    names = (f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())
    return Counter(name for name in names if name.startswith(kinds) or name in waiting)


async def test_a_thousand_connects(autojump_clock: trio.testing.MockClock) -> None:
    """However they end: no object of a connection, no task and no memory stays."""
    async with hall() as server:

        async def visits(count: int) -> tuple[Counter[str], int]:
            for number in range(count):
                await visit(server, WAYS[number % len(WAYS)])
            await trio.sleep(10)
            server.errors.clear()
            return census(), trio.lowlevel.current_statistics().tasks_living

        before = await visits(50)
        assert await visits(1000) == before and server.running == 0
        tracemalloc.start()
        await visits(50)
        start, _ = tracemalloc.get_traced_memory()
        await visits(100)
        end, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert end - start < 100 * 1024  # one lost connection is 60 KiB
