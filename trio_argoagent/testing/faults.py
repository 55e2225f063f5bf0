"""A Kubernetes API that misbehaves as real ones do, by a seeded share of its calls.

A write travels through a ``Limbo`` that outlives whoever sent it. So a program that dies amid a request
leaves the request behind: it still lands, maybe seconds later, when a successor has long been at work.
"""

from __future__ import annotations

import contextlib
import contextvars
import enum
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, TypeVar

import attrs
import trio

from trio_argoagent.errors import (
    ApiError,
    Conflict,
    Forbidden,
    NotFound,
    OutcomeUnknown,
    Throttled,
    Unavailable,
)
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS, Resource
from trio_argoagent.ports.cluster import Cluster, EventType, JsonPatch, MergePatch, ObjectList, WatchEvent
from trio_argoagent.ports.env import Random

T = TypeVar("T")

QUICK: Final = (0.0005, 0.004)
"""Seconds one way between a program and its API server."""


@attrs.frozen
class Faults:
    """Shares of calls (0 to 1) that go wrong, and how.

    Attributes:
        refused: writes that the server turns down without doing them (503, 429).
        throttled: calls of any kind that it turns down with 429 and a time to wait.
        lost: writes that never arrive; the sender does not know.
        unanswered: writes that are done; the sender does not know.
        failed_after: writes that are done, and answered 500 all the same.
        late: writes that are done up to ``late_by`` seconds after the sender was told nothing of use.
        conflicts: writes refused with 409 although nothing of note has happened.
        hooked: writes of Applications that somebody else changes before the sender hears of them.
        reads: reads that fail.
        stale: lists answered from an older state than one that was answered before.
        vanished: lists of Applications answered with no items, at the current resourceVersion.
        emptied: lists answered 200 with no items and no resourceVersion, as broken proxies do.
        crawls: lists that take up to ``crawl`` seconds.
        breaks: watch events after which the watch breaks instead of showing them.
        silences: watch events after which nothing ever comes, and the watch stays open.
        repeats: watch events that come twice.
        conflates: watch events that never come when a later one of the same object does.
        stalls: watch events that come up to ``stall`` seconds late, and all after them, too.
        unserved: 1: Argo CD's resources answer 404, as if their definitions were gone.
        forbidden: 1: nothing is permitted any more.
        frozen: 1: nothing is answered until this is over.
        late_by: seconds.
        crawl: seconds.
        stall: seconds.
        slow: seconds that each call takes longer.
    """

    refused: float = 0.0
    throttled: float = 0.0
    lost: float = 0.0
    unanswered: float = 0.0
    failed_after: float = 0.0
    late: float = 0.0
    conflicts: float = 0.0
    hooked: float = 0.0
    reads: float = 0.0
    stale: float = 0.0
    emptied: float = 0.0
    vanished: float = 0.0
    crawls: float = 0.0
    breaks: float = 0.0
    silences: float = 0.0
    repeats: float = 0.0
    conflates: float = 0.0
    stalls: float = 0.0
    unserved: float = 0.0
    forbidden: float = 0.0
    frozen: float = 0.0
    late_by: float = 8.0
    crawl: float = 60.0
    stall: float = 5.0
    slow: float = 0.0


NONE: Final = Faults()
ROUGH: Final = Faults(
    refused=0.03, lost=0.02, unanswered=0.03, late=0.02, conflicts=0.02, reads=0.03, breaks=0.02, stalls=0.03
)
"""What a bad day looks like."""
HOOKED: Final = {"injected.example.com/by": "webhook"}
"""The labels that a webhook adds."""


@attrs.define(eq=False)
class Rule:
    """One cause of faults, with a chance of its own: another cause does not shift what this one hits."""

    faults: Faults
    chance: Random


class _Fate(enum.Enum):
    DONE = "done"
    REFUSED = "refused"
    LOST = "lost"
    UNANSWERED = "unanswered"
    FAILED_AFTER = "failed-after"
    LATE = "late"
    CONFLICT = "conflict"


