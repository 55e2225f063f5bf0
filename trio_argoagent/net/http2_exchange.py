"""A request that came on an HTTP/2 stream, and its answer."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable

from trio_argoagent.errors import LocalProtocolError
from trio_argoagent.net.errors import BodyTooLarge
from trio_argoagent.net.http import BODY, Request
from trio_argoagent.net.http2_stream import Http2Stream


class Http2Exchange:
    """See ``net.http.Exchange``."""

    def __init__(self, stream: Http2Stream, request: Request) -> None:
        self.request = request
        self._stream = stream

    @property
    def stream(self) -> Http2Stream | None:
        """The stream itself."""
        return self._stream

    @property
    def started(self) -> bool:
        """Whether the answer's headers have been sent."""
        return self._stream.headers_sent

    async def body(self, limit: int = BODY) -> bytes:
        """The whole request body, at most ``limit`` bytes."""
        pieces: list[bytes] = []
        size = 0
        while piece := await self.receive():
            size += len(piece)
            if size > limit:
                raise BodyTooLarge(f"the request body is longer than {limit} bytes")
            pieces.append(piece)
        return b"".join(pieces)

    async def receive(self) -> bytes:
        """The next part of the request body; empty at its end."""
        return await self._stream.receive()

    async def respond(self, status: int, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> None:
        """Answer in one go."""
        fields = [*headers, ("content-length", str(len(body)))]
        if not body or self.request.method == "HEAD":
            self._stream.send_headers(status, fields, end=True)
            return
        self._stream.send_headers(status, fields)
        # The body is in memory already: queueing all of it costs nothing more.
        self._stream.send_nowait(body)
        self._stream.end()
        await self._wait_room()

    async def start(self, status: int, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Begin an answer of unknown length."""
        self._stream.send_headers(status, headers)

    async def send(self, data: bytes) -> None:
        """Send a part of it, when there is room."""
        await self._wait_room()
        if self.request.method != "HEAD":
            self._stream.send_nowait(data)

    async def end(self) -> None:
        """It is complete."""
        self._stream.end()

    async def _wait_room(self) -> None:
        await self._stream.wait_room()


class PromptExchange(Http2Exchange):
    """Of a request that is here whole. Nothing here waits, nor looks whether its task is cancelled.

    Its answer is queued whatever its size, as any answer in one go is.
    """

    async def receive(self) -> bytes:
        """The request body, all of it; then nothing."""
        return self._stream.take_arrived()

    async def _wait_room(self) -> None:
        pass


def run_through(work: Awaitable[None]) -> None:
    """Run what waits for nothing, without a task.

    Raises:
        LocalProtocolError: it waits.
    """
    steps = work.__await__()
    try:
        next(steps)
    except StopIteration:
        return
    steps.close()
    raise LocalProtocolError("a handler that was to answer at once waits")
