"""Asks a program on this machine what it shows of itself."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import trio

LOOPBACK: Final = "127.0.0.1"


@contextmanager
def held_port() -> Iterator[int]:
    """One that nobody else gets, but who asks for just that one: it is bound, and nobody listens."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((LOOPBACK, 0))
        yield holder.getsockname()[1]


async def ask(port: int, path: str) -> tuple[int, str]:
    """Status and body.

    Raises:
        OSError: nobody listens there.
    """
    async with await trio.open_tcp_stream(LOOPBACK, port) as stream:
        await stream.send_all(f"GET {path} HTTP/1.1\r\nhost: me\r\n\r\n".encode())
        heard = b"".join([piece async for piece in stream]).decode()
    head, _, body = heard.partition("\r\n\r\n")
    return int(head.split()[1]), body
