"""A peer that speaks HTTP/2 frame by frame, and does what no library would let it do.

The functions build bytes; ``RawPeer`` sends them over any stream and reads what comes back. ``Hall`` is a
server whose connections are in memory, with and without TLS, and ``Guest`` an honest client beside whom the
raw peer can misbehave.
"""

from __future__ import annotations

import math
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import trio
import trio.testing
from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from trio_argoagent.net.errors import ConnectionBroken
from trio_argoagent.net.http import Exchange, Handler
from trio_argoagent.net.http2 import Http2Stream, open_http2
from trio_argoagent.net.protocol.limits import Limits
from trio_argoagent.net.server import serve_http2, serve_https

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
REQUEST = ((":method", "POST"), (":scheme", "https"), (":path", "/"), (":authority", "x"))


def frame(kind: int, stream_id: int, body: bytes = b"", flags: int = 0) -> bytes:
    """Any frame at all, sensible or not."""
    return struct.pack(">I", len(body))[1:] + struct.pack(">BBI", kind, flags, stream_id) + body


def settings(values: Mapping[int, int] | None = None, *, ack: bool = False) -> bytes:
    """SETTINGS."""
    return SettingsFrame(0, settings=dict(values or {}), flags=["ACK"] if ack else []).serialize()


def headers(
    stream_id: int, fields: Iterable[tuple[str, str]] = REQUEST, *, end: bool = False, whole: bool = True
) -> bytes:
    """HEADERS, compressed without any state, so that they can come in any order and on any connection."""
    encoder = Encoder()
    encoder.header_table_size = 0
    flags = ["END_STREAM"] * end + ["END_HEADERS"] * whole
    return HeadersFrame(stream_id, encoder.encode(list(fields)), flags=flags).serialize()


def continuation(stream_id: int, block: bytes = b"", *, last: bool = False) -> bytes:
    """CONTINUATION."""
    return ContinuationFrame(stream_id, block, flags=["END_HEADERS"] * last).serialize()


def data(stream_id: int, content: bytes = b"", *, end: bool = False) -> bytes:
    """DATA."""
    return DataFrame(stream_id, content, flags=["END_STREAM"] * end).serialize()


def ping(token: bytes = bytes(8), *, ack: bool = False) -> bytes:
    """PING."""
    return PingFrame(0, opaque_data=token, flags=["ACK"] * ack).serialize()


def reset(stream_id: int, code: int = 8) -> bytes:
    """RST_STREAM."""
    return RstStreamFrame(stream_id, error_code=code).serialize()


def window(stream_id: int, increment: int = 1) -> bytes:
    """WINDOW_UPDATE."""
    return WindowUpdateFrame(stream_id, window_increment=increment).serialize()


def goaway(last: int = 0, code: int = 0) -> bytes:
    """GOAWAY."""
    return GoAwayFrame(0, last_stream_id=last, error_code=code).serialize()


def parse(received: bytearray) -> list[Frame]:
    """The whole frames at the beginning of some bytes, which are taken out."""
    frames = []
    while len(received) >= 9:
        parsed, length = Frame.parse_frame_header(memoryview(bytes(received[:9])))
        if len(received) < 9 + length:
            break
        parsed.parse_body(memoryview(bytes(received[9 : 9 + length])))
        frames.append(parsed)
        del received[: 9 + length]
    return frames


class RawPeer:
    """One side of a connection that has no rules.

    Args:
        server: the other side begins with the preface.

    Attributes:
        stream: what carries the frames.
        seen: frames received so far, in order.
        ended: the other side has hung up.
    """

    def __init__(self, stream: trio.abc.Stream, *, server: bool = False) -> None:
        self.stream = stream
        self._preface = PREFACE if server else b""
        self.seen: list[Frame] = []
        self.ended = False
        self._bytes = bytearray()

    async def greet(self, values: Mapping[int, int] | None = None) -> None:
        """Preface and SETTINGS, acknowledged both ways."""
        await self.send(PREFACE + settings(values))
        await self.until(SettingsFrame)
        await self.send(settings(ack=True))

    async def send(self, *parts: bytes) -> None:
        """As one write."""
        await self.stream.send_all(b"".join(parts))

    async def receive(self) -> None:
        """Read once."""
        try:
            got = await self.stream.receive_some(1 << 20)
        except (trio.BrokenResourceError, trio.ClosedResourceError, ConnectionBroken):
            got = b""
        self.ended = not got
        self._bytes += got
        if len(self._bytes) >= len(self._preface):
            assert self._bytes.startswith(self._preface)
            del self._bytes[: len(self._preface)]
            self._preface = b""
            self.seen += parse(self._bytes)

    async def read(self) -> None:
        """Until the other side hangs up."""
        while not self.ended:
            await self.receive()

    async def until(self, kind: type[Frame]) -> Any:
        """The first frame of a kind, of those received so far or from now on."""
        while True:
            for each in self.seen:
                if isinstance(each, kind):
                    return each
            if self.ended:
                raise AssertionError(f"no {kind.__name__}, but {self.seen}")
            await self.receive()

    async def flood(self, rounds: Iterable[bytes], pause: float) -> int:
        """Send one after the other, reading all the while, until told to stop: how many were sent."""
        sent = 0
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.read)
            for each in rounds:
                if self.ended:
                    break
                try:
                    await self.stream.send_all(each)
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    break
                sent += 1
                await trio.sleep(pause)
            nursery.cancel_scope.cancel()
        return sent


