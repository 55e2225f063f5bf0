"""``trio-argoagent ctl agent|app|spoke`` over HTTPS, against an embedded API server; what users get wrong."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from trio_argoagent.cli import ctl_agent, ctl_app, ctl_blocklist, ctl_spoke
from trio_argoagent.errors import UserError
from trio_argoagent.kube.client import HttpCluster, open_cluster
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS, CONFIG_MAPS, SECRETS
from trio_argoagent.principal import Principal
from trio_argoagent.principal.clusters import PINNED, Pin, choose, make_secret, read_entry
from trio_argoagent.replication.memory import LABEL, name_of
from trio_argoagent.runtime.config import PrincipalConfig
from trio_argoagent.runtime.world import real_env
from trio_argoagent.sync import names
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.machine import USER, Machine, Pki
from trio_argoagent.testing.network import Network

from .conftest import Run

HUB = "argocd"
PIN = Pin(Mode.MANAGED, "argocd", "uid-1")


@asynccontextmanager
async def serve(folder: Path) -> AsyncIterator[HttpCluster]:
    """An embedded API server over HTTPS with a principal at work, as an operator reaches it."""
    env = real_env()
    machine = Machine("hub", Pki.create(env), env, folder)
    async with trio.open_nursery() as nursery:
        await nursery.start(machine.run)
        await machine.make_namespaces(HUB, "edge")
        async with (
            open_cluster(machine.credentials(USER)) as hub,
            open_cluster(machine.credentials("principal")) as cluster,
        ):
            network = Network(random.Random(1))
            principal = Principal(PrincipalConfig(HUB), cluster=cluster, listener=network.listener(), env=env)

            async def run(*, task_status: trio.TaskStatus[None]) -> None:
                await principal.run(task_status=task_status)

            await nursery.start(run)
            yield hub
            nursery.cancel_scope.cancel()


async def test_an_agents_life(tmp_path: Path) -> None:
    """Listed, pinned anew, removed; and then it is not known any more."""
    async with serve(tmp_path) as hub:
        await hub.create(SECRETS, make_secret("edge", HUB, pin=PIN))
        metadata = {"name": name_of("edge"), "namespace": HUB, "labels": {LABEL: "true"}}
        await hub.create(CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
        rows = await ctl_agent.list_agents(hub, HUB, "w1")
        assert ctl_agent.as_text(rows).splitlines() == [
            "NAME  NAMESPACE  MODE     CLUSTER  ITS NAMESPACE  STATE",
            "edge  edge       managed  uid-1    argocd         not connected",
        ]
        assert ctl_agent.as_document(rows)["edge"]["secret"] == "cluster-edge"
        assert "was v1 managed argocd uid-1" in await ctl_agent.repin(hub, HUB, "edge")
        assert PINNED not in (await hub.get(SECRETS, HUB, "cluster-edge")).annotations
        assert "nobody is pinned" in await ctl_agent.repin(hub, HUB, "edge")
        would = await ctl_agent.remove(hub, HUB, "edge", dry_run=True)
        assert would[0] == "would remove: Secret cluster-edge, ConfigMap trio-argoagent-state.edge"
        assert "stays on the spoke: everything" in would[2]
        done = await ctl_agent.remove(hub, HUB, "edge")
        assert done[0] == "removed: Secret cluster-edge, ConfigMap trio-argoagent-state.edge"
        for again in (ctl_agent.remove(hub, HUB, "edge"), ctl_agent.repin(hub, HUB, "edge")):
            with pytest.raises(UserError, match=r"the hub knows no agent .edge.; see: "):
                await again
        assert ctl_agent.as_text(await ctl_agent.list_agents(hub, HUB, "w2")).startswith("the hub knows no")


async def test_a_name_that_is_given_again(tmp_path: Path) -> None:
    """Whoever had it before is blocked, unless that is not wanted; who is not known changes nothing."""
    async with serve(tmp_path) as hub:
        for keeps, blocked in ((True, {}), (False, {"agent.edge": "2026-01-01T00:00:00Z"})):
            await hub.create(SECRETS, make_secret("edge", HUB, pin=PIN))
            said = await ctl_agent.take_off(hub, HUB, "edge", lambda: 1.7672256e9, keep_certificates=keeps)
            assert ("issued until 2026" in said[-1]) is not keeps
            assert await ctl_blocklist.read(hub, HUB) == blocked
        with pytest.raises(UserError, match="the hub knows no agent"):
            await ctl_agent.take_off(hub, HUB, "west", lambda: 0.0, keep_certificates=False)
        assert list(await ctl_blocklist.read(hub, HUB)) == ["agent.edge"]


async def test_a_deletion_is_released(tmp_path: Path) -> None:
    """Argo CD's finalizers come off, nobody else's; what does not need it is refused, and stays as it is."""
    async with serve(tmp_path) as hub:
        value = application("web", namespace="edge")
        value["metadata"]["finalizers"] = [names.FAMILY, "example.com/mine"]
        made = await hub.create(APPLICATIONS, value)
        for app, what in (
            ("web", "is not NAMESPACE/NAME"),
            ("edge/../x", "is not NAMESPACE/NAME"),
            ("edge/none", "there is no Application edge/none"),
            ("edge/web", "edge/web is not being deleted"),
        ):
            with pytest.raises(UserError, match=what):
                await ctl_app.release(hub, HUB, app, "w1", yes=True)
        assert (await hub.get(APPLICATIONS, "edge", "web")).meta == made.meta
        await hub.delete(APPLICATIONS, "edge", "web")
        said = await ctl_app.release(hub, HUB, "edge/web", "w2", yes=True)
        assert said.endswith("it still waits for example.com/mine")
        left = await hub.get(APPLICATIONS, "edge", "web")
        assert left.finalizers == ("example.com/mine",)
        with pytest.raises(UserError, match=r"its finalizers: example\.com/mine"):
            await ctl_app.release(hub, HUB, "edge/web", "w3", yes=True)


async def test_marks_come_off(tmp_path: Path) -> None:
    """Ours and argocd-agent's; other annotations, and objects without any, are not touched."""
    async with serve(tmp_path) as spoke:
        value = application("web", namespace="edge")
        value["metadata"]["annotations"] = dict.fromkeys(
            (names.MARKER, names.INTENT, names.SOURCE_UID, names.PRINCIPAL_UID, "mine"), "m"
        )
        await spoke.create(APPLICATIONS, value)
        free = await spoke.create(APPLICATIONS, application("free", namespace="edge"))
        assert await ctl_spoke.unmark(spoke, "") == ["Application edge/web"]
        assert (await spoke.get(APPLICATIONS, "edge", "web")).annotations == {"mine": "m"}
        assert (await spoke.get(APPLICATIONS, "edge", "free")).meta == free.meta


def test_an_entry_that_lets_nobody_in() -> None:
    """The list says why."""
    value = make_secret("edge", HUB)
    value["metadata"]["annotations"][PINNED] = "odd"
    entry = choose([read_entry(Object.of(value))])
    assert entry is not None
    assert ctl_agent.state(entry, None).startswith("cannot be let in: annotation trio-argoagent/pinned")


@pytest.mark.parametrize(
    "arguments",
    [
        ("agent", "list"),
        ("agent", "remove", "edge"),
        ("agent", "repin", "edge"),
        ("app", "release", "edge/web"),
        ("spoke", "unmark"),
    ],
    ids=" ".join,
)
def test_a_cluster_that_cannot_be_found(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """One line."""
    missing = str(tmp_path / "missing")
    assert missing in run("ctl", *arguments, "--kubeconfig", missing).line


def test_a_spoke_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never taken from the environment, where the hub's kubeconfig may be."""
    monkeypatch.setenv("KUBECONFIG", "hub")
    assert run("ctl", "spoke", "unmark").line.startswith("which spoke? Give --agent-context")
