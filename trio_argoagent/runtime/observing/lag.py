"""How late the event loop is: for how long what was due had to wait for its turn.

Trio tells an instrument when it begins to wait for the world and when it goes on. Between the two calls every
task that could run has run once: so long the last of them had to wait, and as much longer as the wait itself
overslept (a machine that gives us no CPU). So nothing that blocks the loop is missed, and an idle program is
not woken: a timer that looks now and then would do both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import attrs
import trio

BOUNDS: Final = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5)
"""Seconds: upper bounds of the histogram; what is later is counted beyond the last."""
WINDOW: Final = 60.0
"""Seconds for which the worst is remembered at least, and twice as long at most."""


@attrs.frozen
class LagStatistics:
    """How late the loop has been.

    Attributes:
        worst: seconds, in the last one or two minutes.
        turns: of the loop since the start.
        total: seconds, over all turns.
        buckets: turns that were late by so much at most: upper bound in seconds -> how many; the last bound
            is infinity.
    """

    worst: float
    turns: int
    total: float
    buckets: tuple[tuple[float, int], ...]


class Lag(trio.abc.Instrument):
    """See the module. One per run of Trio.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = trio.current_time) -> None:
        self._clock = clock
        self._due = self._woke = math.inf  # No turn has begun yet.
        self._counts = [0] * (len(BOUNDS) + 1)
        self._total = 0.0
        self._worst, self._before, self._until = 0.0, 0.0, -math.inf

    def before_io_wait(self, timeout: float) -> None:
        """Trio has run what could run, and waits for so many seconds at most."""
        now = self._clock()
        if self._woke <= now:
            self._count(now, now - min(self._woke, self._due))
        self._due = now + timeout

    def after_io_wait(self, timeout: float) -> None:
        """Trio goes on."""
        self._woke = self._clock()

    def _count(self, now: float, late: float) -> None:
        if now >= self._until:
            # Of a window that ended long ago nothing is recent.
            recent = now < self._until + WINDOW
            self._before, self._worst, self._until = self._worst if recent else 0.0, 0.0, now + WINDOW
        self._worst = max(self._worst, late)
        self._total += late
        for number, bound in enumerate(BOUNDS):
            if late <= bound:
                self._counts[number] += 1
                return
        self._counts[-1] += 1

    def statistics(self) -> LagStatistics:
        """How late it has been so far."""
        sums: list[tuple[float, int]] = []
        turns = 0
        for bound, count in zip((*BOUNDS, math.inf), self._counts, strict=True):
            turns += count
            sums.append((bound, turns))
        now = self._clock()
        recent = self._worst if now < self._until + WINDOW else 0.0
        before = self._before if now < self._until else 0.0
        return LagStatistics(max(recent, before), turns, self._total, tuple(sums))
