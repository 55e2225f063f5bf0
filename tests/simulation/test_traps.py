"""Situations that replication between clusters is known to get wrong, one test each."""

from __future__ import annotations

import pytest
import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.sync import names
from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.argocd.applications import app_project, application, automated
from trio_argoagent.testing.argocd.names import FAMILY, Dialect, Settings
from trio_argoagent.testing.fleet import EVERYWHERE, NAMESPACE, PRINCIPAL

from .helpers import Scene, has_project, operation_state, play

SLOW = Settings(operation=30.0)
"""An Argo CD whose syncs take half a minute."""


# Deleting


@pytest.mark.parametrize("restart", ["", PRINCIPAL, "m1"])
def test_a_finalizer_removed_and_the_app_deleted_while_cut_prunes_nothing(restart: str) -> None:
    """A user who wants the workload to stay keeps it, though the copy still had the finalizer."""

    async def story(scene: Scene) -> None:
        await scene.create("web", syncPolicy=automated())
        await scene.synced("web")
        await scene.cut()
        await scene.change(scene.hub, "web", {"finalizers": []})
        await scene.hub.delete(APPLICATIONS, "m1", "web")
        if restart:
            scene.fleet.crash(restart)
            await trio.sleep(1)
            scene.fleet.start(restart)
        await scene.heal()
        assert scene.on_spoke("web") is None
        assert scene.deployed("web") == 2
        assert not scene.spoke.world.prunes

    play(story)


@pytest.mark.parametrize("propagation", ["", "foreground", "background"])
@pytest.mark.parametrize("finalizer", [True, False])
def test_a_cascade_on_the_hub_prunes_the_workload_and_then_the_hub_object_goes(
    propagation: str, finalizer: bool
) -> None:
    """Argo CD's default delete adds the finalizer first: the copy gets it before it is deleted."""

    async def story(scene: Scene) -> None:
        await scene.create("web", cascade=finalizer, syncPolicy=automated())
        await scene.synced("web")
        await argocd_server.delete(scene.argocd, "m1", "web", propagation=propagation)
        await scene.agree()
        assert scene.on_hub("web") is None
        assert scene.on_spoke("web") is None
        assert scene.deployed("web") == 0
        first = FAMILY if finalizer or not propagation else f"{FAMILY}/{propagation}"
        assert {prune.by for prune in scene.spoke.world.prunes} == {first}

    play(story)


@pytest.mark.parametrize("restart", ["", PRINCIPAL, "m1"])
def test_a_cascade_while_cut_waits_for_the_spoke(restart: str) -> None:
    """The hub object stays, deleting, until the spoke has really pruned, whoever restarts meanwhile."""

    async def story(scene: Scene) -> None:
        await scene.create("web", syncPolicy=automated())
        await scene.synced("web")
        await scene.cut()
        await argocd_server.delete(scene.argocd, "m1", "web")
        if restart:
            scene.fleet.crash(restart)
            await trio.sleep(1)
            scene.fleet.start(restart)
        await trio.sleep(30)
        hub = scene.on_hub("web")
        assert hub is not None and hub.deleting
        assert scene.deployed("web") == 2
        await scene.heal()
        assert scene.on_hub("web") is None
        assert scene.deployed("web") == 0

    play(story)


def test_a_delete_without_cascade_leaves_the_workload() -> None:
    """``argocd app delete --cascade=false`` removes the copy and nothing else."""

    async def story(scene: Scene) -> None:
        await scene.create("web", syncPolicy=automated())
        await scene.synced("web")
        await argocd_server.delete(scene.argocd, "m1", "web", cascade=False)
        await scene.agree()
        assert scene.on_spoke("web") is None
        assert scene.deployed("web") == 2

    play(story)


