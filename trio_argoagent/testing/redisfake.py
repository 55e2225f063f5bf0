"""A Redis in memory: the commands that Argo CD's cache and we use, answered as Redis 7 answers them.

It passes the same contract as a real one (``testing.redis_contract``). Keys expire by ``trio.current_time``,
so in virtual time they do so at once. It can be switched off, like a pod that is rescheduled: every
connection breaks, and what was stored is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import attrs
import trio
from trio.testing import memory_stream_pair

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.redis.protocol import resp
from trio_argoagent.redis.protocol.argocache import Compression
from trio_argoagent.redis.protocol.resp import ErrorReply, Map, Reply
from trio_argoagent.redis.server import RedisServer

MAX_CONNECTIONS: Final = 10_000
_DATABASES: Final = 16
_READ: Final = 64 * 1024
_SYNTAX: Final = ErrorReply("ERR syntax error")
_DENIED: Final = ErrorReply("WRONGPASS invalid username-password pair or user is disabled.")


@attrs.define
class _Client:
    """What Redis knows of one connection."""

    trusted: bool
    database: int = 0
    resp3: bool = False


class FakeRedis:
    """See the module.

    Args:
        password: of the default user; empty: everybody may do everything.
        username: a further user with that password; empty: none.

    Attributes:
        commands: how often each command was called, by its name in upper case.
    """

    def __init__(self, password: str = "", username: str = "") -> None:
        self._password, self._users = password, ("default", username) if username else ("default",)
        self._stored: dict[tuple[int, bytes], tuple[bytes, float]] = {}
        self._serial = 0
        self._scopes: dict[int, trio.CancelScope] = {}
        self._dialled, self._arrivals = trio.open_memory_channel[trio.abc.Stream](MAX_CONNECTIONS)
        self._off = False
        self.commands: dict[str, int] = {}

    async def run(self) -> None:
        """Serve what connects, until cancelled."""
        async with trio.open_nursery() as nursery:
            async for stream in self._arrivals:
                nursery.start_soon(self.serve, stream)

    async def connect(self) -> trio.abc.Stream:
        """A stream to it.

        Raises:
            OSError: it is off.
        """
        await trio.lowlevel.checkpoint()
        if self._off:
            raise ConnectionRefusedError("the fake Redis is off")
        near, far = memory_stream_pair()
        self._dialled.send_nowait(far)
        return near

    def server(
        self, *, username: str = "", password: str = "", compression: Compression = Compression.GZIP
    ) -> RedisServer:
        """How a client finds it."""
        return RedisServer("fake", self.connect, username, password, compression=compression)

    def off(self) -> None:
        """Break every connection, take none, and forget everything."""
        self._off = True
        self._stored.clear()
        for scope in self._scopes.values():
            scope.cancel()

    def on(self) -> None:
        """End ``off``."""
        self._off = False

    def peek(self, key: str, database: int = 0) -> bytes | None:
        """The value of a key, past all connections."""
        return self._find(database, key.encode())

    # One connection

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Answer one connection, to its end."""
        self._serial += 1
        serial, client, decoder = self._serial, _Client(not self._password), resp.Decoder()
        scope = self._scopes[serial] = trio.CancelScope()
        try:
            with scope:
                while data := await stream.receive_some(_READ):
                    decoder.feed(data)
                    while (said := decoder.next()) is not resp.MORE:
                        await stream.send_all(resp.encode(self._answer(client, said), resp3=client.resp3))
        except (RemoteProtocolError, trio.BrokenResourceError):
            pass  # Redis, too, hangs up on what it does not understand.
        finally:
            del self._scopes[serial]
            await trio.aclose_forcefully(stream)

    def _answer(self, client: _Client, said: Reply) -> Reply:
        parts = [each for each in said if isinstance(each, bytes)] if isinstance(said, tuple) else []
        if not parts:
            return ErrorReply("ERR Protocol error: expected an array of bulk strings")
        name = parts[0].decode("utf-8", "replace").upper()
        self.commands[name] = self.commands.get(name, 0) + 1
        found = _COMMANDS.get(name)
        if found is None:
            return ErrorReply(f"ERR unknown command '{name}', with args beginning with: ")
        if not client.trusted and name not in ("AUTH", "HELLO"):
            return ErrorReply("NOAUTH Authentication required.")
        least, most, answer = found
        if not least <= len(parts) - 1 <= most:
            return ErrorReply(f"ERR wrong number of arguments for '{name.lower()}' command")
        return answer(self, client, parts[1:])

    # What is stored

    def _find(self, database: int, key: bytes) -> bytes | None:
        value, ends = self._stored.get((database, key), (None, 0.0))
        return value if value is not None and trio.current_time() < ends else None

    # The commands

    def _ping(self, client: _Client, args: list[bytes]) -> Reply:
        return args[0] if args else "PONG"

    def _auth(self, client: _Client, args: list[bytes]) -> Reply:
        if not self._password and len(args) == 1:
            return ErrorReply(
                "ERR AUTH <password> called without any password configured for the default user."
                " Are you sure your configuration is correct?"
            )
        name = args[0].decode() if len(args) > 1 else "default"
        if name not in self._users or (self._password and args[-1].decode() != self._password):
            return _DENIED
        client.trusted = True
        return "OK"

    def _select(self, client: _Client, args: list[bytes]) -> Reply:
        if not args[0].isdigit():
            return ErrorReply("ERR value is not an integer or out of range")
        if int(args[0]) >= _DATABASES:
            return ErrorReply("ERR DB index is out of range")
        client.database = int(args[0])
        return "OK"

    def _hello(self, client: _Client, args: list[bytes]) -> Reply:
        if args and args[0] not in (b"2", b"3"):
            return ErrorReply("NOPROTO unsupported protocol version")
        if len(args) > 1:
            if args[1].upper() != b"AUTH" or len(args) < 4:
                return ErrorReply("ERR Syntax error in HELLO option")
            denied = self._auth(client, args[2:4])
            if isinstance(denied, ErrorReply):
                return denied
        if not client.trusted:
            return ErrorReply(
                "NOAUTH HELLO must be called with the client already authenticated, otherwise the"
                " HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and"
                " select the RESP protocol version at the same time"
            )
        client.resp3 = args[0] == b"3" if args else client.resp3
        return Map(((b"server", b"redis"), (b"version", b"7.0.0"), (b"proto", 3 if client.resp3 else 2)))

    def _get(self, client: _Client, args: list[bytes]) -> Reply:
        return self._find(client.database, args[0])

    def _set(self, client: _Client, args: list[bytes]) -> Reply:
        ends = float("inf")
        if len(args) > 2:
            if args[2].upper() != b"EX" or len(args) != 4:
                return _SYNTAX
            if not args[3].isdigit():
                return ErrorReply("ERR value is not an integer or out of range")
            if int(args[3]) == 0:
                return ErrorReply("ERR invalid expire time in 'set' command")
            ends = trio.current_time() + int(args[3])
        self._stored[client.database, args[0]] = (args[1], ends)
        return "OK"

    def _del(self, client: _Client, args: list[bytes]) -> Reply:
        there = [key for key in dict.fromkeys(args) if self._find(client.database, key) is not None]
        for key in there:
            del self._stored[client.database, key]
        return len(there)

    def _ttl(self, client: _Client, args: list[bytes]) -> Reply:
        if self._find(client.database, args[0]) is None:
            return -2
        ends = self._stored[client.database, args[0]][1]
        return -1 if ends == float("inf") else round(ends - trio.current_time())


_Command = Callable[[FakeRedis, _Client, list[bytes]], Reply]
_MANY: Final = 1024
_COMMANDS: Final[Mapping[str, tuple[int, int, _Command]]] = {
    "PING": (0, 1, FakeRedis._ping),
    "AUTH": (1, 2, FakeRedis._auth),
    "SELECT": (1, 1, FakeRedis._select),
    "HELLO": (0, 4, FakeRedis._hello),
    "GET": (1, 1, FakeRedis._get),
    "SET": (2, 4, FakeRedis._set),
    "DEL": (1, _MANY, FakeRedis._del),
    "TTL": (1, 1, FakeRedis._ttl),
}
"""Name -> how many arguments, at least and at most, and what it does."""
