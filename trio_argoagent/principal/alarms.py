"""When to look at which object again, by wall time: each name has at most one alarm."""

from __future__ import annotations

import heapq

Name = tuple[str, str]
"""Namespace and name."""


class Alarms:
    """See the module. Bounded by how often they are set: what was set over is dropped when it is due."""

    def __init__(self) -> None:
        self._due: dict[Name, float] = {}
        self._heap: list[tuple[float, Name]] = []

    def set(self, name: Name, at: float) -> None:
        """Look at it at ``at`` (Unix seconds), and not when it was to be before."""
        if self._due.get(name) != at:
            self._due[name] = at
            heapq.heappush(self._heap, (at, name))

    def clear(self, name: Name) -> None:
        """Do not look at it."""
        self._due.pop(name, None)

    def next(self) -> float | None:
        """When the first is due (Unix seconds); None: there is none."""
        self._drop()
        return self._heap[0][0] if self._heap else None

    def take(self, now: float) -> list[Name]:
        """Those that are due at ``now`` (Unix seconds): their alarms are over."""
        found = []
        while (at := self.next()) is not None and at <= now:
            _, name = heapq.heappop(self._heap)
            del self._due[name]
            found.append(name)
        return found

    def _drop(self) -> None:
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
