"""A Replica and the workers that bring its records about: one per key at a time, keys in parallel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

import attrs
import trio

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import Holding, Outcome, Record, Result
from trio_argoagent.ports.tracing import Tracer
from trio_argoagent.replication.bell import Bell
from trio_argoagent.replication.executor import TryLater
from trio_argoagent.replication.traced import WORK, Worked
from trio_argoagent.sync.guard import Guard, HeldSet, Limits
from trio_argoagent.sync.replica import Replica, ReplicaStatistics, Work

MAX_WORKERS: Final = 16
"""Keys of one replica that are worked on at once; the others wait their turn."""
UNGUARDED: Final = Limits(enabled=False)


@attrs.frozen
class Achieved:
    """How one record ended."""

    outcome: Outcome
    reason: str = ""
    retain: bool = False
    """Guard it from now on."""
    asof: str = ""
    after: float | None = None
    """Seconds until a pending one is worth another try."""
    drifted: tuple[str, ...] = ()
    """Of what was applied before: the paths at which the copy was found to differ."""


class Trade(Protocol):
    """What a kind's workers know: how to bring a record about, and what an object then holds."""

    async def bring_about(self, work: Work) -> Achieved | TryLater:
        """Do it.

        Raises:
            RemoteProtocolError: the body makes no sense.
        """

    def holding(self, key: Key) -> Holding | None:
        """What the cluster holds under this key, as of the newest state known."""


class Workers:
    """One feed's receiving side. It outlives links; ``bell`` wakes the link that is up, if one is.

    Args:
        trades: by kind.
        listed: does a key leave something behind that the source can compare?
        ended: told what has become of each record that a worker was given.
        limits: which deletions pass by themselves; none is held by default.
    """

    def __init__(
        self,
        trades: Mapping[Kind, Trade],
        *,
        listed: frozenset[Kind],
        ended: Callable[[Key, Outcome, str], None] = lambda key, outcome, reason: None,
        limits: Limits = UNGUARDED,
    ) -> None:
        self.core = Replica(lambda key: key.kind in listed)
        self.guard = Guard(limits, self.core.count)
        self.bell = Bell()
        """Rung when there is something to report."""
        self.tracer: Tracer | None = None
        """Told of what is received, and of what becomes of it."""
        self._work_bell = Bell()
        self._trades, self._ended = trades, ended
        self.on_held: Callable[[HeldSet | None], None] = lambda held: None
        """Told when another set of deletions is held (None: none any more)."""
        self._looked_at, self._held = 0, ""

    def accepts(self, record: Record) -> bool:
        """Is this a kind that the feed carries?"""
        return record.key.kind in self._trades

    def record(self, number: int, record: Record) -> None:
        """A record has arrived."""
        self.guard.renew(record.key)
        if self.tracer is not None:
            self.tracer.received(number, record)
        self.core.record(number, record, trio.current_time())
        self.ring()

    def new_link(self) -> None:
        """A link is up: what is still to go will be asked for again, and told again if it is held."""
        self.guard.new_link(trio.current_time())
        self._looked_at, self._held = -1, ""
        if self.tracer is not None:
            self.tracer.forgotten()

    def confirm(self, name: str) -> bool:
        """A person wants the held deletions of this name carried out. Is that what is held?"""
        keys = self.guard.confirm(name, trio.current_time())
        for key in keys:
            self.touch(key)
        self._look_at_held()
        return bool(keys)

    def observe(self, key: Key, retain: Callable[[], Record | None] = lambda: None) -> None:
        """The cluster's object under this key has changed."""
        holding = self._trades[key.kind].holding(key)
        self.core.observe(key, holding, trio.current_time(), retain=retain)
        self.ring()

    def observe_again(self) -> None:
        """Look again at all that is held: the informer has listed anew.

        An object that we wrote, and that went before the informer ever saw it, is told of by no change.
        """
        for key in self.core.held_keys():
            self.observe(key)

    def touch(self, key: Key) -> None:
        """Something that this key may wait for has changed."""
        self.core.touch(key, trio.current_time())
        self.ring()

    def ring(self) -> None:
        """There may be work, or something to report."""
        if self.core.has_work:
            self._work_bell.ring()
        if self.core.has_reports:
            self.bell.ring()

    async def run(self) -> None:
        """Work until cancelled."""
        limiter = trio.CapacityLimiter(MAX_WORKERS)
        async with trio.open_nursery() as nursery:
            while True:
                work = self.core.take(trio.current_time())
                if work is None:
                    await self._work_bell.wait(self.core.next_deadline())
                    continue
                await limiter.acquire_on_behalf_of(work)
                nursery.start_soon(self._work, work, limiter, name=f"worker {work.key}")

    async def _work(self, work: Work, limiter: trio.CapacityLimiter) -> None:
        try:
            await self._bring_about(work)
        finally:
            limiter.release_on_behalf_of(work)
            self._look_at_held()
            self.ring()

    def _look_at_held(self) -> None:
        if self.guard.changes != self._looked_at:
            self._looked_at, held = self.guard.changes, self.guard.held
            self.bell.ring()  # The other side is told, too.
            name = held.name if held is not None else ""
            if name != self._held:
                self._held = name
                self.on_held(held)

    async def _bring_about(self, work: Work) -> None:
        trade, tracer = self._trades[work.key.kind], self.tracer
        if tracer is not None:
            tracer.began(work.key, work.record, asked=not work.guard)
            WORK.set(Worked(tracer, work.key))  # Of this task alone: it ends with this work.
        try:
            achieved = await trade.bring_about(work)
        except RemoteProtocolError as exc:
            achieved = Achieved(Outcome.REJECTED, str(exc))
        now = trio.current_time()
        if tracer is not None:
            outcome = achieved.outcome if isinstance(achieved, Achieved) else None
            tracer.ended(work.key, outcome, achieved.reason)
        if isinstance(achieved, TryLater):
            self.core.retry(work, now, after=achieved.after)
            return
        if achieved.outcome is not Outcome.PENDING:
            self.guard.finish(work.key, now)
        holding = trade.holding(work.key)
        result = Result(0, achieved.outcome, achieved.reason, holding, achieved.asof)
        retain, after, drifted = achieved.retain, achieved.after, achieved.drifted
        self.core.done(work, result, now, retain=retain, after=after, drifted=drifted)
        self._ended(work.key, achieved.outcome, achieved.reason)

    def statistics(self) -> ReplicaStatistics:
        """Counters."""
        return self.core.statistics(trio.current_time())
