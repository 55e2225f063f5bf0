"""Where the parts of a program hang what they have to show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import trio

from trio_argoagent.runtime.observing.conditions import Condition, line
from trio_argoagent.runtime.observing.lag import Lag
from trio_argoagent.runtime.observing.shared import Shared

STARTING = Condition("started", False, "settings, TLS material and the cluster are looked for")
STARTED = Condition("started", True, "settings, TLS material and the cluster have been found")


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
        scrape: that, written down.
        facts: what else there is to say, a line each.
    """

    def __init__(self, clock: Callable[[], float] = trio.current_time) -> None:
        self.lag = Lag(clock)
        self.metrics: Exposition | None = None
        self.scrape = Shared(self._counted, clock)
        self.facts = Shared(self._told, clock)
        self._conditions: list[Callable[[], Iterable[Condition]]] = []
        self._facts: list[Callable[[], Iterable[str]]] = []

    def show(
        self, conditions: Callable[[], Iterable[Condition]], facts: Callable[[], Iterable[str]] = tuple
    ) -> None:
        """Ask these from now on, after those that are asked already.

        Args:
            conditions: what must hold. Each name is there once.
            facts: lines, of which nothing follows. They may cost more: between two of them others may work,
                and an empty one is there for nothing else.
        """
        self._conditions.append(conditions)
        self._facts.append(facts)

    def conditions(self) -> Sequence[Condition]:
        """Those that there are now."""
        begun = STARTED if self._conditions else STARTING
        return (begun, *(each for source in self._conditions for each in source()))

    def _counted(self) -> Iterator[bytes]:
        return self.metrics.pieces() if self.metrics is not None else iter(())

    def _told(self) -> Iterator[bytes]:
        lag = self.lag.statistics()
        yield line(f"event loop: at most {1000 * lag.worst:.1f} ms late in the last minutes").encode()
        for source in self._facts:
            for each in source():
                yield line(each).encode() if each else b""
