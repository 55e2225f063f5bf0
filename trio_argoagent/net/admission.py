"""Who is being let in: TLS handshakes within bounds of CPU, number and time.

A handshake costs us a millisecond in two or three steps, and most of its time we wait for the peer. So what
is limited is not how many are under way but how many steps are made before everybody else gets their turn:
a thousand agents that come back together are let in one after the other while the links that stand go on, and
a peer that says nothing takes nobody's turn. A limit on handshakes under way would be one on honest peers: a
few silent ones would use it up.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import trio

from trio_argoagent.net.errors import ConnectionBroken

STEPS: Final = 8
"""Steps in one pass of the scheduler: some 6 ms, for which everything else waits."""
HANDSHAKES: Final = 1024
"""Connections in their handshake at once, 40 MB. Beyond it the oldest goes, or the newest comes in vain."""
SLOW: Final = 2.0
"""Seconds after which one has to make room for another: an honest one takes two round trips."""
HANDSHAKE_TIMEOUT: Final = 10.0
"""Seconds for one."""


class Visitors:
    """Those who are past their handshake and have shown nothing that keeps them here.

    Args:
        most: of them at once; with one more the oldest goes.
        why: what is said of the one that goes.
    """

    def __init__(self, most: int, why: str) -> None:
        self._most, self._why = most, why
        self._here: OrderedDict[trio.CancelScope, None] = OrderedDict()

    @contextmanager
    def visit(self) -> Iterator[None]:
        """Be one of them.

        Raises:
            ConnectionBroken: there were too many, and this was the oldest.
        """
        if len(self._here) >= self._most:
            self._here.popitem(last=False)[0].cancel()
        with trio.CancelScope() as scope:
            self._here[scope] = None
            try:
                yield
            finally:
                self._here.pop(scope, None)
        if scope.cancelled_caught:
            raise ConnectionBroken(self._why)


class Admission:
    """Of one listener.

    Attributes:
        steps: to be acquired round each step, and held for one pass of the scheduler.
    """

    def __init__(self, most: int = HANDSHAKES) -> None:
        self.steps = trio.CapacityLimiter(STEPS)
        self._most = most
        self._under_way: OrderedDict[trio.CancelScope, float] = OrderedDict()

    @contextmanager
    def handshake(self) -> Iterator[None]:
        """Be one of the connections in their handshake.

        Raises:
            ConnectionBroken: it took too long, or there are too many.
        """
        now = trio.current_time()
        if len(self._under_way) >= self._most:
            oldest, since = next(iter(self._under_way.items()))
            if now < since + SLOW:
                raise ConnectionBroken(f"more than {self._most} connections in their TLS handshake")
            oldest.cancel()
            del self._under_way[oldest]
        with trio.move_on_at(now + HANDSHAKE_TIMEOUT) as scope:
            self._under_way[scope] = now
            try:
                yield
            finally:
                self._under_way.pop(scope, None)
        if scope.cancelled_caught:
            taken = trio.current_time() - now
            made_room = ": others wait" if taken < HANDSHAKE_TIMEOUT else ""
            raise ConnectionBroken(f"no TLS handshake within {taken:.1f} s{made_room}")
