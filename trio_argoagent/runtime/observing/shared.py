"""What takes long to write down: once for all who ask meanwhile, or within ``FRESH`` seconds.

Strangers may ask in a loop, and on many connections at once; that must cost no more than one who does.
Whoever has to go before it is written leaves the rest to the next one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Final

import trio

FRESH: Final = 1.0
"""Seconds for which what was written is told again, and for which what was left is gone on with."""
SLICE: Final = 0.003
"""Seconds of work after which others have their turn."""


class Shared:
    """See the module.

    Args:
        pieces: writes it, bit by bit: others may work between two of them.
        clock: seconds, monotonic.
    """

    def __init__(self, pieces: Callable[[], Iterator[bytes]], clock: Callable[[], float]) -> None:
        self._pieces, self._clock = pieces, clock
        self._writing = trio.Lock()
        self._begun: Iterator[bytes] | None = None
        self._found: list[bytes] = []
        self._at = -math.inf

    async def whole(self) -> bytes:
        """All of it, as it is now or was a little while ago.

        Raises:
            Exception: a bug in what writes it; the next one who asks has it written anew.
        """
        async with self._writing:
            if self._clock() >= self._at + FRESH:
                self._begun, self._found = self._pieces(), []
            if self._begun is not None:
                await self._write(self._begun)
                self._begun, self._found = None, [b"".join(self._found)]
            return self._found[0]

    async def _write(self, begun: Iterator[bytes]) -> None:
        self._at = self._clock()
        try:
            for piece in begun:
                self._found.append(piece)
                now = self._clock()
                if now >= self._at + SLICE:
                    self._at = now
                    await trio.lowlevel.checkpoint()
                    self._at = self._clock()
        except Exception:
            self._at = -math.inf
            raise
        self._at = self._clock()
