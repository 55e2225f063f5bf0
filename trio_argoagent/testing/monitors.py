"""What must hold at every write, judged from the API servers' logs alone.

The product is not asked: what it thinks of itself could be wrong in the same way as what it does. Each write
is looked at from within its commit, when the state of every cluster is the one that it met.

===  ======================================================================================================
I1   a marker that is written names an object that the source had, in a value that it had by then
I2   the marker's ``asof`` never goes back on one copy
I3   a copy is deleted only if its source is gone, on its way out, or not replicated (any more)
I3b  a hub object is let go (its finalizers are stripped) only when its spoke has no copy of it
I5   a record is answered ``applied`` only when the cluster has held just that
I6   one live link per agent
I7   an intent is started at most once on one copy (who deletes a copy deletes what it remembers)
I8   the principal and an agent write, and send, nothing outside that agent's scope
I9   counters: every record that was sent is accounted for
I10  what is remembered is bounded by what there is
I11  what the other side owns is not touched (but for requests, status, and leaving)
I13  a copy that was deleted because its source had gone is not created again from what was before that
L3   a request on the hub is never removed before its intent was started or answered
W1   a workload is pruned only if the Application was deleted with cascade where it is owned, or by a user
===  ======================================================================================================
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import attrs
import trio

from trio_argoagent.agent.program import AgentStatus
from trio_argoagent.apiserver.core.values import LogEntry, Stored, Verb
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Feed, Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.records import DRIFT, Outcome, Record, Result
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.principal.peer import PeerStatus
from trio_argoagent.runtime.events import Event
from trio_argoagent.stream.protocol import codec, messages
from trio_argoagent.sync import kinds, mapping, marker, names, operations, projection, wants
from trio_argoagent.sync.marker import Marker
from trio_argoagent.sync.operations import Origin
from trio_argoagent.sync.replica import ReplicaStatistics
from trio_argoagent.sync.source import SourceStatistics
from trio_argoagent.testing.faults import is_abandoned
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, PRODUCT, Fleet, Spoke

RECENTLY: Final = 120.0
"""Seconds for which a deletion may still follow from an object having been out of replication."""
WINDOW: Final = 600.0
"""Seconds over which deletions are counted together."""
_KINDS: Final = {APPLICATIONS: Kind.APPLICATION, APP_PROJECTS: Kind.APP_PROJECT}


@attrs.define
class _Past:
    """What is known of one source object (by uid), alive or gone."""

    values: dict[str, int] = attrs.field(factory=dict)
    """D of each value it has had, and the resourceVersion at which it had it first."""
    deleting: bool = False
    cascading: bool = False
    gone: bool = False
    unwanted_at: float = float("-inf")
    unwanted_rv: int = 0
    """Of the last write after which the other side was to hold nothing of it."""


@attrs.define
class _Copy:
    """What is known of one copy on a spoke (by its own uid)."""

    source: str = ""
    deleted_by: str = ""


class Monitors:
    """Watches a fleet from now on; ``check`` it in the end.

    Args:
        fleet: before its programs have been started.
        attach: False: watch nothing.
    """

    def __init__(self, fleet: Fleet, *, attach: bool = True) -> None:
        self.violations: list[str] = []
        self.writes = 0
        """How many writes the product has made."""
        self.intents: dict[str, int] = {}
        """How often each was started, on all copies together."""
        self.widest = 0
        """The most objects that the product deleted within ten minutes (I4, a figure and no rule yet)."""
        self.doubled: Counter[str] = Counter()
        """Agents of which two processes run or ran (no I2, I3, I3b, I13; L1 and W1 hold all the same).

        Nothing fences the elder yet: it may bring back what it knows until it learns of its successor.
        """
        self._sent: dict[tuple[str, bool, int], Record] = {}
        self._made: dict[tuple[str, str, str], None] = {}
        self._homes: dict[str, str] = {}
        self._deletions: deque[float] = deque()
        self._fleet = fleet
        self._past: dict[str, _Past] = {}
        self._copies: dict[str, _Copy] = {}
        self._buried: dict[tuple[str, str], int] = {}
        self._answered: dict[str, None] = {}
        self._live: dict[str, int] = {}
        self._started: dict[tuple[str, str], None] = {}
        if attach:
            self._attach(fleet)

    def _attach(self, fleet: Fleet) -> None:
        for entry in fleet.hub.log:
            self._on_hub(entry)
        fleet.hub.subscribe(self._on_hub)
        for spoke in fleet.spokes.values():
            for entry in spoke.server.log:
                self._on_spoke(spoke, entry)
            spoke.server.subscribe(partial(self._on_spoke, spoke))
        fleet.observers.append(self._on_event)
        fleet.network.on_frame = self._on_frame

    def found(self) -> list[str]:
        """What was violated so far, one line each."""
        return [*self.violations, *self._double_starts(), *self._wrong_prunes()]

    def check(self) -> None:
        """Say what was violated, if anything was.

        Raises:
            AssertionError: something was.
        """
        found = self.found()
        if found:
            raise AssertionError(f"seed {self._fleet.seed}:\n  " + "\n  ".join(found))

    def _violated(self, invariant: str, entry: LogEntry, text: str) -> None:
        what = f"{entry.resource.kind} {entry.namespace}/{entry.name} at {entry.rv} by {entry.actor}"
        self.violations.append(f"{trio.current_time():.3f} s: {invariant}: {what}: {text}")

    # Counters

    def sample(self) -> None:
        """Look at the product's counters, which must add up at any time."""
        for where, source in self._sources():
            answered = source.applied + source.rejected + source.superseded + source.forsaken
            if source.records != answered + source.in_flight:
                self._say(f"I9: {where}: records are not accounted for: {source}")

    def unsettled(self) -> Iterator[str]:
        """What is not at rest although it should be: nothing changes, and everything works."""
        holds: dict[str, int] = {}
        for name, peer, agent in self._pairs():
            holds |= {name: peer.observed.held, f"principal for {name}": agent.desired.held}
        for where, source in self._sources():
            if (source.phase, source.dirty, source.in_flight, source.refused) != ("live", 0, 0, 0):
                yield f"I9: {where}: the source is not settled: {source}"
            most = source.wanted + holds.get(where, 0)
            if source.keys > most:
                yield f"I10: {where}: {source.keys} keys are remembered, of {most} wanted or held"
            if source.mismatches:
                yield f"I9: {where}: the source was mistaken {source.mismatches} times"
        for where, replica in self._replicas():
            if replica.working or replica.waiting:
                yield f"I9: {where}: the replica is not settled: {replica}"

    def _sources(self) -> Iterator[tuple[str, SourceStatistics]]:
        for name, peer, agent in self._pairs():
            yield f"principal for {name}", peer.desired
            yield name, agent.observed

    def _replicas(self) -> Iterator[tuple[str, ReplicaStatistics]]:
        for name, peer, agent in self._pairs():
            yield f"principal for {name}", peer.observed
            yield name, agent.desired

    def _pairs(self) -> Iterator[tuple[str, PeerStatus, AgentStatus]]:
        """Both ends of each agent, where both run and know each other."""
        principal = self._fleet.principal.instance
        for peer in principal.status() if principal is not None else ():
            agent = self._fleet.agents[peer.name].instance
            if agent is not None:
                yield peer.name, peer, agent.status()

    def _say(self, text: str) -> None:
        self.violations.append(f"{trio.current_time():.3f} s: {text}")

    # What is said

    def _on_frame(self, agent: str, up: bool, frame: bytes) -> None:
        said = codec.decode(frame)
        if isinstance(said, messages.RecordMessage):
            self._sent[agent, up, said.number] = said.record
            self._check_scope(agent, up, said.record)
        elif isinstance(said, messages.Results):
            for result in said.results:
                self._check_answer(agent, result, self._sent.get((agent, not up, result.number)))

    def _check_scope(self, agent: str, up: bool, record: Record) -> None:
        key, home = record.key, self._homes.get(record.uid)
        if key.namespace != self._fleet.spokes[agent].mapping.agent_namespace:
            self._say(f"I8: {agent}: a record of {key}")
        if not up and key.kind is not Kind.INTENT and home not in (None, agent):
            self._say(f"I8: {agent} is sent {key}, which is {home}'s")

    def _check_answer(self, agent: str, result: Result, record: Record | None) -> None:
        held = result.holding
        if result.outcome is not Outcome.APPLIED or record is None or held is None:
            return
        copied = record.key.kind in _KINDS.values() and held.digest != DRIFT
        if copied and (agent, held.uid, held.digest) not in self._made:
            self._say(f"I5: {agent}: {record.key} is said to be {held}, which no write has made it")

    # What every write is looked at for

    def _on_hub(self, entry: LogEntry) -> None:
        kind = _KINDS.get(entry.resource)
        self.writes += entry.actor in PRODUCT
        if entry.actor == PRINCIPAL:
            self._check_hub_write(kind, entry)
        if kind is None:
            return
        if kind is Kind.APPLICATION:
            self._homes.setdefault(entry.subject.uid, entry.namespace)
        for spoke in self._fleet.spokes.values():
            if kind is Kind.APPLICATION and entry.namespace != spoke.name:
                continue
            if spoke.mapping.autonomous:
                mine = kind is Kind.APPLICATION or entry.name.startswith(f"{spoke.name}-")
                if entry.actor == PRINCIPAL and mine:
                    self._on_copy(spoke, kind, entry)
            else:
                self._remember(spoke, kind, entry)
            if kind is Kind.APPLICATION:
                self._check_request(entry)
        if kind is Kind.APPLICATION and entry.actor == PRINCIPAL and entry.verb is Verb.DELETE:
            self._check_release(entry)

    def _on_spoke(self, spoke: Spoke, entry: LogEntry) -> None:
        kind = _KINDS.get(entry.resource)
        self.writes += entry.actor in PRODUCT
        if entry.actor in PRODUCT:
            self._check_spoke_write(spoke, kind, entry)
        if kind is None:
            return
        if spoke.mapping.autonomous:
            self._remember(spoke, kind, entry)
        elif entry.actor in PRODUCT:
            self._on_copy(spoke, kind, entry)
        if kind is Kind.APPLICATION:
            self._follow_copy(entry)
            self._check_start(entry)

    # Scopes

    def _check_hub_write(self, kind: Kind | None, entry: LogEntry) -> None:
        spoke = self._fleet.spokes.get(entry.namespace)
        if kind is Kind.APPLICATION:
            if spoke is None:
                self._violated("I8", entry, "it is in no agent's namespace")
            elif not spoke.mapping.autonomous and _owned(entry.old) != _owned(entry.new):
                self._violated("I11", entry, "the hub owns it")
            return
        mirrors = [f"{each.name}-" for each in self._fleet.spokes.values() if each.mapping.autonomous]
        mine = kind is None or any(entry.name.startswith(prefix) for prefix in mirrors)
        if entry.namespace != NAMESPACE:
            self._violated("I8", entry, "it is not in Argo CD's namespace")
        if not mine and _owned(entry.old) != _owned(entry.new):
            self._violated("I11", entry, "the hub owns it")

    def _check_spoke_write(self, spoke: Spoke, kind: Kind | None, entry: LogEntry) -> None:
        if entry.namespace != spoke.mapping.agent_namespace:
            self._violated("I8", entry, "it is not in the agent's namespace")
        if spoke.mapping.autonomous:
            if kind is not None and _owned(entry.old) != _owned(entry.new):
                self._violated("I11", entry, "the spoke owns it")
        elif kind is not None and entry.old is not None and not _source_uid(entry.old):
            self._check_local(entry)

    def _check_local(self, entry: LogEntry) -> None:
        """An object that is no copy of ours may be refreshed, and no more."""
        if _owned(entry.old) != _owned(entry.new):
            self._violated("I11", entry, "it is a local object")

    # Sources

    def _remember(self, spoke: Spoke, kind: Kind, entry: LogEntry) -> None:
        """Keep what a source object was, for the judgement of its copy."""
        past = self._past.setdefault(entry.subject.uid, _Past())
        if entry.new is None:
            past.gone, past.unwanted_rv = True, entry.rv
            return
        obj = _object(entry.new)
        body = _body(spoke, kind, obj)
        if body is None or wants.is_ignored(obj):
            past.unwanted_at, past.unwanted_rv = trio.current_time(), entry.rv
        else:
            # Leaving replication and coming back is two writes; between them it was unwanted.
            row = _row(spoke, kind)
            past.values.setdefault(wants.copy(row, obj.meta.uid, body).digest, entry.rv)
        if entry.old is not None and entry.new is not None and wants.is_ignored(_object(entry.old)):
            past.unwanted_at = trio.current_time()
        past.deleting = past.deleting or obj.deleting
        past.cascading = past.cascading or (obj.deleting and bool(names.family(obj.finalizers)))

    # Copies

    def _on_copy(self, spoke: Spoke, kind: Kind, entry: LogEntry) -> None:
        """The product has written on a copy."""
        old, new = entry.old, entry.new
        before, after = _marker(old), _marker(new)
        uid = _source_uid(new if new is not None else old)
        if after is not None:
            self._made[spoke.name, uid, after.digest] = None
        if after is not None and after != before:
            self._check_marker(spoke, entry, uid, before, after)
        if new is not None and old is None and (spoke.name, uid) in self._buried:
            self._check_creation(spoke, entry, uid, after)
        if new is None or (new.deleting and not (old is not None and old.deleting)):
            self._check_deletion(spoke, entry, _source_uid(old), old)

    def _check_creation(self, spoke: Spoke, entry: LogEntry, uid: str, after: Marker | None) -> None:
        """Is this the value from before the deletion that was carried out already?"""
        unwanted_rv = self._buried.pop((spoke.name, uid))
        # A create that lands after its sender has died cannot be fenced; what is left of it is removed (L1).
        if after is None or not after.asof or is_abandoned() or not self._past[uid].gone:
            return
        if int(after.asof) < unwanted_rv and not self.doubled[spoke.name]:
            text = f"created again as of {after.asof}, but was deleted as of {unwanted_rv}"
            self._violated("I13", entry, f"{uid} is gone: {text}")

    def _check_marker(
        self, spoke: Spoke, entry: LogEntry, uid: str, before: Marker | None, after: Marker
    ) -> None:
        past = self._past.get(uid)
        first = past.values.get(after.digest) if past is not None else None
        if first is None:
            self._violated("I1", entry, f"{uid} never was {after.digest}")
        elif after.asof and first > int(after.asof):
            self._violated("I1", entry, f"{uid} was not yet {after.digest} at {after.asof}, but at {first}")
        same = entry.old is not None and _source_uid(entry.old) == uid
        asof = before.asof if same and before is not None else ""
        back = asof and after.asof and int(asof) > int(after.asof)
        if back and not self.doubled[spoke.name]:
            self._violated("I2", entry, f"asof goes back from {asof} to {after.asof}")

    def _check_deletion(self, spoke: Spoke, entry: LogEntry, uid: str, old: Stored | None) -> None:
        if old is not None and old.deleting:
            return  # Somebody else has deleted it; we only took finalizers off.
        self._count_deletion()
        past = self._past.get(uid)
        if past is not None and past.unwanted_rv:
            self._buried[spoke.name, uid] = past.unwanted_rv
        if past is None or past.gone or past.deleting:
            return
        if trio.current_time() - past.unwanted_at > RECENTLY and not self.doubled[spoke.name]:
            self._violated("I3", entry, f"its source {uid} is alive and wanted")

    def _count_deletion(self) -> None:
        now = trio.current_time()
        self._deletions.append(now)
        while self._deletions[0] < now - WINDOW:
            self._deletions.popleft()
        self.widest = max(self.widest, len(self._deletions))

    def _check_release(self, entry: LogEntry) -> None:
        spoke = self._fleet.spokes.get(entry.namespace)
        assert entry.old is not None
        if spoke is None or spoke.mapping.autonomous or self.doubled[spoke.name]:
            return
        for item in spoke.server.list(APPLICATIONS, spoke.mapping.agent_namespace).items:
            if _source_uid(item) == entry.old.uid:
                self._violated("I3b", entry, "the spoke still has its copy")

    def _follow_copy(self, entry: LogEntry) -> None:
        """Who deleted this spoke object first, and whose copy was it then?"""
        shown = entry.new if entry.new is not None else entry.subject
        known = self._copies.setdefault(shown.uid, _Copy())
        known.source = _source_uid(shown) or known.source
        if not known.deleted_by and (entry.new is None or entry.new.deleting):
            known.deleted_by = entry.actor

    # Requests and intents

    def _check_start(self, entry: LogEntry) -> None:
        if entry.actor not in PRODUCT or entry.new is None:
            return
        before = _intent(entry.old)
        started = _intent(entry.new)
        if started and started != before:
            self.intents[started] = self.intents.get(started, 0) + 1
            if (entry.new.uid, started) in self._started:
                self._violated("I7", entry, f"the agent starts {started} once more")
            self._started[entry.new.uid, started] = None

    def _check_request(self, entry: LogEntry) -> None:
        """Has the principal removed or changed a request that nobody has answered?"""
        if entry.actor != PRINCIPAL or entry.old is None or entry.new is None:
            return
        old, new = entry.old.value.get("operation"), entry.new.value.get("operation")
        was, now = operations.classify(old), operations.classify(new)
        if old and was.origin is Origin.REQUEST and new not in (old, operations.stamped(old, now.id)):
            self._violated("L3", entry, "a request was removed instead of stamped")
        if was.origin is Origin.INTENT and was != now and was.id not in self.intents:
            state = (entry.new.value.get("status") or {}).get("operationState")
            if not operations.is_rejection(state):
                self._violated("L3", entry, f"the intent {was.id} was removed before it was started")

    def _double_starts(self) -> Iterator[str]:
        for spoke in self._fleet.spokes.values():
            starts: dict[tuple[str, str], dict[str, None]] = {}
            for attempt in spoke.world.attempts:
                entry = operations.classify(attempt.operation)
                if entry.origin is Origin.INTENT and attempt.phase == "Running":
                    starts.setdefault((attempt.uid, entry.id), {})[attempt.token.partition("#")[0]] = None
            for (_, intent), times in starts.items():
                if len(times) > 1:
                    yield f"{spoke.name}: I7: {intent} ran {len(times)} times: {', '.join(times)}"

    # Workloads

    def _wrong_prunes(self) -> Iterator[str]:
        for spoke in self._fleet.spokes.values():
            for prune in spoke.world.prunes:
                known = self._copies.get(prune.uid, _Copy())
                if prune.by == "sync" or known.deleted_by not in PRODUCT:
                    continue
                past = self._past.get(known.source)
                if past is None or not past.cascading:
                    what = f"{prune.app}: {prune.key[1]} {prune.key[3]} was pruned by {prune.by}"
                    yield f"{spoke.name}: W1: {what}, but {known.source} was not deleted with cascade"

    # Links

    def _on_event(self, program: str, event: Event) -> None:
        if program != PRINCIPAL:
            return
        if event.name == "link-up":
            self._live[event.agent] = self._live.get(event.agent, 0) + 1
            if self._live[event.agent] > 1:
                self.violations.append(f"{trio.current_time():.3f} s: I6: {event.agent} has two live links")
        elif event.name == "link-down":
            self._live[event.agent] -= 1


