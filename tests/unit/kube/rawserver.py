"""An API server that says what a test has written down, byte by byte, over HTTP/1.1 in memory."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

import attrs
import msgspec
import trio
import trio.testing

from trio_argoagent.kube.client import HttpCluster
from trio_argoagent.kube.credentials import Credentials
from trio_argoagent.kube.session import open_session
from trio_argoagent.net.client import HttpClient, open_client


@attrs.frozen
class Say:
    """What one request is answered with.

    Attributes:
        pieces: sent one after the other.
        then: ``keep`` the connection for the next request, ``close`` it, or ``hang``.
    """

    pieces: tuple[bytes, ...] = ()
    then: str = "keep"


@attrs.frozen
class Asked:
    """One request."""

    at: float
    method: str
    target: str
    token: str

    @property
    def is_watch(self) -> bool:
        """Is it one?"""
        return "watch=true" in self.target


    @property
    def is_initial(self) -> bool:
        """Is it for everything, as the initial events of a watch?"""
        return "sendInitialEvents=true" in self.target


CLOSE = Say(then="close")
HANG = Say(then="hang")


def whole(body: object, status: int = 200) -> Say:
    """A complete answer; bytes go as they are, anything else as JSON."""
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    head = f"HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
    return Say((head.encode() + data,))


NO_STREAM = whole({"kind": "Status", "code": 422, "reason": "Invalid", "message": "is forbidden"}, 422)


def stream(*pieces: bytes, then: str = "end") -> Say:
    """A watch: each piece is a chunk. It ends (``end``), is cut (``close``), or falls silent (``hang``)."""
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece]
    if then == "end":
        chunks.append(b"0\r\n\r\n")
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    return Say((head, *chunks), "keep" if then == "end" else then)


class RawServer:
    """Answers every request as ``answer`` says; ``asked`` and ``dials`` count what we cost it.

    Args:
        answer: what it says.
        streams: False: it refuses initial events by itself, as a server does that has them switched off.
    """

    def __init__(self, answer: Callable[[Asked], Say], *, streams: bool = False) -> None:
        self.answer, self.streams = answer, streams
        self.asked: list[Asked] = []
        self.dials = 0

    async def _serve(self, wire: trio.abc.Stream) -> None:
        async with wire:
            buffer = b""
            while True:
                while b"\r\n\r\n" not in buffer:
                    data = await wire.receive_some()
                    if not data:
                        return
                    buffer += data
                head, _, buffer = buffer.partition(b"\r\n\r\n")
                lines = head.decode().split("\r\n")
                fields = dict(line.split(": ", 1) for line in lines[1:])
                length = int(fields.get("content-length", "0"))
                while len(buffer) < length:
                    buffer += await wire.receive_some()
                buffer = buffer[length:]
                method, target, _ = lines[0].split()
                token = fields.get("authorization", "").removeprefix("Bearer ")
                self.asked.append(Asked(trio.current_time(), method, target, token))
                refused = self.asked[-1].is_initial and not self.streams
                say = NO_STREAM if refused else self.answer(self.asked[-1])
                for piece in say.pieces:
                    await wire.send_all(piece)
                if say.then == "hang":
                    await trio.sleep_forever()
                if say.then == "close":
                    return

    async def _guarded(self, wire: trio.abc.Stream) -> None:
        with suppress(trio.BrokenResourceError):  # The client has left: that is its right.
            await self._serve(wire)

    @asynccontextmanager
    async def _dial(
        self, nursery: trio.Nursery, credentials: Credentials, context: ssl.SSLContext | None
    ) -> AsyncIterator[HttpClient]:
        async def connect(host: str, port: int) -> trio.abc.Stream:
            await trio.lowlevel.checkpoint()
            self.dials += 1
            near, far = trio.testing.memory_stream_pair()
            nursery.start_soon(self._guarded, far)
            return near

        async with open_client(host="h", port=80, context=None, connect=connect, http1=True) as client:
            yield client

    @asynccontextmanager
    async def cluster(self, credentials: Credentials | None = None) -> AsyncIterator[HttpCluster]:
        """A client of it."""
        who = credentials or Credentials("h", tls=False)
        async with trio.open_nursery() as nursery:
            async with open_session(who, partial(self._dial, nursery)) as session:
                yield HttpCluster(session)
            nursery.cancel_scope.cancel()
