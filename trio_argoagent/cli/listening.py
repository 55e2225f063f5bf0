"""The ports of a program: a user's mistake about one is one line, and none stays open."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import trio

from trio_argoagent.errors import UserError
from trio_argoagent.net.address import format_address
from trio_argoagent.runtime.listening import open_listeners


@asynccontextmanager
async def listening(host: str, port: int, option: str) -> AsyncIterator[list[trio.SocketListener]]:
    """Bound sockets.

    Args:
        host: name or address; empty: all.
        port: TCP; 0: a free one.
        option: what names the port.

    Raises:
        UserError: there can be none.
    """
    async with AsyncExitStack() as stack:
        try:
            listeners = await stack.enter_async_context(open_listeners(host, port))
        except OSError as exc:
            taken = exc.errno in (errno.EADDRINUSE, errno.EACCES)
            advice = f"choose another {option}" if taken else "check --listen-host"
            where = format_address(host or "*", port)
            raise UserError(f"cannot listen on {where}: {exc.strerror or exc}; {advice}") from exc
        yield listeners


def addresses(listeners: list[trio.SocketListener]) -> str:
    """Where they listen, for people."""
    return ", ".join(format_address(*each.socket.getsockname()[:2]) for each in listeners)
