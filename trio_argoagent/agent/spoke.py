"""The spoke's objects <-> the two feeds: what each change of an informer means for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import trio

from trio_argoagent.agent.revival import Revival
from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.kube.protocol.cache import Change
from trio_argoagent.model import rv
from trio_argoagent.model.identity import Mode, is_dns_label
from trio_argoagent.model.keys import Feed, Key, Kind
from trio_argoagent.model.objects import Object, canonical
from trio_argoagent.model.records import Outcome, Record, Result
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.ports.env import Env, rfc3339
from trio_argoagent.replication.bodies import is_departure
from trio_argoagent.replication.copies import Copies, retained
from trio_argoagent.replication.dependencies import CREDENTIALS, Arriving, Dependencies
from trio_argoagent.replication.happenings import Happenings, Involved
from trio_argoagent.replication.intents import Intents, intent_keys, source_uid, status_key
from trio_argoagent.replication.namespaces import NamespaceMaker
from trio_argoagent.replication.outlet import Outlet
from trio_argoagent.replication.refusals import Refusals
from trio_argoagent.replication.stores import Stores
from trio_argoagent.replication.telling import Telling
from trio_argoagent.replication.workers import Trade, Workers
from trio_argoagent.runtime.config import AgentConfig
from trio_argoagent.sync import kinds, names, projection, wants
from trio_argoagent.sync.guard import Answer, Departure, Limits
from trio_argoagent.sync.plan import Place
from trio_argoagent.sync.selection import is_ignored
from trio_argoagent.sync.source import Want

_NEEDED: Final = (Kind.APP_PROJECT, *CREDENTIALS)
"""The kinds that an Application needs, when it comes and when it goes."""


class Spoke:
    """The agent's side of both feeds.

    Args:
        cluster: the spoke's API.
        config: of the agent.
        env: time and randomness.
        came: called when something appears that Applications may need.
        report: told what the principal refuses, one line each.
    """

    def __init__(
        self,
        cluster: Cluster,
        config: AgentConfig,
        env: Env,
        came: Callable[[Kind, Object], None],
        report: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.scope, self.namespace, self.mode = config.scope, config.namespace, config.mode
        self._policies = policies = config.effective_policies
        self._env, self._came = env, came
        self.principal_uid = ""
        self.incarnation = ""
        places = {base.kind: self.scope.watched(base.kind) for base in kinds.bases(self.mode)}
        self.stores = Stores(cluster, places, env)
        self._executors = self.stores.executors(NamespaceMaker(cluster, self.scope.may_create))
        self._desired = kinds.rows(self.mode, Feed.DESIRED, policies.local)
        self._observed = kinds.rows(self.mode, Feed.OBSERVED, policies.local)
        self.outlet = Outlet(self._body, self._asof, Kind.STATUS, config.budget)
        self._arriving = Arriving(lambda key: self.workers.core.wanted(key) is not None)
        self.workers = self._make_workers(config.limits)
        self._revival = Revival(policies.recreation, self.workers.core)
        self.telling = self._make_telling(cluster, report)
        self.stores.on_change(self._on_change)
        for store in self.stores:
            store.informer.on_state(self._on_state)
            store.informer.on_list(self.workers.observe_again)

    def _make_workers(self, limits: Limits) -> Workers:
        projects = self.stores[Kind.APP_PROJECT].known
        dependencies = Dependencies(
            lambda: self.stores.objects(Kind.APPLICATION),
            lambda name: projects.get(self.namespace, name) is not None,
            lambda app: is_departure(
                self.workers.core.wanted(Key(Kind.APPLICATION, app.meta.namespace, app.meta.name))
            ),
            self._arriving.serving,
        )
        trades: dict[Kind, Trade] = {
            kind: Copies(
                self._executors[kind],
                self._place,
                dependencies,
                self._wanted_since,
                self._may_go,
                lambda record, fresh: self._revival.revive(record, fresh),
            )
            for kind, row in self._desired.items()
            if row.copied
        }
        self._intents = Intents(self._executors[Kind.INTENT], self._uid, self._intent_answered)
        trades[Kind.INTENT] = self._intents
        listed = frozenset(kind for kind, row in self._desired.items() if row.listed)
        return Workers(trades, listed=listed, ended=self._ended, limits=limits)

    def _ended(self, key: Key, outcome: Outcome, reason: str) -> None:
        """What waits for credentials is told of their end: a watch may not tell of that, or too early.

        Of a project it is asked only whether it is there, and that the watch tells.
        """
        if key.kind in CREDENTIALS and outcome is not Outcome.PENDING:
            self._touch_waiting(Kind.APPLICATION)

    def _make_telling(self, cluster: Cluster, report: Callable[[str], None]) -> Telling:
        standing = Refusals(
            lambda key: (key.namespace, key.name), self.outlet.core.answered, "the principal", "this cluster"
        )
        return Telling(
            self._executors[Kind.APPLICATION],
            standing,
            Happenings(cluster, self._env, _itself),
            lambda kind, name: Key(kind, *name),
            self._env,
            report,
        )

    def heard(self, key: Key, result: Result) -> None:
        """The principal has answered a record of ours. A managed agent's own statuses are told on the hub."""
        if self.mode is Mode.AUTONOMOUS:
            self.telling.heard(key, result.outcome, result.reason)

    def compared(self) -> None:
        """It is known now what the hub holds."""
        for app in self.stores.objects(Kind.APPLICATION):
            self._look(app)

    def _look(self, app: Object) -> None:
        if self.mode is Mode.AUTONOMOUS:
            self.telling.look(app)

    def _wanted_since(self, key: Key) -> float | None:
        return self.workers.core.wanted_since(key)

    def _may_go(self, departure: Departure, now: float) -> Answer:
        return self.workers.guard.ask(departure, now)

    def _place(self, key: Key) -> Place:
        row = self._desired[key.kind]
        where = (row, key.namespace, key.name, self.principal_uid, self.incarnation)
        return Place(*where, policies=self._policies, forbidden=self.scope.refusal(key))

    def _uid(self, obj: Object) -> str:
        """The uid by which the hub knows this Application."""
        return source_uid(obj) if self.mode is Mode.MANAGED else obj.meta.uid

    # What the informers say

    def _on_change(self, kind: Kind, change: Change) -> None:
        obj = change.object
        if not self.scope.covers(obj.meta.namespace):
            return
        key = Key(kind, obj.meta.namespace, obj.meta.name)
        self._observe(key, change)
        if kind is Kind.APPLICATION:
            self._on_application(key, change)
        self._want_copy(key, change)
        if kind is Kind.APPLICATION:
            self._look(obj)
        elif change.old is None and not change.initial:
            self._touch_waiting(Kind.APPLICATION)
            self._came(kind, obj)

    def _on_application(self, key: Key, change: Change) -> None:
        for intent in intent_keys(key):
            self.workers.touch(intent)
        if change.new is None or change.new.deleting:
            self._touch_waiting(*_NEEDED)
        self._want_status(status_key(key), change)

    def _on_state(self) -> None:
        for kind in self._observed:
            informer = self.stores[kind].informer
            reason = informer.degraded or "the spoke's objects are not known yet"
            self.outlet.set_complete(kind, informer.complete, reason)

    def _observe(self, key: Key, change: Change) -> None:
        row = self._desired.get(key.kind)
        if row is not None:
            if not self.principal_uid and change.new is not None:
                # Before the first link: a copy that must be put back meanwhile belongs to whom it did.
                self.principal_uid = change.new.annotations.get(names.PRINCIPAL_UID, "")
            if not row.in_place:
                self._revival.saw(key, change)
            if not (self.workers.core.guarded(key) and projection.is_same(row, change.old, change.new)):
                self.workers.observe(key, lambda: retained(row, key, change.new))

    def _touch_waiting(self, *those: Kind) -> None:
        for key in self.workers.core.waiting(*those):
            self.workers.touch(key)

    # What the hub shall see

    def _want_status(self, key: Key, change: Change) -> None:
        obj = change.new
        if wants.is_hidden(obj):
            self.outlet.hide(key)
            return
        uid = self._uid(obj) if obj is not None else ""
        want = None
        if obj is not None and uid and not self._leaves_out(obj):
            want = self._status_wanted(key, uid, obj)
        if want is not None:
            self.outlet.want(key, want)
        else:
            gone = self._uid(change.old) if change.old is not None and change.witnessed else ""
            self.outlet.absent(key, witnessed=gone)

    def _status_wanted(self, key: Key, uid: str, obj: Object) -> Want | None:
        version = obj.meta.resource_version
        asked = {verb: rv.is_newer(at, version) for verb, at in self._intents.requested_at(key).items()}
        return wants.status(uid, wants.status_body(obj), self._recently(), asked)

    def _intent_answered(self, key: Key) -> None:
        """An intent is done: the status is told once more, with what it says of it from now on."""
        obj = self.stores.get(Kind.APPLICATION, key.namespace, key.name)
        if obj is not None:
            self._want_status(status_key(key), Change(obj, obj))
        self.outlet.force(status_key(key))

    def _leaves_out(self, obj: Object) -> bool:
        """Is the hub not to know of it? Which of its own objects a managed agent has, the hub decides."""
        managed = self.mode is Mode.MANAGED
        return is_ignored(obj) if managed else self.scope.selection.leaves_out(obj)

    def _was_passed_over(self, change: Change) -> bool:
        """Is it no longer chosen, without having been seen to leave? The selector is another one, then."""
        old, new, chosen = change.old, change.new, self.scope.selection
        if new is None or not chosen.passes_over(new):
            return False
        return old is None or chosen.passes_over(old)

    def _recently(self) -> str:
        return rfc3339(int(self._env.now() - wants.FRESH))

    def _want_copy(self, key: Key, change: Change) -> None:
        row = self._observed.get(key.kind)
        if row is None:
            return
        obj = change.new
        self.telling.changed(key, change)
        if wants.is_hidden(obj):
            self.outlet.hide(key)
        elif obj is not None and not self._leaves_out(obj):
            self.outlet.want(key, wants.copy(row, obj.meta.uid, projection.copy_projection(row, obj)))
        else:
            old = change.old or obj
            seen = change.witnessed and not self._was_passed_over(change)
            gone = old.meta.uid if old is not None and seen else ""
            self.outlet.absent(key, witnessed=gone)

    def inlet(self, record: Record) -> Record:
        """Check a record of the principal before it is taken.

        Raises:
            RemoteProtocolError: it is about a namespace that the informers do not see: whatever rights we
                have elsewhere are none of the hub's business.
        """
        key = record.key
        if self.scope.watched(key.kind) not in ("", key.namespace):
            raise RemoteProtocolError(f"{key} is not in the namespace {self.namespace}")
        if not is_dns_label(key.namespace):
            raise RemoteProtocolError(f"{key} is in no namespace that can be")
        self._arriving.note(record)
        return record

    def _body(self, key: Key) -> bytes | None:
        obj = self.stores.get(key.kind, key.namespace, key.name)
        if obj is None or obj.unreadable:
            return None
        if key.kind is Kind.STATUS:
            return canonical(wants.status_body(obj))
        return canonical(projection.copy_projection(self._observed[key.kind], obj))

    def _asof(self, kind: Kind) -> str:
        return self.stores[kind].informer.resource_version


async def _itself(subject: Involved) -> Involved:
    """On a spoke there is no cluster secret to speak of: an Event is about the object itself."""
    await trio.lowlevel.checkpoint()
    return subject
