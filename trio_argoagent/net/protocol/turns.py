"""Whose bytes leave next: deficit round-robin in each of two lanes.

A stream's turn is 64 KiB. When the send it is part of is full before, it goes on in the next one with what it
is still owed; when it has nothing to send, or may not, its turn is over. So streams that always have
something to send get equal shares, whatever their messages look like.

The first lane goes before the other, but does not shut it out: a part of each send is for both.
"""

from __future__ import annotations

import enum
from collections import OrderedDict
from typing import Final

from trio_argoagent.net.protocol.limits import QUANTUM

SHARE: Final = 8 * 1024
"""Bytes of each send of 64 KiB that are left for the normal lane when both have something."""


class Priority(enum.Enum):
    """Before whom a stream sends."""

    FIRST = "what others wait for: a link"
    NORMAL = "the rest: requests, tunnels"


class Lane(OrderedDict[int, None]):
    """Streams that have something to send and may, in order. To add one that is there changes nothing.

    Each operation takes the same time for any number of them.

    Attributes:
        owed: bytes that the first of them may still send before it is the next one's turn.
    """

    owed = QUANTUM

    def took(self, size: int, *, more: bool) -> None:
        """The first one has sent ``size`` bytes; ``more``: it could send more at once."""
        self.owed -= size
        if not more:
            self.popitem(last=False)
        elif self.owed > 0:
            return
        else:
            self.move_to_end(next(iter(self)))
        self.owed = QUANTUM

    def leave(self, stream_id: int) -> None:
        """That one has nothing to send any more, wherever it stands."""
        if stream_id in self:
            if next(iter(self)) == stream_id:
                self.owed = QUANTUM
            del self[stream_id]


class Turns:
    """The two lanes."""

    __slots__ = ("first", "normal")

    def __init__(self) -> None:
        self.first = Lane()
        self.normal = Lane()

    def lane(self, priority: Priority) -> Lane:
        """Where such streams stand."""
        return self.first if priority is Priority.FIRST else self.normal

    def next(self, left: int) -> tuple[Lane, int] | None:
        """The lane whose first stream may send, and how many bytes.

        Args:
            left: bytes of the send that are still free.
        """
        first, normal = self.first, self.normal
        if not first:
            return (normal, min(left, normal.owed)) if normal else None
        if not normal:
            return first, min(left, first.owed)
        if left > SHARE:
            return first, min(left - SHARE, first.owed)
        return normal, min(left, normal.owed)
