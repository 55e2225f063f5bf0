"""Our link, and what lies below: an HTTP/2 stream.

Every variant goes through what the programs use: the same listener, dialer, limits and codec.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import trio

from trio_argoagent.bench.channel import Channel
from trio_argoagent.bench.on_trio import TrioLoop
from trio_argoagent.bench.place import CLIENT, HOST, SERVER, Place, tls
from trio_argoagent.bench.raw import ByteChannel
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import Record
from trio_argoagent.net.contexts import common_name
from trio_argoagent.net.dialling import open_transport
from trio_argoagent.net.http import Exchange
from trio_argoagent.net.http2 import Http2Stream, open_http2
from trio_argoagent.net.protocol.limits import WIDE_WINDOW
from trio_argoagent.net.server import serve_https
from trio_argoagent.ports.transport import Link
from trio_argoagent.stream.admission import Admission, by_certificate
from trio_argoagent.stream.dial import Http2Dialer
from trio_argoagent.stream.listen import Http2Listener
from trio_argoagent.stream.protocol import codec
from trio_argoagent.stream.protocol.messages import RecordMessage

BYTES: Final = "bytes"
"""The variant that sends bytes on an HTTP/2 stream, without frames."""
FRAMES: Final = "frames"
"""The variant that sends frames on a link."""
MESSAGES: Final = "messages"
"""The variant that sends messages on a link: encoded, and decoded and validated."""


class FrameChannel:
    """A message is a frame of a link.

    Args:
        link: as ``replication.session`` has it.
    """

    def __init__(self, link: Link) -> None:
        self._link = link

    async def send(self, messages: Sequence[bytes]) -> None:
        """See ``Channel``."""
        link = self._link
        for message in messages:
            await link.wait_room()
            link.send_nowait(message)

    async def receive(self) -> Sequence[bytes]:
        """See ``Channel``."""
        return await self._link.receive()


class MessageChannel:
    """A message is the body of a record, of a frame that is about as long as the message was.

    Args:
        link: as ``replication.session`` has it.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._keys = [Key(Kind.STATUS, "argocd", f"guestbook-{number:04}") for number in range(KEYS)]
        self._number = 0

    async def send(self, messages: Sequence[bytes]) -> None:
        """See ``Channel``."""
        link, keys, number = self._link, self._keys, self._number
        for body in messages:
            number += 1
            record = Record(
                keys[number % KEYS], UID, DIGEST, str(number), body[-max(1, len(body) - ENVELOPE) :]
            )
            await link.wait_room()
            link.send_nowait(codec.encode(RecordMessage(number, record)))
        self._number = number

    async def receive(self) -> Sequence[bytes]:
        """See ``Channel``."""
        return [_body(codec.decode(frame)) for frame in await self._link.receive()]


UID: Final = "6f1c0b5e-3d0a-4c5e-9a43-1f2f0e6f7a11"
DIGEST: Final = "b1946ac92492d2347c6235b4d2611184"
KEYS: Final = 1000
"""Objects that the records are about, one after the other."""
ENVELOPE: Final = 128
"""Bytes of a record's frame without its body, about: it says what it is about, and at which version."""


def _body(message: object) -> bytes:
    assert isinstance(message, RecordMessage)
    assert message.record.body is not None
    return message.record.body


class OurKit(TrioLoop):
    """See ``Kit``."""

    @asynccontextmanager
    async def dial(self, place: Place) -> AsyncIterator[Channel]:
        """See ``Kit``."""
        context = tls(place, CLIENT)
        if place.variant == BYTES:
            transport = await open_transport(trio.open_tcp_stream, HOST, place.port, context, HOST)
            async with open_http2(transport, client=True, authority=HOST) as connection:
                stream = await connection.open_stream("POST", "/", window=WIDE_WINDOW)
                await stream.response()
                yield _bytes(stream, place.size)
        else:
            async with Http2Dialer(HOST, place.port, context).dial() as link:
                yield _channel(link, place)

    async def serve(
        self, place: Place, handler: Callable[[Channel], Awaitable[None]], ready: Callable[[int], None]
    ) -> None:
        """See ``Kit``."""

        async def exchange(exchange: Exchange) -> None:
            stream = exchange.stream
            assert stream is not None
            stream.widen(WIDE_WINDOW)
            await exchange.start(200)
            await handler(_bytes(stream, 0))

        async def link(link: Link) -> None:
            await handler(_channel(link, place))

        listeners = await trio.open_tcp_listeners(0, host=HOST)
        ready(listeners[0].socket.getsockname()[1])
        context = tls(place, SERVER)
        if place.variant == BYTES:
            await serve_https(exchange, listeners, context)
        else:
            await Http2Listener(listeners, context, Admission(by_certificate(common_name))).serve(link)


def _channel(link: Link, place: Place) -> Channel:
    return MessageChannel(link) if place.variant == MESSAGES else FrameChannel(link)


def _bytes(stream: Http2Stream, size: int) -> ByteChannel:
    async def send_all(data: bytes) -> None:
        await stream.wait_room()
        stream.send_nowait(data)

    return ByteChannel(send_all, stream.receive, size)


KIT: Final = OurKit()
