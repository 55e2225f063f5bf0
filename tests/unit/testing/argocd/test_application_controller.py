"""The simulated application-controller on an API server: whole stories, in virtual time."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.argocd.applications import app_project, automated, samples
from trio_argoagent.testing.argocd.git import EXAMPLES
from trio_argoagent.testing.argocd.names import FAMILY, REFRESH, Dialect, Settings

from .conftest import Stage

V35 = Settings(dialect=Dialect.V35)


async def test_auto_sync_from_creation_to_health(stage: Stage, autojump_clock: MockClock) -> None:
    """OutOfSync and Missing, an operation of its own, Synced and Progressing, Healthy."""
    began = trio.current_time()
    await stage.start()
    await stage.add("web", syncPolicy=automated())
    await stage.reach("OutOfSync", "Missing")
    await stage.reach("Synced", "Progressing")
    await stage.reach("Synced", "Healthy")
    state = (await stage.status())["operationState"]
    assert state["phase"] == "Succeeded"
    assert state["operation"]["initiatedBy"] == {"automated": True}
    assert len(stage.world.attempts) == 2
    # Two seconds of operation, three of rollout: every pass was set off in time, none by a resync.
    assert trio.current_time() - began < 6


async def test_it_falls_silent(stage: Stage, autojump_clock: MockClock) -> None:
    """A healthy Application is written at resyncs only, and then only its reconciledAt."""
    await stage.start()
    await stage.add("web", syncPolicy=automated())
    await stage.reach("Synced", "Healthy")
    before = stage.writes()
    await trio.sleep(100)
    assert stage.writes() == before
    await trio.sleep(600)
    assert 3 <= stage.writes() - before <= 5


async def test_a_manual_sync_through_the_server(stage: Stage, autojump_clock: MockClock) -> None:
    """The command line's sync returns when a refresh has seen the end."""
    await stage.start()
    await stage.add("web")
    await stage.reach("OutOfSync", "Missing")
    state = await argocd_server.cli_sync(stage.cluster, "argocd", "web", git=stage.world.git)
    assert state["phase"] == "Succeeded"
    status = await stage.status()
    assert status["reconciledAt"] >= state["finishedAt"]
    assert status["sync"]["status"] == "Synced"
    assert [entry["revision"] for entry in status["history"]] == [status["sync"]["revision"]]


async def test_the_same_on_3_5(stage: Stage, autojump_clock: MockClock) -> None:
    """The other dialect comes to the same end."""
    await stage.start(V35)
    await stage.add("web", syncPolicy=automated())
    await stage.reach("Synced", "Healthy")
    answer = await argocd_server.refresh(stage.cluster, "argocd", "web", env=stage.env, dialect=Dialect.V35)
    assert REFRESH not in answer.annotations


async def test_a_sync_can_be_terminated(stage: Stage, autojump_clock: MockClock) -> None:
    """Terminating is seen at the next pass, and ends as Failed."""
    await stage.start(Settings(operation=30.0))
    await stage.add("web")
    await stage.reach("OutOfSync", "Missing")
    await argocd_server.sync(stage.cluster, "argocd", "web")
    # A terminate between the controller's GET and its PATCH is overwritten, as in Argo CD: let it settle.
    await stage.until(lambda app: "message" in app.get("status").get("operationState", {}))
    await trio.sleep(1)
    await argocd_server.terminate(stage.cluster, "argocd", "web")
    await argocd_server.wait(stage.cluster, "argocd", "web")
    state = (await stage.status())["operationState"]
    assert (state["phase"], state["message"]) == ("Failed", "Operation terminated")
    assert stage.world.live("argocd", "web", stage.env.now()) == ()


async def test_a_refresh_is_answered(stage: Stage, autojump_clock: MockClock) -> None:
    """Its annotations are gone, those about hydration stay for ever."""
    await stage.start()
    await stage.add("web")
    await stage.reach("OutOfSync", "Missing")
    await trio.sleep(5)
    before = (await stage.status())["reconciledAt"]
    answer = await argocd_server.refresh(stage.cluster, "argocd", "web", env=stage.env)
    assert answer.get("status")["reconciledAt"] > before
    assert sorted(answer.annotations) == [
        "argocd.argoproj.io/hydrate",
        "argocd.argoproj.io/hydrate-timestamp",
    ]


async def test_a_cascade_prunes_and_lets_go(stage: Stage, autojump_clock: MockClock) -> None:
    """The default delete adds the finalizer itself."""
    await stage.start()
    await stage.add("web", cascade=False, syncPolicy=automated())
    await stage.reach("Synced", "Healthy")
    uid = (await stage.app()).meta.uid
    await argocd_server.delete(stage.cluster, "argocd", "web")
    await stage.gone()
    assert [(pruned.uid, pruned.by) for pruned in stage.world.prunes] == [(uid, FAMILY)] * 2
    assert stage.world.live("argocd", "web", stage.env.now()) == ()


