"""HTTP/1.1, the asking side, on h11: what a server or a load balancer without HTTP/2 is spoken to with.

A connection carries one request at a time. Between two requests it is watched: when the server ends it, it is
known at once, and no write is ever sent into a connection that was over already (its outcome would be
unknown). An answer that is given up before its end takes the connection along: there is no other way to tell
an HTTP/1.1 server to stop.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import h11
import trio

from trio_argoagent.net.errors import ConnectionBroken, renewed
from trio_argoagent.net.http import Headers

READ: Final = 64 * 1024
"""Bytes asked of the connection at once."""
HEAD: Final = 64 * 1024
"""Bytes of an answer's first line and headers."""
IDLE: Final = 60.0
"""Seconds a connection without a request is kept: less than servers and load balancers usually do."""


class Http1Connection:
    """One connection; ``run`` must be running. ``idle``, ``busy`` or ``over``.

    Args:
        stream: connected; owned by ``run``.
        authority: for the Host header.
    """

    def __init__(self, stream: trio.abc.Stream, authority: str) -> None:
        self._stream, self._authority = stream, authority
        self.busy = self.over = False
        self.requests = 0
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD)
        self._watching: trio.CancelScope | None = None
        self._handed, self._returned = trio.Event(), trio.Event()

    @property
    def idle(self) -> bool:
        """Can it take a request now?"""
        return not self.busy and not self.over

    async def run(self) -> None:
        """Watch the connection between its requests until it is over; then close it."""
        try:
            while not self.over:
                if not self.busy:
                    await self._watch()
                self._handed.set()
                if self.busy:
                    await self._returned.wait()
        finally:
            self.over = True
            self._handed.set()
            await trio.aclose_forcefully(self._stream)

    async def _watch(self) -> None:
        """Return when a request comes; or the server has said anything unasked, or IDLE seconds are over."""
        with trio.CancelScope(deadline=trio.current_time() + IDLE) as self._watching:
            with suppress(ConnectionBroken, trio.BrokenResourceError, trio.ClosedResourceError):
                await self._stream.receive_some(READ)
            self.over = True
        # Time is up, unless the scope was cancelled because a request has come.
        self.over = self.over or not self.busy

    async def begin(
        self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes
    ) -> Http1Answer:
        """Send a request; only when ``idle``.

        Raises:
            ConnectionBroken: the server cannot have acted on it.
        """
        self.busy = True
        self._handed, self._returned = trio.Event(), trio.Event()
        whole = False
        try:
            if self._watching is not None:
                self._watching.cancel()
            await self._handed.wait()
            if self.over:
                raise ConnectionBroken("the server has ended the connection", sent=False)
            self.requests += 1
            await self._send(method, target, headers, body)
            whole = True
        finally:
            if not whole:
                self.give_back(reusable=False)
        return Http1Answer(self)

    async def _send(self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        fields = [("host", self._authority), *headers]
        if body or method in ("POST", "PUT", "PATCH"):
            fields.append(("content-length", str(len(body))))
        data = self._h11.send(h11.Request(method=method, target=target, headers=fields)) or b""
        data += self._h11.send(h11.Data(data=body)) or b""
        data += self._h11.send(h11.EndOfMessage()) or b""
        try:
            await self._stream.send_all(data)
        except (ConnectionBroken, trio.BrokenResourceError, trio.ClosedResourceError) as exc:
            # Its end has not been handed over, so the server has no whole request.
            raise ConnectionBroken("the server has hung up", sent=False) from exc

    async def next_event(self) -> h11.Event:
        """The next part of the answer.

        Raises:
            ConnectionBroken: there is none.
        """
        while True:
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as exc:
                raise ConnectionBroken(f"HTTP/1.1: {exc}") from exc
            if event is h11.PAUSED:
                raise ConnectionBroken("HTTP/1.1: the server speaks out of turn")
            if event is not h11.NEED_DATA:
                assert isinstance(event, h11.Event)  # h11 has no other sentinels
                return event
            try:
                data = await self._stream.receive_some(READ)
            except ConnectionBroken as exc:
                raise renewed(exc, sent=True) from exc
            except (trio.BrokenResourceError, trio.ClosedResourceError) as exc:
                raise ConnectionBroken("the server has hung up") from exc
            if not data and self._h11.their_state is h11.SEND_RESPONSE:
                raise ConnectionBroken("the server has hung up without an answer")
            self._h11.receive_data(bytes(data))

    def give_back(self, *, reusable: bool) -> None:
        """The request is over; the connection is only ``reusable`` when its answer is complete."""
        if not self.busy:
            return
        done = self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE
        if reusable and done and not self._h11.trailing_data[0]:
            self._h11.start_next_cycle()
        else:
            self.over = True
        self.busy = False
        self._returned.set()


class Http1Answer:
    """See ``net.lanes.Answer``. One task uses it."""

    def __init__(self, connection: Http1Connection) -> None:
        self._connection: Http1Connection | None = connection
        self._ended = False

    async def response(self) -> tuple[int, Headers]:
        """Status and headers, names in lower case; interim answers are skipped."""
        while True:
            event = await self._next()
            if isinstance(event, h11.Response):
                fields = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in event.headers]
                return event.status_code, tuple(fields)

    async def receive(self) -> bytes:
        """The next part of the body; empty at its end."""
        while not self._ended:
            event = await self._next()
            if isinstance(event, h11.Data) and event.data:
                return bytes(event.data)
            if isinstance(event, h11.EndOfMessage):
                self._ended = True
                self._release(reusable=True)
        await trio.lowlevel.checkpoint_if_cancelled()
        return b""

    def reset(self) -> None:
        """Give the rest up."""
        self._release(reusable=False)

    async def _next(self) -> h11.Event:
        if self._connection is None:
            raise ConnectionBroken("the answer was given up on this side")
        return await self._connection.next_event()

    def _release(self, *, reusable: bool) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.give_back(reusable=reusable)
