"""One agent as the principal knows it: both feeds, and what the hub's objects mean for them.

A peer outlives its links. What it knows of the hub comes from the informers that all peers share; what it
knows of its spoke comes over the link and is proven anew on each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import attrs
import trio
from msgspec import structs

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.kube.protocol.cache import Change
from trio_argoagent.model import identity
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Feed, Key, Kind
from trio_argoagent.model.objects import Object, canonical
from trio_argoagent.model.records import Outcome, Record, Result
from trio_argoagent.model.selectors import LabelSelector
from trio_argoagent.ports.transport import Link, LinkStatistics
from trio_argoagent.principal.asking import Asking
from trio_argoagent.principal.crowding import Crowding
from trio_argoagent.principal.desired import Desired
from trio_argoagent.principal.holds import Holds
from trio_argoagent.principal.hub import Hub
from trio_argoagent.principal.keeper import Keeper
from trio_argoagent.principal.status import PeerStatus
from trio_argoagent.principal.tunnels import Tunnels
from trio_argoagent.replication.bodies import read_copy
from trio_argoagent.replication.copies import Copies, retained
from trio_argoagent.replication.dependencies import Dependencies
from trio_argoagent.replication.feeds import Feeds
from trio_argoagent.replication.happenings import Happenings, Involved
from trio_argoagent.replication.intents import status_key
from trio_argoagent.replication.outlet import Outlet
from trio_argoagent.replication.refusals import Name, Refusals
from trio_argoagent.replication.statuses import Statuses
from trio_argoagent.replication.telling import Telling
from trio_argoagent.replication.workers import UNGUARDED, Trade, Workers
from trio_argoagent.stream.protocol import messages
from trio_argoagent.sync import kinds, policy
from trio_argoagent.sync.allowance import Allowance
from trio_argoagent.sync.guard import Answer, Departure, Limits
from trio_argoagent.sync.kinds import Row
from trio_argoagent.sync.mapping import NamespaceMapping
from trio_argoagent.sync.plan import Place
from trio_argoagent.sync.selection import Selection
from trio_argoagent.sync.source import Ticket


class Peer:
    """See the module.

    Args:
        hub: the informers that all peers share.
        mapping: between the hub and this agent.
        report: told what it refuses, one line each.
        limits: which deletions of mirrors pass by themselves.
        tell: told what happens to it: name, text, level.
    """

    def __init__(
        self,
        hub: Hub,
        mapping: NamespaceMapping,
        report: Callable[[str], None] = lambda text: None,
        limits: Limits = UNGUARDED,
        tell: Callable[[str, str, str], None] = lambda name, text, level: None,
    ) -> None:
        self.mapping = mapping
        self.mode = Mode.AUTONOMOUS if mapping.autonomous else Mode.MANAGED
        self.link: Link | None = None
        self.who: identity.Peer | None = None
        """Who spoke last for the agent, as proven."""
        self.tunnels = Tunnels(mapping.agent)
        self.links = 0
        self.info: messages.ClusterInfo | None = None
        """What is in its cluster, as it has said last."""
        self.on_informed: Callable[[], None] = lambda: None
        """Called when a link has come or gone, and when the agent has counted."""
        self._past = LinkStatistics()
        self._hub, self._tell = hub, tell
        self._executors = hub.executors(mapping)
        self._observed = kinds.rows(self.mode, Feed.OBSERVED, hub.local)
        self.outlet = Outlet(self._body, lambda kind: hub.informer(kind).resource_version)
        self._desired = Desired(hub, mapping, kinds.rows(self.mode, Feed.DESIRED, hub.local), self.outlet)
        self._asking = Asking(mapping, self.outlet, hub.env.now)
        self._keepers = {
            kind: Keeper(
                self._executors[kind],
                hub.env,
                partial(self._carried_out, kind),
                partial(self._takes_part, kind),
                self._asking.has_started,
                hub.intent_expiry,
                tell,
            )
            for kind in hub.stores.kinds
            if hub.stores[kind].is_essential  # Argo CD's finalizers, and requests, are on Argo CD's own.
        }
        self.telling = self._make_telling(report)
        self._allowance = Allowance(hub.max_agent_objects, self._mirrors)
        self.workers = self._make_workers(limits)
        self.holds = Holds(hub, hub.memory, mapping, self.workers, tell)
        self._catch_up()

    def _make_workers(self, limits: Limits) -> Workers:
        hub, observed = self._hub, self._observed
        projects = hub.stores[Kind.APP_PROJECT].known
        order = Dependencies(
            lambda: filter(self._is_mine, hub.objects(Kind.APPLICATION, self.mapping)),
            lambda name: projects.get(self.mapping.principal_namespace, name) is not None,
            lambda app: False,  # A mirror's deletion needs no project: nothing is pruned for it.
        )
        how = (self._place, order, self._wanted_since, self._may_go)
        trades: dict[Kind, Trade] = {
            kind: Copies(self._executors[kind], *how, allowance=self._allowance)
            for kind, row in observed.items()
            if row.copied
        }
        trades[Kind.STATUS] = Statuses(
            self._executors[Kind.STATUS],
            self.mapping,
            self._asking.requested_at,
            self._asking.unstarted,
            self._keepers[Kind.APPLICATION].ended,
            lambda app: self.telling.message(app),
            hub.env.timestamp,
            self._why_no_mirror,
        )
        listed = frozenset(kind for kind, row in observed.items() if row.listed)
        return Workers(trades, listed=listed, ended=self._ended, limits=limits)

    def _mirrors(self) -> int:
        return sum(self.workers.core.count(kind) for kind, row in self._observed.items() if row.copied)

    def _why_no_mirror(self, status: Key) -> str:
        """Why the mirror that this status would be written on will not come soon; empty: it may."""
        app = status.of(Kind.APPLICATION)
        comes = not self.mapping.autonomous or self.workers.core.wanted(app) is not None
        return "" if comes else self._allowance.refusal()

    def _make_telling(self, report: Callable[[str], None]) -> Telling:
        hub, agent = self._hub, self.mapping.agent
        standing = Refusals(self.mapping.hub_name, self.outlet.core.answered, f"agent {agent}", "the hub")
        on_cluster = Happenings(hub.cluster, hub.env, partial(hub.cluster_secret, agent))
        secret = Involved("v1", "Namespace", hub.namespace, hub.namespace)
        self._crowding = Crowding(agent, on_cluster, secret, self._tell)
        told = (self._executors[Kind.APPLICATION], standing, on_cluster, self._key_of, hub.env, report)
        return Telling(*told, self._remark)

    def _remark(self, app: Object) -> str:
        """What an Application itself gives reason to say on it."""
        if self.mapping.autonomous or self._desired.selection.leaves_out(app):
            return ""
        return self.mapping.shadowed(app) or (policy.remark(app.annotations) if self._is_mine(app) else "")

    def _key_of(self, kind: Kind, name: Name) -> Key | None:
        obj = self._hub.stores.get(kind, *name)
        return self.mapping.find(kind, obj) if obj is not None else self.mapping.key(kind, *name)

    def _ended(self, key: Key, outcome: Outcome, reason: str) -> None:
        """The hub has taken a record of this agent, or not. Of a mirror its agent tells on the spoke."""
        self._crowding.heard(outcome, reason)
        if key.kind is Kind.STATUS and not self.mapping.autonomous:
            self.telling.heard(key, outcome, reason, local=True)

    def heard(self, key: Key, result: Result) -> None:
        """The agent has answered a record of ours, if only for now."""
        self.telling.heard(key, result.outcome, result.reason)
        if key.kind is Kind.INTENT and result.outcome is Outcome.PENDING:
            self._waits(key.verb, key, result.reason)

    def _waits(self, verb: str, key: Key, reason: str) -> None:
        name = "/".join(self.mapping.hub_name(key))
        self._tell("intent-waits", f"the {verb} of {name} waits: {reason}", "info")

    def _wanted_since(self, key: Key) -> float | None:
        return self.workers.core.wanted_since(key)

    def _may_go(self, departure: Departure, now: float) -> Answer:
        return self.workers.guard.ask(departure, now)

    def _place(self, key: Key) -> Place:
        row = self._observed[key.kind]
        # What agents share a namespace for says itself whose it is.
        owner = self.mapping.agent if row.shared else ""
        return Place(row, *self.mapping.hub_name(key), mirror=True, owner=owner)

    def _is_mine(self, app: Object) -> bool:
        return self.mapping.find(Kind.APPLICATION, app) is not None

    def speaks_for(self, app: Object) -> bool:
        """Is this Application of the hub this agent's, or has this peer anything to say on it?"""
        return self._is_mine(app) or bool(self._remark(app))

    def _takes_part(self, kind: Kind, obj: Object) -> bool:
        return self.mapping.find(kind, obj) is not None and not self._desired.selection.leaves_out(obj)

    def choose(self, *selectors: LabelSelector, hydrates: bool = True) -> None:
        """Of the hub's objects only those take part that all of these select.

        Args:
            selectors: of both sides.
            hydrates: does the agent know requests for a hydration? From another one they are kept.
        """
        selection = Selection(() if self.mapping.autonomous else selectors)
        if (selection, hydrates) != (self._desired.selection, self._asking.hydrates):
            self._asking.hydrates = hydrates
            self._desired.selection = self._asking.selection = selection
            self.holds.select(selection)
            self._catch_up()

    def _catch_up(self) -> None:
        """Take in what the informers already hold."""
        self.on_state()
        for kind in self._hub.stores.kinds:
            for obj in self._hub.objects(kind, self.mapping):
                self.on_change(kind, Change(None, obj, initial=True))

    async def run(self) -> None:
        """Work for this agent until cancelled, whether it is connected or not."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.workers.run)
            for kind, keeper in self._keepers.items():
                nursery.start_soon(keeper.run, name=f"keeper {kind}")
            nursery.start_soon(self.telling.run)
            nursery.start_soon(self._crowding.run)

    # What the hub's informers say

    def on_state(self) -> None:
        """An informer's view has become complete, or has ceased to be."""
        before = self.outlet.silence()
        for kind in self._desired.rows:
            reason = self._hub.incomplete(kind, self.mapping.home)
            self.outlet.set_complete(kind, not reason, reason)
        self.holds.silent(before, self.outlet.silence())

    def on_change(self, kind: Kind, change: Change) -> None:
        """An object of a copied kind has changed on the hub, whoever's it is.

        What comes to this agent is new, and what goes to another one is gone.
        """
        shared, obj = kinds.BASE[kind].shared, change.object
        mine = change.of(lambda each: self.mapping.find(kind, each) is not None)
        key = self.mapping.find(kind, mine.object) if mine is not None else None
        if mine is None or key is None:
            if kind is Kind.APPLICATION and self._remark(obj):
                self.telling.look(obj)
            return
        change = mine
        self._desired.changed(key, change)
        if kind in self._desired.rows:
            self.telling.changed(key, change)
        for row in self._observed.values():
            if row.on is kind:
                self._observe(row, key.of(row.kind), change)
        if shared and kind in self._observed:
            self._wake(self.workers.core.waiting())
        elif change.old is None or change.new is None:
            # A status may have come before its mirror, a mirror may have found its name taken.
            self._wake((key, status_key(key)))
        if kind is Kind.APPLICATION:
            for asked in self._asking.changed(key, change):
                if self.link is None:
                    self._waits(asked.verb, key, "the agent is not connected")
            self.telling.look(obj)
        if kind in self._keepers:
            self._keepers[kind].touch(obj.meta.namespace, obj.meta.name)

    def _observe(self, row: Row, key: Key, change: Change) -> None:
        self.workers.observe(key, lambda: retained(row, key, change.new) if row.copied else None)

    def _wake(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self.workers.touch(key)

    def _body(self, key: Key) -> bytes | None:
        return self._asking.body(key) if key.kind is Kind.INTENT else self._desired.body(key)

    # What the agent says

    def inlet(self, record: Record) -> Record:
        """Check that this agent may say that, and put a mirror's body into the hub's names.

        Raises:
            RemoteProtocolError: it may not, or it makes no sense.
        """
        if not self.mapping.in_scope(record.key):
            self._hub.foreign(self.mapping.agent, self.who, record.key)
            raise RemoteProtocolError(f"{record.key} is out of this agent's scope")
        if record.tombstone or not self._observed[record.key.kind].copied:
            return record
        body = read_copy(record)
        assert body is not None
        try:
            return structs.replace(record, body=canonical(self.mapping.up(record.key, body)))
        except (TypeError, AttributeError, ValueError) as exc:
            raise RemoteProtocolError(f"the spec of {record.key} makes no sense: {exc}") from exc

    def answered(self, ticket: Ticket, result: Result) -> None:
        """A record of ours was answered for good."""
        key, name = ticket.key, self.mapping.hub_name(ticket.key)
        if key.kind is not Kind.INTENT:
            if key.kind in self._keepers:
                self._keepers[key.kind].touch(*name)
            self._agree()
            return
        rejected = self._asking.answered(ticket, result)
        if rejected is not None:
            self._keepers[Kind.APPLICATION].reject(*name, rejected.id, result.reason)

    def compared(self) -> None:
        """It is known now what the spoke holds: what it lacks already is answered without a record."""
        for obj in self._hub.objects(Kind.APPLICATION, self.mapping):
            if self._is_mine(obj):
                self.telling.look(obj)
        for kind in self._keepers:
            self.touch_leaving(kind)
        self._agree()

    def _agree(self) -> None:
        if self.outlet.core.proven:
            self.holds.settled()

    def touch_leaving(self, kind: Kind) -> None:
        """Look again at the hub's objects that are going: what they waited for may be gone."""
        for obj in self._hub.objects(kind, self.mapping):
            if obj.deleting and self.mapping.find(kind, obj) is not None:
                self._keepers[kind].touch(obj.meta.namespace, obj.meta.name)

    def _carried_out(self, kind: Kind, obj: Object) -> bool:
        """Has the spoke carried out the deletion of this hub object?"""
        if self.mapping.autonomous:
            return False  # Mirrors are put back by their workers.
        key = self.mapping.find(kind, obj)
        # An answer to one of our own writes may show the deletion before the informer does. What the spoke
        # has been asked for, and has answered, follows from the informer.
        seen = self._hub.stores.get(kind, obj.meta.namespace, obj.meta.name)
        if key is None or seen is None or seen.meta.uid != obj.meta.uid or not seen.deleting:
            return False
        if kind is Kind.APP_PROJECT and self._hub.uses(obj.meta.name):
            return False  # Argo CD keeps a project until no Application needs it, whichever agent has that.
        return self.outlet.core.answered(key)

    def feeds(self) -> Feeds:
        """Both feeds, for a link."""
        holds = self.holds
        mine = (self.outlet, self.workers, self.answered, self.inlet, self.compared, self.heard)
        foreign = partial(self._hub.foreign, self.mapping.agent, self.who)
        views = (holds.view, holds.viewed, holds.held, self._in_step)
        return Feeds(*mine, *views, informed=self._informed, foreign=foreign)

    def _informed(self, info: messages.ClusterInfo) -> None:
        self.info = info
        self.on_informed()

    def _in_step(self) -> None:
        self._tell("in-step", "the agent holds what it should", "info")

    # For people

    def link_is(self, link: Link | None) -> None:
        """A link has come up (None: it has ended)."""
        self._past = self.traffic()
        if link is not None:
            self.links += 1
            self.who = link.peer
        self.link = link
        self.on_informed()

    def traffic(self) -> LinkStatistics:
        """What has crossed all links so far."""
        return self._past if self.link is None else self._past.plus(self.link.statistics())

    def status(self) -> PeerStatus:
        """Where it stands now."""
        return PeerStatus(
            name=self.mapping.agent,
            mode=self.mode,
            connected=self.link is not None,
            links=self.links,
            desired=self.outlet.statistics(),
            observed=self.workers.statistics(),
            consistent_as_of=self.outlet.consistent_as_of(),
            traffic=self.traffic(),
            silence=self.outlet.silence(),
            held=self.holds.shown,
            waiting=self._asking.waiting(dict(self.outlet.core.waiting())),
            freight=attrs.evolve(self.outlet.freight),
        )