_SHARES: Final = (
    (_Fate.REFUSED, "refused"),
    (_Fate.LOST, "lost"),
    (_Fate.UNANSWERED, "unanswered"),
    (_Fate.FAILED_AFTER, "failed_after"),
    (_Fate.LATE, "late"),
    (_Fate.CONFLICT, "conflicts"),
)


class Limbo:
    """Requests that are on their way, whoever sent them."""

    def __init__(self) -> None:
        self.requests = 0
        self._submitted: deque[Callable[[], Awaitable[None]]] = deque()
        self._bell = trio.Event()

    def submit(self, request: Callable[[], Awaitable[None]]) -> None:
        """Let it run to its end, whatever happens to its sender."""
        self._submitted.append(request)
        self._bell.set()

    async def run(self) -> None:
        """Carry requests until cancelled."""
        async with trio.open_nursery() as nursery:
            while True:
                await self._bell.wait()
                self._bell = trio.Event()
                while self._submitted:
                    nursery.start_soon(self._carry, self._submitted.popleft())

    async def _carry(self, request: Callable[[], Awaitable[None]]) -> None:
        self.requests += 1
        try:
            await request()
        finally:
            self.requests -= 1


@attrs.define
class _Answer:
    arrived: trio.Event = attrs.field(factory=trio.Event)
    value: Any = None
    error: ApiError | None = None
    abandoned: bool = False


_WRITING: contextvars.ContextVar[_Answer | None] = contextvars.ContextVar("writing", default=None)


def is_abandoned() -> bool:
    """Inside a commit: has whoever sent this write died, or given it up, before it landed?"""
    answer = _WRITING.get()
    return answer is not None and answer.abandoned


