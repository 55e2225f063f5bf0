"""A tunnel beside a link in memory: two pipes of bytes, which suffer what befalls the link."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import trio

from trio_argoagent.errors import LinkBroken
from trio_argoagent.testing.conditions import Conditions
from trio_argoagent.testing.pipes import End, Pipe

WINDOW: Final = 256 * 1024
"""Bytes on the way in one direction before ``wait_room`` waits."""


class MemoryCarrier(End):
    """One end: ``stream.tunnel.Carrier``. Made and joined by ``carriers``."""

    divisible = True

    def __init__(
        self, network: Conditions[Any], link: End, inbound: Pipe, outbound: Pipe, gone: Callable[[End], None]
    ) -> None:
        super().__init__(network, link.agent, link.up, link.owner, inbound, outbound)
        self._network, self._gone, self._ended = network, gone, False

    async def wait_room(self) -> None:
        """See ``Carrier``."""
        await trio.lowlevel.checkpoint_if_cancelled()
        await self.wait_less_queued(WINDOW)
        self._check()

    def send_nowait(self, data: bytes) -> None:
        """See ``Carrier``."""
        self._check()
        self._network.count(sent=len(data))
        self.put(data)

    def end(self) -> None:
        """See ``Carrier``."""
        if not self.broken and not self._ended:
            self._ended = True
            self.put(None)

    async def wait_sent(self) -> None:
        """See ``Carrier``: what is put into a pipe has left."""
        await trio.lowlevel.checkpoint()
        self._check()

    async def receive(self) -> bytes:
        """See ``Carrier``."""
        first = await self.receive_part()
        taken, now, parts = [first], trio.current_time(), self._in.parts
        while parts and parts[0][0] <= now and parts[0][1] is not None:
            taken.append(self._take())
        return b"".join(taken)

    async def receive_part(self) -> bytes:
        """The next bytes as they were sent at once; empty after the peer's clean end."""
        await trio.lowlevel.checkpoint_if_cancelled()
        if not await self.wait_arrival():
            self._check()
        return self._take()

    def _take(self) -> bytes:
        part = self._in.parts[0][1]
        if part is None:
            return b""
        self._in.parts.popleft()
        self._in.queued -= len(part)
        self._in.wake()
        self._network.count(received=len(part))
        return part

    def reset(self) -> None:
        """See ``Carrier``."""
        self.tear_down("the tunnel was given up on this side")
        self._gone(self)

    def _check(self) -> None:
        if self.broken:
            raise LinkBroken(self.broken)
