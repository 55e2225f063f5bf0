"""The agent as a program: opens its nurseries and carries out effects."""

from __future__ import annotations

import math
from typing import Final

import attrs
import trio

from trio_argoagent import errors
from trio_argoagent.agent.counting import Counting
from trio_argoagent.agent.refresher import Refresher
from trio_argoagent.agent.renewal import Renewer
from trio_argoagent.agent.spoke import Spoke
from trio_argoagent.agent.trust import Trust
from trio_argoagent.agent.uplink import LinkState, LinkStatus, Uplink
from trio_argoagent.agent.views import Views
from trio_argoagent.kube.informer import Informer
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import NAMESPACES
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.ports.env import Env
from trio_argoagent.ports.tracing import Tracing
from trio_argoagent.ports.transport import Dialer, LinkStatistics
from trio_argoagent.redis.server import RedisServer
from trio_argoagent.replication.memory import Memory
from trio_argoagent.runtime.backoff import Backoff
from trio_argoagent.runtime.config import AgentConfig
from trio_argoagent.runtime.endings import Endings
from trio_argoagent.runtime.events import Event, Observer, ignore
from trio_argoagent.runtime.freshness import Freshness
from trio_argoagent.stream.protocol.freight import FreightStatistics
from trio_argoagent.sync import names
from trio_argoagent.sync.flow import FlowStatistics
from trio_argoagent.sync.guard import HeldSet
from trio_argoagent.sync.replica import ReplicaStatistics
from trio_argoagent.sync.source import SourceStatistics

IDENTITY_NAMESPACE: Final = "kube-system"
"""The uid of this namespace is taken for the uid of the cluster, as everybody does."""


@attrs.frozen
class AgentStatus:
    """What an agent can say of itself at one moment."""

    name: str
    link: LinkState
    links: int
    observed: SourceStatistics
    desired: ReplicaStatistics
    consistent_as_of: str
    traffic: LinkStatistics
    flow: FlowStatistics
    """The statuses that are under way."""
    silence: str = ""
    """Of which kinds no absence is told to the principal, and why."""
    held: HeldSet | None = None
    """The deletions that wait for a person."""
    freight: FreightStatistics = attrs.field(factory=FreightStatistics)
    """How the bodies of its feed have travelled."""
    link_since: float = 0.0
    """When the link has come up, or gone (Unix time)."""
    trouble: str = ""
    """Why the last link has ended, or why there was none; for people."""


