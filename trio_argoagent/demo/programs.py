"""A program that can be stopped and started again, and a link that can be cut."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio

from trio_argoagent.errors import LinkBroken
from trio_argoagent.ports.transport import Dialer, Link


class Restartable:
    """Runs a program again whenever it is told to restart; all that it had in memory is gone then.

    Args:
        name: for people.
        program: what to run; a fresh start each time.
    """

    def __init__(self, name: str, program: Callable[[], Awaitable[None]]) -> None:
        self.name = name
        self.restarts = 0
        self._program = program
        self._scope = trio.CancelScope()

    async def run(self) -> None:
        """Run until cancelled from outside."""
        while True:
            with trio.CancelScope() as self._scope:
                await self._program()
            if not self._scope.cancelled_caught:
                return
            self.restarts += 1

    def restart(self) -> None:
        """Stop it at once, wherever it is, and start it again."""
        self._scope.cancel()


class CuttableDialer:
    """A dialer whose links can be cut, as if the network in between were gone.

    Args:
        dialer: the real one.
    """

    def __init__(self, dialer: Dialer) -> None:
        self._dialer = dialer
        self._scope: trio.CancelScope | None = None
        self.is_cut = False

    @asynccontextmanager
    async def dial(self) -> AsyncIterator[Link]:
        """See ``Dialer``; raises LinkBroken while cut."""
        if self.is_cut:
            raise LinkBroken("the link is cut")
        with trio.CancelScope() as scope:
            self._scope = scope
            try:
                async with self._dialer.dial() as link:
                    yield link
            finally:
                self._scope = None
        if scope.cancelled_caught:
            raise LinkBroken("the link was cut")

    def cut(self) -> None:
        """Cut the link that is up, and every one dialled from now on."""
        self.is_cut = True
        if self._scope is not None:
            self._scope.cancel()

    def heal(self) -> None:
        """Links can be dialled again."""
        self.is_cut = False
