"""At most so many writes a second, and a second's worth at once. Pure: the generic cell rate algorithm.

Source: ITU-T I.371, GCRA as a virtual schedule. One moment is all that is kept: by when all that was let
through would have been through at an even pace.
"""

from __future__ import annotations

from typing import Final

BURST: Final = 1.0
"""Seconds' worth of writes that may go at once after a rest."""


class Pace:
    """See the module.

    Args:
        rate: writes a second, more than 0.
    """

    def __init__(self, rate: float) -> None:
        self._step = 1.0 / rate
        self._even = 0.0

    def reserve(self, now: float) -> float:
        """When the next write may go; it counts as done then. ``now``: monotonic seconds."""
        even = max(self._even, now)
        self._even = even + self._step
        return max(now, self._even - max(BURST, self._step))
