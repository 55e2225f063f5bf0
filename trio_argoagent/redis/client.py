"""One connection to Redis. Any number of tasks call at once; their commands leave in one pipeline.

``open_redis`` is a scope: when the connection is lost it is cancelled, whatever waits in it, and
``RedisUnavailable`` comes out. Who wants another connection opens another scope.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import attrs
import trio

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.net.errors import ConnectionBroken
from trio_argoagent.redis.errors import RedisRefused, RedisUnavailable
from trio_argoagent.redis.protocol import resp
from trio_argoagent.redis.protocol.resp import ErrorReply, More, Push, Reply
from trio_argoagent.redis.server import RedisServer

CONNECT_TIMEOUT: Final = 10.0
"""Seconds for TCP, TLS and logging in."""
CALL_TIMEOUT: Final = 5.0
"""Seconds for an answer. A Redis that takes longer is one to be connected to anew."""
MAX_WAITING: Final = 1024
"""Commands without their answers; who has more is refused."""
_READ: Final = 64 * 1024


@attrs.define(eq=False)
class _Slot:
    """A command whose answer is still to come."""

    settled: trio.Event = attrs.field(factory=trio.Event)
    reply: Reply | More = resp.MORE


class RedisConnection:
    """See the module. ``open_redis`` makes it.

    Args:
        stream: connected; owned from now on.
        where: its address, for people.
    """

    def __init__(self, stream: trio.abc.Stream, where: str) -> None:
        self._stream, self._where = stream, where
        self._decoder = resp.Decoder()
        self._slots: deque[_Slot] = deque()
        self._out = bytearray()
        self._pending = trio.Event()
        self.scope = trio.CancelScope()
        self.failure = ""
        """Why nothing can be asked any more; empty: it can."""

    # For whoever asks

    async def call(self, *parts: str | bytes | int) -> Reply:
        """Send one command and return its answer. When it is cancelled, it may have been done.

        Raises:
            RedisRefused: the answer is an error.
            RedisUnavailable: the connection is lost, or no answer came in time, which ends it.
        """
        slot = self._enqueue(resp.command(*parts))
        with trio.move_on_after(CALL_TIMEOUT):
            await slot.settled.wait()
        if slot.reply is resp.MORE:
            self._fail(f"no answer within {CALL_TIMEOUT:g} s")
            raise RedisUnavailable(self.failure)
        if isinstance(slot.reply, ErrorReply):
            raise RedisRefused(slot.reply.text)
        return slot.reply

    async def get(self, key: str | bytes) -> bytes | None:
        """The value of a key; None: there is none.

        Raises:
            RedisError: as for ``call``; RedisRefused also when the value is no string.
        """
        reply = await self.call("GET", key)
        return reply if isinstance(reply, bytes) else None

    async def set(self, key: str | bytes, value: bytes, *, expire: int = 0) -> None:
        """Set a key.

        Args:
            key: which.
            value: its new value.
            expire: seconds until it goes by itself; 0: it stays.

        Raises:
            RedisError: as for ``call``.
        """
        await self.call("SET", key, value, *(("EX", expire) if expire else ()))

    async def delete(self, *keys: str | bytes) -> int:
        """Delete keys; returns how many there were.

        Raises:
            RedisError: as for ``call``.
        """
        reply = await self.call("DEL", *keys)
        return reply if isinstance(reply, int) else 0

    async def ping(self) -> None:
        """Return when it has answered.

        Raises:
            RedisError: as for ``call``.
        """
        await self.call("PING")

    # The connection

    def _enqueue(self, data: bytes) -> _Slot:
        if self.failure:
            raise RedisUnavailable(self.failure)
        if len(self._slots) >= MAX_WAITING:
            raise RedisUnavailable(f"Redis at {self._where}: {MAX_WAITING} commands wait for an answer")
        slot = _Slot()
        self._slots.append(slot)
        self._out += data
        self._pending.set()
        return slot

    def _fail(self, why: str) -> None:
        """Nothing more comes: whoever waits is told, and the scope ends."""
        self.failure = self.failure or f"Redis at {self._where}: {why}"
        for slot in self._slots:
            slot.settled.set()
        self.scope.cancel()

    async def read(self) -> None:
        """Hand each answer to the command it belongs to, until the connection ends."""
        try:
            while data := await self._stream.receive_some(_READ):
                self._decoder.feed(data)
                while (reply := self._decoder.next()) is not resp.MORE:
                    self._take(reply)
            self._fail("it closed the connection")
        except RemoteProtocolError as exc:
            self._fail(str(exc))
        except (trio.BrokenResourceError, ConnectionBroken) as exc:
            self._fail(f"the connection broke: {exc}")

    def _take(self, reply: Reply) -> None:
        if isinstance(reply, Push):
            return  # Nobody here subscribes to anything.
        if not self._slots:
            raise RemoteProtocolError("Redis: an answer that nobody has asked for")
        slot = self._slots.popleft()
        slot.reply = reply
        slot.settled.set()

    async def write(self) -> None:
        """Send what is asked, as it comes; what has gathered leaves together."""
        try:
            while True:
                await self._pending.wait()
                self._pending = trio.Event()
                data, self._out = self._out, bytearray()
                await self._stream.send_all(data)
        except (trio.BrokenResourceError, ConnectionBroken) as exc:
            self._fail(f"the connection broke: {exc}")


@asynccontextmanager
async def open_redis(server: RedisServer) -> AsyncIterator[RedisConnection]:
    """A connection that is logged in, for as long as the context is open.

    Raises:
        RedisUnavailable: there is none, or it was lost meanwhile; what waited in the context is cancelled.
        RedisRefused: it will not have us.
    """
    stream = await _connect(server)
    try:
        connection = RedisConnection(stream, server.where)
        with connection.scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(connection.read)
                nursery.start_soon(connection.write)
                await _log_in(connection, server)
                yield connection
                nursery.cancel_scope.cancel()
        if connection.scope.cancelled_caught:
            raise RedisUnavailable(connection.failure)
    finally:
        await trio.aclose_forcefully(stream)


async def _connect(server: RedisServer) -> trio.abc.Stream:
    try:
        with trio.fail_after(CONNECT_TIMEOUT):
            return await server.connect()
    except trio.TooSlowError as exc:
        text = f"Redis at {server.where}: no connection within {CONNECT_TIMEOUT:g} s"
        raise RedisUnavailable(text) from exc
    except (OSError, ConnectionBroken) as exc:
        raise RedisUnavailable(f"Redis at {server.where}: {exc}") from exc


async def _log_in(connection: RedisConnection, server: RedisServer) -> None:
    if server.password:
        name = (server.username,) if server.username else ()
        await connection.call("AUTH", *name, server.password)
    if server.database:
        await connection.call("SELECT", server.database)
