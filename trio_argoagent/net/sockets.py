"""What the kernel should know about our connections."""

from __future__ import annotations

import socket
from typing import Final

import trio

USER_TIMEOUT: Final = 30_000
"""Milliseconds that sent bytes may stay unacknowledged before the kernel gives a connection up."""

SILENCE: Final = 300
"""Seconds after which a silent peer is asked whether it is still there."""
PROBES: Final = 3
"""Questions without an answer, half a minute apart, after which it is not."""


def hold_to_timeout(stream: trio.abc.Stream) -> None:
    """Let the kernel give up a peer that has stopped acknowledging, where it can (Linux)."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is None or not isinstance(stream, trio.SocketStream):
        return
    if stream.socket.family in (socket.AF_INET, socket.AF_INET6):
        stream.setsockopt(socket.IPPROTO_TCP, option, USER_TIMEOUT)


def notice_silence(stream: trio.abc.Stream) -> None:
    """Let the kernel notice that a peer which has nothing to say has vanished, where it can (Linux)."""
    if not (isinstance(stream, trio.SocketStream) and hasattr(socket, "TCP_KEEPIDLE")):
        return
    if stream.socket.family in (socket.AF_INET, socket.AF_INET6):
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, SILENCE)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, SILENCE // 10)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES)
