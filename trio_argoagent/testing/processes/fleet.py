"""The hub and the spokes in this process, the principal and the agents as processes, and a proxy between all.

An agent dials the principal through a passage of its own, and each program its API server through another.
So every wire of the fleet can be spoilt alone.
"""

from __future__ import annotations

import enum
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import attrs
import trio

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.apiserver.http import kubeconfig
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APP_PROJECTS
from trio_argoagent.ports.env import Env
from trio_argoagent.sync.mapping import NamespaceMapping
from trio_argoagent.sync.policy import NOTHING
from trio_argoagent.testing import oracle
from trio_argoagent.testing.argocd.application_controller import run_application_controller
from trio_argoagent.testing.argocd.applications import app_project
from trio_argoagent.testing.argocd.world import World
from trio_argoagent.testing.fleet import CONTROLLER, EVERYWHERE, PRINCIPAL, PRODUCT, Spoke, SpokePlan
from trio_argoagent.testing.machine import LOOPBACK, NAMESPACE, Machine, Pki
from trio_argoagent.testing.operator import run_operator
from trio_argoagent.testing.outages import HUB
from trio_argoagent.testing.processes.program import Program, environment
from trio_argoagent.testing.processes.proxy import Passage, open_passage
from trio_argoagent.testing.scheduling import stream

POLL: Final = 0.2
"""Seconds between two looks at whether both sides agree."""
OURS: Final = (sys.executable, "-m", "trio_argoagent")
QUIET: Final = 2.0
"""Seconds without a difference and without a write of the product: then both sides have settled."""


class Hops(enum.Flag):
    """What connections there are between processes."""

    LINKS = enum.auto()
    """From agents to the principal."""
    APIS = enum.auto()
    """From the programs to their clusters."""


@attrs.frozen
class Node:
    """One agent: its cluster, what runs there, and its program."""

    spoke: Spoke
    machine: Machine

    @property
    def name(self) -> str:
        """The agent's."""
        return self.spoke.name


