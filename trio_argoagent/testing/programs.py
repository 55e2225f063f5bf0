"""A process that can be killed at any step and started again with an empty memory."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Final, Generic, Protocol, TypeVar

import trio

from trio_argoagent.errors import LocalProtocolError


class Runnable(Protocol):
    """What a program runs."""

    async def run(self) -> None:
        """Until cancelled."""


NODE: Final[ContextVar[str]] = ContextVar("trio_argoagent_node")
"""The program that a task belongs to; unset in what belongs to none."""

T = TypeVar("T", bound=Runnable)


class Program(Generic[T]):
    """See the module.

    Args:
        name: for people.
        make: a fresh instance for each start; starts are counted from 1.
    """

    def __init__(self, name: str, make: Callable[[int], T]) -> None:
        self.name = name
        self.starts = 0
        self.instance: T | None = None
        self._make = make
        self._wanted, self._scope = trio.Event(), trio.CancelScope()

    @property
    def running(self) -> bool:
        """Is it wanted to run?"""
        return self._wanted.is_set()

    def start(self) -> None:
        """Let it run, if it does not already; after a crash it begins once what is left of it has gone."""
        self._wanted.set()

    def crash(self) -> None:
        """Cancel it wherever it is, now."""
        if self._wanted.is_set():
            self._wanted = trio.Event()
            self._scope.cancel()

    async def run(self) -> None:
        """Run whenever it is wanted. An exception of the program is one of the simulation."""
        NODE.set(self.name)
        while True:
            await self._wanted.wait()
            if not self._wanted.is_set():
                continue  # Killed before it began.
            self.starts += 1
            with trio.CancelScope() as self._scope:
                self.instance = self._make(self.starts)
                await self.instance.run()
            self.instance = None
            if not self._scope.cancelled_caught:
                raise LocalProtocolError(f"{self.name} has ended by itself")
