"""When to dial again: soon after the first failure, ever more rarely after that, never in step with others.

A thousand agents lose their principal at the same moment. The first retry is uniform in 0-2 s, so they come
back spread over that; each further one waits uniformly in 0 to a doubling bound (full jitter).
"""

from __future__ import annotations

from typing import Final

from trio_argoagent.ports.env import Random

FIRST: Final = 2.0
"""Seconds: the bound of the first wait."""
CAP: Final = 30.0
"""Seconds: the bound no wait exceeds."""


class Redial:
    """The waits between attempts of one agent."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._bound = FIRST

    def succeeded(self) -> None:
        """The link was up: start small again."""
        self._bound = FIRST

    def next_wait(self, at_least: float = 0.0) -> float:
        """Seconds to wait now.

        Args:
            at_least: what the principal asked for.
        """
        wait = at_least + self._random.uniform(0.0, self._bound)
        self._bound = min(CAP, 2 * self._bound)
        return wait
