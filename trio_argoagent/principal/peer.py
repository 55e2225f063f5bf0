"""One agent as the principal knows it: both feeds, and what the hub's objects mean for them.

A peer outlives its links. What it knows of the hub comes from the informers that all peers share; what it
knows of its spoke comes over the link and is proven anew on each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import attrs
import trio

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.kube.protocol.cache import Change
from trio_argoagent.model import rv
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Feed, Key, Kind, Verb
from trio_argoagent.model.objects import Object, canonical
from trio_argoagent.model.records import Evidence, Outcome, Record, Result
from trio_argoagent.ports.transport import Link, LinkStatistics
from trio_argoagent.principal.holds import Holds
from trio_argoagent.principal.hub import Hub
from trio_argoagent.principal.keeper import Keeper
from trio_argoagent.principal.status import PeerStatus
from trio_argoagent.replication.copies import Copies, Dependencies, read_copy, retained
from trio_argoagent.replication.happenings import Happenings
from trio_argoagent.replication.intents import intent_keys, status_key
from trio_argoagent.replication.outlet import Outlet
from trio_argoagent.replication.refusals import Name, Refusals
from trio_argoagent.replication.session import Feeds
from trio_argoagent.replication.statuses import Statuses
from trio_argoagent.replication.telling import Telling
from trio_argoagent.replication.workers import UNGUARDED, Trade, Workers
from trio_argoagent.sync import intents, kinds, mapping, names, projection, wants
from trio_argoagent.sync.guard import Answer, Departure, Limits
from trio_argoagent.sync.intents import Intent
from trio_argoagent.sync.mapping import NamespaceMapping
from trio_argoagent.sync.plan import Place
from trio_argoagent.sync.source import Ticket

_UNORDERED: Final = "-"
"""The resourceVersion of a spoke whose versions have no order, so that they cannot travel."""


class Peer:
    """See the module.

    Args:
        hub: the informers that all peers share.
        mapping: between the hub and this agent.
        cluster_uid: of its spoke, as it said first.
        report: told what it refuses, one line each.
        limits: which deletions of mirrors pass by themselves.
        tell: told what happens to deletions that wait for a person: name, text, level.
    """

    def __init__(
        self,
        hub: Hub,
        mapping: NamespaceMapping,
        cluster_uid: str,
        report: Callable[[str], None] = lambda text: None,
        limits: Limits = UNGUARDED,
        tell: Callable[[str, str, str], None] = lambda name, text, level: None,
    ) -> None:
        self.mapping, self.cluster_uid = mapping, cluster_uid
        self.mode = Mode.AUTONOMOUS if mapping.autonomous else Mode.MANAGED
        self.link_scope: trio.CancelScope | None = None
        self.link_ended = trio.Event()
        self.link: Link | None = None
        self.links = 0
        self._past = LinkStatistics()
        self._hub = hub
        self._on_applications, self._on_projects = hub.executors(mapping.agent)
        self._desired = kinds.rows(self.mode, Feed.DESIRED)
        self._observed = kinds.rows(self.mode, Feed.OBSERVED)
        self._intents: dict[Key, Intent] = {}
        self._refresh_seen: dict[Key, tuple[str, str]] = {}
        self._answered_at: dict[Key, str] = {}
        self.outlet = Outlet(self._body, self._asof)
        self.telling = self._make_telling(report)
        self.workers = self._make_workers(limits)
        self.holds = Holds(hub, hub.memory, mapping, self.workers, tell)
        self._applications = Keeper(self._on_applications, hub.env, self._carried_out)
        self._projects = Keeper(self._on_projects, hub.env, self._carried_out)
        self._catch_up()

    def _make_workers(self, limits: Limits) -> Workers:
        hub = self._hub
        order = Dependencies(
            lambda: [app for app in hub.applications.objects.values() if self._is_mine(app)],
            lambda name: hub.known_projects.get(self.mapping.principal_namespace, name) is not None,
            lambda app: False,  # A mirror's deletion needs no project: nothing is pruned for it.
        )
        trades: dict[Kind, Trade] = {
            Kind.APPLICATION: Copies(
                self._on_applications, self._place, order, self._wanted_since, self._may_go
            ),
            Kind.APP_PROJECT: Copies(self._on_projects, self._place, order, self._wanted_since, self._may_go),
            Kind.STATUS: Statuses(
                self._on_applications,
                self.mapping,
                lambda key: self._answered_at.get(key, ""),
                self._unstarted,
                lambda *ended: self._applications.ended(*ended),
                lambda app: self.telling.message(app),
                hub.env.timestamp,
            ),
        }
        carried = {kind: trade for kind, trade in trades.items() if kind in self._observed}
        listed = frozenset(kind for kind, row in self._observed.items() if row.listed)
        return Workers(carried, listed=listed, ended=self._ended, limits=limits)

    def _make_telling(self, report: Callable[[str], None]) -> Telling:
        hub, agent = self._hub, self.mapping.agent
        standing = Refusals(self.mapping.hub_name, self.outlet.core.answered, f"agent {agent}", "the hub")
        on_cluster = Happenings(hub.cluster, hub.env, partial(hub.cluster_secret, agent))
        return Telling(self._on_applications, standing, on_cluster, self._key_of, hub.env, report)

    def _key_of(self, kind: Kind, name: Name) -> Key | None:
        return self.mapping.key(kind, name[1])

    def _ended(self, key: Key, outcome: Outcome, reason: str) -> None:
        """The hub has taken a record of this agent, or not. Of a mirror its agent tells on the spoke."""
        if key.kind is Kind.STATUS and not self.mapping.autonomous:
            self.telling.heard(key, outcome, reason, local=True)

    def heard(self, key: Key, result: Result) -> None:
        """The agent has answered a record of ours, if only for now."""
        self.telling.heard(key, result.outcome, result.reason)

    def _wanted_since(self, key: Key) -> float | None:
        return self.workers.core.wanted_since(key)

    def _may_go(self, departure: Departure, now: float) -> Answer:
        return self.workers.guard.ask(departure, now)

    def _place(self, key: Key) -> Place:
        namespace, name = self.mapping.hub_name(key)
        # An Application's namespace on the hub is its agent; projects of all agents share one.
        owner = self.mapping.agent if key.kind is Kind.APP_PROJECT else ""
        return Place(self._observed[key.kind], namespace, name, mirror=True, owner=owner)

    def _is_mine(self, app: Object) -> bool:
        return app.meta.namespace == self.mapping.agent

    def _catch_up(self) -> None:
        """Take in what the informers already hold."""
        self.on_state()
        for app in self._hub.applications.objects.values():
            if self._is_mine(app):
                self.on_application(Change(None, app, initial=True))
        for project in self._hub.projects.objects.values():
            self.on_project(Change(None, project, initial=True))

    async def run(self) -> None:
        """Work for this agent until cancelled, whether it is connected or not."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.workers.run)
            nursery.start_soon(self._applications.run)
            nursery.start_soon(self._projects.run)
            nursery.start_soon(self.telling.run)

    # What the hub's informers say

    def on_state(self) -> None:
        """An informer's view has become complete, or has ceased to be."""
        before = self.outlet.silence()
        for kind in self._desired:
            reason = self._hub.incomplete(kind, self.mapping.agent)
            self.outlet.set_complete(kind, not reason, reason)
        self.holds.silent(before, self.outlet.silence())

    def on_application(self, change: Change) -> None:
        """An Application in this agent's namespace has changed."""
        obj = change.object
        key = self.mapping.key(Kind.APPLICATION, obj.meta.name)
        assert key is not None
        if Kind.APPLICATION in self._desired:
            self._want_copy(key, change)
        else:
            row = self._observed[Kind.APPLICATION]
            self.workers.observe(key, lambda: retained(row, key, change.new))
        self.workers.observe(status_key(key))
        if change.old is None or change.new is None:
            # A status may have come before its mirror, a mirror may have found its name taken.
            for waiting in (key, status_key(key)):
                self.workers.touch(waiting)
        self._want_intents(key, change)
        self._applications.touch(obj.meta.namespace, obj.meta.name)
        self.telling.look(obj)

    def on_project(self, change: Change) -> None:
        """An AppProject in the principal's namespace has changed."""
        key = self.mapping.key(Kind.APP_PROJECT, change.object.meta.name)
        if key is None:
            return
        if Kind.APP_PROJECT in self._desired:
            self._want_copy(key, change)
        else:
            row = self._observed[Kind.APP_PROJECT]
            self.workers.observe(key, lambda: retained(row, key, change.new))
            for waiting in self.workers.core.waiting():
                self.workers.touch(waiting)
        self._projects.touch(change.object.meta.namespace, change.object.meta.name)

    def _want_copy(self, key: Key, change: Change) -> None:
        obj = change.new
        body = self._desired_body(key, obj) if obj is not None else None
        # A namespace that is being deleted takes everything along: nobody has asked for each of these.
        alone = not self._hub.is_leaving(change.object.meta.namespace)
        if obj is not None and body is not None:
            evidence = Evidence.WITNESSED if alone else Evidence.INFERRED
            self.outlet.want(key, wants.copy(self._desired[key.kind], obj.meta.uid, body, evidence))
        else:
            old = change.old or obj
            gone = old.meta.uid if old is not None and change.witnessed and alone else ""
            self.outlet.absent(key, witnessed=gone)

    def _desired_body(self, key: Key, obj: Object) -> dict[str, Any] | None:
        """What the spoke shall hold of this hub object; None: nothing."""
        row = self._desired[key.kind]
        if wants.is_ignored(obj) or (obj.deleting and not (row.cascades and names.family(obj.finalizers))):
            return None
        shown = projection.copy_projection(row, obj)
        if key.kind is Kind.APP_PROJECT:
            if not mapping.project_matches(shown["spec"], self.mapping.agent):
                return None
            # Hub and spoke each have Argo CD's own finalizers on a project, or not: they do not travel.
            shown["finalizers"] = []
        body = self.mapping.down(key.kind, shown)
        return body | {projection.DELETING: True} if obj.deleting else body

    def _want_intents(self, key: Key, change: Change) -> None:
        found: Mapping[Key, Intent] = {}
        uid = self._known_uid(change.new) if change.new is not None else ""
        if change.new is None:
            self._refresh_seen.pop(key, None)
        elif uid and not wants.is_ignored(change.new):
            asked = intents.asked(change.new, self._first_seen(key, change.new))
            found = {key.of(Kind.INTENT, intent.verb): intent for intent in asked}
        for intent_key in intent_keys(key):
            intent = found.get(intent_key)
            if intent is None:
                if self._intents.pop(intent_key, None) is not None:
                    self._answered_at.pop(intent_key, None)
                    self.outlet.absent(intent_key)
            else:
                if self._intents.get(intent_key) != intent:
                    self._answered_at.pop(intent_key, None)
                self._intents[intent_key] = intent
                self.outlet.want(intent_key, wants.intent(uid, intent))

    def _known_uid(self, obj: Object) -> str:
        """The uid by which the spoke knows this Application."""
        return obj.annotations.get(names.SOURCE_UID, "") if self.mapping.autonomous else obj.meta.uid

    def _first_seen(self, key: Key, obj: Object) -> str:
        """The resourceVersion at which the refresh annotation that stands was first seen here."""
        standing = obj.annotations.get(names.REFRESH)
        if standing is None:
            self._refresh_seen.pop(key, None)
            return ""
        seen = self._refresh_seen.setdefault(key, (obj.meta.uid + standing, obj.meta.resource_version))
        if seen[0] != obj.meta.uid + standing:
            seen = self._refresh_seen[key] = (obj.meta.uid + standing, obj.meta.resource_version)
        return seen[1]

    def _body(self, key: Key) -> bytes | None:
        if key.kind is Kind.INTENT:
            intent = self._intents.get(key)
            return wants.intent_body(intent) if intent is not None else None
        obj = self._hub.informer(key.kind).get(*self.mapping.hub_name(key))
        body = self._desired_body(key, obj) if obj is not None else None
        return canonical(body) if body is not None else None

    def _asof(self, kind: Kind) -> str:
        return self._hub.informer(kind).resource_version

    # What the agent says

    def inlet(self, record: Record) -> Record:
        """Check that this agent may say that, and put a mirror's body into the hub's names.

        Raises:
            RemoteProtocolError: it may not, or it makes no sense.
        """
        if not self.mapping.in_scope(record.key):
            raise RemoteProtocolError(f"{record.key} is out of this agent's scope")
        if record.tombstone or not self._observed[record.key.kind].copied:
            return record
        body = read_copy(record)
        assert body is not None
        try:
            return attrs.evolve(record, body=canonical(self.mapping.up(record.key.kind, body)))
        except (TypeError, AttributeError, ValueError) as exc:
            raise RemoteProtocolError(f"the spec of {record.key} makes no sense: {exc}") from exc

    def answered(self, ticket: Ticket, result: Result) -> None:
        """A record of ours was answered for good."""
        key = ticket.key
        if key.kind is not Kind.INTENT:
            keeper = self._projects if key.kind is Kind.APP_PROJECT else self._applications
            keeper.touch(*self.mapping.hub_name(key))
            self._agree()
            return
        intent = self._intents.get(key)
        if intent is None or ticket.want is None:
            return
        if wants.intent(ticket.uid, intent).digest != ticket.want.digest:
            return  # The answer to an earlier request: the one that stands now has not been answered.
        if result.outcome is Outcome.APPLIED:
            self._answered_at[key] = result.asof or _UNORDERED
        elif key.verb == Verb.SYNC and result.outcome is Outcome.REJECTED:
            self._applications.reject(*self.mapping.hub_name(key), intent.id, result.reason)

    def compared(self) -> None:
        """It is known now what the spoke holds: what it lacks already is answered without a record."""
        for obj in self._hub.applications.objects.values():
            if self._is_mine(obj):
                self.telling.look(obj)
                if obj.deleting:
                    self._applications.touch(obj.meta.namespace, obj.meta.name)
        self.touch_leaving_projects()
        self._agree()

    def _agree(self) -> None:
        if self.outlet.core.proven:
            self.holds.settled()

    def touch_leaving_projects(self) -> None:
        """Look again at the hub's projects that are going: what they waited for may be gone."""
        for obj in self._hub.projects.objects.values():
            if obj.deleting:
                self._projects.touch(obj.meta.namespace, obj.meta.name)

    def _unstarted(self, intent: Key, asof: str) -> None:
        """As of then the spoke shows nothing of this sync.

        If that is after it was applied, the copy that knew of it has gone: the one that stands now is asked.
        """
        answered = self._answered_at.get(intent, "")
        # Where versions have no order, an older body could not be told from a newer one: the next link asks.
        if rv.at_least(asof, answered) and self.outlet.core.answered(intent):
            self.outlet.force(intent)

    def _carried_out(self, obj: Object) -> bool:
        """Has the spoke carried out the deletion of this hub object?"""
        if self.mapping.autonomous:
            return False  # Mirrors are put back by their workers.
        kind = Kind.APP_PROJECT if obj.kind == Kind.APP_PROJECT.value else Kind.APPLICATION
        key = self.mapping.key(kind, obj.meta.name)
        # An answer to one of our own writes may show the deletion before the informer does. What the spoke
        # has been asked for, and has answered, follows from the informer.
        seen = self._hub.informer(kind).get(obj.meta.namespace, obj.meta.name)
        if key is None or seen is None or seen.meta.uid != obj.meta.uid or not seen.deleting:
            return False
        if kind is Kind.APP_PROJECT and self._hub.uses(obj.meta.name):
            return False  # Argo CD keeps a project until no Application needs it, whichever agent has that.
        return self.outlet.core.answered(key)

    def feeds(self) -> Feeds:
        """Both feeds, for a link."""
        holds = self.holds
        mine = (self.outlet, self.workers, self.answered, self.inlet, self.compared, self.heard)
        return Feeds(*mine, holds.view, holds.viewed, holds.held)

    # For people

    def link_is(self, link: Link | None) -> None:
        """A link has come up (None: it has ended)."""
        if link is not None:
            self.links += 1
        elif self.link is not None:
            self._past = self._past.plus(self.link.statistics())
        self.link = link

    def status(self) -> PeerStatus:
        """Where it stands now."""
        live = self.link.statistics() if self.link is not None else LinkStatistics()
        return PeerStatus(
            name=self.mapping.agent,
            mode=self.mode,
            connected=self.link is not None,
            links=self.links,
            desired=self.outlet.statistics(),
            observed=self.workers.statistics(),
            consistent_as_of=self.outlet.consistent_as_of(Kind.APPLICATION),
            traffic=self._past.plus(live),
            silence=self.outlet.silence(),
            held=self.holds.shown,
        )
