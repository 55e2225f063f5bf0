"""When an agent renews its certificate, and what is said about it. Decisions only.

    FRESH ── two thirds of its life are over ──▸ attempt ── a new one ──▸ FRESH
                                                  ├─ nobody, or not now ──▸ RETRYING  1 min, doubling to 1 h
                                                  ├─ not issued here ─────▸ OFF       a day
                                                  └─ refused for good ────▸ DENIED    an hour

A new certificate, from wherever it comes, begins anew. An attempt shows the certificate as long as it is
valid, and after that proves the last key: that is for the time of the attempt to say, not for the state.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

import attrs

from trio_argoagent.ports.env import Random

DUE: Final = 2 / 3
"""Of a certificate's life, after which it is renewed."""
SPREAD: Final = 0.1
"""Of that, earlier or later by chance: a fleet that was started at one moment does not renew at one."""
BACKOFF: Final = (60.0, 3600.0)
"""Seconds: the bounds of the first and of the longest wait after an attempt that came to nothing."""
DAY: Final = 86_400.0
DENIED_WAIT: Final = 3600.0
"""Seconds after which is asked again what a person has to mend."""
THRESHOLDS: Final = (30 * DAY, 7 * DAY, DAY)
"""Seconds before the expiry at which it is warned of."""
SOON: Final = 0.25
"""Of a certificate's life: a threshold beyond that does not count: it would be passed too often."""


@attrs.frozen
class Validity:
    """From when until when a certificate is valid (Unix time)."""

    begins: float
    ends: float

    @property
    def life(self) -> float:
        """Seconds."""
        return self.ends - self.begins

    def due(self, random: Random) -> float:
        """When it is to be renewed: drawn once for each certificate."""
        return self.begins + self.life * DUE * (1 + random.uniform(-SPREAD, SPREAD))

    def is_over(self, now: float) -> bool:
        """Has it expired?"""
        return now >= self.ends

    def threshold(self, now: float) -> float:
        """The smallest threshold that has been passed, in seconds; infinite: none, 0: it has expired."""
        if self.is_over(now):
            return 0.0
        passed = (each for each in THRESHOLDS if each <= self.life * SOON and self.ends - now <= each)
        return min(passed, default=float("inf"))


class State(enum.Enum):
    """What has come of the last attempt."""

    FRESH = "fresh"
    RETRYING = "retrying"
    OFF = "off"
    DENIED = "denied"


class Outcome(enum.Enum):
    """What came of an attempt that has brought no certificate."""

    FAILED = "failed"
    """Nobody has answered, or it shall be tried again."""
    NOT_ISSUING = "not-issuing"
    REFUSED = "refused"


@attrs.frozen
class Rule:
    """What follows.

    Attributes:
        state: from now on.
        tells: is a person told?
    """

    state: State
    tells: bool


TRANSITIONS: Final[Mapping[tuple[State, Outcome], Rule]] = {
    (State.FRESH, Outcome.FAILED): Rule(State.RETRYING, True),
    (State.FRESH, Outcome.NOT_ISSUING): Rule(State.OFF, True),
    (State.FRESH, Outcome.REFUSED): Rule(State.DENIED, True),
    (State.RETRYING, Outcome.FAILED): Rule(State.RETRYING, True),
    (State.RETRYING, Outcome.NOT_ISSUING): Rule(State.OFF, True),
    (State.RETRYING, Outcome.REFUSED): Rule(State.DENIED, True),
    (State.OFF, Outcome.FAILED): Rule(State.RETRYING, True),
    (State.OFF, Outcome.NOT_ISSUING): Rule(State.OFF, False),
    (State.OFF, Outcome.REFUSED): Rule(State.DENIED, True),
    (State.DENIED, Outcome.FAILED): Rule(State.RETRYING, True),
    (State.DENIED, Outcome.NOT_ISSUING): Rule(State.OFF, True),
    (State.DENIED, Outcome.REFUSED): Rule(State.DENIED, False),
}


@attrs.frozen
class Renewing:
    """One agent's renewals.

    Attributes:
        due: when to try next (Unix time).
        state: what came of the last attempt.
        bound: seconds: of the wait after the next failure.
    """

    due: float
    state: State = State.FRESH
    bound: float = BACKOFF[0]

    @classmethod
    def of(cls, validity: Validity, random: Random) -> Renewing:
        """For a certificate that is there."""
        return cls(validity.due(random))

    def ended(
        self, outcome: Outcome, now: float, random: Random, *, told: float = 0.0
    ) -> tuple[Renewing, bool]:
        """An attempt has ended, without a new certificate: what follows, and is a person told?

        Args:
            outcome: of it.
            now: Unix time.
            random: chance.
            told: seconds that the hub wants us to wait.
        """
        rule = TRANSITIONS[self.state, outcome]
        if rule.state is State.RETRYING:
            wait = max(told, random.uniform(self.bound / 2, self.bound))
            return Renewing(now + wait, rule.state, min(2 * self.bound, BACKOFF[1])), rule.tells
        least = DAY if rule.state is State.OFF else DENIED_WAIT
        wait = max(told, least) + random.uniform(0.0, SPREAD * least)
        return Renewing(now + wait, rule.state), rule.tells
