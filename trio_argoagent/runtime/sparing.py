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
MOST: Final = 8192
"""Different ones counted at once; those beyond it are counted as one."""
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
        self._counts: dict[tuple[str, str], _Count] = {}

    def ask(self, name: str, about: str, now: float) -> Passed | None:
        """May a line with this name about this agent be logged? None: no."""
        key = (name, about)
        if key not in self._counts and len(self._counts) >= MOST:
            self._counts = {each: count for each, count in self._counts.items() if now < count.until}
            key = key if len(self._counts) < MOST else ("", "")
        count = self._counts.setdefault(key, _Count(now + WINDOW))
        omitted = 0
        if now >= count.until:
            omitted, count.until, count.lines, count.omitted = count.omitted, now + WINDOW, 0, 0
        if count.lines >= BURST:
            count.omitted += 1
            return None
        count.lines += 1
        return Passed(omitted, count.lines == BURST)
