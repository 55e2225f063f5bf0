"""How long a change takes to reach the other side, read from the API servers' own logs.

A copy's marker names the resourceVersion of its source at which it was read. So a change is through when the
copy is first written with a marker of that version or a later one. Only changes made while the agent was
connected count: what waits for a link that is cut is told by the cut, not by us.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

import attrs
import trio

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.model import rv
from trio_argoagent.sync import marker, names

MAX_SAMPLES: Final = 100_000
"""Samples kept; the oldest go first."""
MAX_WAITING: Final = 1000
"""Changes of one Application that are on their way; the oldest are no longer timed."""

_Waiting = dict[str, deque[tuple[str, float]]]


@attrs.frozen
class Propagation:
    """Milliseconds from a change at the source to the write of its copy."""

    p50: float
    p99: float
    n: int


class Stopwatch:
    """Times the changes of one agent's Applications.

    Args:
        connected: is the agent connected now?
        product: is this actor one of ours (whose writes are no changes of a user)?
    """

    def __init__(self, connected: Callable[[], bool], product: Callable[[str], bool]) -> None:
        self._connected, self._product = connected, product
        self._waiting: _Waiting = {}
        self.samples: deque[float] = deque(maxlen=MAX_SAMPLES)
        self.last = 0.0

    def at_source(self, entry: LogEntry) -> None:
        """A write on the side that owns the specs."""
        if entry.new is None:
            # What was on its way no longer matters; a new object of this name has nothing to do with it.
            self._waiting.pop(entry.name, None)
            return
        if self._product(entry.actor) or not self._connected():
            return
        old = entry.old.value.get("spec") if entry.old is not None else None
        if entry.new.value.get("spec") != old:
            waiting = self._waiting.setdefault(entry.name, deque(maxlen=MAX_WAITING))
            waiting.append((str(entry.rv), trio.current_time()))

    def at_replica(self, entry: LogEntry) -> None:
        """A write on the other side."""
        waiting = self._waiting.get(entry.name)
        if not waiting or entry.new is None:
            return
        annotations = entry.new.value.get("metadata", {}).get("annotations") or {}
        mark = marker.parse(annotations.get(names.MARKER))
        while mark is not None and waiting and rv.at_least(mark.asof, waiting[0][0]):
            since = waiting.popleft()[1]
            self.last = 1000 * (trio.current_time() - since)
            self.samples.append(self.last)

    def forget(self) -> None:
        """The link has gone, or a program: what is on its way now is not timed."""
        self._waiting.clear()


def summary(samples: list[float]) -> Propagation:
    """The median and the 99th percentile."""
    if not samples:
        return Propagation(0.0, 0.0, 0)
    ordered = sorted(samples)
    return Propagation(
        p50=round(ordered[len(ordered) // 2], 3),
        p99=round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 3),
        n=len(ordered),
    )