class Agent:
    """One agent. ``run`` it once.

    Args:
        config: its settings.
        cluster: the spoke's API.
        dialer: the way to the principal.
        env: time and randomness.
        observer: told what happens.
        redis: the spoke's, where Argo CD counts; None: it is not read.
        renewer: keeps its certificate valid; None: nobody does, as where there is no TLS.
        freshness: the TLS material of the dialer, which links are moved to when it is new; None: it stays.
    """

    def __init__(
        self,
        config: AgentConfig,
        *,
        cluster: Cluster,
        dialer: Dialer,
        env: Env,
        observer: Observer = ignore,
        redis: RedisServer | None = None,
        renewer: Renewer | None = None,
        freshness: Freshness | None = None,
    ) -> None:
        self.config = config
        self._cluster, self._env, self._observer = cluster, env, observer
        self._renewer = renewer
        self._refresher = Refresher(cluster, self._serves)
        self.spoke = Spoke(cluster, config, env, self._refresher.came, self._refused)
        self.views = Views(
            Memory(cluster, config.namespace, env),
            config.mode,
            config.scope,
            self.spoke.workers,
            self.spoke.outlet,
            env,
            self._report,
        )
        self._silence = ""
        for store in self.spoke.stores:
            store.informer.on_state(self._on_state)
        self._counting = Counting(self.spoke, redis, config.count_every, env.random, self._report)
        issues = renewer.issued_by if renewer is not None else _nobody
        trust = freshness.trust if freshness is not None else None
        self._trust = Trust(trust, self._report, issues)
        self._uplink = Uplink(
            config, self.spoke, self.views, self._counting, self._trust, dialer, env, self._report
        )
        self._uplink.freshness = freshness

    def trace(self, tracing: Tracing) -> None:
        """Before ``run``: tell this of each step that a change takes."""
        spoke = self.spoke
        spoke.outlet.tracer = spoke.workers.tracer = tracing.of(lambda: self._uplink.name, self.config.mode)
        spoke.stores.on_change(lambda kind, change: tracing.informed(kind, change.old, change.new))

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Replicate until cancelled. Reports started once the spoke's objects are known."""
        async with trio.open_nursery() as nursery:
            if self._renewer is not None:
                nursery.start_soon(self._renewer.run)  # First: it needs nothing that the others wait for.
            cluster_uid = await self._know_spoke(nursery)
            await self.spoke.stores.wait_all()
            nursery.start_soon(self.spoke.workers.run)
            nursery.start_soon(self.spoke.telling.run)
            nursery.start_soon(self._refresher.run, self.spoke.stores[Kind.APPLICATION].known)
            nursery.start_soon(self._counting.run)
            nursery.start_soon(self._trust.run)
            task_status.started()
            await self.views.memory.wait_synced()
            await self._uplink.run(cluster_uid)

    async def stop(self) -> None:
        """Take leave of the principal, within a few seconds; cancel ``run`` then."""
        await self._uplink.stop()

    async def _know_spoke(self, nursery: trio.Nursery) -> str:
        """Start to read the spoke, and return once what is essential is known, with the uid of the cluster.

        Raises:
            UserError: that takes longer than the operator would wait.
        """
        patience = self.config.patience or math.inf
        with trio.move_on_after(patience):
            cluster_uid = await self._namespace_uid(IDENTITY_NAMESPACE)
            self.views.namespace_uid = await self._namespace_uid(self.config.namespace, optional=True)
            nursery.start_soon(self.views.memory.run)
            await nursery.start(self.spoke.stores.run)
            return cluster_uid
        raise errors.UserError(
            "--informer-sync-timeout: the spoke has not shown its Applications and AppProjects within"
            f" {patience:g} s: is its API server well, and may the agent list them?"
        )

    async def _namespace_uid(self, name: str, *, optional: bool = False) -> str:
        """The uid of a namespace; empty if it is optional and not for us to see."""
        backoff = Backoff(self._env.random)
        while True:
            try:
                found = await self._cluster.get(NAMESPACES, "", name)
            except (errors.ApiError, errors.RemoteProtocolError) as exc:
                if optional and isinstance(exc, (errors.Forbidden, errors.NotFound)):
                    return ""
                self._report("cluster-unreachable", f"the spoke's API server: {exc}", "warning")
                await trio.sleep(backoff.next_wait(getattr(exc, "retry_after", 0.0)))
            else:
                return found.meta.uid

    def _serves(self, app: Object) -> bool:
        """Is this Application for us to refresh?"""
        ours = names.SOURCE_UID in app.annotations or not self.config.ignores_unmanaged
        return ours and self.config.scope.covers(app.meta.namespace)

    def _on_state(self) -> None:
        if not self.spoke.stores.is_synced:
            return
        silence = self.spoke.outlet.silence()
        if silence != self._silence and self.config.mode is Mode.AUTONOMOUS:
            name, text = ("tombstones-off", silence) if silence else ("tombstones-on", "absence counts again")
            self._report(name, text, "warning" if silence else "info")
        self._silence = silence

    def _refused(self, text: str) -> None:
        self._report("agent-error", text, "warning")

    def _report(self, name: str, text: str, level: str = "info") -> None:
        self._observer(Event(name, self._uplink.name, text, level))

    def status(self) -> AgentStatus:
        """Where it stands now."""
        return AgentStatus(
            name=self._uplink.name,
            link=self._uplink.state,
            links=self._uplink.links,
            observed=self.spoke.outlet.statistics(),
            desired=self.spoke.workers.statistics(),
            consistent_as_of=self.spoke.outlet.consistent_as_of(),
            traffic=self._uplink.traffic(),
            silence=self.spoke.outlet.silence(),
            held=self.spoke.workers.guard.held,
            flow=self.spoke.outlet.flow.statistics(),
            freight=attrs.evolve(self.spoke.outlet.freight),
            link_since=self._uplink.since,
            trouble=self._uplink.trouble,
        )

    def link_status(self) -> LinkStatus:
        """Where the way to the principal is now, as ``status`` has it; nothing has to be counted for this."""
        return self._uplink.status()

    @property
    def endings(self) -> Endings:
        """How its links have ended."""
        return self._uplink.endings

    @property
    def informers(self) -> tuple[Informer, ...]:
        """What it reads of its cluster."""
        return (*(store.informer for store in self.spoke.stores), self.views.memory.informer)


def _nobody(signer: str) -> None:
    """Whoever has no certificate need not know who issues."""
