"""How long things took, as counts: two additions for each, and no list of them."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
"""Seconds: the last that each bucket takes; one more takes all the rest."""


class Latencies:
    """See the module.

    Attributes:
        counts: by bucket.
        total: seconds, of all.
    """

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def note(self, seconds: float) -> None:
        """One more took so long."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds
