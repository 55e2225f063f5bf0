"""The wire side of a watch: events go out as they come, bookmarks in between.

A follower that does not read costs a bounded buffer (``core.watching``) and is cut after ``STALL`` seconds;
it then watches again from where it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import trio

from trio_argoagent.apiserver.core import statuses
from trio_argoagent.apiserver.core.forms import Renderer, line
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.values import Event, encode
from trio_argoagent.apiserver.core.watching import Watch
from trio_argoagent.errors import ApiError
from trio_argoagent.net.http import Exchange
from trio_argoagent.ports.env import Env

BOOKMARK_INTERVAL: Final = 60.0  # seconds between the bookmarks of a watch
DEFAULT_TIMEOUT: Final = (1800.0, 3600.0)  # seconds a watch lasts if the client does not say: spread, so that
# not all of them come back at once
MAX_TIMEOUT: Final = 24 * 3600.0  # seconds that a watch may be asked to last
STALL: Final = 30.0  # seconds that one send may take
CHUNK: Final = 64 * 1024  # bytes, about, that are joined into one send

HEADERS: Final = (("content-type", "application/json"), ("cache-control", "no-cache, private"))


class WatchStream:
    """One watch on its way to its follower.

    Args:
        server: for how far the follower has got.
        exchange: the request to answer.
        renderer: makes the lines.
        env: wall time, and the spread of the lifetimes.
    """

    def __init__(self, server: ApiServer, exchange: Exchange, renderer: Renderer, env: Env) -> None:
        self._server = server
        self._exchange = exchange
        self._renderer = renderer
        self._env = env
        self._ready = trio.Event()
        self._sending = False

    async def refuse(self, error: ApiError) -> None:
        """A watch that is not possible, said in the stream: a 200 and one ERROR event."""
        await self._exchange.start(200, HEADERS)
        await self._exchange.send(_error_line(error))
        await self._exchange.end()

    async def run(self, watch: Watch, lifetime: float) -> None:
        """Follow until the server, the time or the follower ends it. The watch is closed afterwards.

        Args:
            watch: fresh.
            lifetime: seconds; 0: as we like.
        """
        try:
            watch.on_ready = self._wake
            await self._exchange.start(200, HEADERS)
            lifetime = lifetime or self._env.random.uniform(*DEFAULT_TIMEOUT)
            if await self._follow(watch, trio.current_time() + min(lifetime, MAX_TIMEOUT)):
                await self._exchange.end()
        finally:
            watch.close()

    def _wake(self) -> None:
        self._ready.set()

    async def _follow(self, watch: Watch, ends_at: float) -> bool:
        """Send what there is to send. True: that was all. False: the follower does not read."""
        bookmark_at = trio.current_time() + BOOKMARK_INTERVAL
        while True:
            # One scope with a deadline that moves: to open two of them costs as much as to send an event.
            with trio.CancelScope() as scope:
                await self._pass_on(watch, scope, min(ends_at, bookmark_at))
                return True
            if self._sending:
                return False
            if trio.current_time() >= ends_at:
                watch.close()
            else:
                bookmark_at += BOOKMARK_INTERVAL
                watch.bookmark(self._server.rv)

    async def _pass_on(self, watch: Watch, scope: trio.CancelScope, until: float) -> None:
        """Send events as they come, to the last. The scope ends that: at ``until``, or if a send stalls."""
        while True:
            # The time may be up in the moment in which an event comes: that is no stalled send.
            await trio.lowlevel.checkpoint_if_cancelled()
            self._ready = trio.Event()
            closed = watch.closed
            self._sending = True
            for number, chunk in enumerate(self._chunks(watch.take(), watch.error if closed else None)):
                if number:
                    # A send that finds room does not wait; many in a row must still let others run.
                    await trio.lowlevel.checkpoint()
                scope.deadline = trio.current_time() + STALL
                await self._exchange.send(chunk)
            self._sending, scope.deadline = False, until
            if closed:
                return
            await self._ready.wait()

    def _chunks(self, events: Sequence[Event], error: ApiError | None) -> Iterator[bytes]:
        lines: list[bytes] = []
        size, now = 0, self._env.now()
        for event in events:
            lines.append(self._renderer.event(event, now))
            size += len(lines[-1])
            if size >= CHUNK:
                yield b"".join(lines)
                lines, size = [], 0
        if error is not None:
            lines.append(_error_line(error))
        if lines:
            yield b"".join(lines)


def _error_line(error: ApiError) -> bytes:
    return line("ERROR", encode(statuses.failure(error)))