def test_ignore_sync_takes_the_copy_away_and_leaves_the_workload() -> None:
    """An object that leaves replication has its copy removed without pruning, and comes back as it was."""

    async def story(scene: Scene) -> None:
        await scene.create("web", syncPolicy=automated())
        await scene.synced("web")
        await scene.change(scene.hub, "web", {"labels": {names.IGNORE_SYNC: "true"}})
        await scene.agree()
        assert scene.on_spoke("web") is None
        assert scene.deployed("web") == 2
        await scene.change(scene.hub, "web", {"labels": {names.IGNORE_SYNC: None}})
        await scene.synced("web")
        assert scene.on_spoke("web") is not None

    play(story)


@pytest.mark.parametrize("path", ["guestbook", "helm-guestbook"])
def test_delete_and_recreate_of_one_name_while_cut(path: str) -> None:
    """The copy ends up with the new uid and spec, and what the old one deployed is not pruned."""

    async def story(scene: Scene) -> None:
        await scene.create("web", syncPolicy=automated(prune=False))
        await scene.synced("web")
        before = scene.on_spoke("web")
        await scene.cut()
        await scene.change(scene.hub, "web", {"finalizers": []})
        await scene.hub.delete(APPLICATIONS, "m1", "web")
        again = await scene.create("web", path, syncPolicy=automated(prune=False))
        await scene.heal()
        copy = scene.on_spoke("web")
        assert before is not None and copy is not None
        assert copy.annotations[names.SOURCE_UID] == again.meta.uid
        assert copy.meta.uid != before.meta.uid  # Its deletion was witnessed: it is another object.
        assert not scene.spoke.world.prunes

    play(story)


def test_a_recreation_that_nobody_witnessed_restamps_an_equal_copy() -> None:
    """A hub that was restored or moved must not re-create a fleet: equal specs keep their copies."""

    async def story(scene: Scene) -> None:
        await scene.create("web", syncPolicy=automated())
        await scene.synced("web")
        before = scene.on_spoke("web")
        scene.fleet.crash(PRINCIPAL)
        await trio.sleep(1)
        await scene.change(scene.hub, "web", {"finalizers": []})
        await scene.hub.delete(APPLICATIONS, "m1", "web")
        again = await scene.create("web", syncPolicy=automated())
        scene.fleet.start(PRINCIPAL)
        await scene.agree()
        copy = scene.on_spoke("web")
        assert before is not None and copy is not None
        assert copy.annotations[names.SOURCE_UID] == again.meta.uid
        assert copy.meta.uid == before.meta.uid

    play(story)


def test_a_copy_deleted_on_the_spoke_while_its_agent_is_down_comes_back() -> None:
    """What the hub wants is there again as soon as the agent is, without a change on the hub."""

    async def story(scene: Scene) -> None:
        await scene.create("web", cascade=False, syncPolicy=automated())
        await scene.synced("web")
        scene.fleet.crash("m1")
        await trio.sleep(1)
        await scene.there.delete(APPLICATIONS, NAMESPACE, "web")
        scene.fleet.start("m1")
        await scene.synced("web")
        assert scene.on_spoke("web") is not None

    play(story)


def test_a_copy_deleted_on_the_spoke_while_cut_comes_back_offline() -> None:
    """The agent guards what it holds without its principal."""

    async def story(scene: Scene) -> None:
        await scene.create("web", cascade=False, syncPolicy=automated())
        await scene.synced("web")
        await scene.cut()
        await scene.there.delete(APPLICATIONS, NAMESPACE, "web")
        await scene.until(lambda: scene.on_spoke("web") is not None, timeout=5)
        await scene.heal()

    play(story)


@pytest.mark.parametrize("how", ["kubectl", "argocd", "argocd --cascade=false"])
@pytest.mark.parametrize("online", [True, False])
def test_a_mirror_deleted_on_the_hub_comes_back_and_the_spoke_keeps_everything(
    how: str, online: bool
) -> None:
    """The default delete adds a finalizer that nobody on the hub would ever remove: it is taken off."""

    async def story(scene: Scene) -> None:
        await scene.create("web", syncPolicy=automated())
        await scene.synced("web")
        mirror, original = scene.on_hub("web"), scene.on_spoke("web")
        if not online:
            await scene.cut()
        if how == "kubectl":
            await scene.hub.delete(APPLICATIONS, "a1", "web")
        else:
            await argocd_server.delete(scene.argocd, "a1", "web", cascade=how == "argocd")
        if online:
            await scene.synced("web")
        else:
            await scene.heal()
        again, now = scene.on_hub("web"), scene.on_spoke("web")
        assert mirror is not None and again is not None and again.meta.uid != mirror.meta.uid
        assert original is not None and now is not None and now.meta.uid == original.meta.uid
        assert not scene.spoke.world.prunes

    play(story, mode=Mode.AUTONOMOUS)


