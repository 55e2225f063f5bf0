"""Many connections with a little to send each: one task takes it to their sockets, all in one step.

To wake a connection's writer for a small message is a sixth of what the message costs. So where many
connections are served their writers sleep on, and one task goes round. It never waits for a socket: what one
does not take at once is left to the connection's writer, who is the only one to write until nothing is left
(``http2_wire``).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from trio_argoagent.net.http2_wire import Wire


class Postman:
    """See the module. Made by ``employed``."""

    def __init__(self) -> None:
        self._due: list[Wire] = []
        self._rest = trio.lowlevel.ParkingLot()
        self._retired = False

    def call(self, wire: Wire) -> bool:
        """Have this wire ``flush``ed in the next pass of the scheduler; False: he comes no more."""
        if self._retired:
            return False
        if not self._due:
            self._rest.unpark_all()
        self._due.append(wire)
        return True

    async def run(self) -> None:
        """Go round until cancelled; whoever comes later is told that nobody does."""
        try:
            while True:
                if self._due:  # Somebody has called during the round.
                    await trio.lowlevel.checkpoint()
                else:
                    await self._rest.park()
                self._round()
        finally:
            self._retired = True
            self._round()

    def _round(self) -> None:
        due, self._due = self._due, []
        now = trio.current_time()
        for wire in due:
            wire.flush(now)


@asynccontextmanager
async def employed() -> AsyncIterator[Postman]:
    """A postman for the connections that are served in the block."""
    postman = Postman()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(postman.run)
        yield postman
        nursery.cancel_scope.cancel()
