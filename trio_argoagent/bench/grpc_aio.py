"""grpcio, its asyncio interface: one stream of messages both ways, bytes as they are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import grpc
import grpc.aio

from trio_argoagent.bench.channel import Channel
from trio_argoagent.bench.on_asyncio import AsyncioLoop
from trio_argoagent.bench.place import CLIENT, HOST, SERVER, Place

SERVICE: Final = "bench"
METHOD: Final = "talk"
_LIMITS: Final = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


class GrpcChannel:
    """Args:
    talk: a call, or its context on the server; both read and write.
    """

    def __init__(self, talk: Any) -> None:
        self._talk = talk

    async def send(self, messages: Sequence[bytes]) -> None:
        """See ``Channel``."""
        write = self._talk.write
        for message in messages:
            await write(message)

    async def receive(self) -> Sequence[bytes]:
        """See ``Channel``."""
        message = await self._talk.read()
        return () if message is grpc.aio.EOF else (message,)


class GrpcKit(AsyncioLoop):
    """See ``Kit``."""

    @asynccontextmanager
    async def dial(self, place: Place) -> AsyncIterator[Channel]:
        """See ``Kit``."""
        ca, certificate, key = place.identity(CLIENT)
        credentials = grpc.ssl_channel_credentials(ca, key, certificate)
        # Else all channels to one address share one connection.
        options = [*_LIMITS, ("grpc.use_local_subchannel_pool", 1)]
        async with grpc.aio.secure_channel(f"{HOST}:{place.port}", credentials, options) as channel:
            call = channel.stream_stream(f"/{SERVICE}/{METHOD}")()
            yield GrpcChannel(call)
            call.cancel()

    async def serve(
        self, place: Place, handler: Callable[[Channel], Awaitable[None]], ready: Callable[[int], None]
    ) -> None:
        """See ``Kit``."""
        ca, certificate, key = place.identity(SERVER)

        async def talk(_: Any, context: Any) -> None:
            await handler(GrpcChannel(context))

        server = grpc.aio.server(options=_LIMITS)
        methods = {METHOD: grpc.stream_stream_rpc_method_handler(talk)}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
        credentials = grpc.ssl_server_credentials([(key, certificate)], ca, require_client_auth=True)
        port = server.add_secure_port(f"{HOST}:0", credentials)
        await server.start()
        ready(port)
        await server.wait_for_termination()


KIT: Final = GrpcKit()