def test_an_application_deleted_on_an_autonomous_spoke_takes_its_mirror_with_it() -> None:
    """Pruned on the spoke by its own Argo CD, gone on the hub."""

    async def story(scene: Scene) -> None:
        await scene.create("web", syncPolicy=automated())
        await scene.synced("web")
        await scene.there.delete(APPLICATIONS, NAMESPACE, "web")
        await scene.until(lambda: scene.on_hub("web") is None)
        await scene.agree()
        assert scene.deployed("web") == 0

    play(story, mode=Mode.AUTONOMOUS)


# Editing


@pytest.mark.parametrize("mode", list(Mode))
def test_an_edit_on_both_sides_during_a_cut_ends_as_the_owner_wants_it(mode: Mode) -> None:
    """The owning side's edit wins on both; the other one's is gone, labels included."""

    async def story(scene: Scene) -> None:
        await scene.create("web")
        await scene.agree()
        await scene.cut()
        for cluster, namespace in ((scene.hub, scene.spoke.name), (scene.there, NAMESPACE)):
            revision = "hub" if cluster is scene.hub else "spoke"
            labels = {"labels": {revision: "x"}}
            patch = MergePatch({"spec": {"source": {"targetRevision": revision}}, "metadata": labels})
            await cluster.patch(APPLICATIONS, namespace, "web", patch)
        await scene.heal()
        wins = "hub" if mode is Mode.MANAGED else "spoke"
        for app in (scene.on_hub("web"), scene.on_spoke("web")):
            assert app is not None
            assert app.get("spec")["source"]["targetRevision"] == wins
            assert dict(app.labels) == {wins: "x"}

    play(story, mode=mode)


def test_a_hundred_thousand_edits_while_cut_send_one_record() -> None:
    """There is no queue of events: one key is dirty, and its newest value is what travels."""

    async def story(scene: Scene) -> None:
        await scene.create("web")
        await scene.agree()
        scene.fleet.crash(scene.spoke.controller)
        await trio.sleep(90)
        await scene.cut()
        hub = scene.fleet.hub
        for number in range(100_000):
            patch = {"spec": {"source": {"targetRevision": f"v{number}"}}}
            hub.patch(
                APPLICATIONS, "m1", "web", patch,
                content_type="application/merge-patch+json", actor="user", now=scene.fleet.env.now(),
            )  # fmt: skip
        # No watch keeps up with that: it is closed, and by then its place in the history is forgotten.
        hub.compact(hub.rv)
        before = scene.records
        await scene.heal()
        copy = scene.on_spoke("web")
        assert copy is not None and copy.get("spec")["source"]["targetRevision"] == "v99999"
        assert scene.records - before == 1

    play(story, watched=False)


# Asking


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("dialect", list(Dialect))
def test_app_sync_on_the_hub_returns_what_the_spoke_did(mode: Mode, dialect: Dialect) -> None:
    """``argocd app sync`` waits for its own operation, started once, and shows its end."""

    async def story(scene: Scene) -> None:
        await scene.create("web")
        await scene.agree()
        result = await argocd_server.cli_sync(scene.argocd, scene.spoke.name, "web")
        assert result["phase"] == "Succeeded"
        assert list(scene.monitors.intents.values()) == [1]
        await scene.synced("web")

    play(story, mode=mode, dialect=dialect)


