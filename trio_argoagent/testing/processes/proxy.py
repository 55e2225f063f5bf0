"""A proxy that spoils what it carries: cuts, silence, latency, slowness, small pieces, wrong bits.

A passage is a port to dial and the place that it leads to. Toxics are added to it and taken off again; they
act on the connections that are open, and on those that come meanwhile.

Silence is for good: bytes of a stream that are lost are never sent again, so a connection that was muted in a
direction stays so until its ends give it up. Neither end is told of anything that the other one does in that
direction, not even that it has gone: that is what half-open means.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from random import Random
from typing import Final

import trio

from trio_argoagent.runtime.listening import open_listeners
from trio_argoagent.testing.machine import LOOPBACK
from trio_argoagent.testing.processes.toxics import Toxic, join

CHUNK: Final = 16 * 1024
"""Bytes that are read at once."""
QUEUE: Final = 64
"""Chunks on their way in one direction; then the sender is not read any more."""
MAX_CONNECTIONS: Final = 512
"""Connections of one passage; more are refused."""

Connect = Callable[[], Awaitable[trio.abc.Stream]]
_Part = tuple[float, bytes]


class _Connection:
    """One connection through a passage: what its two directions share."""

    def __init__(self, toxic: Toxic) -> None:
        self.scope = trio.CancelScope()
        self.muted = {True: toxic.mute_up, False: toxic.mute_down}

    def mute(self, toxic: Toxic) -> None:
        """From now on, and for good, what this toxic mutes goes nowhere."""
        for up in (True, False):
            self.muted[up] = self.muted[up] or toxic.mutes(up)


class Passage:
    """See the module. ``open_passage`` gives it a port; ``carry`` is enough for streams of any other kind.

    Args:
        connect: opens a stream to where it leads; OSError: nobody is there.
        chance: what the toxics draw.
    """

    def __init__(self, connect: Connect, chance: Random) -> None:
        self.port = 0
        self.counted: Counter[str] = Counter()
        """Connections ``carried``, ``refused``, ``cut``; bytes ``up``, ``down``, ``swallowed``; and
        ``spoilt``, in pieces."""
        self._connect, self._chance = connect, chance
        self._toxics: list[Toxic] = []
        self._toxic = Toxic()
        self._closed = 0
        self._live: dict[_Connection, None] = {}

    # Troubles

    @property
    def troubles(self) -> tuple[Toxic, bool]:
        """What is wrong at the moment, and whether who dials is turned away."""
        return self._toxic, self._closed > 0

    @contextlib.contextmanager
    def toxic(self, toxic: Toxic) -> Iterator[None]:
        """While the context is open, this is wrong, too."""
        self._toxics.append(toxic)
        self._toxic = join(self._toxics)
        for connection in self._live:
            connection.mute(toxic)
        try:
            yield
        finally:
            self._toxics.remove(toxic)
            self._toxic = join(self._toxics)

    @contextlib.contextmanager
    def closed(self) -> Iterator[None]:
        """While the context is open, whoever dials is turned away; open connections stay."""
        self._closed += 1
        try:
            yield
        finally:
            self._closed -= 1

    def cut(self) -> None:
        """Reset every connection, both ends of it; what is on its way is lost."""
        self.counted["cut"] += len(self._live)
        for connection in self._live:
            connection.scope.cancel()

    # Connections

    async def carry(self, client: trio.abc.Stream) -> None:
        """Carry one connection to its end. Both streams are closed then, with a reset where they can be."""
        connection = _Connection(self._toxic)
        self._live[connection] = None
        try:
            with connection.scope:
                if self._is_full():
                    pass
                elif connection.muted[True]:
                    # Nothing of it ever arrives, so nobody over there sees that anybody has dialled.
                    await self._swallow(client)
                elif (server := await self._open()) is not None:
                    await self._exchange(connection, client, server)
        finally:
            del self._live[connection]
            let_reset(client)
            await trio.aclose_forcefully(client)

    def _is_full(self) -> bool:
        if self._closed or len(self._live) > MAX_CONNECTIONS:
            self.counted["refused"] += 1
            return True
        return False

    async def _open(self) -> trio.abc.Stream | None:
        try:
            server = await self._connect()
        except OSError:
            self.counted["refused"] += 1
            return None
        self.counted["carried"] += 1
        return server

    async def _exchange(
        self, connection: _Connection, client: trio.abc.Stream, server: trio.abc.Stream
    ) -> None:
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._direction, connection, True, client, server)
                nursery.start_soon(self._direction, connection, False, server, client)
        finally:
            let_reset(server)
            await trio.aclose_forcefully(server)

    async def _direction(
        self, connection: _Connection, up: bool, source: trio.abc.Stream, sink: trio.abc.Stream
    ) -> None:
        """One direction, until its source ends; its end is told to the sink, unless the direction is mute."""
        send, receive = trio.open_memory_channel[_Part](QUEUE)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._write, connection, up, receive, sink)
            async with send:
                reset = await self._read(connection, up, source, send)
        if connection.muted[up]:
            return
        if reset:
            connection.scope.cancel()
        elif isinstance(sink, trio.abc.HalfCloseableStream):
            with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                await sink.send_eof()
        else:
            connection.scope.cancel()

    async def _read(
        self, connection: _Connection, up: bool, source: trio.abc.Stream, send: trio.MemorySendChannel[_Part]
    ) -> bool:
        """Take in what comes, with the time at which it is due; True if the source was reset."""
        try:
            while data := await source.receive_some(CHUNK):
                if connection.muted[up]:
                    self.counted["swallowed"] += len(data)
                else:
                    await send.send((trio.current_time() + self._toxic.delay(self._chance), bytes(data)))
        except trio.BrokenResourceError:
            return True
        return False

    async def _write(
        self,
        connection: _Connection,
        up: bool,
        receive: trio.MemoryReceiveChannel[_Part],
        sink: trio.abc.Stream,
    ) -> None:
        async for due, data in receive:
            await trio.sleep_until(due)
            while data:
                if connection.muted[up]:
                    self.counted["swallowed"] += len(data)
                    break
                size = self._toxic.size(len(data), self._chance)
                if pause := self._toxic.pause(size):
                    await trio.sleep(pause)
                if not await self._put(connection, up, data[:size], sink):
                    break
                data = data[size:]

    async def _put(self, connection: _Connection, up: bool, piece: bytes, sink: trio.abc.Stream) -> bool:
        """Send a piece; False if it could not be."""
        spoilt = self._toxic.spoil(piece, self._chance)
        self.counted["up" if up else "down"] += len(piece)
        self.counted["spoilt"] += spoilt != piece
        try:
            await sink.send_all(spoilt)
        except trio.BrokenResourceError:
            # Its end is the other direction's to tell. Where that one is mute, this one falls silent, too.
            connection.muted[up] = connection.muted[up] or connection.muted[not up]
            if not connection.muted[up]:
                connection.scope.cancel()
            return False
        return True

    async def _swallow(self, client: trio.abc.Stream) -> None:
        self.counted["carried"] += 1
        with contextlib.suppress(trio.BrokenResourceError):
            while data := await client.receive_some(CHUNK):
                self.counted["swallowed"] += len(data)


def let_reset(stream: trio.abc.Stream) -> None:
    """When this stream is closed, the other end is to see a reset, where it is TCP."""
    if isinstance(stream, trio.SocketStream):
        with contextlib.suppress(OSError, trio.ClosedResourceError):
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextlib.asynccontextmanager
async def open_passage(target: Callable[[], int], chance: Random) -> AsyncIterator[Passage]:
    """A passage with a port of its own on loopback, which leads to another port there.

    Args:
        target: the port that it leads to at the moment.
        chance: what the toxics draw.
    """

    async def connect() -> trio.abc.Stream:
        return await trio.open_tcp_stream(LOOPBACK, target())

    passage = Passage(connect, chance)
    async with open_listeners(LOOPBACK, 0) as listeners, trio.open_nursery() as nursery:
        passage.port = listeners[0].socket.getsockname()[1]
        await nursery.start(trio.serve_listeners, passage.carry, listeners)
        yield passage
        nursery.cancel_scope.cancel()
