"""How much of a feed may be under way unanswered: what is beyond that waits where it can still be superseded.

Under pressure (a slow hub, a slow link, a webhook that makes Argo CD look at five hundred Applications) a
status that has been sent is one that a newer value can no longer replace, and its write stands in everybody's
way. One that waits in its source costs nothing, and only its newest value is ever sent. So the budget adapts
by itself: an answer makes room, and the faster they come the more is sent.

What people wait for is never held back: intents, deletions and specs do not count, and mere time stamps have
a small budget of their own, so that few of them are ever before a status that somebody waits for.
"""

from __future__ import annotations

from typing import Final

import attrs

from trio_argoagent.model.keys import Key
from trio_argoagent.sync.kinds import Rank


@attrs.frozen
class Budget:
    """What may be under way unanswered on one agent's feed.

    Attributes:
        records: statuses. A hub that writes 400 a second has work for half a second.
        size: of their bodies together, in bytes; one status may go beyond it.
        cosmetic: statuses in which only time stamps have changed.
    """

    records: int = attrs.field(default=256, validator=attrs.validators.ge(1))
    size: int = attrs.field(default=4 * 1024 * 1024, validator=attrs.validators.ge(1))
    cosmetic: int = attrs.field(default=16, validator=attrs.validators.ge(1))


DEFAULT: Final = Budget()


@attrs.frozen
class FlowStatistics:
    """What is under way, and how often something had to wait for room."""

    records: int
    size: int
    cosmetic: int
    waits: int


class Flow:
    """One feed's budget and what has been spent of it. Bounded by the keys that are under way."""

    def __init__(self, budget: Budget = DEFAULT) -> None:
        self._budget = budget
        self._sent: dict[Key, tuple[Rank, int]] = {}
        self._size = self._cosmetic = self._waits = 0

    def last(self) -> Rank:
        """The last rank that may be sent now."""
        if len(self._sent) >= self._budget.records or self._size >= self._budget.size:
            return Rank.SPEC
        return Rank.STATUS if self._cosmetic >= self._budget.cosmetic else Rank.COSMETIC

    def sent(self, key: Key, rank: Rank, size: int) -> None:
        """A record of this key has been sent: its body has ``size`` bytes. It replaces an earlier one."""
        self.answered(key)
        if rank < Rank.STATUS:
            return
        self._sent[key] = (rank, size)
        self._size += size
        self._cosmetic += rank is Rank.COSMETIC
        self._waits += self.last() is not Rank.COSMETIC

    def answered(self, key: Key) -> None:
        """The other side has it: applied, refused, or kept until it can be applied."""
        rank, size = self._sent.pop(key, (Rank.STATUS, 0))
        self._size -= size
        self._cosmetic -= rank is Rank.COSMETIC

    def clear(self) -> None:
        """The link has ended: nothing is under way."""
        self._sent.clear()
        self._size = self._cosmetic = 0

    def statistics(self) -> FlowStatistics:
        """Counters."""
        return FlowStatistics(len(self._sent), self._size, self._cosmetic, self._waits)
