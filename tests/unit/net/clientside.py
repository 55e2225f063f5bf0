"""A client whose server is in memory: each dial is one more connection of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio
import trio.testing

from trio_argoagent.net.client import HttpClient, open_client

Serve = Callable[[trio.abc.Stream], Awaitable[None]]
"""Serves one connection."""


class Wires:
    """The server's side."""

    def __init__(self, serve: Serve) -> None:
        self.serve = serve
        self.dials = 0
        self.refuse_after = 1 << 30
        """Dials that are answered."""
        self.streams: list[trio.abc.Stream] = []
        """The server's end of each connection."""

    @asynccontextmanager
    async def client(self, *, http1: bool = False) -> AsyncIterator[HttpClient]:
        """A client of it, without TLS."""
        async with trio.open_nursery() as nursery:

            async def connect(host: str, port: int) -> trio.abc.Stream:
                await trio.lowlevel.checkpoint()
                self.dials += 1
                if self.dials > self.refuse_after:
                    raise OSError("nobody there")
                near, far = trio.testing.memory_stream_pair()
                self.streams.append(far)
                nursery.start_soon(self.serve, far)
                return near

            async with open_client(
                host="api.example", port=443, context=None, connect=connect, http1=http1
            ) as client:
                yield client
            nursery.cancel_scope.cancel()
