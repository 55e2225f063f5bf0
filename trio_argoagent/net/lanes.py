"""What one connection of a client can take: many requests at once over HTTP/2, one over HTTP/1.1.

A client that sees only lanes needs one rule for both protocols: use a lane that has room, else open another
one, up to ``most`` of that protocol. So a server with a small limit of streams, or without streams, is served
by as many connections as it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Protocol

import trio

from trio_argoagent.net.apart import kept_apart
from trio_argoagent.net.http import Headers
from trio_argoagent.net.http1_client import Http1Answer, Http1Connection
from trio_argoagent.net.http2 import ConnectionStatistics, Http2Connection, Http2Stream, open_http2
from trio_argoagent.net.protocol.limits import STREAM_WINDOW, WIDE_WINDOW
from trio_argoagent.net.tls import TlsStream

HTTP2_CONNECTIONS: Final = 4
"""HTTP/2 connections to one server: a second one is opened when the first has no stream left."""
HTTP1_CONNECTIONS: Final = 64
"""HTTP/1.1 connections to one server: each watch holds one."""


class Answer(Protocol):
    """A request that is on its way, and its answer."""

    async def response(self) -> tuple[int, Headers]:
        """Status and headers.

        Raises:
            ConnectionBroken: they will not come.
        """

    async def receive(self) -> bytes:
        """All of the body that has arrived; empty at its clean end.

        Raises:
            ConnectionBroken: it was cut off.
        """

    def reset(self) -> None:
        """It is not wanted (any more). Safe at any time."""


class Lane(Protocol):
    """One connection.

    Attributes:
        most: connections of its protocol that a client may have.
    """

    most: int

    @property
    def is_open(self) -> bool:
        """Does it take requests, if not now, then later?"""

    @property
    def has_room(self) -> bool:
        """Does it take one more now?"""

    async def begin(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        """Send a request. Between ``has_room`` and this nothing may wait.

        Raises:
            ConnectionBroken: it could not be sent; ``sent`` is False when it was not.
        """

    async def keep(self, ready: Callable[[], None], changed: Callable[[], None]) -> None:
        """Live.

        Args:
            ready: called once the peer has accepted us.
            changed: called when it is no longer open.

        Raises:
            ConnectionBroken: the peer has not accepted us.
        """

    def statistics(self) -> ConnectionStatistics:
        """What it has carried so far."""


class Http2Lane:
    """HTTP/2: as many requests as the server allows streams."""

    most = HTTP2_CONNECTIONS

    def __init__(self, transport: trio.abc.Stream, authority: str) -> None:
        self._transport, self._authority = transport, authority
        self._connection: Http2Connection | None = None
        self._claimed = 0

    @property
    def is_open(self) -> bool:
        """See ``Lane``."""
        return self._connection is not None and self._connection.is_open

    @property
    def has_room(self) -> bool:
        """See ``Lane``. Who has been let in and has not opened its stream yet counts as well."""
        connection = self._connection
        return connection is not None and connection.is_open and self._claimed < connection.engine.room()

    async def begin(
        self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes
    ) -> Http2Stream:
        """See ``Lane``."""
        assert self._connection is not None  # it has room
        # The answer to what is sent is about as long as that: only what is read without can be very long.
        window = STREAM_WINDOW if body else WIDE_WINDOW
        self._claimed += 1
        try:
            stream = await self._connection.open_stream(
                method, target, headers, end_stream=not body, window=window
            )
        finally:
            self._claimed -= 1
        if body:
            # It is in memory already: queueing all of it costs nothing more.
            stream.send_nowait(body)
            stream.end()
        return stream

    async def keep(self, ready: Callable[[], None], changed: Callable[[], None]) -> None:
        """See ``Lane``. After the server's GOAWAY it lives until its last answer is complete."""
        with kept_apart() as kept:
            async with open_http2(self._transport, client=True, authority=self._authority) as connection:
                with kept.body():
                    await connection.wait_ready()
                    self._connection = connection
                    ready()
                    await connection.wait_leaving()
                    changed()
                    await connection.wait_idle()

    def statistics(self) -> ConnectionStatistics:
        """See ``Lane``."""
        return self._connection.statistics() if self._connection is not None else ConnectionStatistics()


class Http1Lane:
    """HTTP/1.1: one request at a time."""

    most = HTTP1_CONNECTIONS

    def __init__(self, transport: trio.abc.Stream, authority: str) -> None:
        self._transport = transport
        self._connection = Http1Connection(transport, authority)

    @property
    def is_open(self) -> bool:
        """See ``Lane``."""
        return not self._connection.over

    @property
    def has_room(self) -> bool:
        """See ``Lane``."""
        return self._connection.idle

    async def begin(
        self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes
    ) -> Http1Answer:
        """See ``Lane``."""
        return await self._connection.begin(method, target, headers, body)

    async def keep(self, ready: Callable[[], None], changed: Callable[[], None]) -> None:
        """See ``Lane``."""
        ready()
        try:
            await self._connection.run()
        finally:
            changed()

    def statistics(self) -> ConnectionStatistics:
        """See ``Lane``; without TLS no bytes are counted."""
        sent, received = 0, 0
        if isinstance(self._transport, TlsStream):
            sent, received = self._transport.bytes_sent, self._transport.bytes_received
        return ConnectionStatistics(sent, received, int(self._connection.busy), self._connection.requests)
