"""Wall time and randomness, handed in so that a seed replays.

Durations and deadlines use ``trio.current_time()``, which the simulator owns already; wall time is only
for what people and other programs read (timestamps on objects, logs).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

import attrs


@lru_cache(maxsize=2)  # Now, and what is still recent: each is asked for with every status.
def rfc3339(second: int) -> str:
    """A Unix second in RFC 3339, UTC: what Kubernetes writes."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Random(Protocol):
    """The part of ``random.Random`` that jitter needs."""

    def random(self) -> float:
        """A float in [0, 1)."""

    def uniform(self, a: float, b: float) -> float:
        """A float between the two."""


@attrs.frozen
class Env:
    """What a program is given instead of the world.

    Attributes:
        now: wall time, seconds since the Unix epoch.
        random: jitter only; never secrets.
        entropy: that many unpredictable bytes: ids, keys, serials.
    """

    now: Callable[[], float]
    random: Random
    entropy: Callable[[int], bytes]

    def timestamp(self) -> str:
        """Now, as ``rfc3339`` writes it."""
        return rfc3339(int(self.now()))

    def new_id(self) -> str:
        """A fresh random id: 16 hexadecimal digits."""
        return self.entropy(8).hex()
