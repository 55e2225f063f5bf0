"""Statuses on the hub's Applications: written by the principal, owned by the spokes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import msgspec

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.model import rv
from trio_argoagent.model.keys import Key, Kind, Verb
from trio_argoagent.model.objects import Object
from trio_argoagent.model.records import Holding, Outcome, Record
from trio_argoagent.replication import refusals
from trio_argoagent.replication.bodies import read_body
from trio_argoagent.replication.executor import Executor, TryLater
from trio_argoagent.replication.workers import Achieved
from trio_argoagent.sync import operations, overlay, steps
from trio_argoagent.sync.mapping import NamespaceMapping
from trio_argoagent.sync.operations import Origin
from trio_argoagent.sync.overlay import Memo, Merged
from trio_argoagent.sync.replica import Work


class _Operation(msgspec.Struct):
    info: list[dict[str, Any]] | None = None


class _State(msgspec.Struct, rename="camel"):
    phase: str = ""
    started_at: str | None = None
    finished_at: str | None = None
    operation: _Operation | None = None


class _Status(msgspec.Struct, rename="camel"):
    operation_state: _State | None = None
    resources: list[dict[str, Any]] | None = None
    conditions: list[dict[str, Any]] | None = None


class _StatusBody(msgspec.Struct):
    """What is looked into before the API server has checked it against the CRD."""

    status: _Status
    intent: str
    refresh: bool
    hydrate: bool = False
    operation: _Operation | None = None


def read_status(record: Record) -> dict[str, Any] | None:
    """The body of a status record, its shape checked as far as we look into it.

    Raises:
        RemoteProtocolError: it is not a status body.
    """
    body = read_body(record)
    if body is not None:
        try:
            msgspec.convert(body, _StatusBody)
        except msgspec.ValidationError as exc:
            raise RemoteProtocolError(f"the body of {record.key}: {exc}") from exc
    return body


@attrs.define
class _StatusPlan:
    mapping: NamespaceMapping
    record: Record
    body: dict[str, Any] | None
    memo: Memo | None
    worked_off: Callable[[Verb], bool]
    ended: Callable[[str], None]
    message: Callable[[Object], str | None]
    now: Callable[[], str]
    refusal: str
    merged: Merged | None = None
    live: Object | None = None
    written: bool = False
    """Is what ``memo`` remembers what our own write for this record has made?"""

    def step(self, live: Object | None) -> steps.Step:
        self.live = live
        if self.body is None:
            return steps.APPLIED
        if self.written and live is not None and self.memo is not None and self.memo.is_of(live):
            return steps.APPLIED  # Nobody has been there since: to merge it again would find nothing.
        if live is not None and live.unreadable:
            return steps.pending(live.unreadable)
        if live is not None and self.mapping.find(Kind.APPLICATION, live) is None:
            live = None  # It has moved: what this agent knows of it counts no more.
        if live is not None and overlay.owner_uid(self.mapping, live) != self.record.uid:
            return steps.pending(refusals.OTHER_OBJECT)
        if live is not None:
            return self._overlaid(live, self.body)
        return (
            steps.Done(Outcome.REJECTED, self.refusal) if self.refusal else steps.pending(refusals.NO_OBJECT)
        )

    def _overlaid(self, live: Object, body: Mapping[str, Any]) -> steps.Step:
        message = self.message(live)
        self.merged = overlay.merge(self.mapping, body, live, self.memo, worked_off=self.worked_off)
        step = overlay.plan(self.merged, self.memo, message, self.now() if message else "")
        if isinstance(step, steps.Done):
            self.memo = overlay.memo_of(self.record, self.merged, live)
        return step

    def wrote(self, step: steps.Step, obj: Object) -> None:
        operation = obj.get("operation")
        if self.body is not None and operation is None:
            self.ended(self.body["intent"])
        if self.merged is not None:
            self.memo = overlay.memo_of(self.record, self.merged, obj)
            self.written = operation == self.merged.operation


class Statuses:
    """The trade of statuses.

    Args:
        executor: of Applications on the hub.
        mapping: between the hub and this agent.
        requested_at: the spoke's resourceVersion of its write for the request that stands under an
            Intent's key; empty: it has not answered yet.
        unstarted: told that as of that resourceVersion the spoke's object shows nothing of the sync that
            the hub asks for.
        ended: told that we have removed the operation of that intent from that object of the hub.
        message: what our condition on that object shall say (see ``Refusals.wanted``).
        now: wall time, RFC 3339.
        refusal: why the object of a status that has none will not be made soon; empty: it may.
    """

    def __init__(
        self,
        executor: Executor,
        mapping: NamespaceMapping,
        requested_at: Callable[[Key], str],
        unstarted: Callable[[Key, str], None],
        ended: Callable[[str, str, str], None],
        message: Callable[[Object], str | None],
        now: Callable[[], str],
        refusal: Callable[[Key], str] = lambda key: "",
    ) -> None:
        self._executor, self._mapping, self._requested_at = executor, mapping, requested_at
        self._unstarted, self._ended = unstarted, ended
        self._message, self._now, self._refusal = message, now, refusal
        self._memos: dict[Key, Memo] = {}

    def holding(self, key: Key) -> Holding | None:
        """See ``Trade``."""
        obj = self._executor.known.get(*self._mapping.hub_name(key))
        if obj is None or self._mapping.find(Kind.APPLICATION, obj) is None:
            obj = None
            self._memos.pop(key, None)
        return overlay.holding(self._mapping, obj, self._memos.get(key))

    async def bring_about(self, work: Work) -> Achieved | TryLater:
        """See ``Trade``."""
        record, body = work.record, read_status(work.record)
        name = self._mapping.hub_name(work.key)
        plan = _StatusPlan(
            self._mapping,
            record,
            body,
            self._memos.get(work.key),
            lambda verb: self._is_worked_off(verb, record),
            lambda intent: self._ended(*name, intent),
            self._message,
            self._now,
            self._refusal(work.key),
        )
        done = await self._executor.bring_about(*name, plan)
        if isinstance(done, TryLater):
            return done
        if done.outcome is Outcome.APPLIED and body and plan.memo is not None and plan.live is not None:
            self._memos[work.key] = plan.memo
            asked = operations.classify(plan.live.get("operation"))
            if asked.origin is Origin.INTENT and asked.id != body["intent"]:
                self._unstarted(record.key.of(Kind.INTENT, Verb.SYNC), record.asof)
        return Achieved(done.outcome, done.reason)

    def _is_worked_off(self, verb: Verb, record: Record) -> bool:
        answered = self._requested_at(record.key.of(Kind.INTENT, verb))
        return bool(answered) and (rv.at_least(record.asof, answered) or rv.parse(answered) is None)
