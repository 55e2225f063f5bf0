"""A work queue as controllers use it: a key waits at most once, and is worked on by one task at a time.

The promises are those of client-go's util/workqueue: a key added while it is worked on is worked on again
afterwards; a key added often before it is taken is taken once; ``add_after`` keeps the earliest time.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import trio

K = TypeVar("K")


class WorkQueue(Generic[K]):
    """Keys to look at, now or later. Its size is bounded by the number of different keys."""

    def __init__(self) -> None:
        self._ready: deque[K] = deque()
        self._waiting: dict[K, None] = {}
        self._active: dict[K, None] = {}
        self._due: dict[K, float] = {}
        self._timers: list[tuple[float, int, K]] = []
        self._order = itertools.count()
        self._changed = trio.Event()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._due)

    def add(self, key: K) -> None:
        """Have the key worked on as soon as possible."""
        if key in self._waiting:
            return
        self._waiting[key] = None
        if key not in self._active:
            self._ready.append(key)
            self._wake()

    def add_after(self, key: K, delay: float) -> None:
        """Have the key worked on in ``delay`` seconds, or at an earlier time it was already given."""
        if delay <= 0:
            self.add(key)
            return
        due = trio.current_time() + delay
        if due < self._due.get(key, math.inf):
            self._due[key] = due
            heapq.heappush(self._timers, (due, next(self._order), key))
            self._wake()

    async def serve(self, handler: Callable[[K], Awaitable[None]], limit: int) -> None:
        """Hand each key to the handler, up to ``limit`` of them at once, until cancelled."""
        room = trio.Semaphore(limit)
        async with trio.open_nursery() as nursery:
            while True:
                await room.acquire()
                nursery.start_soon(self._one, await self._next(), handler, room)

    async def _one(self, key: K, handler: Callable[[K], Awaitable[None]], room: trio.Semaphore) -> None:
        await handler(key)
        del self._active[key]
        if key in self._waiting:
            self._ready.append(key)
            self._wake()
        room.release()

    async def _next(self) -> K:
        while True:
            deadline = self._promote()
            if self._ready:
                key = self._ready.popleft()
                del self._waiting[key]
                self._active[key] = None
                return key
            changed = self._changed
            if deadline == math.inf:
                await changed.wait()
                continue
            with trio.move_on_at(deadline):
                await changed.wait()

    def _promote(self) -> float:
        """Make ready what is due; returns when the next key is."""
        while self._timers:
            due, _, key = self._timers[0]
            if self._due.get(key) != due:
                heapq.heappop(self._timers)
            elif due <= trio.current_time():
                heapq.heappop(self._timers)
                del self._due[key]
                self.add(key)
            else:
                return due
        return math.inf

    def _wake(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
