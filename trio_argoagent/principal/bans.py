"""Who has misbehaved, and for how long he stays outside: strikes that fade, bans that double. Decisions only.

A strike is for what no honest program does: it breaks the protocol, or goes beyond a budget that honest
traffic never comes near. What a network or a restart can do to anybody (a cut, silence, a half-open
connection) is none. ``now`` is monotonic seconds throughout; nothing survives the program.
"""

from __future__ import annotations

from typing import Final

import attrs

LIMIT: Final = 2.5
"""Strikes that bring a ban: the third within half a minute."""
FADES: Final = 60.0
"""Seconds in which one strike fades."""
FIRST: Final = 10.0
LONGEST: Final = 600.0
"""Seconds of the first ban, and of the longest: each is twice as long as the one before."""
FORGIVEN: Final = 600.0
"""Seconds without a ban after which the next one is half as long."""
MOST: Final = 4096
"""Records kept. Beyond it the one goes that has not misbehaved for longest."""
PROBATION: Final = 2.0
"""Strikes that somebody has who comes back from a ban: one more within half a minute, and he is out again."""
_STEPS: Final = 6
"""Doublings after which a ban is the longest."""


@attrs.define
class _Record:
    strikes: float = 0.0
    at: float = 0.0
    """As of when."""
    bans: int = 0
    until: float = 0.0
    """When the last of them ends, or has ended."""


class Bans:
    """See the module. Whoever is meant is named by a text that nobody else can claim.

    Attributes:
        dropped: records that had to make room.
    """

    def __init__(self) -> None:
        self._records: dict[str, _Record] = {}  # Who misbehaved last stands last.
        self.dropped = 0

    def strike(self, who: str, now: float) -> float:
        """Somebody has misbehaved: seconds of the ban that begins now; 0: none does, or he is out already."""
        record = self._records.pop(who, None) or _Record()
        self._records[who] = record
        if len(self._records) > MOST:
            del self._records[next(iter(self._records))]
            self.dropped += 1
        if now < record.until:
            return 0.0
        faded = max(0.0, now - record.at) / FADES
        record.strikes, record.at = max(0.0, record.strikes - faded) + 1.0, now
        if record.strikes < LIMIT:
            return 0.0
        earlier = max(0, record.bans - int((now - record.until) / FORGIVEN))
        record.bans = min(earlier + 1, _STEPS + 1)
        seconds = min(LONGEST, FIRST * 2.0 ** (record.bans - 1))
        record.strikes, record.at = PROBATION, now + seconds
        record.until = now + seconds
        return seconds

    def left(self, who: str, now: float) -> float:
        """Seconds for which he stays outside; 0: he does not."""
        record = self._records.get(who)
        return max(0.0, record.until - now) if record is not None else 0.0

    def outside(self, now: float) -> dict[str, float]:
        """Who is banned now, and for how many seconds yet."""
        return {who: left for who in self._records if (left := self.left(who, now))}

    def strikes(self, who: str, now: float) -> float:
        """How many he has that have not faded."""
        record = self._records.get(who)
        return max(0.0, record.strikes - max(0.0, now - record.at) / FADES) if record is not None else 0.0
