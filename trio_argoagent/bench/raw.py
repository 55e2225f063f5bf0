"""Bytes over TLS and nothing else: the limit of whatever is built on it.

Messages are joined to one send, and are all of one size: the wire does not say where one ends.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import trio

from trio_argoagent.bench.channel import Channel
from trio_argoagent.bench.on_trio import TrioLoop
from trio_argoagent.bench.place import CLIENT, HOST, SERVER, Place, tls
from trio_argoagent.net.tls import TlsStream

OWN: Final = "own"
"""The variant over our TLS stream; else it is Trio's."""
READ: Final = 64 * 1024
"""Bytes asked for at once."""


class ByteChannel:
    """Messages of one size on a stream of bytes.

    Args:
        send_all: sends bytes.
        receive_some: what has arrived; empty at the end.
        size: of a message; 0: do not cut what arrives.
    """

    def __init__(
        self,
        send_all: Callable[[bytes], Awaitable[None]],
        receive_some: Callable[[], Awaitable[bytes | bytearray]],
        size: int,
    ) -> None:
        self._send_all, self._receive_some, self._size = send_all, receive_some, size
        self._rest = b""

    async def send(self, messages: Sequence[bytes]) -> None:
        """See ``Channel``."""
        await self._send_all(messages[0] if len(messages) == 1 else b"".join(messages))

    async def receive(self) -> Sequence[bytes]:
        """See ``Channel``."""
        size = self._size
        while data := bytes(await self._receive_some()):
            if not size or (len(data) == size and not self._rest):
                return (data,)
            data = self._rest + data
            end = len(data) - len(data) % size
            self._rest = data[end:]
            if end:
                return [data[at : at + size] for at in range(0, end, size)]
        return ()


class RawKit(TrioLoop):
    """See ``Kit``."""

    @asynccontextmanager
    async def dial(self, place: Place) -> AsyncIterator[Channel]:
        """See ``Kit``."""
        transport = await trio.open_tcp_stream(HOST, place.port)
        async with _encrypted(transport, place, CLIENT) as channel:
            yield channel

    async def serve(
        self, place: Place, handler: Callable[[Channel], Awaitable[None]], ready: Callable[[int], None]
    ) -> None:
        """See ``Kit``."""

        async def connection(transport: trio.SocketStream) -> None:
            async with _encrypted(transport, place, SERVER) as channel:
                await handler(channel)

        listeners = await trio.open_tcp_listeners(0, host=HOST)
        ready(listeners[0].socket.getsockname()[1])
        await trio.serve_listeners(connection, listeners)


@asynccontextmanager
async def _encrypted(transport: trio.SocketStream, place: Place, end: str) -> AsyncIterator[ByteChannel]:
    context, name = tls(place, end), HOST if end == CLIENT else None
    size = place.size if end == CLIENT else 0  # What a server does with messages, it does with any bytes.
    stream: TlsStream | trio.SSLStream[trio.SocketStream]
    if place.variant == OWN:
        stream = TlsStream(transport, context, server_side=end == SERVER, server_hostname=name)
    else:
        stream = trio.SSLStream(transport, context, server_side=end == SERVER, server_hostname=name)
    try:
        await stream.do_handshake()
        yield ByteChannel(stream.send_all, partial(stream.receive_some, READ), size)
    except trio.BrokenResourceError:
        if end == CLIENT:
            raise  # A server's clients hang up as they like.
    finally:
        await trio.aclose_forcefully(stream)


KIT: Final = RawKit()
