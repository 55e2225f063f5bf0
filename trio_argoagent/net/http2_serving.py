"""The requests of one HTTP/2 connection: answered in tasks, or where nothing waits, at once.

What has come is looked at when all that came with it is known: a small request is here whole then. A task and
the scope that cancels it cost as much as such a request itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs
import trio
from h2.errors import ErrorCodes

from trio_argoagent.net.errors import ConnectionBroken
from trio_argoagent.net.http import Handler, Request, never
from trio_argoagent.net.http2_exchange import Http2Exchange, PromptExchange, run_through
from trio_argoagent.net.http2_stream import Http2Stream

HANDLERS_PER_STREAM: Final = 2
"""Handler tasks per stream allowed: a reset frees its stream at once, its handler only when it has ended."""


@attrs.frozen
class Service:
    """Who answers.

    Attributes:
        handler: serves one request.
        is_prompt: which it answers without a wait.
    """

    handler: Handler
    is_prompt: Callable[[Request], bool] = never


class Serving:
    """See the module.

    Args:
        service: who answers.
        streams: that the peer may have open.
        nursery: of the tasks; it outlives this object.
        rested: told when an answer is over.

    Attributes:
        handlers: requests that are not over.
    """

    def __init__(
        self, service: Service, streams: int, nursery: trio.Nursery, rested: Callable[[], None]
    ) -> None:
        self.handlers = 0
        self._service = service
        self._most = streams * HANDLERS_PER_STREAM
        self._start_soon = nursery.start_soon
        self._rested = rested
        self._arrived: list[tuple[Http2Stream, Request]] = []

    @property
    def is_full(self) -> bool:
        """Must no more requests come?"""
        return self.handlers >= self._most

    def add(self, stream: Http2Stream, request: Request) -> None:
        """A request has come, or its head has."""
        self.handlers += 1
        self._arrived.append((stream, request))

    def begin(self) -> None:
        """Answer what has come: at once, where it is here whole and needs no wait, and the rest in tasks."""
        arrived, self._arrived = self._arrived, []
        for stream, request in arrived:
            if stream.ended and not stream.broken and self._service.is_prompt(request):
                self._answer(stream, request)
                continue
            scope = stream.scope = trio.CancelScope()
            if stream.broken:
                scope.cancel()
            self._start_soon(self._serve, stream, scope, request, name=f"stream {stream.id}")

    def _answer(self, stream: Http2Stream, request: Request) -> None:
        try:
            run_through(self._service.handler(PromptExchange(stream, request)))
        finally:
            self._over(stream, ErrorCodes.INTERNAL_ERROR)

    async def _serve(self, stream: Http2Stream, scope: trio.CancelScope, request: Request) -> None:
        code = ErrorCodes.CANCEL
        try:
            with scope:
                await self._service.handler(Http2Exchange(stream, request))
            code = ErrorCodes.INTERNAL_ERROR
        except ConnectionBroken:
            if not scope.cancel_called:  # else it only met its stream's end before its cancellation
                raise
        except Exception:
            code = ErrorCodes.INTERNAL_ERROR
            raise
        finally:
            self._over(stream, code)

    def _over(self, stream: Http2Stream, code: ErrorCodes) -> None:
        """The handler is done; ``code`` is for an answer that is not complete."""
        self.handlers -= 1
        stream.settle(code)
        self._rested()
