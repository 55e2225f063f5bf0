"""What the kernel should know about our connections."""

from __future__ import annotations

import socket
from typing import Final

import trio

USER_TIMEOUT: Final = 30_000
"""Milliseconds that sent bytes may stay unacknowledged before the kernel gives a connection up."""


def hold_to_timeout(stream: trio.abc.Stream) -> None:
    """Let the kernel give up a peer that has stopped acknowledging, where it can (Linux)."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is None or not isinstance(stream, trio.SocketStream):
        return
    if stream.socket.family in (socket.AF_INET, socket.AF_INET6):
        stream.setsockopt(socket.IPPROTO_TCP, option, USER_TIMEOUT)
