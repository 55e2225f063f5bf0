"""Copies: an agent's Applications and AppProjects, and the principal's mirrors of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import attrs
import trio

from trio_argoagent.model import rv
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.objects import Object, canonical
from trio_argoagent.model.records import Holding, Outcome, Record
from trio_argoagent.replication import dependencies
from trio_argoagent.replication.bodies import read_copy
from trio_argoagent.replication.dependencies import Dependencies
from trio_argoagent.replication.executor import Executor, TryLater
from trio_argoagent.replication.workers import Achieved
from trio_argoagent.sync import guard, marker, names, plan, projection, steps
from trio_argoagent.sync.allowance import Allowance
from trio_argoagent.sync.kinds import Row
from trio_argoagent.sync.plan import Place
from trio_argoagent.sync.replica import Work

LOOK_AGAIN: Final = 300.0
"""Seconds between two looks at a deletion that is held; whoever lets it go says so."""

SUCCEEDED: Final = "another process has applied a newer one"


@attrs.define
class _CopyPlan:
    place: Place
    work: Work
    body: dict[str, Any] | None = attrs.field(repr=False)  # It may be a Secret's; the gate knows it, too.
    allowance: Allowance
    gate: Callable[[Object | None], str] = attrs.field(repr=False)
    may_go: Callable[[guard.Departure, float], guard.Answer]
    revive: Callable[[Record, Mapping[str, Any]], Mapping[str, Any]]
    ask_after: float | None = None
    """Seconds after which a deletion that is held is worth another look."""
    stored: list[str] = attrs.field(factory=list)
    drifted: tuple[str, ...] = ()
    """Where the copy was found to differ, if it is put back."""

    def step(self, live: Object | None) -> steps.Step:
        record, reason = self.work.record, self.gate(live)
        if reason:
            return steps.pending(reason)
        if self.work.guard and _is_newer(live, record):
            return steps.Done(Outcome.REJECTED, SUCCEEDED)
        departure = plan.departure(self.place, record, self.body, live)
        if departure is not None:
            answer = self.may_go(departure, trio.current_time())
            if answer.ruling is not guard.Ruling.PASSED:
                self.ask_after = LOOK_AGAIN if answer.after is None else answer.after
                return steps.pending(answer.reason)
        if self.work.again and self.body is not None and not self.drifted:
            self.drifted = plan.drift(self.place, self.body, live)
        step = plan.plan(self.place, record, self.body, live, self.stored)
        if not isinstance(step, steps.Create):
            return step
        reason = self.allowance.claim(record.key)
        if reason:
            return steps.Done(Outcome.REJECTED, reason)
        return steps.Create(self.revive(record, step.value))

    def wrote(self, step: steps.Step, obj: Object) -> None:
        if isinstance(step, steps.Create) or (isinstance(step, steps.Patch) and step.sends):
            self.stored.append(projection.ap(self.place.row, obj))


def _is_newer(live: Object | None, record: Record) -> bool:
    """Has somebody applied a later value than this? Another process of ours has, and we were not told."""
    mark = marker.parse(live.annotations.get(names.MARKER)) if live is not None else None
    return mark is not None and rv.is_newer(mark.asof, record.asof)


class Copies:
    """The trade of one copied kind.

    Args:
        executor: of the kind's resource on the replica's cluster.
        place: where the copy of a key goes. Bodies are in the names of that cluster already.
        order: what must be there first.
        wanted_since: when the newest record of a key arrived (monotonic seconds).
        may_go: asked before a copy is made to go.
        revive: told the record and the value of a new copy; says what to create.
        allowance: of what may be created.
    """

    def __init__(
        self,
        executor: Executor,
        place: Callable[[Key], Place],
        order: Dependencies,
        wanted_since: Callable[[Key], float | None],
        may_go: Callable[[guard.Departure, float], guard.Answer] = lambda departure, now: guard.PASSED,
        revive: Callable[[Record, Mapping[str, Any]], Mapping[str, Any]] = lambda record, fresh: fresh,
        allowance: Allowance | None = None,
    ) -> None:
        self._executor, self._place = executor, place
        self._dependencies, self._wanted_since = order, wanted_since
        self._may_go, self._revive = may_go, revive
        self._allowance = allowance or Allowance()

    def holding(self, key: Key) -> Holding | None:
        """See ``Trade``."""
        place = self._place(key)
        obj = self._executor.known.get(place.namespace, place.name)
        return None if plan.refusal(place, obj) else plan.holding(place.row, obj)

    async def bring_about(self, work: Work) -> Achieved | TryLater:
        """See ``Trade``."""
        place, body = self._place(work.key), read_copy(work.record)
        gate = partial(self._gate, work.key, place, body)
        task = _CopyPlan(place, work, body, self._allowance, gate, self._may_go, self._revive)
        try:
            done = await self._executor.bring_about(place.namespace, place.name, task)
        finally:
            self._allowance.release(work.key)
        if isinstance(done, TryLater):
            return done
        if done.reason.startswith(guard.HELD):
            return Achieved(done.outcome, done.reason, after=task.ask_after)
        if done.reason.startswith(dependencies.WAITS):
            since = self._wanted_since(work.key) or 0.0
            left = max(0.0, since + dependencies.WAIT - trio.current_time())
            return Achieved(done.outcome, done.reason, after=left)
        stays = body is not None and not body.get(projection.DELETING)
        retain = stays and done.outcome is Outcome.APPLIED
        return Achieved(done.outcome, done.reason, retain, drifted=task.drifted)

    def _gate(self, key: Key, place: Place, body: Mapping[str, Any] | None, live: Object | None) -> str:
        """Why this key must wait for another one; empty: it need not."""
        since = self._wanted_since(key)
        patient = since is not None and trio.current_time() < since + dependencies.WAIT
        if body is None:
            return self._dependencies.holds_back(key, live, patient=patient) if live is not None else ""
        if key.kind is Kind.APPLICATION and live is None and patient:
            return self._dependencies.misses(body)
        return ""


def retained(row: Row, key: Key, obj: Object | None) -> Record | None:
    """The record that an intact copy stands for: after a start it is guarded without being sent again."""
    if obj is None or obj.deleting:
        return None
    held, mark = plan.holding(row, obj), marker.parse(obj.annotations.get(names.MARKER))
    if held is None or mark is None or held.digest != mark.digest:
        return None
    body = canonical(projection.copy_projection(row, obj))
    return Record(key, held.uid, mark.digest, mark.asof, body)
