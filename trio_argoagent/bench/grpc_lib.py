"""grpclib: gRPC in Python on asyncio and h2; one stream of messages both ways, bytes as they are."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from grpclib.client import Channel as Connection
from grpclib.client import StreamStreamMethod
from grpclib.const import Cardinality, Handler
from grpclib.server import Server

from trio_argoagent.bench.channel import Channel
from trio_argoagent.bench.on_asyncio import AsyncioLoop
from trio_argoagent.bench.place import CLIENT, HOST, SERVER, Place, tls

PATH: Final = "/bench/talk"


class Bytes:
    """A codec that leaves messages as they are (``grpclib.encoding.base.CodecBase``)."""

    __content_subtype__ = "bytes"

    def encode(self, message: Any, message_type: Any) -> bytes:
        """No change."""
        return bytes(message)

    def decode(self, data: bytes, message_type: Any) -> Any:
        """No change."""
        return data


class LibChannel:
    """Args:
    talk: a stream of grpclib, of either end.
    """

    def __init__(self, talk: Any) -> None:
        self._talk = talk

    async def send(self, messages: Sequence[bytes]) -> None:
        """See ``Channel``."""
        send = self._talk.send_message
        for message in messages:
            await send(message)

    async def receive(self) -> Sequence[bytes]:
        """See ``Channel``."""
        message = await self._talk.recv_message()
        return () if message is None else (message,)


class _Service:
    """What grpclib takes for a service."""

    def __init__(self, handler: Callable[[Channel], Awaitable[None]]) -> None:
        self._handler = handler

    def __mapping__(self) -> dict[str, Handler]:
        async def talk(stream: Any) -> None:
            await self._handler(LibChannel(stream))

        return {PATH: Handler(talk, Cardinality.STREAM_STREAM, bytes, bytes)}


class LibKit(AsyncioLoop):
    """See ``Kit``."""

    @asynccontextmanager
    async def dial(self, place: Place) -> AsyncIterator[Channel]:
        """See ``Kit``."""
        connection = Connection(HOST, place.port, ssl=tls(place, CLIENT), codec=Bytes())
        try:
            async with StreamStreamMethod(connection, PATH, bytes, bytes).open() as stream:
                yield LibChannel(stream)
                await stream.cancel()
        finally:
            connection.close()

    async def serve(
        self, place: Place, handler: Callable[[Channel], Awaitable[None]], ready: Callable[[int], None]
    ) -> None:
        """See ``Kit``."""
        server = Server([_Service(handler)], codec=Bytes())
        with socket.create_server((HOST, 0)) as listener:
            await server.start(sock=listener, ssl=tls(place, SERVER))
            ready(listener.getsockname()[1])
            await server.wait_closed()


KIT: Final = LibKit()