class Fleet:
    """See the module. ``open_fleet`` makes it and runs it.

    Args:
        seed: of what the proxy draws.
        spokes: the agents.
        env: time, and whatever is drawn for keys and uids.
        folder: for keys and kubeconfigs; nobody else may read it.
        logs: for the programs' logs.
        controllers: does an application-controller run on each spoke?
        command: what starts trio-argoagent: this very one, unless another is to be looked at.
        proxied: what goes through the proxy; of the rest nothing can be spoilt, and nothing counted.
    """

    def __init__(
        self,
        seed: int,
        spokes: Sequence[SpokePlan],
        env: Env,
        folder: Path,
        logs: Path,
        *,
        controllers: bool = True,
        command: Sequence[str] = OURS,
        proxied: Hops = Hops.LINKS | Hops.APIS,
    ) -> None:
        self.seed, self.env = seed, env
        self._controllers, self._start, self._proxied = controllers, tuple(command), proxied
        self.pki = Pki.create(env)
        self._folder, self._logs = folder, logs
        self.hub = Machine(HUB, self.pki, env, folder)
        self.nodes = {plan.name: self._make_node(plan) for plan in spokes}
        self.links: dict[str, Passage] = {}
        """By agent: from it to the principal."""
        self.apis: dict[str, Passage] = {}
        """By program: from it to its API server."""
        self.programs: dict[str, Program] = {}
        self._arguments: dict[str, Sequence[str]] = {}
        self.port = 0
        """That the principal listens on."""
        self.writes = 0
        """How many writes the product has made."""

    def _make_node(self, plan: SpokePlan) -> Node:
        machine = Machine(plan.name, self.pki, self.env, self._folder)
        mapping = NamespaceMapping(plan.name, NAMESPACE, NAMESPACE, plan.mode is Mode.AUTONOMOUS)
        return Node(Spoke(plan, machine.server, self.env, World(), mapping), machine)

    def machines(self) -> dict[str, Machine]:
        """Every cluster by its name, the hub first."""
        return {HUB: self.hub, **{name: node.machine for name, node in self.nodes.items()}}

    def servers(self) -> Iterator[tuple[str, ApiServer]]:
        """Every cluster's API server by its name."""
        for name, machine in self.machines().items():
            yield name, machine.server

    def differences(self) -> list[str]:
        """What the hub and the spokes do not agree about, one line each."""
        nodes = ((node.machine.server, node.spoke.mapping, NOTHING) for node in self.nodes.values())
        return oracle.everywhere(self.hub.server, nodes)

    async def wait_settled(self, timeout: float, quiet: float | None = None) -> list[str]:
        """Wait until both sides agree and the product has nothing more to write; what differs at the end.

        Args:
            timeout: seconds.
            quiet: seconds of silence that are enough; None: ``QUIET``.
        """
        quiet = QUIET if quiet is None else quiet
        with trio.move_on_after(timeout):
            since, writes = trio.current_time(), -1
            while trio.current_time() < since + quiet:
                await trio.sleep(POLL)
                if self.writes != writes or self.differences():
                    since, writes = trio.current_time(), self.writes
        return self.differences()

    # Starting

    async def furnish(self, nursery: trio.Nursery) -> None:
        """Start the clusters, with what Argo CD has there, and its controllers."""
        for _, server in self.servers():
            server.subscribe(self._count)
        for machine in self.machines().values():
            await nursery.start(machine.run)
        await self.hub.make_namespaces(NAMESPACE)
        await self.hub.add_agents(*self.nodes)
        await self.hub.local("installer").create(APP_PROJECTS, app_project(namespace=NAMESPACE, **EVERYWHERE))
        for node in self.nodes.values():
            await node.machine.make_namespaces(NAMESPACE)
            if node.spoke.mapping.autonomous:
                project = app_project(namespace=NAMESPACE)
                await node.machine.local("installer").create(APP_PROJECTS, project)
            if self._controllers:
                await nursery.start(self._control, node)
        # What the product holds back for a person is not what is judged here: that it gets through is.
        hub = self.hub.local("operator"), self.hub.server
        nursery.start_soon(run_operator, *hub, NAMESPACE, self.env, lambda: True)

    async def _control(self, node: Node, *, task_status: trio.TaskStatus[None]) -> None:
        await run_application_controller(
            node.machine.local(CONTROLLER),
            NAMESPACE,
            env=self.env,
            world=node.spoke.world,
            settings=node.spoke.plan.settings,
            task_status=task_status,
        )

    async def connect(self, stack: AsyncExitStack) -> None:
        """Reserve the principal's port, and open every passage."""
        self.port = stack.enter_context(reserved_port())
        for program in (PRINCIPAL, *self.nodes):
            api = self._machine_of(program).credentials(self._actor(program)).port
            chance = stream(self.seed, "api", program)
            self.apis[program] = await stack.enter_async_context(open_passage(partial(int, api), chance))
        for agent in self.nodes:
            target, chance = partial(int, self.port), stream(self.seed, "link", agent)
            self.links[agent] = await stack.enter_async_context(open_passage(target, chance))

    def hire(self, keepalive: float) -> None:
        """Make the programs, each with its files; nothing runs yet."""
        commands = {PRINCIPAL: self._principal_command(keepalive)}
        commands |= {name: self._agent_command(node) for name, node in self.nodes.items()}
        environ = environment(self._folder)
        for name, command in commands.items():
            self._arguments[name] = (*command, "--log-format=json")
            line = (*self._start, *self._arguments[name])
            self.programs[name] = Program(name, line, environ, self._logs / f"{name}.log")

    def replace(self, program: str, command: Sequence[str]) -> None:
        """From its next start on, a program is that which ``command`` starts: an upgrade, or its reverse."""
        self.programs[program].command = (*command, *self._arguments[program])

    def _machine_of(self, program: str) -> Machine:
        return self.hub if program == PRINCIPAL else self.nodes[program].machine

    @staticmethod
    def _actor(program: str) -> str:
        return PRINCIPAL if program == PRINCIPAL else "agent"

    def _principal_command(self, keepalive: float) -> Sequence[str]:
        certificate, key = self._identity(PRINCIPAL, self.pki.server(PRINCIPAL))
        return (
            "principal", self._kubeconfig(PRINCIPAL), "--redis-server-address=", f"--listen-host={LOOPBACK}",
            f"--listen-port={self.port}", f"--tls-cert={certificate}", f"--tls-key={key}",
            f"--root-ca-path={self._write('ca.crt', self.pki.ca)}", f"--keepalive={keepalive}",
        )  # fmt: skip

    def _agent_command(self, node: Node) -> Sequence[str]:
        certificate, key = self._identity(node.name, self.pki.agent(node.name))
        port = self.links[node.name].port if Hops.LINKS in self._proxied else self.port
        return (
            "agent", self._kubeconfig(node.name), "--redis-addr=", f"--server-address={LOOPBACK}",
            f"--server-port={port}", f"--agent-mode={node.spoke.plan.mode.value}",
            f"--root-ca-path={self._write('ca.crt', self.pki.ca)}", f"--tls-client-cert={certificate}",
            f"--tls-client-key={key}",
        )  # fmt: skip

    def _kubeconfig(self, program: str) -> str:
        """The option that leads a program to its API server."""
        found = self._machine_of(program).credentials(self._actor(program))
        port = self.apis[program].port if Hops.APIS in self._proxied else int(found.port)
        text = kubeconfig(LOOPBACK, port, found.ca or b"", found.token, program, NAMESPACE)
        return f"--kubeconfig={self._write(f'{program}.proxied', text.encode())}"

    def _identity(self, name: str, identity: tuple[bytes, bytes]) -> tuple[str, str]:
        certificate, key = identity
        return self._write(f"{name}.crt", certificate), self._write(f"{name}.key", key)

    def _write(self, name: str, content: bytes) -> str:
        path = self._folder / name
        path.write_bytes(content)
        return str(path)

    def _count(self, entry: LogEntry) -> None:
        self.writes += entry.actor in PRODUCT


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port of loopback that the kernel gives to nobody while the context is open.

    A socket that is bound and never listens keeps it from all who take any port, but not from a server that
    asks for this one with SO_REUSEADDR, as all do. So a program can be killed and come back to its port.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((LOOPBACK, 0))
        yield holder.getsockname()[1]


@asynccontextmanager
async def open_fleet(fleet: Fleet, keepalive: float) -> AsyncIterator[Fleet]:
    """Run a fleet while the context is open; its processes are gone when it is left, however it is left."""
    async with trio.open_nursery() as nursery:
        await fleet.furnish(nursery)
        async with AsyncExitStack() as stack:
            await fleet.connect(stack)
            fleet.hire(keepalive)
            try:
                for program in fleet.programs.values():
                    nursery.start_soon(program.run)
                yield fleet
            finally:
                nursery.cancel_scope.cancel()
