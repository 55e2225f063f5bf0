"""Makes spans of what a ``Tracer`` is told. Whoever exports them gets each when it has ended.

A change is ``<Kind>.<operation>``, from when it was seen until it is answered for good; each record that
carries it ``<target>.send``. On the other side what is received is ``<target>.<event type>``, until a worker
has come to its end with it, and each write a span of its own. What a process was at when it died has no span:
the next one sends it again, into the same trace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs
import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.records import Outcome, Record, Result
from trio_argoagent.ports.env import Env
from trio_argoagent.ports.tracing import Tracer
from trio_argoagent.runtime import spans
from trio_argoagent.runtime.events import Observer, ignore
from trio_argoagent.runtime.rarely import Rarely
from trio_argoagent.runtime.spans import Span, SpanKind

MAX_OPEN: Final = 16_384
"""Changes, and likewise records received, of one agent that are followed at once; more are not."""
SUPERSEDED: Final = "superseded"
UNANSWERED: Final = "the link ended before it was answered"
FORGOTTEN: Final = "not brought about before another link"
HELD: Final = "held"
"""The outcome of what turned out to be there, although its answer was lost."""
OUTCOME: Final = "trio-argoagent.outcome"
NUMBER: Final = "trio-argoagent.record.number"

Emit = Callable[[Span], None]


@attrs.frozen
class _Open:
    """A span that has not ended. ``start`` is monotonic."""

    trace: bytes
    id: bytes
    start: float
    name: str
    attributes: Mapping[str, str | int]
    parent: bytes = b""
    asked: bool = True


class SpanTracer:
    """The ``Tracer`` of one agent.

    Args:
        agent: its name.
        shared: attributes of each span.
        env: wall time, and ids.
        emit: told of each span.
        overlook: told of what is not followed because there is too much.
    """

    def __init__(
        self,
        agent: Callable[[], str],
        shared: Mapping[str, str | int],
        env: Env,
        emit: Emit,
        overlook: Callable[[], None],
    ) -> None:
        self._agent, self._shared, self._env, self._emit = agent, shared, env, emit
        self._overlook = overlook
        self._changes: dict[Key, _Open] = {}
        self._records: dict[Key, _Open] = {}
        self._received: dict[Key, _Open] = {}
        self._working: dict[Key, _Open] = {}

    # What this side sends

    def sent(self, number: int, record: Record, since: float, *, new: bool) -> None:
        """See the port."""
        key, trace = record.key, spans.trace_of(self._agent(), record)
        if key in self._records:
            self._end(self._records.pop(key), SpanKind.PRODUCER, SUPERSEDED)
        change = self._changes.get(key)
        if change is not None and change.trace != trace:
            self._end(self._changes.pop(key), SpanKind.INTERNAL, SUPERSEDED)
            change = None
        if change is None:
            if len(self._changes) >= MAX_OPEN:
                self._overlook()
                return
            what = spans.operation(record, new=new)
            told = spans.about(record) | {"argocd.operation.type": what}
            change = _Open(trace, self._env.entropy(8), since, f"{key.kind}.{what}", told)
            self._changes[key] = change
        id_, told = spans.span_of(trace, number, record), spans.about(record) | {NUMBER: number}
        name = f"{spans.target(key)}.send"
        self._records[key] = _Open(trace, id_, trio.current_time(), name, told, change.id)

    def answered(self, key: Key, result: Result) -> None:
        """See the port."""
        sent = self._records.get(key)
        if sent is None or result.outcome is Outcome.PENDING:
            return
        del self._records[key]
        problem = "" if result.outcome is Outcome.APPLIED else result.reason or result.outcome
        self._end(sent, SpanKind.PRODUCER, problem, result.outcome)
        if result.outcome is not Outcome.UNREADABLE and key in self._changes:
            self._end(self._changes.pop(key), SpanKind.INTERNAL, problem, result.outcome)

    def unanswered(self) -> Sequence[Key]:
        """See the port."""
        return tuple(self._changes)

    def held(self, key: Key) -> None:
        """See the port."""
        if key in self._records:
            self._end(self._records.pop(key), SpanKind.PRODUCER, outcome=HELD)
        if key in self._changes:
            self._end(self._changes.pop(key), SpanKind.INTERNAL, outcome=HELD)

    def lost(self) -> None:
        """See the port. The changes go on: they are sent again, or turn out to be held."""
        for key in tuple(self._records):
            self._end(self._records.pop(key), SpanKind.PRODUCER, UNANSWERED)

    # What this side receives

    def received(self, number: int, record: Record) -> None:
        """See the port."""
        key, trace = record.key, spans.trace_of(self._agent(), record)
        before = self._received.pop(key, None)
        if before is not None and self._working.get(key) is not before:
            self._end(before, SpanKind.CONSUMER, SUPERSEDED)
        if len(self._received) >= MAX_OPEN:
            self._overlook()
            return
        parent, told = spans.span_of(trace, number, record), spans.about(record) | {NUMBER: number}
        name, id_ = f"{spans.target(key)}.{spans.event_type(record)}", self._env.entropy(8)
        self._received[key] = _Open(trace, id_, trio.current_time(), name, told, parent)

    def forgotten(self) -> None:
        """See the port."""
        for key in [each for each in self._received if each not in self._working]:
            self._end(self._received.pop(key), SpanKind.CONSUMER, FORGOTTEN)

    def began(self, key: Key, record: Record, *, asked: bool) -> None:
        """See the port. What nobody has asked for now has a span of its own, in the value's trace."""
        trace, opened = spans.trace_of(self._agent(), record), self._received.get(key)
        if opened is None or opened.trace != trace or not asked:
            id_, name = self._env.entropy(8), f"{key.kind}.{'apply' if asked else 'revert'}"
            opened = _Open(trace, id_, trio.current_time(), name, spans.about(record), asked=False)
        self._working[key] = opened

    def wrote(
        self, key: Key, verb: str, about: tuple[str, str, str], began: float, problem: str, body: object
    ) -> None:
        """See the port."""
        work = self._working.get(key)
        if work is None:
            return
        names = ("k8s.resource.kind", "k8s.resource.namespace", "k8s.resource.name")
        told = {**work.attributes, **dict(zip(names, about, strict=True)), "argocd.operation.type": verb}
        write = _Open(work.trace, self._env.entropy(8), began, f"{about[0]}.{verb}", told, work.id)
        self._end(write, SpanKind.CLIENT, problem)

    def ended(self, key: Key, outcome: Outcome | None, reason: str) -> None:
        """See the port."""
        work = self._working.pop(key, None)
        if work is None:
            return
        if self._received.get(key) is work:
            if outcome in (None, Outcome.PENDING):
                return  # It is worked on again.
            del self._received[key]
        problem = "" if outcome is Outcome.APPLIED else reason or outcome or Outcome.PENDING
        kind = SpanKind.CONSUMER if work.asked else SpanKind.INTERNAL
        self._end(work, kind, problem, outcome or Outcome.PENDING)

    def _end(self, opened: _Open, kind: SpanKind, problem: str = "", outcome: str = "") -> None:
        end = self._env.now()
        own = {"argocd.agent.name": self._agent()} | ({OUTCOME: str(outcome)} if outcome else {})
        self._emit(
            Span(
                trace=opened.trace,
                id=opened.id,
                parent=opened.parent,
                name=opened.name,
                kind=kind,
                start=end - (trio.current_time() - opened.start),
                end=end,
                attributes={**opened.attributes, **self._shared, **own},
                problem=str(problem),
                remote=kind is SpanKind.CONSUMER,
            )
        )


class SpanTracing:
    """``Tracing`` of one program, as spans.

    Args:
        component: ``principal`` or ``agent``.
        env: wall time, and ids.
        emit: told of each span.
        observer: told, once in a while, that changes are in no trace.
    """

    def __init__(self, component: str, env: Env, emit: Emit, observer: Observer = ignore) -> None:
        self._component, self._env, self._emit = component, env, emit
        self._line = Rarely(observer, "traces-incomplete")

    def of(self, agent: Callable[[], str], mode: Mode) -> Tracer:
        """See the port."""
        shared = {"argocd.agent.mode": mode.value, "argocd.component.type": self._component}
        return SpanTracer(agent, shared, self._env, self._emit, self._overlook)

    def _overlook(self) -> None:
        self._line.tell(f"more than {MAX_OPEN} changes of one agent are under way: others are in no trace")

    def informed(self, kind: Kind, old: Object | None, new: Object | None) -> None:
        """See the port. What it means for an agent is told as a change, once there is room to send it."""