@pytest.mark.parametrize("restart", ["", PRINCIPAL, "agent"])
@pytest.mark.parametrize("mode", list(Mode))
def test_app_sync_while_cut_waits_and_runs_once(mode: Mode, restart: str) -> None:
    """The request stands on the hub, is not answered by an older state, and is started exactly once."""

    async def story(scene: Scene) -> None:
        await scene.create("web")
        await scene.agree()
        await argocd_server.cli_sync(scene.argocd, scene.spoke.name, "web")
        await scene.agree()
        earlier = operation_state(scene.on_hub("web"))["startedAt"]
        await scene.cut()
        found: list[str] = []

        async def user() -> None:
            state = await argocd_server.cli_sync(scene.argocd, scene.spoke.name, "web")
            found.append(state["startedAt"])

        async with trio.open_nursery() as nursery:
            nursery.start_soon(user)
            await trio.sleep(20)
            if restart:
                program = scene.spoke.name if restart == "agent" else restart
                scene.fleet.crash(program)
                await trio.sleep(1)
                scene.fleet.start(program)
            await trio.sleep(20)
            hub = scene.on_hub("web")
            assert hub is not None and hub.get("operation") is not None and not found
            await scene.heal()
        assert found[0] > earlier
        assert list(scene.monitors.intents.values()) == [1, 1]

    play(story, mode=mode)


def test_a_sync_asked_for_while_the_spoke_runs_one_of_its_own_starts_after_it() -> None:
    """Argo CD would swallow it: it waits for its turn, and both run to their ends."""

    async def story(scene: Scene) -> None:
        await scene.create("web", cascade=False)
        await scene.agree()
        await scene.cut()
        operation = {"initiatedBy": {"username": "local"}, "sync": {"revision": "HEAD"}}
        await scene.there.patch(APPLICATIONS, NAMESPACE, "web", MergePatch({"operation": operation}))
        await argocd_server.sync(scene.argocd, "m1", "web")
        await trio.sleep(5)
        scene.fleet.network.heal("m1")
        attempts = scene.spoke.world.attempts
        await scene.until(lambda: len(attempts) == 4)
        phases = [(a.phase, (a.operation.get("initiatedBy") or {}).get("username")) for a in attempts]
        assert phases == [
            ("Running", "local"), ("Succeeded", "local"), ("Running", "admin"), ("Succeeded", "admin"),
        ]  # fmt: skip

    play(story, settings=SLOW)


def test_a_second_app_sync_is_refused_while_the_first_one_runs() -> None:
    """The hub shows the spoke's running operation, so argocd-server refuses as it does on one cluster."""

    async def story(scene: Scene) -> None:
        await scene.create("web")
        await scene.agree()
        await argocd_server.sync(scene.argocd, "m1", "web")
        await trio.sleep(10)
        with pytest.raises(argocd_server.Refused, match="already in progress"):
            await argocd_server.sync(scene.argocd, "m1", "web")
        await scene.agree()
        assert list(scene.monitors.intents.values()) == [1]

    play(story, settings=SLOW)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("dialect", list(Dialect))
def test_terminate_on_the_hub_ends_the_operation_on_the_spoke(mode: Mode, dialect: Dialect) -> None:
    """The phase Terminating, set on the hub, reaches the operation that it was aimed at."""

    async def story(scene: Scene) -> None:
        await scene.create("web")
        await scene.agree()
        await argocd_server.sync(scene.argocd, scene.spoke.name, "web")
        await scene.until(lambda: operation_state(scene.on_hub("web")).get("phase") == "Running")
        await argocd_server.terminate(scene.argocd, scene.spoke.name, "web")
        await scene.agree()
        state = operation_state(scene.on_hub("web"))
        assert (state["phase"], state["message"]) == ("Failed", "Operation terminated")

    play(story, mode=mode, settings=Settings(dialect=dialect, operation=30.0))


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("hard", [True, False])
@pytest.mark.parametrize("dialect", list(Dialect))
def test_a_refresh_on_the_hub_shows_what_has_changed_in_git(mode: Mode, hard: bool, dialect: Dialect) -> None:
    """``Get?refresh`` returns a status from after the spoke's own refresh, and the annotation is gone."""

    async def story(scene: Scene) -> None:
        created = await scene.create("web")
        await scene.agree()
        await argocd_server.cli_sync(scene.argocd, scene.spoke.name, "web")
        await scene.synced("web")
        source = created.get("spec")["source"]
        scene.spoke.world.git = scene.spoke.world.git.push(source["repoURL"], "guestbook")
        with trio.fail_after(30):
            app = await argocd_server.refresh(
                scene.argocd, scene.spoke.name, "web", env=scene.fleet.env, hard=hard, dialect=dialect
            )
        assert app.get("status")["sync"]["status"] == "OutOfSync"
        await scene.agree()

    play(story, mode=mode, dialect=dialect)


