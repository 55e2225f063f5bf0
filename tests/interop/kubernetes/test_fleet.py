"""A whole fleet on real API servers: a principal and two agents as processes, and what users do to them.

The programs have the rights of the shipped manifests, and no others.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest
import trio

from trio_argoagent.errors import NotFound
from trio_argoagent.kube.client import HttpCluster
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS, NAMESPACES, SECRETS, Resource
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal.clusters import make_secret
from trio_argoagent.runtime.world import real_env
from trio_argoagent.sync.mapping import NamespaceMapping
from trio_argoagent.testing import oracle
from trio_argoagent.testing.argocd.application_controller import run_application_controller
from trio_argoagent.testing.argocd.applications import app_project, application, automated
from trio_argoagent.testing.argocd.names import Settings
from trio_argoagent.testing.argocd.world import World
from trio_argoagent.testing.machine import LOOPBACK, Pki

from ..programs import Program
from ..standing import within
from .conftest import Connect
from .installing import entitled

PATIENCE = 120.0
"""Seconds for anything to come true."""
WHOLE = 1500.0
"""Seconds for the whole story, of some fourteen waits: a slow machine has several minutes to spare."""
POLL = 0.5
"""Seconds between two comparisons: nothing tells a test that another process is done."""


class Side:
    """One agent: its name on the hub, and its namespace on the spoke, made anew for this test."""

    def __init__(self, name: str, mode: Mode, hub_namespace: str, pki: Pki, folder: Path) -> None:
        self.mode = mode
        self.mapping = NamespaceMapping(name, name, hub_namespace, mode is Mode.AUTONOMOUS)
        self.agent = Program()
        self._pem = {}
        for kind, content in zip(("crt", "key"), pki.agent(name), strict=True):
            self._pem[kind] = folder / f"{name}.{kind}"
            self._pem[kind].write_bytes(content)

    @property
    def name(self) -> str:
        """The agent's."""
        return self.mapping.agent

    @property
    def overlay(self) -> str:
        """How it is installed."""
        return f"agent-{self.mode.value}"

    def command(self, kubeconfig: str, port: int, ca: Path) -> tuple[str, ...]:
        """The agent's command line."""
        return (
            "agent", "--redis-addr=", f"--kubeconfig={kubeconfig}", f"--namespace={self.name}",
            f"--server-address={LOOPBACK}", f"--server-port={port}", f"--agent-mode={self.mode.value}",
            f"--root-ca-path={ca}", f"--tls-client-cert={self._pem['crt']}",
            f"--tls-client-key={self._pem['key']}",
        )  # fmt: skip


class Fleet:
    """The fleet of one test."""

    def __init__(self, hub: HttpCluster, spoke: HttpCluster, hub_namespace: str, sides: list[Side]) -> None:
        self.hub, self.spoke, self.namespace, self.sides = hub, spoke, hub_namespace, sides
        self.principal = Program()

    async def _all(self, cluster: HttpCluster, resource: Resource, namespace: str) -> dict[str, Object]:
        found = await cluster.list(resource, namespace)
        return {obj.meta.name: obj for obj in found.items}

    async def differences(self) -> list[str]:
        """What the two clusters do not agree about."""
        lines = []
        for side in self.sides:
            both = oracle.Held(
                await self._all(self.hub, APPLICATIONS, side.name),
                await self._all(self.spoke, APPLICATIONS, side.name),
                await self._all(self.hub, APP_PROJECTS, self.namespace),
                await self._all(self.spoke, APP_PROJECTS, side.name),
            )
            lines += oracle.compare(both, side.mapping)
        return lines

    async def converge(self) -> None:
        """Wait until both sides agree about every object."""
        found: list[str] = []
        with trio.move_on_after(PATIENCE):
            while found := await self.differences():  # noqa: ASYNC110 (nothing tells us)
                await trio.sleep(POLL)
        assert found == []

    async def until_synced(self, cluster: HttpCluster, namespace: str, name: str, revision: str) -> None:
        """Wait until an Application is Synced at this target revision."""
        with trio.fail_after(PATIENCE):
            while True:
                found = await cluster.get(APPLICATIONS, namespace, name)
                status = (found.get("status") or {}).get("sync") or {}
                target = found.get("spec")["source"]["targetRevision"]
                if (status.get("status"), target) == ("Synced", revision):
                    return
                await trio.sleep(POLL)

    async def until_gone(self, cluster: HttpCluster, namespace: str, name: str) -> None:
        """Wait until an Application is no more."""
        with trio.fail_after(PATIENCE):
            while True:
                try:
                    await cluster.get(APPLICATIONS, namespace, name)
                except NotFound:
                    return
                await trio.sleep(POLL)


