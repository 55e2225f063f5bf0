"""Agents that leave, come back, are fought over and given up: whole fleets in virtual time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trio

from trio_argoagent.agent import Agent
from trio_argoagent.apiserver.core.values import LogEntry, Verb
from trio_argoagent.cli import ctl_agent, ctl_app, ctl_spoke
from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APPLICATIONS, CONFIG_MAPS, NAMESPACES, SECRETS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal.clusters import HOME, PINNED, make_secret
from trio_argoagent.replication.memory import name_of
from trio_argoagent.runtime.config import AgentConfig
from trio_argoagent.runtime.events import Event
from trio_argoagent.testing import oracle
from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.argocd.applications import application, automated
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, PRODUCT, Fleet, SpokePlan, open_fleet
from trio_argoagent.testing.scheduling import make_env, simulate

from .helpers import Scene, play

MODES = [Mode.MANAGED, Mode.AUTONOMOUS]
NAMES = ("a", "b", "c")


@contextmanager
def counted(fleet: Fleet) -> Iterator[Counter[str]]:
    """How often our programs create and delete Applications meanwhile."""
    found: Counter[str] = Counter()

    def note(entry: LogEntry) -> None:
        if entry.resource == APPLICATIONS and entry.actor in PRODUCT:
            found["create"] += entry.old is None
            found["delete"] += entry.verb is Verb.DELETE or bool(
                entry.old and entry.new and entry.new.deleting and not entry.old.deleting
            )

    for server in fleet.servers.values():
        server.subscribe(note)
    yield found


async def leave(scene: Scene) -> list[str]:
    """Remove the agent as an operator does."""
    return await ctl_agent.remove(scene.hub, NAMESPACE, scene.spoke.name)


async def come_back(scene: Scene) -> None:
    """Register the agent again."""
    await scene.hub.create(SECRETS, make_secret(scene.spoke.name, NAMESPACE))


def is_connected(scene: Scene) -> bool:
    """Does the principal say that it has this agent?"""
    principal = scene.fleet.principal.instance
    assert principal is not None
    return any(each.connected for each in principal.status() if each.name == scene.spoke.name)


async def edit(scene: Scene, name: str, revision: str) -> None:
    """Change an Application where it is owned."""
    autonomous = scene.spoke.mapping.autonomous
    users, where = (scene.there, NAMESPACE) if autonomous else (scene.hub, scene.spoke.name)
    patch = MergePatch({"spec": {"source": {"targetRevision": revision}}})
    await users.patch(APPLICATIONS, where, name, patch)


@pytest.mark.parametrize("mode", MODES)
def test_removed_and_added_again(mode: Mode) -> None:
    """Nothing is deleted by it on either side, nothing crosses meanwhile, and afterwards both agree."""

    async def story(scene: Scene) -> None:
        for name in NAMES:
            await scene.create(name)
        await scene.agree()
        with counted(scene.fleet) as done:
            assert await leave(scene)
            await trio.sleep(1.0)
            assert not is_connected(scene)
            assert not oracle.objects(scene.fleet.hub, CONFIG_MAPS, NAMESPACE).get(name_of(scene.spoke.name))
            await edit(scene, "a", "v9")
            await trio.sleep(1200)
            assert scene.fleet.differences()
            await come_back(scene)
            await scene.agree()
            assert not done["delete"] and not done["create"]
        on_hub, on_spoke = scene.on_hub("a"), scene.on_spoke("a")
        assert on_hub is not None and on_spoke is not None
        assert on_hub.get("spec")["source"] == on_spoke.get("spec")["source"]

    play(story, mode=mode)


@pytest.mark.parametrize("mode", MODES)
def test_a_restart_forgets_nobody(mode: Mode) -> None:
    """The pin stands, and is not written again; who comes as another is refused by the new process, too."""

    async def story(scene: Scene) -> None:
        await scene.create("web")
        await scene.agree()
        secret = f"cluster-{scene.spoke.name}"
        before = oracle.objects(scene.fleet.hub, SECRETS, NAMESPACE)[secret]
        assert before.annotations[PINNED].startswith(f"v1 {mode} {NAMESPACE} ")
        scene.fleet.restart(PRINCIPAL)
        await scene.agree()
        after = oracle.objects(scene.fleet.hub, SECRETS, NAMESPACE)[secret]
        assert after.meta.resource_version == before.meta.resource_version

    play(story, mode=mode)


async def _rejoined(fleet: Fleet) -> None:
    """Agent m1 dies with its cluster; another cluster takes its name."""
    hub = fleet.hub_as("user")
    fleet.confirming = False
    for name in NAMES:
        await hub.create(APPLICATIONS, application(name, namespace="m1"))
    await fleet.wait_consistent()
    fleet.kill("m1")
    fleet.kill("m2")
    spoke = fleet.spokes["m2"]
    newcomer = Agent(
        AgentConfig(NAMESPACE, Mode.MANAGED, "m1"),
        cluster=fleet.spoke_as("m2", "agent"),
        dialer=fleet.network.dialer("m1"),
        env=make_env(3, "newcomer"),
    )
    with counted(fleet) as done:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(newcomer.run)
            await trio.sleep(200)
            assert not oracle.objects(spoke.server, APPLICATIONS, NAMESPACE), "another cluster was let in"
            await ctl_agent.repin(hub, NAMESPACE, "m1")
            await fleet.until(lambda: len(oracle.objects(spoke.server, APPLICATIONS, NAMESPACE)) == 3, 200)
            await trio.sleep(60)
            assert sorted(oracle.objects(fleet.hub, APPLICATIONS, "m1")) == list(NAMES)
            nursery.cancel_scope.cancel()
        assert done == {"create": len(NAMES), "delete": 0}


def test_a_new_cluster_under_an_old_name() -> None:
    """It is refused until an operator says that it is meant; then it gets all, and nothing is deleted."""

    async def main() -> None:
        async with open_fleet((SpokePlan("m1"), SpokePlan("m2")), seed=3) as fleet:
            await _rejoined(fleet)

    simulate(main, seed=3)


def test_w22_two_processes_of_one_agent() -> None:
    """A second process that stays: they swap twice, a minute apart, and then one of them works in peace.

    A naive principal lets the newest in each time, and naive agents dial at once: the links change hands as
    fast as two processes can dial, for ever.
    """

    async def story(scene: Scene) -> None:
        await scene.create("web", syncPolicy=automated())
        await scene.agree()
        fleet, name = scene.fleet, scene.spoke.name
        told: list[tuple[float, str]] = []

        def note(program: str, event: Event) -> None:
            if program == PRINCIPAL and event.agent == name:
                told.append((trio.current_time(), event.name))

        fleet.observers.append(note)
        twin = Agent(
            AgentConfig(NAMESPACE, Mode.MANAGED, name),
            cluster=fleet.spoke_as(name, "agent"),
            dialer=fleet.network.dialer(name),
            env=make_env(9, "twin"),
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(twin.run)
            await trio.sleep(900)
            ups = [at for at, event in told if event == "link-up"]
            assert len(ups) == 2, told
            assert ups[1] - ups[0] >= 60
            assert "agent-contested" in [event for _, event in told]
            assert is_connected(scene)
            rows = await ctl_agent.list_agents(scene.hub, NAMESPACE, "w1")
            assert rows[0].state.endswith(", another process wants its place")
            await edit(scene, "web", "v2")
            await scene.agree()
            nursery.cancel_scope.cancel()

    play(story, watched=False)


def test_what_an_operator_sees() -> None:
    """Mode, cluster and namespace as pinned, and whether it is connected now."""

    async def story(scene: Scene) -> None:
        await scene.agree()
        (row,) = await ctl_agent.list_agents(scene.hub, NAMESPACE, "w1")
        assert row.entry.agent == "m1" and row.state.startswith("connected since ")
        await scene.hub.create(SECRETS, make_secret("later", NAMESPACE))
        await scene.cut()
        rows = await ctl_agent.list_agents(scene.hub, NAMESPACE, "w2")
        assert [each.state for each in rows] == ["nobody has come yet", "not connected"]
        scene.fleet.kill(PRINCIPAL)
        rows = await ctl_agent.list_agents(scene.hub, NAMESPACE, "w3")
        assert {each.state for each in rows} == {"unknown: no principal answers"}

    play(story, watched=False)


def test_a_deletion_that_waits_for_an_agent_that_is_gone() -> None:
    """It is released only when asked for by name, and never over the head of an agent that is connected."""

    async def story(scene: Scene) -> None:
        await scene.create("web", syncPolicy=automated())
        await scene.synced("web")
        deployed = scene.deployed("web")
        scene.fleet.network.slow("m1", 30.0)
        await argocd_server.delete(scene.argocd, "m1", "web")
        with pytest.raises(UserError, match="m1 is connected and carries the deletion out itself"):
            await ctl_app.release(scene.hub, NAMESPACE, "m1/web", "w1", yes=True)
        scene.fleet.kill("m1")
        await trio.sleep(100)
        with pytest.raises(UserError, match="add --yes"):
            await ctl_app.release(scene.hub, NAMESPACE, "m1/web", "w2", yes=False)
        scene.fleet.kill(PRINCIPAL)
        with pytest.raises(UserError, match="no principal answers"):
            await ctl_app.release(scene.hub, NAMESPACE, "m1/web", "w3", yes=True)
        scene.fleet.start(PRINCIPAL)
        await trio.sleep(10)
        assert scene.on_hub("web") is not None
        await leave(scene)
        assert "released" in await ctl_app.release(scene.hub, NAMESPACE, "m1/web", "w4", yes=True)
        assert scene.on_hub("web") is None
        assert scene.on_spoke("web") is not None
        assert scene.deployed("web") == deployed

    play(story, watched=False)


def test_copies_set_free() -> None:
    """Without marks nobody touches them; an agent that comes back adopts them, and nothing is deleted."""

    async def story(scene: Scene) -> None:
        for name in NAMES:
            await scene.create(name)
        await scene.agree()
        await leave(scene)
        scene.fleet.kill("m1")
        seen = await ctl_spoke.unmark(scene.there, "", dry_run=True)
        assert [line for line in seen if line.startswith("Application ")] == [
            f"Application argocd/{name}" for name in NAMES
        ]
        assert await ctl_spoke.unmark(scene.there, "") == seen
        assert await ctl_spoke.unmark(scene.there, "") == []
        copy = scene.on_spoke("a")
        assert copy is not None and not ctl_spoke.marks(copy)
        with counted(scene.fleet) as done:
            await come_back(scene)
            scene.fleet.start("m1")
            await scene.agree()
            assert not done["delete"] and not done["create"]

    play(story, watched=False)


def test_another_namespace_on_the_hub() -> None:
    """The agent's Applications are where its secret says; what the old namespace has left is not pruned."""

    async def story(scene: Scene) -> None:
        scene.fleet.confirming = False
        await scene.create("old", cascade=False)
        await scene.agree()
        await scene.hub.create(
            NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shops"}}
        )
        await scene.hub.create(APPLICATIONS, application("new", namespace="shops", cascade=False))
        await trio.sleep(30)
        assert scene.on_spoke("new") is None
        patch = MergePatch({"metadata": {"annotations": {HOME: "shops"}}})
        await scene.hub.patch(SECRETS, NAMESPACE, "cluster-m1", patch)
        await scene.until(lambda: scene.on_spoke("new") is not None)
        edited = MergePatch({"spec": {"source": {"targetRevision": "v2"}}})
        await scene.hub.patch(APPLICATIONS, "shops", "new", edited)
        await trio.sleep(60)
        new = scene.on_spoke("new")
        assert new is not None and new.get("spec")["source"]["targetRevision"] == "v2"
        assert scene.on_spoke("old") is not None, "what is missing in the new view was deleted unasked"
        (row,) = await ctl_agent.list_agents(scene.hub, NAMESPACE, "w1")
        assert row.entry.home == "shops" and row.state.startswith("connected since ")

    play(story, watched=False)
