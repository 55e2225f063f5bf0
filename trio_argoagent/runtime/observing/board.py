"""Where the parts of a program hang what they have to show."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Protocol

import trio

from trio_argoagent.runtime.observing.conditions import Condition
from trio_argoagent.runtime.observing.lag import Lag

STARTING = Condition("started", False, "settings, TLS material and the cluster are looked for")
STARTED = Condition("started", True, "settings, TLS material and the cluster have been found")
FRESH: Final = 1.0
"""Seconds for which facts are good: they cost something, and strangers may ask for them in a loop."""


class Exposition(Protocol):
    """What a program counts, as text for Prometheus."""

    @property
    def content_type(self) -> str:
        """Of what ``pieces`` make together."""

    def pieces(self) -> Iterator[bytes]:
        """All metrics as they are now, bit by bit: whoever takes them lets others work between."""


class Board:
    """Of one program. Until something is shown, the program has not started.

    Args:
        clock: seconds, monotonic.

    Attributes:
        lag: of its event loop; counts while it is an instrument of Trio's.
        metrics: what it counts; None: not yet known.
    """

    def __init__(self, clock: Callable[[], float] = trio.current_time) -> None:
        self.lag = Lag(clock)
        self._clock = clock
        self.metrics: Exposition | None = None
        self._conditions: list[Callable[[], Iterable[Condition]]] = []
        self._facts: list[Callable[[], Iterable[str]]] = []
        self._told: tuple[float, Sequence[str]] = (-math.inf, ())

    def show(
        self, conditions: Callable[[], Iterable[Condition]], facts: Callable[[], Iterable[str]] = tuple
    ) -> None:
        """Ask these from now on, after those that are asked already.

        Args:
            conditions: what must hold. Each name is there once.
            facts: lines, of which nothing follows; they may cost more.
        """
        self._conditions.append(conditions)
        self._facts.append(facts)

    def conditions(self) -> Sequence[Condition]:
        """Those that there are now."""
        begun = STARTED if self._conditions else STARTING
        return (begun, *(each for source in self._conditions for each in source()))

    def facts(self) -> Sequence[str]:
        """What else there is to say, or was within the last ``FRESH`` seconds."""
        now = self._clock()
        if now >= self._told[0] + FRESH:
            self._told = now, self._tell()
        return self._told[1]

    def _tell(self) -> Sequence[str]:
        lag = self.lag.statistics()
        loop = f"event loop: at most {1000 * lag.worst:.1f} ms late in the last minutes"
        return (loop, *(each for source in self._facts for each in source()))