@pytest.fixture
async def fleet(
    connect: Connect, kubeconfig: str, tmp_path: Path, nursery: trio.Nursery
) -> AsyncIterator[Fleet]:
    """Namespaces of this test's own on both clusters, a controller for each agent, three processes."""
    env = real_env()
    tag = env.entropy(4).hex()
    pki = Pki.create(env)
    ca = tmp_path / "ca.crt"
    await trio.Path(ca).write_bytes(pki.ca)
    async with connect("hub") as hub, connect("spoke") as spoke, AsyncExitStack() as stack:
        top = f"argocd-{tag}"
        sides = [
            Side(f"east-{tag}", Mode.MANAGED, top, pki, tmp_path),
            Side(f"edge-{tag}", Mode.AUTONOMOUS, top, pki, tmp_path),
        ]
        made = Fleet(hub, spoke, top, sides)
        for cluster, names in ((hub, [top, *(s.name for s in sides)]), (spoke, [s.name for s in sides])):
            for name in names:
                await cluster.create(NAMESPACES, _namespace(name))
        everywhere = [{"name": "*", "namespace": "*", "server": "*"}]
        await hub.create(
            APP_PROJECTS, app_project(namespace=top, sourceNamespaces=["*"], destinations=everywhere)
        )
        for side in sides:
            await hub.create(SECRETS, make_secret(side.name, top))
            if side.mapping.autonomous:
                await spoke.create(APP_PROJECTS, app_project(namespace=side.name))
            settings = Settings(operation=0.1, progressing=0.1, pruning=0.1)
            control = partial(run_application_controller, env=env, world=World(), settings=settings)
            with trio.fail_after(PATIENCE):
                await nursery.start(control, spoke, side.name)
        for kind, content in zip(("crt", "key"), pki.server("principal"), strict=True):
            await trio.Path(tmp_path / f"principal.{kind}").write_bytes(content)
        installed = entitled(kubeconfig, "hub", "principal", top, tmp_path)
        made.principal.arguments = (
            "principal", "--redis-server-address=",
            f"--kubeconfig={await stack.enter_async_context(installed)}", f"--namespace={top}",
            f"--listen-host={LOOPBACK}", "--listen-port=0", f"--tls-cert={tmp_path / 'principal.crt'}",
            f"--tls-key={tmp_path / 'principal.key'}", f"--root-ca-path={ca}",
        )  # fmt: skip
        await nursery.start(made.principal.run)
        with trio.fail_after(PATIENCE):
            port = int((await made.principal.wait_said("listening"))["detail"].rpartition(":")[2])
        # Where the agents find it again after a restart.
        made.principal.arguments = tuple(
            f"--listen-port={port}" if argument == "--listen-port=0" else argument
            for argument in made.principal.arguments
        )
        for side in sides:
            installed = entitled(kubeconfig, "spoke", side.overlay, side.name, tmp_path)
            side.agent.arguments = side.command(await stack.enter_async_context(installed), port, ca)
            await nursery.start(side.agent.run)
        yield made
        nursery.cancel_scope.cancel()


def _namespace(name: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


async def test_a_fleet_on_real_servers(fleet: Fleet, nursery: trio.Nursery) -> None:
    """Applications of both modes sync and are shown; edits win on their owner's side only; a kill of each
    program in turn loses nothing; a cascading delete prunes and ends on both sides.
    """
    async with within(WHOLE, "a fleet on real servers", fleet.principal, *(s.agent for s in fleet.sides)):
        await _live(fleet, nursery)


async def _live(fleet: Fleet, nursery: trio.Nursery) -> None:
    managed, autonomous = fleet.sides
    source = {"source": {"targetRevision": "v1"}}
    await fleet.hub.create(APPLICATIONS, application("shop", namespace=managed.name, syncPolicy=automated()))
    await fleet.spoke.create(
        APPLICATIONS, application("shop", namespace=autonomous.name, syncPolicy=automated())
    )
    await fleet.converge()
    programs = (fleet.principal, managed.agent, autonomous.agent)
    for number, victim in enumerate(programs, start=1):
        await victim.kill()
        source = {"source": {"targetRevision": f"v{number}"}}
        await fleet.hub.patch(APPLICATIONS, managed.name, "shop", MergePatch({"spec": source}))
        await fleet.spoke.patch(APPLICATIONS, autonomous.name, "shop", MergePatch({"spec": source}))
        illegal = MergePatch({"spec": {"source": {"targetRevision": "tampered"}}})
        await fleet.spoke.patch(APPLICATIONS, managed.name, "shop", illegal)
        await fleet.hub.patch(APPLICATIONS, autonomous.name, "shop", illegal)
        await nursery.start(victim.run)
        for side in fleet.sides:
            await fleet.until_synced(fleet.hub, side.name, "shop", f"v{number}")
            await fleet.until_synced(fleet.spoke, side.name, "shop", f"v{number}")
        await fleet.converge()
    family = MergePatch({"metadata": {"finalizers": ["resources-finalizer.argocd.argoproj.io"]}})
    await fleet.hub.patch(APPLICATIONS, managed.name, "shop", family)
    await fleet.hub.delete(APPLICATIONS, managed.name, "shop")
    await fleet.spoke.delete(APPLICATIONS, autonomous.name, "shop")
    for side in fleet.sides:
        await fleet.until_gone(fleet.spoke, side.name, "shop")
        await fleet.until_gone(fleet.hub, side.name, "shop")
    await fleet.converge()
    assert [await program.stop() for program in programs] == [0, 0, 0]
    said = [line for program in programs for line in program.lines if "forbidden" in str(line).lower()]
    assert said == []