class FaultyCluster:
    """Another cluster, seen through faults.

    Args:
        cluster: the cluster.
        limbo: what carries its writes.
        chance: latencies, and which calls go wrong by ``faults``.
        faults: how many; change it at will (``NONE``: none).
    """

    def __init__(self, cluster: Cluster, limbo: Limbo, chance: Random, faults: Faults = NONE) -> None:
        self.injected: dict[str, int] = {}
        self.webhook: Cluster | None = None
        """The same cluster in the name of somebody who changes what is written (``Faults.hooked``)."""
        self.life: Callable[[], int] = lambda: 0
        """Which life of its program this is: no life is told of a state older than one it has seen."""
        self._cluster, self._limbo, self._chance = cluster, limbo, chance
        self._own = Rule(faults, chance)
        self._rules = [self._own]
        self._changed = trio.Event()
        self._lists: dict[tuple[Resource, str, str], tuple[int, ObjectList]] = {}

    @property
    def faults(self) -> Faults:
        """What goes wrong besides the rules."""
        return self._own.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._own.faults = faults
        self._wake()

    @property
    def faulty(self) -> bool:
        """May any call go wrong now?"""
        return any(rule.faults != NONE for rule in self._rules)

    def add(self, rule: Rule) -> None:
        """From now on calls go wrong by this rule, too."""
        self._rules.append(rule)

    def remove(self, rule: Rule) -> None:
        """This rule is over."""
        self._rules.remove(rule)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    def _hit(self, what: str) -> Rule | None:
        """The first rule that spoils this call in this way."""
        for rule in self._rules:
            share: float = getattr(rule.faults, what)
            if share and rule.chance.random() < share:
                self._count(what)
                return rule
        return None

    def _count(self, what: str) -> None:
        self.injected[what] = self.injected.get(what, 0) + 1

    async def _delay(self) -> None:
        await trio.sleep(self._chance.uniform(*QUICK) + sum(rule.faults.slow for rule in self._rules))
        await self._thaw()

    async def _thaw(self) -> None:
        if any(rule.faults.frozen for rule in self._rules):
            self._count("frozen")
        while any(rule.faults.frozen for rule in self._rules):
            await self._changed.wait()

    def _denial(self, resource: Resource) -> ApiError | None:
        """What any call is answered whose kind, caller or number the server does not like."""
        if self._hit("forbidden"):
            return Forbidden(f"{resource} is forbidden: the role was withdrawn")
        if resource.group == APPLICATIONS.group and self._hit("unserved"):
            return NotFound("the server could not find the requested resource")
        if self._hit("throttled"):
            return Throttled("too many requests", retry_after=1.0)
        return None

    # Reads

    async def _read(self, resource: Resource, call: Callable[[], Awaitable[T]]) -> T:
        await self._delay()
        denial = self._denial(resource)
        if denial is not None:
            raise denial
        if self._hit("reads"):
            raise Unavailable("the simulated network lost the answer")
        answer = await call()
        await self._delay()
        return answer

    @property
    def streams(self) -> bool:
        """See ``Cluster``."""
        return self._cluster.streams

    async def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """See ``Cluster``."""
        return await self._read(resource, lambda: self._cluster.get(resource, namespace, name))

    async def list(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        selector: str = "",
        name: str = "",
        resource_version: str = "",
        limit: int = 0,
        continue_token: str = "",
    ) -> ObjectList:
        """See ``Cluster``."""
        crawls = self._hit("crawls")
        if crawls is not None:
            await trio.sleep(crawls.chance.uniform(0.0, crawls.faults.crawl))
        answer = await self._read(
            resource,
            lambda: self._cluster.list(
                resource,
                namespace,
                selector=selector,
                name=name,
                resource_version=resource_version,
                limit=limit,
                continue_token=continue_token,
            ),
        )
        if continue_token or answer.continue_token:
            return answer  # Pages of one state: a server that mixes them is another subject.
        return self._spoilt((resource, namespace, selector or name), answer)

    def _spoilt(self, key: tuple[Resource, str, str], answer: ObjectList) -> ObjectList:
        """What is shown of a list: it, nothing, or what was there before."""
        if self._hit("emptied"):
            return ObjectList((), "")
        if key[0] == APPLICATIONS and self._hit("vanished"):
            return ObjectList((), answer.resource_version)
        life, before = self._lists.get(key, (-1, answer))
        if life != self.life():
            self._lists[key] = self.life(), answer
        elif before.resource_version != answer.resource_version and self._hit("stale"):
            return before
        return answer

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
        """See ``Cluster``."""
        opening = self._cluster.watch(
            resource,
            namespace,
            selector=selector,
            name=name,
            resource_version=resource_version,
            timeout=timeout,
            initial=initial,
        )
        return self._watch(resource, opening)

    @contextlib.asynccontextmanager
    async def _watch(
        self, resource: Resource, opening: AbstractAsyncContextManager[AsyncIterator[WatchEvent]]
    ) -> AsyncIterator[AsyncIterator[WatchEvent]]:
        await self._delay()
        denial = self._denial(resource)
        if denial is not None:
            raise denial
        async with opening as events:
            yield _FaultyFeed(events, self, resource)

    async def next_event(
        self, resource: Resource, events: AsyncIterator[WatchEvent]
    ) -> tuple[WatchEvent, bool]:
        """The next event of a watch, or what befalls it; and does it come twice?"""
        event = await events.__anext__()
        while await self._conflated(resource, event):
            event = await events.__anext__()
        await self._thaw()
        stalls = self._hit("stalls")
        if stalls is not None:
            await trio.sleep(stalls.chance.uniform(0.0, stalls.faults.stall))
        if self._hit("silences"):
            await trio.sleep_forever()
        if self._hit("breaks"):
            raise Unavailable("the simulated network broke the watch")
        return event, self._hit("repeats") is not None

    async def _conflated(self, resource: Resource, event: WatchEvent) -> bool:
        """Is this event left out? Only if the same watch will show a later one of that name.

        What was deleted and made again changes its uid then, and nobody was told of a deletion.
        """
        if event.type is EventType.BOOKMARK:
            return False
        rule = self._hit("conflates")
        if rule is None:
            return False
        await trio.sleep(rule.chance.uniform(0.0, rule.faults.stall))
        try:
            now = await self._cluster.get(resource, event.object.meta.namespace, event.object.meta.name)
        except ApiError:
            return False
        return now.meta.resource_version != event.object.meta.resource_version

    # Writes

    def _fate(self) -> tuple[_Fate, Rule]:
        for rule in self._rules:
            draw = -1.0
            for fate, name in _SHARES:
                share: float = getattr(rule.faults, name)
                if not share:
                    continue
                draw = rule.chance.random() if draw < 0 else draw
                if draw < share:
                    self._count(fate.value)
                    return fate, rule
                draw -= share
        return _Fate.DONE, self._own

    async def _write(self, resource: Resource, call: Callable[[], Awaitable[T]]) -> T:
        (fate, rule), answer = self._fate(), _Answer()
        there, back = self._chance.uniform(*QUICK), self._chance.uniform(*QUICK)
        there += sum(each.faults.slow for each in self._rules)
        if fate is _Fate.LATE:
            there += rule.chance.uniform(0.0, rule.faults.late_by)

        async def request() -> None:
            await trio.sleep(there)
            await self._thaw()
            answer.error = self._denial(resource) or self._refusal(fate, rule)
            if answer.error is None and fate is not _Fate.LOST:
                _WRITING.set(answer)
                try:
                    answer.value = await self._meddle(resource, await call())
                except ApiError as exc:
                    answer.error = exc
                if fate is _Fate.FAILED_AFTER:
                    answer.error = Unavailable("etcdserver: request timed out", code=500)
            await trio.sleep(back)
            answer.arrived.set()

        self._limbo.submit(request)
        try:
            if fate in (_Fate.LOST, _Fate.UNANSWERED, _Fate.LATE):
                await trio.sleep(rule.chance.uniform(*QUICK) + rule.chance.random())
                raise OutcomeUnknown("the simulated network lost the answer to a write")
            await answer.arrived.wait()
        finally:
            answer.abandoned = True
        if answer.error is not None:
            raise answer.error
        value: T = answer.value
        return value

    async def _meddle(self, resource: Resource, written: Any) -> Any:
        """Somebody changes what was written, and the writer is shown the outcome."""
        if resource != APPLICATIONS or not isinstance(written, Object) or self.webhook is None:
            return written
        if HOOKED.items() <= written.labels.items() or not self._hit("hooked"):
            return written
        change = MergePatch({"metadata": {"labels": HOOKED}})
        try:
            return await self.webhook.patch(resource, written.meta.namespace, written.meta.name, change)
        except ApiError:
            return written  # It is gone already.

    def _refusal(self, fate: _Fate, rule: Rule) -> ApiError | None:
        if fate is _Fate.CONFLICT:
            return Conflict("the object has been modified; please apply your changes to the latest version")
        if fate is _Fate.REFUSED:
            slow = rule.chance.random() < 0.5
            return Throttled("too many requests", retry_after=1.0) if slow else Unavailable("overloaded")
        return None

    async def create(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        """See ``Cluster``."""
        return await self._write(resource, lambda: self._cluster.create(resource, value))

    async def replace(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        """See ``Cluster``."""
        return await self._write(resource, lambda: self._cluster.replace(resource, value))

    async def patch(
        self, resource: Resource, namespace: str, name: str, patch: JsonPatch | MergePatch
    ) -> Object:
        """See ``Cluster``."""
        return await self._write(resource, lambda: self._cluster.patch(resource, namespace, name, patch))

    async def delete(
        self, resource: Resource, namespace: str, name: str, *, uid: str = "", resource_version: str = ""
    ) -> None:
        """See ``Cluster``."""
        return await self._write(
            resource,
            lambda: self._cluster.delete(
                resource, namespace, name, uid=uid, resource_version=resource_version
            ),
        )


class _FaultyFeed:
    def __init__(self, events: AsyncIterator[WatchEvent], cluster: FaultyCluster, resource: Resource) -> None:
        self._events, self._cluster, self._resource = events, cluster, resource
        self._again: WatchEvent | None = None

    def __aiter__(self) -> AsyncIterator[WatchEvent]:
        return self

    async def __anext__(self) -> WatchEvent:
        if self._again is not None:
            await trio.lowlevel.checkpoint()
            event, self._again = self._again, None
            return event
        event, twice = await self._cluster.next_event(self._resource, self._events)
        self._again = event if twice else None
        return event
