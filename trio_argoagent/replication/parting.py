"""How a session ends in order: nothing new is begun, what is under way is answered, goodbye from both.

Whoever wants to go says goodbye last, because a goodbye is followed by nothing: what was received must be
answered before, and what was sent should be. Neither is waited for long: an answer that is missing costs one
comparison on the next link, never a record.
"""

from __future__ import annotations

import math
from typing import Final

from trio_argoagent.replication.outlet import Outlet
from trio_argoagent.replication.workers import Workers
from trio_argoagent.stream.protocol.messages import Goodbye

FINISH: Final = 1.0
"""Seconds that what is under way is waited for before goodbye is said all the same."""
ANSWER: Final = 3.0
"""Seconds for the other side's goodbye, after ours."""


class Parting:
    """One session's end.

    Args:
        outlet: of the feed that this side sends.
        workers: of the feed that this side receives.
    """

    def __init__(self, outlet: Outlet, workers: Workers) -> None:
        self._outlet, self._workers = outlet, workers
        self._goodbye: Goodbye | None = None
        self.until = math.inf
        """When goodbye is said at the latest (monotonic seconds)."""
        self.said = False
        """Has this side said it?"""

    @property
    def begun(self) -> bool:
        """Is nothing new to be begun?"""
        return self._goodbye is not None

    def begin(self, goodbye: Goodbye, until: float) -> None:
        """Begin to leave. What is said first counts, the sooner time of both counts.

        Args:
            goodbye: what to say last.
            until: when, at the latest (monotonic seconds).
        """
        self._goodbye = self._goodbye or goodbye
        self.until = min(self.until, until)

    def due(self, now: float) -> Goodbye | None:
        """What to say now that nothing else is left to be said; None: something is still under way."""
        waits = self._outlet.core.unanswered or self._workers.core.owes
        return None if waits and now < self.until else self._goodbye