# Order


def test_an_application_waits_for_its_project_and_is_valid_when_both_have_come() -> None:
    """Created in the wrong order on the hub, both arrive in the right one."""

    async def story(scene: Scene) -> None:
        await scene.create("web", project="team", syncPolicy=automated())
        await trio.sleep(3)
        assert scene.on_spoke("web") is None
        await scene.hub.create(APP_PROJECTS, app_project("team", namespace=NAMESPACE, **EVERYWHERE))
        await scene.synced("web")

    play(story)


def test_an_application_that_had_to_go_first_is_refreshed_when_its_project_comes() -> None:
    """After ten seconds it goes without its project; it heals at once when that comes, not at a resync."""

    async def story(scene: Scene) -> None:
        await scene.create("web", project="team", syncPolicy=automated())
        await scene.until(lambda: scene.on_spoke("web") is not None, timeout=11)
        await trio.sleep(5)
        await scene.hub.create(APP_PROJECTS, app_project("team", namespace=NAMESPACE, **EVERYWHERE))
        began = trio.current_time()
        await scene.synced("web")
        assert trio.current_time() - began < 30

    play(story)


def test_a_project_deleted_with_its_application_outlives_it_on_the_spoke() -> None:
    """Without its project an Application's deletion would hang for ever."""

    async def story(scene: Scene) -> None:
        await scene.hub.create(APP_PROJECTS, app_project("team", namespace=NAMESPACE, **EVERYWHERE))
        await scene.create("web", project="team", syncPolicy=automated())
        await scene.synced("web")
        await scene.cut()
        await argocd_server.delete(scene.argocd, "m1", "web")
        await scene.hub.delete(APP_PROJECTS, NAMESPACE, "team")
        await scene.heal()
        assert scene.on_hub("web") is None and scene.on_spoke("web") is None
        assert not has_project(scene, "team")
        assert scene.deployed("web") == 0

    play(story)


def test_a_project_that_no_longer_matches_is_withdrawn_also_after_a_restart() -> None:
    """What an agent may no longer see leaves its cluster, even if nobody was there to see the change."""

    async def story(scene: Scene) -> None:
        await scene.hub.create(APP_PROJECTS, app_project("team", namespace=NAMESPACE, **EVERYWHERE))
        await scene.until(lambda: has_project(scene, "team"))
        scene.fleet.crash(PRINCIPAL)
        await trio.sleep(1)
        patch = MergePatch({"spec": {"sourceNamespaces": ["other"]}})
        await scene.hub.patch(APP_PROJECTS, NAMESPACE, "team", patch)
        scene.fleet.start(PRINCIPAL)
        await scene.until(lambda: not has_project(scene, "team"))

    play(story)


def test_a_local_application_on_a_managed_spoke_is_none_of_our_business() -> None:
    """What carries no source uid is neither reverted nor removed nor shown."""

    async def story(scene: Scene) -> None:
        await scene.create("web")
        local = application("local", namespace=NAMESPACE, syncPolicy=automated())
        await scene.there.create(APPLICATIONS, local)
        await scene.agree()
        await trio.sleep(60)
        copy = scene.on_spoke("local")
        assert copy is not None and names.MARKER not in copy.annotations
        assert scene.on_hub("local") is None

    play(story)
