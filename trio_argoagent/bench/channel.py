"""Messages between two processes, whatever carries them; and what a loop can do, Trio's or asyncio's.

A side is a module with ``KIT``. What is done over it (``loads``) awaits nothing but the channel and the kit,
so that it is the very same code on both kinds of loop.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from trio_argoagent.bench.place import Place

Job = Callable[[], Awaitable[None]]


class Channel(Protocol):
    """An ordered way there and back. One task uses it."""

    async def send(self, messages: Sequence[bytes]) -> None:
        """Send some, in order; waits as the side under test lets its users wait."""

    async def receive(self) -> Sequence[bytes]:
        """Those that have arrived, at least one; empty at the end."""


class Event(Protocol):
    """Trio's and asyncio's alike."""

    def set(self) -> object:
        """It has come."""

    async def wait(self) -> object:
        """Until it has."""


class Limit(Protocol):
    """Likewise: a semaphore."""

    async def acquire(self) -> object:
        """Wait to be let in."""

    def release(self) -> object:
        """Let somebody else in."""


class Kit(Protocol):
    """What a side brings along. Ends by cancellation, or with its process."""

    def run(self, main: Job) -> None:
        """Run a program on the side's own loop."""

    def event(self) -> Event:
        """A new one."""

    def limit(self, most: int) -> Limit:
        """Lets so many in at once."""

    async def together(self, jobs: Sequence[Job]) -> None:
        """All of them at once, to their end."""

    def dial(self, place: Place) -> AbstractAsyncContextManager[Channel]:
        """Connect to a server; a connection of its own each time."""

    async def serve(
        self, place: Place, handler: Callable[[Channel], Awaitable[None]], ready: Callable[[int], None]
    ) -> None:
        """Serve until cancelled; ``ready`` is told the port. Each connection has its own handler."""
