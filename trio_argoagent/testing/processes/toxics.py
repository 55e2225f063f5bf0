"""What is wrong with a connection, as a value, and what that does to its bytes. Nothing here waits."""

from __future__ import annotations

import math
from collections.abc import Iterable
from random import Random
from typing import Final

import attrs

TICK: Final = 0.1
"""Seconds of a slow link that one piece takes."""


@attrs.frozen
class Toxic:
    """What is wrong. Several at once add up to their worst.

    Attributes:
        latency: seconds that bytes take longer, on average.
        rate: bytes a second.
        piece: bytes of the pieces they are cut into, on average; 0: they stay together.
        flips: share of pieces in which one bit is turned over.
        mute_up: what the one who dialled says vanishes, and nobody is told.
        mute_down: likewise what is answered.
    """

    latency: float = 0.0
    rate: float = math.inf
    piece: int = 0
    flips: float = 0.0
    mute_up: bool = False
    mute_down: bool = False

    def mutes(self, up: bool) -> bool:
        """Does what goes in this direction vanish?"""
        return self.mute_up if up else self.mute_down

    def delay(self, chance: Random) -> float:
        """Seconds that the next bytes take longer: half to one and a half of the latency."""
        return self.latency * chance.uniform(0.5, 1.5) if self.latency else 0.0

    def pause(self, size: int) -> float:
        """Seconds that so many bytes take at this rate."""
        return size / self.rate

    def size(self, left: int, chance: Random) -> int:
        """How many of the bytes that are left go next."""
        most = left
        if self.piece:
            most = min(most, chance.randint(1, 2 * self.piece))
        if self.rate < math.inf:
            most = min(most, max(1, int(self.rate * TICK)))
        return most

    def spoil(self, data: bytes, chance: Random) -> bytes:
        """The same bytes, or with one bit turned over."""
        if not self.flips or chance.random() >= self.flips:
            return data
        spoilt = bytearray(data)
        spoilt[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        return bytes(spoilt)


def join(toxics: Iterable[Toxic]) -> Toxic:
    """All of them at once."""
    listed = [Toxic(), *toxics]
    return Toxic(
        latency=sum(each.latency for each in listed),
        rate=min(each.rate for each in listed),
        piece=min((each.piece for each in listed if each.piece), default=0),
        flips=max(each.flips for each in listed),
        mute_up=any(each.mute_up for each in listed),
        mute_down=any(each.mute_down for each in listed),
    )
