"""The principal as a program: opens its nurseries and carries out effects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Final

import attrs
import trio

from trio_argoagent import errors
from trio_argoagent.kube.informer import Informer
from trio_argoagent.kube.protocol.cache import Change
from trio_argoagent.model import identity
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.model.rulings import Auditor, unaudited
from trio_argoagent.ports.cluster import Cluster, MergePatch
from trio_argoagent.ports.env import Env
from trio_argoagent.ports.tracing import Tracing
from trio_argoagent.ports.transport import Listener
from trio_argoagent.principal import accounts
from trio_argoagent.principal.agents import PATIENCE, Agents
from trio_argoagent.principal.clusterinfo import ClusterInfos, Sight, sight
from trio_argoagent.principal.clusters import Pin
from trio_argoagent.principal.door import Door
from trio_argoagent.principal.gatekeeper import Gatekeeper
from trio_argoagent.principal.history import History
from trio_argoagent.principal.hub import Hub
from trio_argoagent.principal.links import Links
from trio_argoagent.principal.peer import Peer
from trio_argoagent.principal.presence import About, Answering, Fleet, Live
from trio_argoagent.principal.revocation import Revocation
from trio_argoagent.principal.status import PeerStatus
from trio_argoagent.principal.tenure import Seated, Tenure
from trio_argoagent.principal.trust import Authorities
from trio_argoagent.principal.unclaimed import Unclaimed
from trio_argoagent.redis.server import RedisServer
from trio_argoagent.runtime.backoff import Backoff
from trio_argoagent.runtime.config import PrincipalConfig
from trio_argoagent.runtime.endings import Endings
from trio_argoagent.runtime.events import Event, Observer, ignore
from trio_argoagent.runtime.freshness import Freshness
from trio_argoagent.stream.admission import same
from trio_argoagent.stream.protocol import messages
from trio_argoagent.sync import entitlement, kinds
from trio_argoagent.sync.destinations import destination_of
from trio_argoagent.sync.mapping import Style
from trio_argoagent.sync.selection import Selection

IDENTITY: Final = "argocd-agent-principal-identity"
"""The ConfigMap that keeps the principal's uid, as argocd-agent names it."""
NAMESPACES_WAIT: Final = 10.0
"""Seconds to wait for the hub's namespaces: without the right to read them a deleted one is not noticed."""

MAX_BANS: Final = 64
"""Bans that the hub's people have not been told of yet."""


