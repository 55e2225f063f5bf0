"""Listening sockets that are closed whatever happens between binding and serving.

A server closes its sockets when it ends; one that is stopped before it has begun never does, and the port
stays taken for the next start in this process.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio


@asynccontextmanager
async def open_listeners(host: str, port: int) -> AsyncIterator[list[trio.SocketListener]]:
    """Listening TCP sockets that live no longer than the block.

    Args:
        host: name or address; empty: all.
        port: TCP; 0: one that is free.

    Raises:
        OSError: it cannot be bound.
    """
    listeners = await trio.open_tcp_listeners(port, host=host or None)
    try:
        yield listeners
    finally:
        for listener in listeners:
            listener.socket.close()
