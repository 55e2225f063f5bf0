"""A byte stream whose beginning has been looked at: what it speaks decides who reads it."""

from __future__ import annotations

from collections.abc import Callable

import trio

from trio_argoagent.net.certificates import Standing, unbound

READ = 64 * 1024
"""Bytes asked of the transport at once."""


class Peeked(trio.abc.HalfCloseableStream):
    """The stream under it, from its first byte. One task may send and one may receive.

    Args:
        transport: connected, with nothing received yet; owned from now on.

    Attributes:
        transport: what is under it.
        peer_certificate: of TLS under it (DER); None where there is none.
        standing: how long that counts.
    """

    def __init__(self, transport: trio.abc.Stream) -> None:
        self.transport = transport
        self.peer_certificate: bytes | None = getattr(transport, "peer_certificate", None)
        self.standing: Callable[[], Standing] = getattr(transport, "standing", unbound)
        self._first = b""

    async def begins_with(self, prefix: bytes) -> bool:
        """Is this what it begins with? Waits for no more bytes than it takes to know.

        Raises:
            trio.BrokenResourceError: the transport is gone.
            ConnectionBroken: likewise, of TLS.
        """
        while len(self._first) < len(prefix) and prefix.startswith(self._first):
            data = await self.transport.receive_some(READ)
            if not data:
                break
            self._first += data
        return self._first.startswith(prefix)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """See ``trio.abc.ReceiveStream``."""
        if not self._first:
            return bytes(await self.transport.receive_some(max_bytes))
        await trio.lowlevel.checkpoint()
        size = len(self._first) if max_bytes is None else max_bytes
        data, self._first = self._first[:size], self._first[size:]
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """See ``trio.abc.SendStream``."""
        await self.transport.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """See ``trio.abc.SendStream``."""
        await self.transport.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """See ``trio.abc.HalfCloseableStream``; nothing happens where the transport cannot."""
        send_eof = getattr(self.transport, "send_eof", None)
        if send_eof is not None:
            await send_eof()

    async def aclose(self) -> None:
        """See ``trio.abc.AsyncResource``."""
        await self.transport.aclose()
