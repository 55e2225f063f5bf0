"""Copies: an agent's Applications and AppProjects, and the principal's mirrors of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

import attrs
import msgspec
import trio

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.model import rv
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.objects import Object, canonical, decode
from trio_argoagent.model.records import Holding, Outcome, Record
from trio_argoagent.replication.executor import Executor, TryLater
from trio_argoagent.replication.workers import Achieved
from trio_argoagent.sync import guard, marker, names, plan, projection, steps
from trio_argoagent.sync.kinds import Row
from trio_argoagent.sync.plan import Place
from trio_argoagent.sync.replica import Work

MAX_DEPTH: Final = 64
"""Levels of JSON in a body. What is deeper would be stored, and then end whoever reads it without a limit."""
PROJECT_WAIT: Final = 10.0
"""Seconds an Application waits for its AppProject: Argo CD does not look again when it comes."""

LOOK_AGAIN: Final = 300.0
"""Seconds between two looks at a deletion that is held; whoever lets it go says so."""

WAITS_FOR_PROJECT: Final = "waits for AppProject"
SUCCEEDED: Final = "another process has applied a newer one"

_PARTS: Final = {"annotations": dict, "finalizers": list, "labels": dict, "spec": dict}


def read_copy(record: Record) -> dict[str, Any] | None:
    """The body of a copy's record, its shape checked.

    Raises:
        RemoteProtocolError: it is not a copy projection.
    """
    body = read_body(record)
    if body is not None:
        for part, shape in _PARTS.items():
            if not isinstance(body.get(part), shape):
                wrong = f"{part} is missing or no {shape.__name__}"
                raise RemoteProtocolError(f"the body of {record.key}: {wrong}")
    return body


def read_body(record: Record) -> dict[str, Any] | None:
    """The body of a record as JSON.

    Raises:
        RemoteProtocolError: it is none, or not an object.
    """
    if record.body is None:
        return None
    try:
        body = decode(record.body)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise RemoteProtocolError(f"the body of {record.key} is not JSON: {exc}") from exc
    if not isinstance(body, dict):
        raise RemoteProtocolError(f"the body of {record.key} is not a JSON object")
    if len(record.digest.split(" ")) != 1:
        # It becomes a word of the marker, which could never be read again.
        raise RemoteProtocolError(f"the digest of {record.key} is more than one word")
    _check_depth(record.key, body)
    return body


def _check_depth(key: Key, body: dict[str, Any]) -> None:
    level: list[Any] = [body]
    for _ in range(MAX_DEPTH):
        inner = (node.values() if isinstance(node, dict) else node for node in level)
        level = [value for values in inner for value in values if isinstance(value, (dict, list))]
        if not level:
            return
    raise RemoteProtocolError(f"the body of {key} is nested deeper than {MAX_DEPTH} levels")


class Dependencies:
    """What Argo CD needs in order: an Application after its AppProject, a deletion before it.

    Args:
        applications: of the replica's cluster.
        project_exists: likewise.
        is_leaving: is it still to be brought about that this Application goes?
    """

    def __init__(
        self,
        applications: Callable[[], Iterable[Object]],
        project_exists: Callable[[str], bool],
        is_leaving: Callable[[Object], bool],
    ) -> None:
        self._applications, self._project_exists = applications, project_exists
        self._is_leaving = is_leaving

    def misses_project(self, body: Mapping[str, Any]) -> str:
        """The AppProject that an Application lacks; empty if it is there."""
        project = (body.get("spec") or {}).get("project") or "default"
        return "" if self._project_exists(project) else project

    def holds_back(self, project: str) -> str:
        """The name of an Application whose deletion needs this AppProject; empty if there is none."""
        for app in self._applications():
            named = (app.get("spec") or {}).get("project") or "default"
            if named == project and (app.deleting or self._is_leaving(app)):
                return app.meta.name
        return ""


def is_departure(record: Record | None) -> bool:
    """Does this record of a copy make it go?"""
    body = read_body(record) if record is not None else {}
    return body is None or bool(body.get(projection.DELETING))


@attrs.define
class _CopyPlan:
    place: Place
    record: Record
    body: dict[str, Any] | None
    gate: Callable[[Object | None], str]
    may_go: Callable[[guard.Departure, float], guard.Answer]
    revive: Callable[[Record, Mapping[str, Any]], Mapping[str, Any]]
    guard: bool = False
    ask_after: float | None = None
    """Seconds after which a deletion that is held is worth another look."""
    stored: list[str] = attrs.field(factory=list)

    def step(self, live: Object | None) -> steps.Step:
        reason = self.gate(live)
        if reason:
            return steps.pending(reason)
        if self.guard and _is_newer(live, self.record):
            return steps.Done(Outcome.REJECTED, SUCCEEDED)
        departure = plan.departure(self.place, self.record, self.body, live)
        if departure is not None:
            answer = self.may_go(departure, trio.current_time())
            if answer.ruling is not guard.Ruling.PASSED:
                self.ask_after = LOOK_AGAIN if answer.after is None else answer.after
                return steps.pending(answer.reason)
        step = plan.plan(self.place, self.record, self.body, live, self.stored)
        return steps.Create(self.revive(self.record, step.value)) if isinstance(step, steps.Create) else step

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
        dependencies: what must be there first.
        wanted_since: when the newest record of a key arrived (monotonic seconds).
        may_go: asked before a copy is made to go.
        revive: told the record and the value of a new copy; says what to create.
    """

    def __init__(
        self,
        executor: Executor,
        place: Callable[[Key], Place],
        dependencies: Dependencies,
        wanted_since: Callable[[Key], float | None],
        may_go: Callable[[guard.Departure, float], guard.Answer] = lambda departure, now: guard.PASSED,
        revive: Callable[[Record, Mapping[str, Any]], Mapping[str, Any]] = lambda record, fresh: fresh,
    ) -> None:
        self._executor, self._place = executor, place
        self._dependencies, self._wanted_since = dependencies, wanted_since
        self._may_go, self._revive = may_go, revive

    def holding(self, key: Key) -> Holding | None:
        """See ``Trade``."""
        place = self._place(key)
        obj = self._executor.known.get(place.namespace, place.name)
        return None if plan.refusal(place, obj) else plan.holding(place.row, obj)

    async def bring_about(self, work: Work) -> Achieved | TryLater:
        """See ``Trade``."""
        record, place = work.record, self._place(work.key)
        body = read_copy(record)
        gate = partial(self._gate, work.key, place, body)
        task = _CopyPlan(place, record, body, gate, self._may_go, self._revive, work.guard)
        done = await self._executor.bring_about(place.namespace, place.name, task)
        if isinstance(done, TryLater):
            return done
        if done.reason.startswith(guard.HELD):
            return Achieved(done.outcome, done.reason, after=task.ask_after)
        if done.reason.startswith(WAITS_FOR_PROJECT):
            since = self._wanted_since(work.key) or 0.0
            left = max(0.0, since + PROJECT_WAIT - trio.current_time())
            return Achieved(done.outcome, done.reason, after=left)
        stays = body is not None and not body.get(projection.DELETING)
        return Achieved(done.outcome, done.reason, retain=stays and done.outcome is Outcome.APPLIED)

    def _gate(self, key: Key, place: Place, body: Mapping[str, Any] | None, live: Object | None) -> str:
        """Why this key must wait for another one; empty: it need not."""
        if key.kind is Kind.APP_PROJECT and body is None and live is not None:
            app = self._dependencies.holds_back(place.name)
            return f"Application {app} needs it to be deleted" if app else ""
        if key.kind is Kind.APPLICATION and body is not None and live is None:
            since = self._wanted_since(key)
            project = self._dependencies.misses_project(body)
            if project and since is not None and trio.current_time() < since + PROJECT_WAIT:
                return f"{WAITS_FOR_PROJECT} {project}"
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
