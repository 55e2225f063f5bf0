"""Requests to a handler without a wire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import trio

from trio_argoagent.model.objects import decode
from trio_argoagent.net.errors import BodyTooLarge
from trio_argoagent.net.http import BODY, Exchange, Handler, Request
from trio_argoagent.net.http2 import Http2Stream


class MemoryExchange:
    """A ``net.http.Exchange`` whose answer stays here.

    ``room`` is set while the peer reads: without it, a send waits.
    """

    def __init__(self, request: Request, body: bytes = b"") -> None:
        self.request = request
        self.status = 0
        self.headers: dict[str, str] = {}
        self.data = b""
        self.ended = False
        self.room = trio.Event()
        self.room.set()
        self._body = body

    @property
    def stream(self) -> Http2Stream | None:
        """There is none."""
        return None

    @property
    def started(self) -> bool:
        """Has it been answered?"""
        return self.status != 0

    async def body(self, limit: int = BODY) -> bytes:
        """The whole request body."""
        await trio.lowlevel.checkpoint()
        if len(self._body) > limit:
            raise BodyTooLarge("too long")
        return self._body

    async def receive(self) -> bytes:
        """The same."""
        data, self._body = self._body, b""
        return data

    async def respond(self, status: int, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> None:
        """Answer in one go."""
        await self.start(status, headers)
        await self.send(body)
        await self.end()

    async def start(self, status: int, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Begin."""
        self.status, self.headers = status, dict(headers)

    async def send(self, data: bytes) -> None:
        """Send a part."""
        await self.room.wait()
        self.data += data

    async def end(self) -> None:
        """It is complete."""
        self.ended = True

    @property
    def value(self) -> Any:
        """The answer as JSON."""
        return decode(self.data)

    @property
    def lines(self) -> list[Any]:
        """The answer as the lines of a watch."""
        return [decode(line) for line in self.data.splitlines()]


def exchange(
    method: str,
    target: str,
    body: Any = None,
    *,
    token: str = "t",
    certificate: bytes | None = None,
    **headers: str,
) -> MemoryExchange:
    """A request; ``content_type="x"`` is the header content-type."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        given.setdefault("authorization", f"Bearer {token}")
    data = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
    request = Request(
        method, target, tuple(given.items()), authority="here:6443", peer_certificate=certificate
    )
    return MemoryExchange(request, data)


async def ask(handler: Handler, method: str, target: str, body: Any = None, **more: Any) -> MemoryExchange:
    """Make a request and wait for the end of its answer."""
    made = exchange(method, target, body, **more)
    typed: Exchange = made
    await handler(typed)
    return made
