"""What a peer may make us do for nothing: token buckets, filled by time and emptied by frames.

Each frame that costs us work and brings nobody anything takes a token. What honest traffic needs is earned by
that traffic itself: a peer that was sent DATA, or has asked for something, may open windows, and frames for a
stream that we have reset may still be on their way. So an honest peer is never near a limit, however fast it
is, and a peer that sends nothing but frames like these meets it after the burst.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

import attrs
from h2.exceptions import DenialOfServiceError

EARNED: Final = 16_384
"""Excused frames that can be saved up: 16 MiB on the way, whose windows are opened 4 KiB at a time, twice."""
UPDATES_PER_FRAME: Final = 2
"""Window updates that each frame we send is worth, one for its stream and one for the connection."""
BYTES_PER_UPDATE: Final = 1024
"""Bytes sent that are worth one more: implementations open windows by 4 KiB at the least."""
LATE_PER_RESET: Final = 256
"""Frames that may be on the way to a stream when we reset it: a window of 256 KiB in frames of 1 KiB."""


class Charge(enum.Enum):
    """What a frame is charged to; the value is what the log says when there was too much of it."""

    GLITCH = "frames that do nothing"
    RESET = "RST_STREAM frames"
    PROVOKED = "frames that forced us to reset a stream"
    SETTINGS = "SETTINGS frames"
    PING = "PING frames"


@attrs.frozen
class Rate:
    """How much of something is too much.

    Attributes:
        burst: at once.
        per_second: in the long run.
    """

    burst: int
    per_second: float


@attrs.frozen
class Budget:
    """The rates of one connection; a peer that goes beyond one is sent GOAWAY with ENHANCE_YOUR_CALM.

    The defaults are for peers with a name who have no reason to be loud: see the table in docs/link.md.

    Attributes:
        glitches: empty DATA, PRIORITY, unknown and late frames, window updates that nothing was sent for,
            answers to PINGs that nobody sent (nghttp2 counts alike).
        resets: RST_STREAM (CVE-2023-44487).
        provoked: frames that are wrong in a way that makes us reset the stream (CVE-2025-8671).
        settings: SETTINGS, acknowledgements included.
        pings: PING.
    """

    glitches: Rate = Rate(1000, 100)
    resets: Rate = Rate(100, 10)
    provoked: Rate = Rate(10, 1)
    settings: Rate = Rate(20, 1)
    pings: Rate = Rate(1000, 100)

    def rates(self) -> Mapping[Charge, Rate]:
        """By what is charged."""
        return {
            Charge.GLITCH: self.glitches,
            Charge.RESET: self.resets,
            Charge.PROVOKED: self.provoked,
            Charge.SETTINGS: self.settings,
            Charge.PING: self.pings,
        }


class Bucket:
    """Tokens, at most ``rate.burst`` of them, ``rate.per_second`` of which come back. It begins full."""

    __slots__ = ("_rate", "_seen", "_tokens")

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._tokens = float(rate.burst)
        self._seen = float("-inf")

    def take(self, now: float) -> bool:
        """Take one token, if there is one.

        Args:
            now: seconds on any clock that does not go back.
        """
        rate = self._rate
        if self._tokens < rate.burst:
            self._tokens = min(rate.burst, self._tokens + (now - self._seen) * rate.per_second)
        self._seen = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Meter:
    """The account of one connection."""

    __slots__ = ("_buckets", "_budget", "_earned")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._buckets = {charge: Bucket(rate) for charge, rate in budget.rates().items()}
        self._earned = 0

    def earn(self, frames: int) -> None:
        """So many frames will follow from what was just done, by us or by the peer."""
        self._earned += frames
        if self._earned > EARNED:
            self._earned = EARNED

    def excuse(self, now: float) -> None:
        """A frame that may follow from what was done before; else it is a glitch.

        Raises:
            DenialOfServiceError: too many glitches.
        """
        if self._earned:
            self._earned -= 1
        else:
            self.charge(Charge.GLITCH, now)

    def charge(self, charge: Charge, now: float) -> None:
        """A frame costs a token.

        Args:
            charge: of which bucket.
            now: seconds on any clock that does not go back.

        Raises:
            DenialOfServiceError: there is none left.
        """
        if not self._buckets[charge].take(now):
            rate = self._budget.rates()[charge]
            raise DenialOfServiceError(
                f"too many {charge.value}: more than {rate.burst} at once and {rate.per_second:g} a second"
            )
