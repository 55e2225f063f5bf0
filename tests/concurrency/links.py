"""What a link does: it ends whole, with one writer, in time, and not before there is another one."""

from __future__ import annotations

import random
from typing import Any

import trio
import trio.testing

from trio_argoagent.net.http2 import open_http2
from trio_argoagent.net.http2_wire import CLOSE_TIMEOUT
from trio_argoagent.replication.parting import ANSWER, FINISH
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.sync import buckets

from ..unit.agent.test_moving import asking
from ..unit.agent.test_uplink import Spoke, run_spoke
from ..unit.net.wiring import connected, echo, read_all
from ..unit.replication.links import KEEPALIVE, WEB, End, Pair, Raw, greet, session

EMPTY = buckets.Buckets().root()
AT_ONCE = 0.5
"""Seconds of virtual time in which whatever waits for nothing is done."""


async def _principal() -> tuple[End, Pair]:
    """A principal's end of a link, whose other end is spoken by hand."""
    end = End()
    return end, await greet(EMPTY, end.workers.core.link_up())


async def link_ends_whole() -> None:
    """The peer ends the link: its reader, writer and keepalive are gone, and what they shared is put back."""
    principal, pair = await _principal()
    with trio.fail_after(2 * AT_ONCE):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(session(pair.principal, principal).run, EMPTY)
            await trio.sleep(AT_ONCE)
            principal.want(WEB, "D1")
            await Raw(pair.agent.link).hear(lambda said: isinstance(said, m.RecordMessage))
            assert principal.outlet.statistics().in_flight == 1
            await pair.agent.link.close()
    assert principal.outlet.statistics().in_flight == 0
    assert principal.outlet.statistics().dirty == 1


async def one_task_writes() -> None:
    """Streams by the dozen, one task that hands bytes to the socket: nobody ever finds it busy."""
    body = random.Random(1).randbytes(100_000)
    answers: list[bytes] = []

    async def request() -> None:
        stream = await client.open_stream("POST", "/echo")
        for start in range(0, len(body), 10_000):
            await stream.wait_room()
            stream.send_nowait(body[start : start + 10_000])
        stream.end()
        answers.append(await read_all(stream))

    async with connected(echo) as (client, _):
        async with trio.open_nursery() as nursery:
            for _ in range(12):
                nursery.start_soon(request)
    assert answers == [body] * 12


async def reader_waits_for_nobody() -> None:
    """One stream's bytes are taken by nobody; a PING on the same connection is answered all the same."""

    async def sleepy(exchange: Any) -> None:
        await trio.sleep_forever()

    async with connected(sleepy) as (client, _):
        stream = await client.open_stream("POST", "/")
        stream.send_nowait(b"nobody takes this")
        await trio.sleep(AT_ONCE)
        with trio.fail_after(AT_ONCE):
            await client.ping()


class _Narrow:
    """A link without room, until there is some."""

    def __init__(self, link: Any) -> None:
        self.room = trio.Event()
        self._link = link

    def __getattr__(self, name: str) -> Any:
        return getattr(self._link, name)

    async def wait_room(self) -> None:
        await self.room.wait()


async def newest_value_is_sent() -> None:
    """What changes while the link has no room is sent once, as it is when there is room."""
    principal, pair = await _principal()
    narrow: Any = _Narrow(pair.principal.link)
    pair.principal.link = narrow
    raw = Raw(pair.agent.link)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(session(pair.principal, principal).run, EMPTY)
        for digest in ("D1", "D2", "D3"):
            await trio.sleep(AT_ONCE)
            principal.want(WEB, digest)
        narrow.room.set()
        first = await raw.hear(lambda said: isinstance(said, m.RecordMessage))
        assert isinstance(first, m.RecordMessage)
        assert first.record.digest == "D3"
        nursery.cancel_scope.cancel()


async def farewell_has_a_deadline_that_moves() -> None:
    """Whoever leaves is done in seconds, however long the reader was allowed to wait before."""
    principal, pair = await _principal()
    talk = session(pair.principal, principal)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(talk.run, EMPTY)
        await trio.sleep(KEEPALIVE / 2)
        talk.leave(m.Goodbye(m.Reason.SHUTDOWN, "we stop"))
        with trio.fail_after(FINISH + ANSWER + AT_ONCE):
            await talk.ended.wait()


async def cancelled_owner_says_goodbye() -> None:
    """The owner of a connection is cancelled, and the peer still reads GOAWAY instead of a broken pipe."""
    near, far = trio.testing.memory_stream_pair()
    async with open_http2(far, client=False, handler=echo) as server:
        with trio.move_on_after(5):
            async with open_http2(near, client=True) as client:
                await client.wait_ready()
                await trio.sleep_forever()
        await server.wait_closed()
        assert server._leaving, "the connection broke without a GOAWAY"


async def farewell_to_the_dead_is_short() -> None:
    """A peer that reads nothing holds its owner for no longer than the farewell may take."""
    near, _far = trio.testing.lockstep_stream_pair()
    with trio.CancelScope() as scope:
        async with open_http2(near, client=True):
            began = trio.current_time()
            scope.cancel()
            await trio.sleep_forever()
    assert trio.current_time() - began <= CLOSE_TIMEOUT


async def next_link_comes_first() -> None:
    """From the first link on there is never none, although the agent moves to another one."""
    links: list[int] = []

    async def watch(spoke: Spoke) -> None:
        while True:
            links.append(spoke.network.links("edge"))
            await trio.sleep(0.01)

    await run_spoke(asking(50.0), 100, body=watch)
    up = links[links.index(1) :]
    assert 0 not in up, "there was a moment without a link"
    assert 2 in up, "it has not moved"