class _Listener(trio.abc.Listener[trio.abc.Stream]):
    def __init__(self) -> None:
        self.dial, self._arriving = trio.open_memory_channel[trio.abc.Stream](math.inf)

    async def accept(self) -> trio.abc.Stream:
        return await self._arriving.receive()

    async def aclose(self) -> None:
        await self._arriving.aclose()


class Hall:
    """A server in memory.

    Attributes:
        errors: what it has reported.
        running: handlers at this moment.
        peak: the most there were.
    """

    def __init__(self, handler: Handler, nursery: trio.Nursery, context: ssl.SSLContext | None) -> None:
        self.errors: list[Exception] = []
        self.running = self.peak = 0
        self.limits: Limits | None = None
        self._handler = handler
        self._nursery = nursery
        self._context = context
        self._listener = _Listener()

    async def serve(self) -> None:
        """With TLS, where there is a context: the listening server itself."""
        if self._context is not None:
            serve = partial(serve_https, on_error=self.errors.append, limits=self.limits)
            await serve(self._handle, [self._listener], self._context)  # type: ignore[list-item]

    def dial(self) -> trio.StapledStream:
        """A connection to it; with TLS, before its handshake."""
        near, far = trio.testing.memory_stream_pair()
        if self._context is not None:
            self._listener.dial.send_nowait(far)
        else:
            self._nursery.start_soon(self.welcome, far)
        return near

    async def welcome(self, stream: trio.abc.Stream) -> None:
        """Serve one connection, without TLS."""
        await serve_http2(self._handle, stream, limits=self.limits, on_error=self.errors.append)

    def connect(self) -> RawPeer:
        """A raw peer's connection to it."""
        return RawPeer(self.dial())

    async def _handle(self, exchange: Exchange) -> None:
        self.running += 1
        self.peak = max(self.peak, self.running)
        try:
            await self._handler(exchange)
        finally:
            self.running -= 1


async def sink(exchange: Exchange) -> None:
    """Start to answer and read for ever."""
    await exchange.start(200)
    while await exchange.receive():
        pass
    await trio.sleep_forever()


async def parrot(exchange: Exchange) -> None:
    """Send back what comes, as it comes."""
    await exchange.start(200)
    while piece := await exchange.receive():
        await exchange.send(piece)
    await exchange.end()


async def by_path(exchange: Exchange) -> None:
    """``/echo`` is for the guest, everything else for whoever misbehaves: a sink, or a flood of answers."""
    match exchange.request.path:
        case "/echo":
            await parrot(exchange)
        case "/flood":
            await exchange.start(200)
            while True:
                await exchange.send(bytes(20_000))
        case _:
            await sink(exchange)


@asynccontextmanager
async def hall(
    handler: Handler = by_path, *, limits: Limits | None = None, context: ssl.SSLContext | None = None
) -> AsyncIterator[Hall]:
    """A server that lives as long as the context."""
    async with trio.open_nursery() as nursery:
        server = Hall(handler, nursery, context)
        server.limits = limits
        nursery.start_soon(server.serve)
        yield server
        nursery.cancel_scope.cancel()


class Guest:
    """An honest client with one stream, which is echoed once every tenth of a second.

    Attributes:
        echoes: that came back.
        leaving: no more of them.
    """

    def __init__(self, stream: Http2Stream) -> None:
        self.stream = stream
        self.echoes = 0
        self.leaving = False

    async def live(self) -> None:
        """Send and expect; each comes back at once, by the virtual clock."""
        while not self.leaving:
            await self.once()
            await trio.sleep(0.1)

    async def once(self) -> None:
        """One round."""
        before = trio.current_time()
        word = b"%08d" % self.echoes
        self.stream.send_nowait(word)
        heard = b""
        while len(heard) < len(word):
            heard += await self.stream.receive()
        assert heard == word and trio.current_time() == before
        self.echoes += 1


@asynccontextmanager
async def guest(
    server: Hall, secure: Callable[[trio.abc.Stream], Awaitable[trio.abc.Stream]] | None = None
) -> AsyncIterator[Guest]:
    """Whom nobody may disturb: that all its echoes came, each at once, is checked at the end."""
    transport: trio.abc.Stream = server.dial()
    if secure is not None:
        transport = await secure(transport)
    async with open_http2(transport, client=True, authority="x") as client:
        stream = await client.open_stream("POST", "/echo")
        one = Guest(stream)
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(one.live)
            yield one
            one.leaving = True
        await one.once()
        assert one.echoes >= (trio.current_time() - began) * 10 - 1 and client.is_open
