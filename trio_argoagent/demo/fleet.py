"""The demo's fleet: real programs over real TLS, each against its own API server; Argo CD is simulated."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

import trio

from trio_argoagent.agent import Agent, AgentStatus
from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.demo.programs import CuttableDialer, Restartable
from trio_argoagent.demo.propagation import Stopwatch
from trio_argoagent.demo.settings import HUB, Settings
from trio_argoagent.kube.client import open_cluster
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.net.contexts import client_context, server_context
from trio_argoagent.pki.names import agent_name
from trio_argoagent.ports.env import Env
from trio_argoagent.ports.transport import LinkStatistics
from trio_argoagent.principal import PeerStatus, Principal
from trio_argoagent.runtime.config import AgentConfig, PrincipalConfig
from trio_argoagent.runtime.events import Event, Observer
from trio_argoagent.runtime.listening import open_listeners
from trio_argoagent.runtime.world import real_env
from trio_argoagent.stream.admission import Admission, by_certificate
from trio_argoagent.stream.dial import Http2Dialer
from trio_argoagent.stream.listen import Http2Listener
from trio_argoagent.sync.guard import Limits
from trio_argoagent.sync.mapping import NamespaceMapping
from trio_argoagent.testing import oracle
from trio_argoagent.testing.argocd import names as argocd_names
from trio_argoagent.testing.argocd.application_controller import run_application_controller
from trio_argoagent.testing.argocd.applications import app_project
from trio_argoagent.testing.argocd.world import World
from trio_argoagent.testing.machine import LOOPBACK, NAMESPACE, Machine, Pki

OURS: Final = ("principal", "agent")
"""The actors in the API servers' logs that are this product's programs."""
UNHELD: Final = Limits.of(None, -1)
"""Nobody sits at the demo's hub to confirm deletions."""


class Node:
    """One agent of the demo: its cluster, its program, its link and its simulated controller."""

    def __init__(
        self, name: str, mode: Mode, machine: Machine, port: Callable[[], int], fleet: Fleet
    ) -> None:
        self.name, self.mode, self.machine = name, mode, machine
        self.mapping = NamespaceMapping(name, NAMESPACE, NAMESPACE, mode is Mode.AUTONOMOUS)
        self.world = World()
        self.agent: Agent | None = None
        self.program = Restartable(name, self._run)
        self.stopwatch = Stopwatch(lambda: self.connected, OURS.__contains__)
        self.links = 0
        self.records = 0
        self.traffic = LinkStatistics()
        self._port, self._fleet = port, fleet
        certificate, key = fleet.pki.agent(name)
        context = client_context(
            ca=fleet.pki.ca,
            certificate=certificate,
            key=key,
            alpn=("h2",),
            minimum=ssl.TLSVersion.TLSv1_3,
        )
        self._context = context
        self.dialer: CuttableDialer | None = None
        self.is_cut = False

    @property
    def connected(self) -> bool:
        """Does the principal have a link to it?"""
        return self.status is not None and self.status.link == "live"

    @property
    def status(self) -> AgentStatus | None:
        """What the agent says of itself; None while it is not running."""
        return self.agent.status() if self.agent is not None else None

    async def _run(self) -> None:
        self.dialer = CuttableDialer(Http2Dialer(LOOPBACK, self._port(), self._context))
        self.dialer.is_cut = self.is_cut
        try:
            async with open_cluster(self.machine.credentials("agent")) as cluster:
                self.agent = Agent(
                    AgentConfig(NAMESPACE, self.mode, self.name, UNHELD),
                    cluster=cluster,
                    dialer=self.dialer,
                    env=self._fleet.env,
                    observer=self._fleet.tell,
                )
                await self.agent.run()
        finally:
            self._account()
            self.agent = None

    def _account(self) -> None:
        """Keep what a program that is about to be forgotten has counted."""
        if self.agent is not None:
            status = self.agent.status()
            self.links += status.links
            self.records += status.observed.records
            self.traffic = self.traffic.plus(status.traffic)

    def totals(self) -> tuple[int, int, LinkStatistics]:
        """Links, records sent and traffic of all runs of its program."""
        status = self.status
        if status is None:
            return self.links, self.records, self.traffic
        links, records = self.links + status.links, self.records + status.observed.records
        return links, records, self.traffic.plus(status.traffic)

    def cut(self) -> None:
        """Cut its link until ``heal``."""
        self.is_cut = True
        self.stopwatch.forget()
        if self.dialer is not None:
            self.dialer.cut()

    def heal(self) -> None:
        """Its link may come up again."""
        self.is_cut = False
        if self.dialer is not None:
            self.dialer.heal()

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Run its cluster's controller and its agent until cancelled."""
        async with trio.open_nursery() as nursery:
            await nursery.start(
                lambda task_status: run_application_controller(
                    self.machine.local("application-controller"),
                    NAMESPACE,
                    env=self._fleet.env,
                    world=self.world,
                    settings=self._fleet.controller,
                    task_status=task_status,
                )
            )
            nursery.start_soon(self.program.run)
            task_status.started()


