"""How many links compare what both sides hold at once: first come, first served.

A thousand agents come back together. Each comparison is cheap, but all of them at once would let the last
answer of each wait for all others; in turns the first ones are in step at once, and the last ones no later.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import trio

COMPARING: Final = 32
"""Links at once that have been welcomed and do not know yet what the other side holds."""
COMPARE_TIMEOUT: Final = 2.0
"""Seconds after which one that still does not know makes room for the next one, and goes on beside it."""


class Place:
    """One link's place among those that compare."""

    def __init__(self, limiter: trio.CapacityLimiter) -> None:
        self._limiter: trio.CapacityLimiter | None = limiter

    def leave(self) -> None:
        """Make room for the next one; once is enough."""
        if self._limiter is not None:
            self._limiter.release_on_behalf_of(self)
            self._limiter = None

    async def expire(self) -> None:
        """Leave it after ``COMPARE_TIMEOUT``: who is slow, or silent, must not keep the others waiting."""
        await trio.sleep(COMPARE_TIMEOUT)
        self.leave()


class Turnstile:
    """See the module.

    Args:
        most: links at once.
    """

    def __init__(self, most: int = COMPARING) -> None:
        self._limiter = trio.CapacityLimiter(most)

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return self._limiter.statistics().tasks_waiting

    @asynccontextmanager
    async def place(self) -> AsyncIterator[Place]:
        """Wait for one, and have it until it is left, or the context ends."""
        place = Place(self._limiter)
        try:
            self._limiter.acquire_on_behalf_of_nowait(place)
        except trio.WouldBlock:
            await self._limiter.acquire_on_behalf_of(place)
        try:
            yield place
        finally:
            place.leave()
