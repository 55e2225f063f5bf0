"""The product's programs as real processes, against API servers that run in the test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APP_PROJECTS
from trio_argoagent.runtime.world import real_env
from trio_argoagent.sync.mapping import NamespaceMapping
from trio_argoagent.testing import oracle
from trio_argoagent.testing.argocd import names as argocd_names
from trio_argoagent.testing.argocd.application_controller import run_application_controller
from trio_argoagent.testing.argocd.applications import app_project
from trio_argoagent.testing.argocd.world import World
from trio_argoagent.testing.machine import LOOPBACK, NAMESPACE, UNOBSERVED, Machine, Pki

START_TIMEOUT: Final = 240.0
"""Seconds until clusters, controllers and programs are up."""
STOP_TIMEOUT: Final = 60.0
"""Seconds from SIGTERM to the end of a program."""
SAID: Final = 20
"""Lines of a program that a failure ends with."""
_COMMAND: Final = (sys.executable, "-m", "trio_argoagent")


def environment() -> dict[str, str]:
    """The test's own, without what would set options of the programs; they leave the usual ports alone."""
    ours = ("ARGOCD_", "KUBE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | UNOBSERVED


class Program:
    """One program that is started again and again, each time as a new process.

    Args:
        arguments: of the command line.

    Attributes:
        command: what these are arguments of.
    """

    def __init__(self, *arguments: str) -> None:
        self.command: Sequence[str] = _COMMAND
        self.arguments: Sequence[str] = arguments
        self.environ: dict[str, str] = {}
        self.lines: list[dict[str, Any]] = []
        self._said = trio.Event()
        self._process: trio.Process | None = None
        self._ended = trio.Event()

    def __str__(self) -> str:
        """How it stands, and what it said last."""
        state = "not started" if self._process is None else f"exit code {self._process.returncode}"
        return "\n  ".join((f"{' '.join(self.arguments)}: {state}", *map(str, self.lines[-SAID:])))

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """One life, until it ends or the test does; started with the process."""
        command = [*self.command, *self.arguments, "--log-format", "json"]
        self._ended = trio.Event()
        self._process = process = await trio.lowlevel.open_process(
            command, stderr=subprocess.PIPE, env=environment() | self.environ
        )
        try:
            task_status.started()
            await self._listen(process)
            await process.wait()
        finally:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()
            self._ended.set()

    async def _listen(self, process: trio.Process) -> None:
        rest = b""
        assert process.stderr is not None
        async for data in process.stderr:
            *lines, rest = (rest + data).split(b"\n")
            self.lines += map(json.loads, lines)
            self._said.set()
            self._said = trio.Event()

    async def wait_said(self, event: str, since: int = 0) -> dict[str, Any]:
        """Its first line of that name from line ``since`` on: an event, or a decision of the audit log."""
        while True:
            for line in self.lines[since:]:
                if event in (line.get("event"), line.get("decision")):
                    return line
            await self._said.wait()

    async def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        assert self._process is not None
        self._process.kill()
        with trio.move_on_after(STOP_TIMEOUT):
            await self._ended.wait()
        assert self._ended.is_set(), f"killed, and not gone: {self}"
        assert self._process.returncode == -signal.SIGKILL

    async def stop(self) -> int | None:
        """SIGTERM; its exit code, None if it does not end in time."""
        assert self._process is not None
        self._process.terminate()
        with trio.move_on_after(STOP_TIMEOUT):
            await self._ended.wait()
        return self._process.returncode


class Spoke:
    """One spoke: its cluster and its agent's program."""

    def __init__(self, name: str, mode: Mode, machine: Machine) -> None:
        self.name, self.mode, self.machine = name, mode, machine
        self.mapping = NamespaceMapping(name, NAMESPACE, NAMESPACE, mode is Mode.AUTONOMOUS)
        self.agent = Program()


class Fleet:
    """Three clusters in the test, three programs as processes.

    Args:
        folder: for kubeconfigs and PEM files.

    Attributes:
        port: of the principal, once it was started.
    """

    def __init__(self, folder: Path) -> None:
        self.env = real_env()
        self._folder = folder
        self.pki = Pki.create(self.env)
        self.hub = self._machine("hub")
        self.east = Spoke("east", Mode.MANAGED, self._machine("east"))
        self.edge = Spoke("edge", Mode.AUTONOMOUS, self._machine("edge"))
        self.spokes: tuple[Spoke, ...] = (self.east, self.edge)
        self.principal = Program(*self.principal_arguments(0))
        self.nursery: trio.Nursery
        self.port = 0
        self._written = trio.Event()

    def _machine(self, name: str) -> Machine:
        return Machine(name, self.pki, self.env, self._folder)

    def _pem(self, name: str, identity: tuple[bytes, bytes]) -> tuple[str, str]:
        paths = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        for path, content in zip(paths, identity, strict=True):
            path.write_bytes(content)
        return str(paths[0]), str(paths[1])

    def _ca(self) -> str:
        path = self._folder / "ca.crt"
        path.write_bytes(self.pki.ca)
        return str(path)

    def principal_arguments(self, port: int, pki: Pki | None = None) -> Sequence[str]:
        """The principal's command line; ``pki`` certifies it."""
        certificate, key = self._pem("principal", (pki or self.pki).server("principal"))
        return (
            "principal", f"--kubeconfig={self.hub.kubeconfig}", f"--listen-host={LOOPBACK}",
            "--redis-server-address=",
            f"--listen-port={port}", f"--tls-cert={certificate}", f"--tls-key={key}",
            f"--root-ca-path={self._ca()}",
        )  # fmt: skip

    def agent_arguments(self, spoke: Spoke, port: int, pki: Pki | None = None) -> Sequence[str]:
        """An agent's command line; ``pki`` certifies it."""
        certificate, key = self._pem(spoke.name, (pki or self.pki).agent(spoke.name))
        return (
            "agent", f"--kubeconfig={spoke.machine.kubeconfig}", f"--server-address={LOOPBACK}",
            "--redis-addr=",
            f"--server-port={port}", f"--agent-mode={spoke.mode.value}", f"--root-ca-path={self._ca()}",
            f"--tls-client-cert={certificate}", f"--tls-client-key={key}",
        )  # fmt: skip

    async def serve(self, nursery: trio.Nursery) -> None:
        """Start the clusters, their controllers, and the three programs."""
        self.nursery = nursery
        for machine in (self.hub, *(spoke.machine for spoke in self.spokes)):
            machine.server.subscribe(lambda entry: self._wake())
            await nursery.start(machine.run)
        await self.hub.make_namespaces(NAMESPACE)
        await self.hub.add_agents(*(spoke.name for spoke in self.spokes))
        await self._make_project(self.hub, destinations=[{"name": "*", "namespace": "*", "server": "*"}])
        for spoke in self.spokes:
            await spoke.machine.make_namespaces(NAMESPACE)
            await self._make_project(spoke.machine)
            control = partial(
                run_application_controller,
                env=self.env,
                world=World(),
                settings=argocd_names.Settings(operation=0.1, progressing=0.1, pruning=0.1),
            )
            await nursery.start(control, spoke.machine.local("application-controller"), NAMESPACE)
        await self.prepare()
        port = await self.start_principal()
        for spoke in self.spokes:
            spoke.agent.arguments = self.agent_arguments(spoke, port)
            await nursery.start(spoke.agent.run)

    async def prepare(self) -> None:
        """What else there must be before the first program starts."""

    async def start_principal(self) -> int:
        """Start it on a free port, which it keeps when it is started again; that port."""
        await self.nursery.start(self.principal.run)
        with trio.fail_after(START_TIMEOUT):
            port = int((await self.principal.wait_said("listening"))["detail"].rpartition(":")[2])
        self.principal.arguments = self.principal_arguments(port)
        self.port = port
        return port

    async def _make_project(self, machine: Machine, **spec: Any) -> None:
        project = app_project("default", namespace=NAMESPACE, sourceNamespaces=["*"], **spec)
        await machine.local("setup").create(APP_PROJECTS, project)

    def _wake(self) -> None:
        self._written.set()
        self._written = trio.Event()

    def differences(self) -> list[str]:
        """What the two sides do not agree about."""
        return [
            line
            for spoke in self.spokes
            for line in oracle.differences(self.hub.server, spoke.machine.server, spoke.mapping)
        ]

    async def converge(self) -> None:
        """Wait until both sides agree about every object."""
        while self.differences():
            await self.wait_written()

    async def wait_written(self) -> None:
        """Wait for the next write to any of the clusters: only that changes what they hold."""
        await self._written.wait()


@asynccontextmanager
async def open_fleet(folder: Path, kind: type[Fleet] = Fleet) -> AsyncIterator[Fleet]:
    """A fleet whose processes are gone when the block is left, however it is left."""
    fleet = kind(folder)
    async with trio.open_nursery() as nursery:
        with trio.fail_after(START_TIMEOUT):
            await fleet.serve(nursery)
        yield fleet
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def one_spoke(folder: Path) -> AsyncIterator[Fleet]:
    """A hub and a spoke whose programs are not started yet."""
    fleet = Fleet(folder)
    async with trio.open_nursery() as nursery:
        fleet.nursery = nursery
        for machine in (fleet.hub, fleet.east.machine):
            await nursery.start(machine.run)
            await machine.make_namespaces(NAMESPACE)
        yield fleet
        nursery.cancel_scope.cancel()
