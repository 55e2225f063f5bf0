"""How long to wait after a failure: growing, capped, jittered, forgotten after good times.

The figures are those of client-go's reflector, so a fleet of agents treats an ailing API server no worse
than the fleet of kubelets beside it does.
"""

from __future__ import annotations

from typing import Final

BASE: Final = 0.8
"""Seconds: the first delay, before jitter."""
FACTOR: Final = 2.0
"""Each further failure multiplies the delay by this."""
CAP: Final = 30.0
"""Seconds: the longest delay, before jitter."""
JITTER: Final = 1.0
"""A delay is stretched by up to this part of itself."""
HEALTHY: Final = 120.0
"""Seconds without a failure (beyond the delay itself) after which the next one counts as the first."""
ASKED_CAP: Final = 120.0
"""Seconds: the longest a server may make us wait by asking for it."""


class Backoff:
    """The delays of one retry loop. Time and chance are arguments."""

    def __init__(self, *, base: float = BASE, factor: float = FACTOR, cap: float = CAP) -> None:
        self._base, self._factor, self._cap = base, factor, cap
        self._retry_at = float("-inf")
        self.failures = 0

    def failed(self, now: float, chance: float, *, at_least: float = 0.0) -> float:
        """Count a failure.

        Args:
            now: seconds, on any clock that does not go back.
            chance: in [0, 1): where in the jitter this delay falls.
            at_least: seconds that the server asked for (Retry-After), if it did.

        Returns:
            Seconds to wait before the next attempt.
        """
        if now - self._retry_at > HEALTHY:
            self.failures = 0
        # The exponent is bounded before it is used: a week of failures must not overflow a float.
        steps = min(self.failures, 64)
        self.failures += 1
        floor = min(at_least, ASKED_CAP)
        delay = max(min(self._base * self._factor**steps, self._cap), floor) * (1.0 + JITTER * chance)
        self._retry_at = now + delay
        return delay

    def reset(self) -> None:
        """Start again from the first delay."""
        self.failures = 0
        self._retry_at = float("-inf")
