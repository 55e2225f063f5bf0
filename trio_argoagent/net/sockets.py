"""Sockets: what the kernel should know about our connections, and bytes to and from it without detours."""

from __future__ import annotations

import os
import socket
from typing import Final, Protocol

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


class Port(Protocol):
    """Where bytes go in and out. One task may send and one may receive."""

    async def send_all(self, data: bytes) -> None:
        """Send bytes."""

    async def receive_some(self, max_bytes: int) -> bytes | bytearray:
        """Some that have arrived; empty at the end."""


def port(stream: trio.abc.Stream) -> Port:
    """The shortest way to what a stream stands for; opening, ending and closing it remain the stream's."""
    return Direct(stream.socket) if isinstance(stream, trio.SocketStream) and os.name == "posix" else stream


class Direct:
    """A socket of Trio's, without what ``trio.SocketStream`` adds for everybody.

    That one makes a pass of the scheduler of each send which the kernel takes at once, and asks for bytes
    before it waits for them, which costs a call and an exception for each message. Here a send that need not
    wait is no checkpoint: receiving always is one.
    """

    def __init__(self, its: trio.socket.SocketType) -> None:
        self._its = its

    def send_now(self, data: bytes | memoryview) -> int:
        """Hand over what the kernel takes without a wait: how many bytes.

        Raises:
            trio.BrokenResourceError: the connection is gone.
            trio.ClosedResourceError: it was closed here.
        """
        try:
            return os.write(self._number(), data)
        except BlockingIOError:
            return 0
        except OSError as exc:
            raise trio.BrokenResourceError(f"socket connection broken: {exc}") from exc

    async def send_all(self, data: bytes) -> None:
        """See ``Port``."""
        sent = self.send_now(data)
        if sent < len(data):
            view = memoryview(data)
            while sent < len(data):
                await trio.lowlevel.wait_writable(self._number())
                sent += self.send_now(view[sent:])

    async def receive_some(self, max_bytes: int) -> bytes:
        """See ``Port``."""
        while True:
            await trio.lowlevel.wait_readable(self._number())
            try:
                return os.read(self._number(), max_bytes)
            except BlockingIOError:
                pass  # The kernel may wake us for what it then throws away (a wrong checksum).
            except OSError as exc:
                raise trio.BrokenResourceError(f"socket connection broken: {exc}") from exc

    def _number(self) -> int:
        # Asked for each time: a number that has been closed may soon be another connection's.
        number = self._its.fileno()
        if number < 0:
            raise trio.ClosedResourceError("this socket was already closed")
        return number
