"""Wakes one waiting task: what was rung before the wait is not lost, and ringing twice is ringing once."""

from __future__ import annotations

import math

import trio


class Bell:
    """For a loop that asks pure cores what there is to do, and then waits for something to happen."""

    def __init__(self) -> None:
        self._event = trio.Event()

    def ring(self) -> None:
        """Something may be there to do."""
        self._event.set()

    async def wait(self, deadline: float | None = None) -> None:
        """Return once it has been rung since the last wait, or at ``deadline`` (``trio.current_time``)."""
        if deadline is None or deadline == math.inf:  # A scope for nothing costs more than the wait.
            await self._event.wait()
        else:
            with trio.CancelScope(deadline=deadline):
                await self._event.wait()
        self._event = trio.Event()
