"""What the sides on asyncio's loop have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from trio_argoagent.bench.channel import Job


class AsyncioLoop:
    """The part of a ``Kit`` that is the loop's."""

    def run(self, main: Job) -> None:
        """See ``Kit``."""

        async def whole() -> None:
            await main()

        asyncio.run(whole())

    def event(self) -> asyncio.Event:
        """See ``Kit``."""
        return asyncio.Event()

    def limit(self, most: int) -> asyncio.Semaphore:
        """See ``Kit``."""
        return asyncio.Semaphore(most)

    async def together(self, jobs: Sequence[Job]) -> None:
        """See ``Kit``."""
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(job())  # type: ignore[arg-type]
