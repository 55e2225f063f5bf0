"""When to try again what has failed: soon at first, ever more rarely after that, never in step with others.

The first wait is uniform in 0-2 s; each further one is uniform in 0 to a doubling bound (full jitter).
"""

from __future__ import annotations

from typing import Final

from trio_argoagent.ports.env import Random

FIRST: Final = 2.0
"""Seconds: the bound of the first wait."""
CAP: Final = 30.0
"""Seconds: the bound no wait exceeds."""


def grown(bound: float) -> float:
    """The bound of the wait after one of this bound."""
    return min(CAP, 2 * bound)


class Backoff:
    """The waits between attempts at one thing."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._bound = FIRST

    def succeeded(self) -> None:
        """It has worked: start small again."""
        self._bound = FIRST

    def next_wait(self, at_least: float = 0.0) -> float:
        """Seconds to wait now.

        Args:
            at_least: what the other side asked for.
        """
        wait = at_least + self._random.uniform(0.0, self._bound)
        self._bound = grown(self._bound)
        return wait