class Principal:
    """One principal. ``run`` it once.

    Args:
        config: its settings.
        cluster: the hub's API.
        listener: where agents come in.
        env: time and randomness.
        observer: told what happens.
        audit: told of every security decision.
        gatekeeper: who stays outside; whoever lets connections in asks the same one.
        redis: the hub's, where Argo CD's UI looks; None: nothing is written there.
    """

    def __init__(
        self,
        config: PrincipalConfig,
        *,
        cluster: Cluster,
        listener: Listener,
        env: Env,
        observer: Observer = ignore,
        audit: Auditor = unaudited,
        gatekeeper: Gatekeeper | None = None,
        redis: RedisServer | None = None,
    ) -> None:
        self.config = config
        self._cluster, self._listener, self._env, self._observer = cluster, listener, env, observer
        self.hub = Hub(cluster, config, env, audit)
        self._agents = Agents(
            self.hub, self._make_peer, self._part, self._forget, self._report, config.registration
        )
        gatekeeper = gatekeeper or Gatekeeper(audit)
        self._door = Door(self.hub, config, self._agents, gatekeeper, self._report)
        self.gatekeeper, gatekeeper.on_ban = gatekeeper, self._ban
        self._revocation = Revocation(self.hub, gatekeeper, self._agents, self._report)
        self.peers = self._agents.peers
        self._unclaimed = Unclaimed(self.hub, self._is_claimed, self._waits, self._no_such_agent)
        self._infos = self._make_infos(redis) if redis is not None else None
        self._authorities = Authorities(
            cluster, config.namespace, env, self._secret_of, self._door.wake, partial(self._report, "")
        )
        self._history = History(self.peers, env.now)
        self._links = Links(config, self._door, self._history, self._authorities, env, self._report, audit)
        self._bans = trio.open_memory_channel[tuple[str, str]](MAX_BANS)
        self._tenure: Tenure | None = None
        self._tracing: Tracing | None = None
        self._serving, self._stopping = False, trio.Event()
        self.hub.stores.on_change(self._on_change)
        for store in self.hub.stores:
            store.informer.on_state(self._on_state)
            store.informer.on_list(self._on_list)
        self.hub.namespaces.on_change(self._on_namespace)
        self.hub.memory.on_change(self._on_memory)
        self._answering = Answering(
            self.hub.memory, self._door.live, self._about, self._fleet, gatekeeper.outside
        )

    def follow(self, freshness: Freshness | None) -> None:
        """Before ``run``: let no link outlive its certificates, and tell agents of another CA.

        Args:
            freshness: the TLS material of the listener; None: there is none.
        """
        if freshness is not None:
            hub = self.hub
            self._tenure = Tenure(self._seated, freshness, hub.env, self._report, hub.audit)
            if freshness.trust is not None:
                self._authorities.follow(freshness.trust)

    def trace(self, tracing: Tracing) -> None:
        """Before ``run``: tell this of each step that a change takes."""
        self._tracing = tracing
        self.hub.stores.on_change(lambda kind, change: tracing.informed(kind, change.old, change.new))

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve agents until cancelled. Reports started once the hub is known and agents may dial."""
        self._links.principal_uid = await self._identity()
        async with trio.open_nursery() as nursery:
            await nursery.start(self.hub.stores.run)
            await self.hub.stores.wait_all()
            nursery.start_soon(self.hub.namespaces.run, name="informer namespaces")
            nursery.start_soon(self.hub.memory.run)
            with trio.move_on_after(NAMESPACES_WAIT):
                await self.hub.namespaces.wait_synced()
            await self.hub.memory.wait_synced()
            await nursery.start(self._agents.run)
            await nursery.start(self._revocation.run)
            nursery.start_soon(self._unclaimed.run)
            nursery.start_soon(self._authorities.run)
            nursery.start_soon(self._tell_of_bans)
            if self._infos is not None:
                nursery.start_soon(self._infos.run)
            if self._tenure is not None:
                nursery.start_soon(self._tenure.run)
            # Last, so that nobody is welcomed by a principal that does not know its own objects yet.
            serve = partial(self._listener.serve, self._links.serve, until=self._stopping)
            await nursery.start(serve)
            self._serving = True
            task_status.started()

    @property
    def serves(self) -> bool:
        """May agents dial? Not before it knows the hub, and not while it takes its leave."""
        return self._serving and not self._stopping.is_set()

    def _secret_of(self, agent: str) -> str:
        entry = self._agents.entry(agent)
        return entry.secret if entry is not None else ""

    def _part(self, agent: str, goodbye: messages.Goodbye) -> None:
        self._door.part(agent, goodbye)
        self._unclaimed.agents_changed()

    def _forget(self, agent: str) -> None:
        self._history.forget(agent)

    def _seated(self) -> dict[str, Seated]:
        links = {name: self.peers[name].link for name in self._door.seats if name in self.peers}
        seats = self._door.seats
        return {name: Seated(seats[name], link) for name, link in links.items() if link is not None}

    def _ban(self, who: identity.Peer, text: str) -> None:
        """Somebody has misbehaved too often: if he has a link, it ends."""
        self._report(who.name, "banned", text, "warning")
        if who.name:
            with suppress(trio.WouldBlock):  # Beyond that the log and the audit log have it alone.
                self._bans[0].send_nowait((who.name, text))
        peer = self.peers.get(who.name)
        if peer is not None and peer.link is not None and same(peer.link.peer, who):
            self._door.part(who.name, messages.Goodbye(messages.Reason.BANNED, text))

    async def _tell_of_bans(self) -> None:
        """The hub's people see that there are bans, as Events on the agent's cluster secret.

        Not each: one that is as long as another of the last minutes is the same Event, of a hub that does not
        answer is waited for one at a time and not for long, and an agent has its share of them.
        """
        async for name, text in self._bans[1]:
            with trio.move_on_after(PATIENCE):
                await self._door.tell(name, messages.Refuse(messages.Reason.BANNED, text))

    def _make_infos(self, redis: RedisServer) -> ClusterInfos:
        def look_at(agent: str) -> Sight | None:
            peer = self.peers.get(agent)
            return sight(peer) if peer is not None else None

        return ClusterInfos(self.hub.secrets, redis, look_at, self._env, partial(self._report, ""))

    def _make_peer(self, name: str, pin: Pin, home: str) -> Peer:
        mapping = self.config.mapping(name, pin.mode, pin.namespace, home)
        refused, tell = partial(self._refused, name), partial(self._report, name)
        peer = Peer(self.hub, mapping, refused, self.config.limits, tell)
        if self._tracing is not None:
            peer.outlet.tracer = peer.workers.tracer = self._tracing.of(lambda: name, pin.mode)
        peer.choose(self.config.selector)
        self._unclaimed.agents_changed()
        if self._infos is not None:
            peer.on_informed = self._infos.look
        return peer

    async def _identity(self) -> str:
        """This hub's uid, made once and kept in a ConfigMap."""
        backoff = Backoff(self._env.random)
        while True:
            try:
                return await self._read_identity()
            except (errors.ApiError, errors.OutcomeUnknown, errors.RemoteProtocolError) as exc:
                self._report("", "hub-unreachable", f"the hub's API server: {exc}", "warning")
                await trio.sleep(backoff.next_wait())

    async def _read_identity(self) -> str:
        namespace = self.config.namespace
        try:
            found = await self._cluster.get(CONFIG_MAPS, namespace, IDENTITY)
        except errors.NotFound:
            value = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": IDENTITY, "namespace": namespace},
                "data": {"principal-uid": self._env.entropy(16).hex()},
            }
            found = await self._cluster.create(CONFIG_MAPS, value)
        uid = str((found.get("data") or {}).get("principal-uid") or "")
        if not uid:
            # Somebody made it first, without the one thing that it is for: no agent could be welcomed.
            uid = self._env.entropy(16).hex()
            version = {"resourceVersion": found.meta.resource_version}
            patch = MergePatch({"metadata": version, "data": {"principal-uid": uid}})
            await self._cluster.patch(CONFIG_MAPS, namespace, IDENTITY, patch)
        return uid

    # What the informers say

    def _on_change(self, kind: Kind, change: Change) -> None:
        for peer in self._concerned(kind, change):
            peer.on_change(kind, change)
        self._look_for_scope(kind, change)
        if kind is Kind.APPLICATION:
            self._unclaimed.changed(change)
        if kind is Kind.APPLICATION and change.new is None and self.hub.is_any_leaving(Kind.APP_PROJECT):
            # Whoever holds a deleting project's copy waits for its last Application, wherever that was.
            for each in self.peers.values():
                each.touch_leaving(Kind.APP_PROJECT)

    def _concerned(self, kind: Kind, change: Change) -> Iterable[Peer]:
        """The peers whose part of the hub this may be: of all of them few, or all."""
        if kinds.BASE[kind].shared:
            return self.peers.values()
        agents = dict.fromkeys((self._agents.owner(change.object.meta.namespace),))
        if self.config.style is Style.DESTINATION:
            sides = [app for app in (change.old, change.new) if app is not None]
            if any(app.unreadable for app in sides):
                return self.peers.values()
            agents |= dict.fromkeys(map(destination_of, sides))
        return [self.peers[name] for name in agents if name in self.peers]

    def _is_claimed(self, app: Object) -> bool:
        concerned = self._concerned(Kind.APPLICATION, Change(None, app))
        return any(peer.speaks_for(app) for peer in concerned)

    def _waits(self, app: Object) -> bool:
        """Would an agent get this Application if it were called as its destination?"""
        named = destination_of(app) if self.config.style is Style.DESTINATION else ""
        if not named or Selection((self.config.selector,)).leaves_out(app):
            return False
        mapping = self.config.mapping(named, Mode.MANAGED, self.config.namespace)
        return mapping.find(Kind.APPLICATION, app) is not None

    def _look_for_scope(self, kind: Kind, change: Change) -> None:
        """Say once of credentials without a project that they go nowhere: nothing else would."""
        if kinds.BASE[kind].within is None or change.new is None or entitlement.project_of(change.new):
            return
        if change.old is None or entitlement.project_of(change.old):
            text = f"Secret {change.new.meta.name} names no AppProject in data.project: no agent gets it"
            self._report("", "not-scoped", text)

    def _on_namespace(self, change: Change) -> None:
        for peer in self.peers.values():
            if change.object.meta.name in (peer.mapping.home, self.config.namespace):
                peer.on_state()

    def _on_memory(self, agent: str | None) -> None:
        if not agent:
            self._answering.look()
        for name in self.peers if agent is None else (agent,):
            if name in self.peers:
                self.peers[name].holds.look()

    def _on_list(self) -> None:
        for peer in self.peers.values():
            peer.workers.observe_again()

    def _on_state(self) -> None:
        for peer in self.peers.values():
            peer.on_state()

    def drain(self, agent: str) -> None:
        """Ask this agent, if it is connected, to go on over another connection."""
        self._links.drain(agent)

    async def stop(self) -> None:
        """Let every agent go on elsewhere, within a few seconds; cancel ``run`` then."""
        self._stopping.set()
        await self._links.stop()

    def _no_such_agent(self, agent: str, text: str) -> None:
        self._report(agent, "no-such-agent", text)

    def _refused(self, agent: str, text: str) -> None:
        self._report(agent, "agent-error", text, "warning")

    def _report(self, agent: str, name: str, text: str, level: str = "info") -> None:
        self._observer(Event(name, agent, text, level))

    def _about(self, agent: str) -> About | None:
        return accounts.about(self.peers.get(agent), self._history)

    def _fleet(self) -> Fleet:
        return accounts.fleet(self.peers, self._unclaimed.waiting)

    def live(self) -> Mapping[str, Live]:
        """The agents that are connected now."""
        return self._door.live()

    @property
    def endings(self) -> Endings:
        """How links have ended."""
        return self._links.endings

    @property
    def unclaimed(self) -> int:
        """Applications that wait for an agent that does not exist."""
        return len(self._unclaimed.waiting)

    @property
    def informers(self) -> tuple[Informer, ...]:
        """What it reads of the hub."""
        hub = self.hub
        others = (hub.namespaces, hub.secrets, hub.memory.informer, self._revocation.informer)
        return (*(store.informer for store in hub.stores), *others)

    def status(self) -> tuple[PeerStatus, ...]:
        """Where each agent stands now."""
        return tuple(
            attrs.evolve(peer.status(), contested=self._door.is_contested(name))
            for name, peer in self.peers.items()
        )
