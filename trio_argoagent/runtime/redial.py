"""When an agent dials again. Decisions only: what has come of the last attempt goes in, a wait comes out.

A thousand agents lose their principal at the same moment: the first wait is uniform in 0-2 s, so they come
back spread over that. What follows depends on whom an attempt has cost anything:

    NOBODY   there was nobody to connect to, which costs nobody anything. The wait grows with the time that
             this has been so, never with the number of attempts: a quarter of it makes an outage longer by
             a quarter at most, and a principal that restarts has its agents back within a second or two.
    FAILED   somebody was there, and no link came of it that lasted: handshakes were for nothing. The bound of
             the wait doubles, up to half a minute.
    LASTED   the link was healthy for a minute: as after the first failure.
    TOLD     the principal has named the time: never sooner, and no later than the usual spread.

Rejected: one back-off for all of these. It grows while a principal restarts, and then each agent comes back
seconds after it could have; and one that is reset by any link is none where each link dies at once.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Final

import attrs

from trio_argoagent.ports.env import Random
from trio_argoagent.runtime.backoff import CAP, FIRST, grown

HEALTHY: Final = 60.0
"""Seconds that a link must have lived for its end to be the first failure again."""
SOONEST: Final = 1.0
"""Seconds: the least bound of a wait while there is nobody to connect to."""
SHARE: Final = 0.25
"""Of the time that nobody has been there: the bound of a wait then, between ``SOONEST`` and ``CAP``."""
MOST_TOLD: Final = 3600.0
"""Seconds: no principal can keep an agent away for longer than that at a time."""


class Ended(enum.Enum):
    """What has come of an attempt to have a link."""

    NOBODY = "nobody was there"
    FAILED = "no link that lasted"
    LASTED = "a link that lasted"
    TOLD = "the principal has said when"


@attrs.frozen
class Wait:
    """Seconds to wait: at least so many, and up to so many more, by chance."""

    at_least: float
    spread: float

    def draw(self, random: Random) -> float:
        """One wait, uniform between both."""
        return self.at_least + random.uniform(0.0, self.spread)


@attrs.frozen
class Redial:
    """What is remembered of the attempts so far.

    Attributes:
        bound: seconds: of the wait after the next failure.
        met: when somebody was there last (monotonic seconds); None: never yet.
    """

    bound: float = FIRST
    met: float | None = None

    def ended(self, how: Ended, now: float, told: float = 0.0) -> tuple[Redial, Wait]:
        """An attempt has ended: what is remembered from now on, and how long to wait.

        Args:
            how: it has ended.
            now: monotonic seconds.
            told: seconds that the principal has named, for ``TOLD``.
        """
        return _RULES[how](self, now, told)


def _nobody(before: Redial, now: float, told: float) -> tuple[Redial, Wait]:
    met = now if before.met is None else before.met
    return attrs.evolve(before, met=met), Wait(0.0, min(CAP, max(SOONEST, SHARE * (now - met))))


def _failed(before: Redial, now: float, told: float) -> tuple[Redial, Wait]:
    return Redial(grown(before.bound), now), Wait(0.0, before.bound)


def _lasted(before: Redial, now: float, told: float) -> tuple[Redial, Wait]:
    return _failed(Redial(), now, told)


def _told(before: Redial, now: float, told: float) -> tuple[Redial, Wait]:
    return attrs.evolve(before, met=now), Wait(min(told, MOST_TOLD), FIRST)


_RULES: Final[Mapping[Ended, Callable[[Redial, float, float], tuple[Redial, Wait]]]] = {
    Ended.NOBODY: _nobody,
    Ended.FAILED: _failed,
    Ended.LASTED: _lasted,
    Ended.TOLD: _told,
}
