"""The embedded store behind our HTTP client, without a wire: answers are bytes, and fail as a test says."""

from __future__ import annotations

import math
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs
import msgspec
import trio

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.watching import Watch
from trio_argoagent.errors import ApiError, Expired, Invalid
from trio_argoagent.kube.credentials import Credentials
from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.net.client import Response
from trio_argoagent.net.errors import ConnectionBroken
from trio_argoagent.net.http import Headers

BOOKMARKS = 60.0
"""Seconds between two bookmarks."""
PIECE = 101
"""Bytes of a watch that arrive at once: lines end somewhere in it."""


@attrs.frozen
class Trouble:
    """What befalls one answer.

    Attributes:
        status: answered instead, with that code; 0: nothing is.
        cut: bytes after which the connection breaks; None: it does not.
        cleanly: the stream then ends instead, as if it were whole.
        replay: versions by which a watch begins too early, as one through a server that lags does.
    """

    status: int = 0
    cut: int | None = None
    cleanly: bool = False
    replay: int = 0


class Storefront:
    """An ``Http`` for a session.

    Attributes:
        pages: troubles of the next lists, in order; ``continued`` those of lists that go on.
        watches: those of the next watches.
        initial: what becomes of initial events: ``yes``, ``refused``, or ``ignored`` as by an old server.
        bookmarks: does a watch get any?
        in_stream: is an expired version said as an ERROR event, or as the status of the answer?
        away: nobody answers.
    """

    def __init__(self, server: ApiServer) -> None:
        self.server = server
        self.pages: deque[Trouble] = deque()
        self.continued: deque[Trouble] = deque()
        self.watches: deque[Trouble] = deque()
        self.initial, self.bookmarks, self.in_stream, self.away = "yes", True, True, False
        self.requests = 0

    async def _arrive(self) -> None:
        await trio.lowlevel.checkpoint()
        self.requests += 1
        if self.away:
            raise ConnectionBroken("nobody there", sent=False)

    def calm(self) -> None:
        """No more trouble."""
        for troubles in (self.pages, self.continued, self.watches):
            troubles.clear()
        self.bookmarks, self.away = True, False

    async def request(self, method: str, target: str, headers: Headers = (), body: bytes = b"") -> Response:
        """A list."""
        await self._arrive()
        query = dict(parse_qsl(urlsplit(target).query))
        troubles = self.continued if "continue" in query else self.pages
        trouble = troubles.popleft() if troubles else Trouble()
        if trouble.status:
            return Response(trouble.status, (), _status(trouble.status))
        try:
            data = self._page(query)
        except ApiError as exc:
            return Response(exc.status_code, (), _status(exc.status_code, exc.status_reason))
        if trouble.cut is None:
            return Response(200, (), data)
        if not trouble.cleanly:
            raise ConnectionBroken("cut")
        # A proxy that passes half of it on as if it were whole.
        return Response(200, (), data[: trouble.cut % len(data)])

    def _page(self, query: Mapping[str, str]) -> bytes:
        page = self.server.list(
            CONFIG_MAPS,
            "default",
            limit=int(query.get("limit", "0")),
            continue_token=query.get("continue", ""),
        )
        meta = {"resourceVersion": str(page.rv), "continue": page.continue_token}
        items = b",".join(item.json for item in page.items)
        return b'{"kind":"ConfigMapList","metadata":%s,"items":[%s]}' % (msgspec.json.encode(meta), items)

    @asynccontextmanager
    async def stream(
        self, method: str, target: str, headers: Headers = (), body: bytes = b""
    ) -> AsyncIterator[Any]:
        """A watch."""
        await self._arrive()
        query = dict(parse_qsl(urlsplit(target).query))
        trouble = self.watches.popleft() if self.watches else Trouble()
        try:
            if trouble.status:
                raise ApiError("in trouble", code=trouble.status, reason="")
            watch = self._watch(query, trouble.replay)
        except ApiError as exc:
            said = _status(exc.status_code, exc.status_reason)
            if isinstance(exc, Expired) and self.in_stream:
                yield _Stream(200, _Said([b'{"type":"ERROR","object":%s}\n' % said]), trouble)
            else:
                yield _Stream(exc.status_code, _Said([said]), trouble)
            return
        try:
            until = trio.current_time() + int(query["timeoutSeconds"])
            yield _Stream(200, _Lines(self, watch, until), trouble)
        finally:
            watch.close()

    def _watch(self, query: Mapping[str, str], replay: int) -> Watch:
        initial = query.get("sendInitialEvents") == "true"
        if initial and self.initial == "refused":
            raise Invalid("sendInitialEvents is forbidden")
        initial = initial and self.initial == "yes"
        version = query.get("resourceVersion", "")
        if version and replay and int(version) > replay:
            version = str(int(version) - replay)
        return self.server.watch(
            CONFIG_MAPS,
            "default",
            resource_version=version,
            match="NotOlderThan" if initial else "",
            initial_events=initial or None,
            bookmarks=True,
        )

    @asynccontextmanager
    async def dial(
        self, credentials: Credentials, context: ssl.SSLContext | None
    ) -> AsyncIterator[Storefront]:
        """A session's way to get this client."""
        yield self


def _status(code: int, reason: str = "") -> bytes:
    return msgspec.json.encode({"kind": "Status", "code": code, "reason": reason, "message": "no"})


class _Said:
    """What is written down, and no more."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = deque(pieces)

    async def next(self) -> bytes:
        """The next piece; empty at the end."""
        await trio.lowlevel.checkpoint()
        return self._pieces.popleft() if self._pieces else b""


class _Lines:
    """The events of a watch as lines."""

    def __init__(self, front: Storefront, watch: Watch, until: float) -> None:
        self._front, self._watch, self._until = front, watch, until
        self._bookmark_at = trio.current_time() + BOOKMARKS

    async def next(self) -> bytes:
        """All that there is now, or the next thing that happens; empty at the end."""
        while True:
            ready = trio.Event()
            self._watch.on_ready = ready.set
            await trio.lowlevel.checkpoint()
            if taken := self._watch.take():
                return b"".join(
                    b'{"type":"%s","object":%s}\n' % (str(event.type).encode(), event.object.json)
                    for event in taken
                )
            if self._watch.closed or trio.current_time() >= self._until:
                return b""
            with trio.move_on_at(min(self._bookmark_at, self._until)):
                await ready.wait()
            if trio.current_time() >= self._bookmark_at:
                self._bookmark_at = trio.current_time() + BOOKMARKS if self._front.bookmarks else math.inf
                if self._front.bookmarks:
                    self._watch.bookmark(self._front.server.rv)


class _Stream:
    """An answer that comes in pieces, until it gets into trouble."""

    def __init__(self, status: int, source: _Said | _Lines, trouble: Trouble) -> None:
        self.status, self.headers = status, ()
        self._next: Callable[[], Any] = source.next
        self._trouble, self._sent, self._rest = trouble, 0, b""

    async def receive(self) -> bytes:
        """The next piece."""
        cut = self._trouble.cut
        if cut is not None and self._sent >= cut:
            if self._trouble.cleanly:
                await trio.lowlevel.checkpoint()
                return b""
            raise ConnectionBroken("cut")
        if not self._rest:
            self._rest = await self._next()
        data, self._rest = self._rest[:PIECE], self._rest[PIECE:]
        if cut is not None:
            data = data[: cut - self._sent]
        self._sent += len(data)
        return data