class Fleet:
    """The hub and its agents.

    Args:
        settings: what the user asked for.
        env: wall time and the seeded workload's randomness.
        folder: for the kubeconfigs.
        observer: told what happens.
    """

    def __init__(self, settings: Settings, env: Env, folder: Path, observer: Observer) -> None:
        self.settings, self.env, self._observer = settings, env, observer
        # Keys and certificates never follow from a seed.
        self.pki = Pki.create(real_env())
        self.controller = argocd_names.Settings(operation=1.0, progressing=1.5, pruning=0.5)
        self.hub = Machine(HUB, self.pki, env, folder)
        self.principal: Principal | None = None
        self.program = Restartable(HUB, self._run_principal)
        self._port = 0
        self._listening = trio.Event()
        self._desired_records: dict[str, int] = {}
        self._writes = 0
        self.nodes = {
            name: Node(name, mode, Machine(name, self.pki, env, folder), lambda: self._port, self)
            for name, mode in settings.agents
        }

    def tell(self, event: Event) -> None:
        """Pass on what a program says."""
        self._observer(event)

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Run everything until cancelled; started when every agent has been started."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self.hub.run)
            await self.hub.make_namespaces(NAMESPACE)
            await self.hub.add_agents(*self.nodes)
            await self._make_project(self.hub, "default", everywhere=True)
            self.hub.server.subscribe(self._count)
            for node in self.nodes.values():
                node.machine.server.subscribe(self._count)
                await nursery.start(node.machine.run)
                await node.machine.make_namespaces(NAMESPACE)
                await self._make_project(node.machine, "default", everywhere=False)
                self._watch(node)
            nursery.start_soon(self.program.run)
            await self._listening.wait()
            for node in self.nodes.values():
                await nursery.start(node.run)
            task_status.started()

    async def _make_project(self, machine: Machine, name: str, *, everywhere: bool) -> None:
        project = app_project(name, namespace=NAMESPACE)
        if everywhere:
            project["spec"] |= {
                "destinations": [{"name": "*", "namespace": "*", "server": "*"}],
                "sourceNamespaces": ["*"],
            }
        await machine.local("setup").create(APP_PROJECTS, project)

    async def _run_principal(self) -> None:
        certificate, key = self.pki.server("principal")
        context = server_context(
            certificate=certificate,
            key=key,
            client_ca=self.pki.ca,
            require_client=True,
            alpn=("h2",),
            minimum=ssl.TLSVersion.TLSv1_3,
        )
        try:
            async with (
                open_listeners(LOOPBACK, self._port) as listeners,
                open_cluster(self.hub.credentials("principal")) as cluster,
            ):
                self._port = listeners[0].socket.getsockname()[1]
                self.principal = Principal(
                    PrincipalConfig(NAMESPACE, limits=UNHELD),
                    cluster=cluster,
                    listener=Http2Listener(listeners, context, Admission(by_certificate(agent_name))),
                    env=self.env,
                    observer=self.tell,
                )
                self._listening.set()
                await self.principal.run()
        finally:
            for status in self.peers().values():
                counted = self._desired_records.get(status.name, 0)
                self._desired_records[status.name] = counted + status.desired.records
            self.principal = None

    def _watch(self, node: Node) -> None:
        """Time this node's changes by both API servers' logs."""
        source, replica = self.hub.server, node.machine.server
        namespace = node.name
        if node.mode is Mode.AUTONOMOUS:
            source, replica, namespace = replica, source, NAMESPACE
        here = {id(source): namespace, id(replica): NAMESPACE if source is self.hub.server else node.name}
        for server, note in ((source, node.stopwatch.at_source), (replica, node.stopwatch.at_replica)):
            wanted = here[id(server)]
            server.subscribe(
                lambda entry, note=note, wanted=wanted: (  # type: ignore[misc]
                    note(entry) if entry.resource == APPLICATIONS and entry.namespace == wanted else None
                )
            )

    def peers(self) -> dict[str, PeerStatus]:
        """What the principal says of each agent."""
        found = self.principal.status() if self.principal is not None else ()
        return {status.name: status for status in found}

    def desired_records(self, name: str) -> int:
        """The records the principal has sent to this agent, in all runs of its program."""
        live = self.peers().get(name)
        return self._desired_records.get(name, 0) + (live.desired.records if live is not None else 0)

    def writes(self) -> int:
        """How many writes this product's programs have done, everywhere."""
        return self._writes

    def _count(self, entry: LogEntry) -> None:
        self._writes += entry.actor in OURS

    def machines(self) -> list[Machine]:
        """The hub's cluster, then the spokes'."""
        return [self.hub, *(node.machine for node in self.nodes.values())]

    def applications(self, node: Node) -> int:
        """How many Applications this agent has on its spoke."""
        return len(node.machine.server.list(APPLICATIONS, NAMESPACE).items)

    def projects(self, node: Node) -> int:
        """How many AppProjects this agent has on its spoke."""
        return len(node.machine.server.list(APP_PROJECTS, NAMESPACE).items)

    def differences(self) -> list[str]:
        """What differs between the two sides, one line each."""
        return [
            line
            for node in self.nodes.values()
            for line in oracle.differences(self.hub.server, node.machine.server, node.mapping)
        ]
