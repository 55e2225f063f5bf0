"""What the sides on Trio's loop have in common."""

from __future__ import annotations

from collections.abc import Sequence

import trio

from trio_argoagent.bench.channel import Job


class TrioLoop:
    """The part of a ``Kit`` that is the loop's."""

    def run(self, main: Job) -> None:
        """See ``Kit``."""
        trio.run(main)

    def event(self) -> trio.Event:
        """See ``Kit``."""
        return trio.Event()

    def limit(self, most: int) -> trio.Semaphore:
        """See ``Kit``."""
        return trio.Semaphore(most)

    async def together(self, jobs: Sequence[Job]) -> None:
        """See ``Kit``."""
        async with trio.open_nursery() as nursery:
            for job in jobs:
                nursery.start_soon(job)