def _object(stored: Stored) -> Object:
    return Object.parse(stored.json)


def _annotations(stored: Stored | None) -> dict[str, str]:
    return dict(stored.metadata.get("annotations") or {}) if stored is not None else {}


def _owned(stored: Stored | None) -> Any:
    """What belongs to the owner alone. An object that is leaving is let go by either side."""
    if stored is None or stored.deleting:
        return None
    return stored.value.get("spec"), stored.metadata.get("labels"), stored.metadata.get("finalizers")


def _source_uid(stored: Stored | None) -> str:
    return _annotations(stored).get(names.SOURCE_UID, "")


def _marker(stored: Stored | None) -> Marker | None:
    return marker.parse(_annotations(stored).get(names.MARKER))


def _intent(stored: Stored | None) -> str:
    """The id of the intent whose operation stands on a spoke's object."""
    operation = stored.value.get("operation") if stored is not None else None
    entry = operations.classify(operation)
    return entry.id if entry.origin is Origin.INTENT else ""


def _row(spoke: Spoke, kind: Kind) -> kinds.Row:
    mode = spoke.plan.mode
    return kinds.rows(mode, Feed.OBSERVED if mode is Mode.AUTONOMOUS else Feed.DESIRED)[kind]


def _body(spoke: Spoke, kind: Kind, obj: Object) -> dict[str, Any] | None:
    """The record's body that this source object stands for; None: it is not for this agent, or leaving."""
    row = _row(spoke, kind)
    shown = projection.copy_projection(row, obj)
    if spoke.mapping.autonomous:
        return shown
    if kind is Kind.APP_PROJECT:
        if not mapping.project_matches(shown["spec"], spoke.name):
            return None
        shown["finalizers"] = []
    if obj.deleting:
        return None
    return spoke.mapping.down(kind, shown)