async def test_a_delete_without_cascade_prunes_nothing(stage: Stage, autojump_clock: MockClock) -> None:
    """The family goes first, then the object; the workload stays."""
    await stage.start()
    await stage.add("web", syncPolicy=automated())
    await stage.reach("Synced", "Healthy")
    await argocd_server.delete(stage.cluster, "argocd", "web", cascade=False)
    await stage.gone()
    await trio.sleep(300)
    assert not stage.world.prunes
    assert len(stage.world.live("argocd", "web", stage.env.now())) == 2


async def test_deletion_hooks_to_the_end(stage: Stage, autojump_clock: MockClock) -> None:
    """The controller adds four finalizers and takes them away one by one."""
    await stage.start()
    await stage.add("web", "delete-hooks", syncPolicy=automated())
    await stage.reach("Synced", "Healthy")
    assert len((await stage.app()).finalizers) == 5
    await argocd_server.delete(stage.cluster, "argocd", "web")
    await stage.gone()
    assert len(stage.world.hooks) == 4


async def test_deletion_waits_for_the_operation(stage: Stage, autojump_clock: MockClock) -> None:
    """While .operation stands nothing is pruned."""
    await stage.start(Settings(operation=20.0))
    await stage.add("web")
    await stage.reach("OutOfSync", "Missing")
    await argocd_server.sync(stage.cluster, "argocd", "web")
    await stage.until(lambda app: "operationState" in app.get("status"))
    await argocd_server.delete(stage.cluster, "argocd", "web")
    await stage.gone()
    end = [a.at for a in stage.world.attempts if a.phase == "Succeeded"]
    assert [pruned.at >= end[0] for pruned in stage.world.prunes] == [True, True]


async def test_without_its_project_a_deletion_hangs_until_a_resync(
    stage: Stage, autojump_clock: MockClock
) -> None:
    """The project's return alone changes nothing."""
    await stage.start()
    await stage.add("web", syncPolicy=automated(), metadata={"annotations": {"a": "b"}})
    await stage.reach("Synced", "Healthy")
    await stage.cluster.delete(APP_PROJECTS, "argocd", "default")
    await stage.cluster.delete(APPLICATIONS, "argocd", "web")
    await trio.sleep(400)
    status = await stage.status()
    assert {c["type"] for c in status["conditions"]} == {"DeletionError", "InvalidSpecError"}
    assert not stage.world.prunes
    await stage.cluster.create(APP_PROJECTS, app_project())
    await stage.gone()
    assert len(stage.world.prunes) == 2


async def test_a_project_of_nobody_loses_the_family(stage: Stage, autojump_clock: MockClock) -> None:
    """The controller keeps a deleting project as long as an Application uses it."""
    await stage.start()
    project = app_project("team")
    project["metadata"]["finalizers"] = [FAMILY]
    await stage.cluster.create(APP_PROJECTS, project)
    await stage.add("web", project="team")
    await stage.reach("OutOfSync", "Missing")
    await stage.cluster.delete(APP_PROJECTS, "argocd", "team")
    await trio.sleep(300)
    assert (await stage.cluster.get(APP_PROJECTS, "argocd", "team")).deleting
    await argocd_server.delete(stage.cluster, "argocd", "web")
    await stage.gone()
    await trio.sleep(1)
    names = [item.meta.name for item in (await stage.cluster.list(APP_PROJECTS, "argocd")).items]
    assert names == ["default"]


async def test_a_commit_is_found_at_the_next_resync(stage: Stage, autojump_clock: MockClock) -> None:
    """Auto-sync deploys it, and the history grows."""
    await stage.start()
    await stage.add("web", syncPolicy=automated())
    await stage.reach("Synced", "Healthy")
    stage.world.git = stage.world.git.push(EXAMPLES, "guestbook")
    await stage.until(lambda app: len(app.get("status").get("history") or ()) == 2)


async def test_drift_is_healed(stage: Stage, autojump_clock: MockClock) -> None:
    """A change of the workload wakes the controller by itself."""
    await stage.start()
    await stage.add("web", syncPolicy=automated())
    await stage.reach("Synced", "Healthy")
    stage.world.drift("Deployment", "web", "guestbook-ui")
    await stage.reach("OutOfSync", "Healthy")
    await stage.reach("Synced", "Healthy")
    state = (await stage.status())["operationState"]
    assert state["operation"]["sync"]["autoHealAttemptsCount"] == 1


