"""A bound on what others can make us log: of one kind of line about one agent so many a minute, then none.

That there are more is said once, and the first line after the minute says how many were left out. What
``Rarely`` bounds is told less often than that; this holds for every line, whoever causes it.
"""

from __future__ import annotations

from typing import Final

import attrs

WINDOW: Final = 60.0
"""Seconds."""
BURST: Final = 30
"""Lines with one name about one agent within ``WINDOW``."""
AGENTS: Final = 10_000
"""Agents of one principal at most."""
EACH: Final = 4
"""Different lines about each of them within ``WINDOW``: links come and go, and what they carried goes on."""
MOST: Final = EACH * AGENTS
"""Different ones counted at once, some 7 MiB; those beyond it are counted by name alone."""
NAMES: Final = 256
"""Names counted like that; there are some 70."""
TOO_MANY: Final = f"more than {BURST} of these in {WINDOW:.0f} s: the others are not logged"


@attrs.define
class _Count:
    until: float
    lines: int = 0
    omitted: int = 0


@attrs.frozen
class Passed:
    """What becomes of a line.

    Attributes:
        omitted: lines like it that were left out before it.
        last: the next ones are left out.
    """

    omitted: int = 0
    last: bool = False


class Sparing:
    """See the module; decisions only. ``now`` is monotonic seconds."""

    def __init__(self) -> None:
        # In the order of their ends: all windows are equally long.
        self._counts: dict[tuple[str, str], _Count] = {}
        self._by_name: dict[tuple[str, str], _Count] = {}

    def ask(self, name: str, about: str, now: float) -> Passed | None:
        """May a line with this name about this agent be logged? None: no."""
        key = (name, about)
        if key in self._counts or self._has_room(now):
            return _count(self._counts, key, now)
        key = (name, "")
        if key not in self._by_name and len(self._by_name) >= NAMES:
            key = ("", "")
        return _count(self._by_name, key, now)

    def _has_room(self, now: float) -> bool:
        """For one more: the one whose window has ended first makes it."""
        if len(self._counts) < MOST:
            return True
        first = next(iter(self._counts))
        if now < self._counts[first].until:
            return False
        del self._counts[first]
        return True


def _count(counts: dict[tuple[str, str], _Count], key: tuple[str, str], now: float) -> Passed | None:
    count, omitted = counts.get(key), 0
    if count is None or now >= count.until:
        if count is not None:
            omitted = counts.pop(key).omitted
        count = counts[key] = _Count(now + WINDOW)
    if count.lines >= BURST:
        count.omitted += 1
        return None
    count.lines += 1
    return Passed(omitted, count.lines == BURST)
