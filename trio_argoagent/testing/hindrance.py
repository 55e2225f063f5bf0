"""What stands between a program and its API server while the program is paused or the server is throttled.

A pause cannot stop a Trio task: the scheduler belongs to all tasks of a run. So the program's calls wait at
the door, and the answers and watch events it is due wait as well, until the pause is over; requests that were
on their way before it do arrive, as after a SIGSTOP. A throttled server turns a share of the calls away with
429 before it looks at them, or lets each call wait its turn.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, TypeVar

import trio

from trio_argoagent.errors import ApiError, OutcomeUnknown, Throttled
from trio_argoagent.model.resources import Resource
from trio_argoagent.ports.cluster import Cluster, WatchEvent
from trio_argoagent.ports.env import Random
from trio_argoagent.ports.forwarding import ForwardingCluster

RETRY_AFTER: Final = 1.0
"""Seconds that a throttled call is told to wait."""
T = TypeVar("T")


class Hindrance:
    """What hinders one program now. Nothing, unless a test says so.

    Args:
        chance: which calls a throttled server turns away; drawn from only while it is throttled.
    """

    def __init__(self, chance: Random) -> None:
        self.paused_until = 0.0
        """On Trio's clock."""
        self.share = 0.0
        """Of the calls (0 to 1), turned away with 429."""
        self.seconds = 0.0
        """That each call waits before the server looks at it."""
        self._chance = chance

    @property
    def hinders(self) -> bool:
        """Does anything?"""
        return bool(self.share or self.seconds or self.paused_until > trio.current_time())

    async def wait_awake(self) -> None:
        """Return when the program is not paused; at once, without a checkpoint, if it is not."""
        while self.paused_until > trio.current_time():  # noqa: ASYNC110 (a pause may grow meanwhile)
            await trio.sleep_until(self.paused_until)

    async def enter(self) -> None:
        """Before a call.

        Raises:
            Throttled: it is one of those that are turned away.
        """
        await self.wait_awake()
        if self.seconds:
            await trio.sleep(self.seconds)
        if self.share and self._chance.random() < self.share:
            raise Throttled("too many requests, please try again later", retry_after=RETRY_AFTER)

    async def call(self, call: Callable[[], Awaitable[T]]) -> T:
        """One call with all that hinders it; errors wait like answers."""
        await self.enter()
        error: ApiError | OutcomeUnknown | None = None
        try:
            answer = await call()
        except (ApiError, OutcomeUnknown) as exc:
            error = exc
        await self.wait_awake()
        if error is not None:
            raise error
        return answer


class HinderedCluster(ForwardingCluster):
    """Another cluster, as a program that may be hindered sees it.

    Args:
        cluster: the cluster.
        hindrance: of the program.
    """

    def __init__(self, cluster: Cluster, hindrance: Hindrance) -> None:
        super().__init__(cluster)
        self._hindrance = hindrance

    async def _call(self, call: Callable[[], Awaitable[T]]) -> T:
        return await self._hindrance.call(call)

    def watch(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        selector: str = "",
        name: str = "",
        resource_version: str,
        timeout: float = 300.0,
        initial: bool = False,
    ) -> AbstractAsyncContextManager[AsyncIterator[WatchEvent]]:
        """See the port."""
        return self._watch(
            super().watch(
                resource,
                namespace,
                selector=selector,
                name=name,
                resource_version=resource_version,
                timeout=timeout,
                initial=initial,
            )
        )

    @contextlib.asynccontextmanager
    async def _watch(
        self, opening: AbstractAsyncContextManager[AsyncIterator[WatchEvent]]
    ) -> AsyncIterator[AsyncIterator[WatchEvent]]:
        await self._hindrance.enter()
        async with opening as events:
            yield _HinderedFeed(events, self._hindrance)


class _HinderedFeed:
    def __init__(self, events: AsyncIterator[WatchEvent], hindrance: Hindrance) -> None:
        self._events, self._hindrance = events, hindrance

    def __aiter__(self) -> AsyncIterator[WatchEvent]:
        return self

    async def __anext__(self) -> WatchEvent:
        error: ApiError | StopAsyncIteration | None = None
        try:
            event = await self._events.__anext__()
        except (ApiError, StopAsyncIteration) as exc:
            error = exc
        await self._hindrance.wait_awake()
        if error is not None:
            raise error
        return event