async def test_a_restart_goes_on_where_the_object_says(stage: Stage, autojump_clock: MockClock) -> None:
    """3.6 sees a pending operation only at the next update or resync; it does not start it twice."""
    scope = await stage.start(Settings(operation=10.0))
    await stage.add("web")
    await stage.reach("OutOfSync", "Missing")
    await argocd_server.sync(stage.cluster, "argocd", "web")
    await stage.until(lambda app: "operationState" in app.get("status"))
    scope.cancel()
    await trio.sleep(1)
    await stage.start(Settings(operation=10.0))
    began = trio.current_time()
    await argocd_server.wait(stage.cluster, "argocd", "web")
    assert trio.current_time() - began > 60
    assert [a.phase for a in stage.world.attempts] == ["Running", "Succeeded"]


async def test_a_stale_copy_undoes_what_others_write(stage: Stage, autojump_clock: MockClock) -> None:
    """A finalizer that is added while the controller thinks is lost: whole lists without resourceVersion."""
    await stage.start(Settings(think=2.0))
    await stage.add("web", "delete-hooks")
    await trio.sleep(1)
    finalizers = [FAMILY, "someone/else"]
    patch = MergePatch({"metadata": {"finalizers": finalizers}})
    await stage.cluster.patch(APPLICATIONS, "argocd", "web", patch)
    await trio.sleep(1.5)
    kept = (await stage.app()).finalizers
    assert "someone/else" not in kept
    assert len(kept) == 5


async def test_a_request_meanwhile_is_lost_by_3_5_only(stage: Stage, autojump_clock: MockClock) -> None:
    """The dialects differ in what ends a refresh."""
    await stage.add("web")
    for dialect, left in ((Dialect.V35, 0), (Dialect.V36, 1)):
        scope = await stage.start(Settings(dialect=dialect, think=2.0))
        await trio.sleep(10)
        for _ in range(2):
            await argocd_server.refresh(stage.cluster, "argocd", "web", env=stage.env, wait=False)
            await trio.sleep(1.5)
        # The first pass has ended; the second request came after that pass had read its copy.
        assert (REFRESH in (await stage.app()).annotations) == bool(left)
        await trio.sleep(10)
        assert REFRESH not in (await stage.app()).annotations
        scope.cancel()


async def test_every_sample_settles(stage: Stage, autojump_clock: MockClock) -> None:
    """All samples are accepted, and those with auto-sync get to Synced and Healthy."""
    await stage.start()
    for app in samples():
        await stage.cluster.create(APPLICATIONS, app)
    await trio.sleep(200)
    for app in samples():
        status = await stage.status(app["metadata"]["name"])
        wanted = "Synced" if "automated" in (app["spec"].get("syncPolicy") or {}) else "OutOfSync"
        types = [c["type"] for c in status.get("conditions") or ()]
        assert (app["metadata"]["name"], status["sync"]["status"]) == (app["metadata"]["name"], wanted)
        assert "InvalidSpecError" not in types
    rewritten = (await stage.app("rewritten")).get("spec")
    assert rewritten["project"] == "default"
    assert "syncPolicy" not in rewritten
    assert set(rewritten["source"]) == {"path", "repoURL", "targetRevision"}


async def test_switching_auto_sync_on_is_seen_at_once(stage: Stage, autojump_clock: MockClock) -> None:
    """No resync is waited for."""
    await stage.start()
    await stage.add("web")
    await stage.reach("OutOfSync", "Missing")
    began = trio.current_time()
    patch = MergePatch({"spec": {"syncPolicy": automated()}})
    await stage.cluster.patch(APPLICATIONS, "argocd", "web", patch)
    await stage.reach("Synced", "Healthy")
    assert trio.current_time() - began < 6


async def test_auto_sync_does_not_replace_an_operation(stage: Stage, autojump_clock: MockClock) -> None:
    """W9 looks at the object itself, whatever the copy said."""
    await stage.start(Settings(dialect=Dialect.V35, think=2.0))
    await stage.add("web", syncPolicy=automated())
    await trio.sleep(1)
    asked = {"info": [{"name": "who", "value": "me"}], "sync": {}}
    await stage.cluster.patch(APPLICATIONS, "argocd", "web", MergePatch({"operation": asked}))
    await stage.reach("Synced", "Healthy")
    assert [attempt.operation for attempt in stage.world.attempts] == [asked, asked]


async def test_3_6_cannot_start_an_operation_without_a_status(
    stage: Stage, autojump_clock: MockClock
) -> None:
    """Its JSON patch adds below .status, and is tried each second until somebody has written one."""
    await stage.start(Settings(think=2.0))
    await stage.add("web")
    await stage.cluster.patch(APPLICATIONS, "argocd", "web", MergePatch({"operation": {"sync": {}}}))
    await trio.sleep(1.5)
    assert "operationState" not in await stage.status()
    await stage.until(lambda app: app.get("operation") is None)
    (began, _) = stage.world.attempts
    assert began.at >= stage.env.now() - trio.current_time() + 2.0
    assert began.token.startswith((await stage.status())["operationState"]["startedAt"])
