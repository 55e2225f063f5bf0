"""ApplicationSets on the hub: a controller that overwrites beside a principal that writes little."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
import trio

from trio_argoagent.apiserver.core.values import LogEntry, Stored
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.sync import names, operations
from trio_argoagent.testing import oracle
from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.argocd.applications import application, automated
from trio_argoagent.testing.argocd.applicationset import APPLICATION_SETS, SetSettings
from trio_argoagent.testing.argocd.applicationset_controller import SetStatus, run_applicationset_controller
from trio_argoagent.testing.argocd.git import EXAMPLES
from trio_argoagent.testing.argocd.names import FAMILY, IN_CLUSTER, Settings
from trio_argoagent.testing.faults import NONE, Faults
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, Fleet, SpokePlan, open_fleet
from trio_argoagent.testing.monitors import Monitors
from trio_argoagent.testing.scheduling import make_env, simulate

APPSET = "applicationset-controller"
AGENTS = ("m1", "m2")
APPS = ("one", "two", "three")


class Scene:
    """Two managed spokes, and an ApplicationSet controller on the hub."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.hub = fleet.hub_as("user")
        self.status = SetStatus()

    async def create(self, agent: str, **spec: Any) -> None:
        """An ApplicationSet of three Applications in an agent's namespace."""
        value = appset(agent, **spec)
        await self.hub.create(APPLICATION_SETS, value)

    async def change(self, agent: str, spec: Mapping[str, Any]) -> None:
        """Change an ApplicationSet."""
        await self.hub.patch(APPLICATION_SETS, agent, "set", MergePatch({"spec": spec}))

    def app(self, agent: str, name: str) -> Object | None:
        """A generated Application on the hub."""
        return oracle.objects(self.fleet.hub, APPLICATIONS, agent).get(name)

    def are(self, sync: str, health: str, *agents: str, apps: tuple[str, ...] = APPS) -> bool:
        """Do all of these Applications show that on the hub?"""
        return all(state(self.app(agent, name)) == (sync, health) for agent in agents for name in apps)

    async def synced(self, *agents: str) -> None:
        """Wait until every Application of these agents is Synced and Healthy on the hub."""
        await self.fleet.until(lambda: self.are("Synced", "Healthy", *agents), 300)
        await self.fleet.wait_consistent()

    def uid(self, agent: str, name: str) -> str:
        """The uid of an Application on the hub; empty: there is none."""
        app = self.app(agent, name)
        return app.meta.uid if app is not None else ""

    def annotations(self, agent: str, name: str) -> Mapping[str, str]:
        """The annotations of an Application on the hub."""
        app = self.app(agent, name)
        return app.annotations if app is not None else {}

    def phase(self, agent: str, name: str) -> str:
        """The phase of an Application's operationState on the hub."""
        app = self.app(agent, name)
        status = (app.get("status") if app is not None else None) or {}
        return str((status.get("operationState") or {}).get("phase", ""))

    def deployed(self, agent: str) -> list[str]:
        """The revisions that the Applications of an agent say they have been synced to last."""
        found = []
        for name in APPS:
            app = self.app(agent, name)
            status = (app.get("status") if app is not None else None) or {}
            result = (status.get("operationState") or {}).get("syncResult") or {}
            found.append(result.get("revision", ""))
        return found

    def overwrites(self, agent: str, name: str) -> int:
        """How often the controller has taken our entry out of an operation that it left as it was else."""
        return sum(
            e.new is not None
            and e.old is not None
            and (e.namespace, e.name) == (agent, name)
            and e.old.value.get("operation") != e.new.value.get("operation")
            and operations.told(e.old.value.get("operation")) == operations.told(e.new.value.get("operation"))
            for e in self.writes(APPSET)
        )

    def writes(self, actor: str) -> list[LogEntry]:
        """What that one has written on the hub's Applications."""
        return [e for e in self.fleet.hub.log if e.resource == APPLICATIONS and e.actor == actor]

    def starts(self, agent: str, app: str) -> int:
        """How many operations of that Application have begun on its spoke."""
        attempts = self.fleet.spokes[agent].world.attempts
        running = [a.token for a in attempts if a.app == f"{NAMESPACE}/{app}" and a.phase == "Running"]
        return len(dict.fromkeys(running))

    def requests(self, agent: str, app: str) -> int:
        """How often the controller has asked for an operation other than the one that stood, if one did."""
        asked = 0
        for entry in self.writes(APPSET):
            if (entry.namespace, entry.name) == (agent, app) and entry.new is not None:
                now = entry.new.value.get("operation")
                was = entry.old.value.get("operation") if entry.old is not None else None
                asked += bool(now) and operations.told(was) != operations.told(now)
        return asked


def appset(agent: str, **spec: Any) -> dict[str, Any]:
    """An ApplicationSet of three Applications."""
    template = {
        "metadata": {"name": "{{name}}", "labels": {"ring": "{{ring}}"}, "annotations": {"team": "web"}},
        "spec": {
            "project": "default",
            "source": {"repoURL": EXAMPLES, "path": "guestbook", "targetRevision": "HEAD"},
            "destination": {"server": IN_CLUSTER, "namespace": "{{name}}"},
            "syncPolicy": automated(),
        },
    }
    return {
        "apiVersion": APPLICATION_SETS.api_version,
        "kind": APPLICATION_SETS.kind,
        "metadata": {"name": "set", "namespace": agent},
        "spec": {"generators": elements(*APPS), "template": template, **spec},
    }


def elements(*apps: str) -> list[Any]:
    """A list generator."""
    rings = {"one": "first"}
    return [{"list": {"elements": [{"name": name, "ring": rings.get(name, "rest")} for name in apps]}}]


ROLLING: Mapping[str, Any] = {
    "type": "RollingSync",
    "rollingSync": {
        "steps": [
            {"matchExpressions": [{"key": "ring", "operator": "In", "values": [ring]}]}
            for ring in ("first", "rest")
        ]
    },
}


def state(app: Object | None) -> tuple[str, str]:
    """Sync and health of an Application."""
    status = (app.get("status") if app is not None else None) or {}
    return (status.get("sync") or {}).get("status", ""), (status.get("health") or {}).get("status", "")


def play(
    story: Callable[[Scene], Awaitable[None]],
    *,
    seed: int = 1,
    progressive: bool = False,
    settings: Settings | None = None,
) -> None:
    """Run a story under the monitors."""

    async def main() -> None:
        plans = [SpokePlan(name, settings=settings or Settings()) for name in AGENTS]
        async with open_fleet(plans, seed=seed, start=False) as fleet, trio.open_nursery() as nursery:
            monitors, scene = Monitors(fleet), Scene(fleet)
            fleet.start()

            async def run(*, task_status: trio.TaskStatus[None]) -> None:
                await run_applicationset_controller(
                    fleet.hub_as(APPSET),
                    NAMESPACE,
                    env=make_env(seed, APPSET),
                    settings=SetSettings(progressive=progressive),
                    status=scene.status,
                    task_status=task_status,
                )

            await nursery.start(run)
            await story(scene)
            monitors.check()
            nursery.cancel_scope.cancel()

    simulate(main, seed=seed)


def _owned(stored: Stored | None) -> tuple[Any, ...]:
    """What an ApplicationSet owns on an Application, so that we may not touch it; requests left out."""
    assert stored is not None
    meta = stored.metadata
    annotations = dict(meta.get("annotations") or {})
    for each in (names.REFRESH, names.REFRESH_TIMESTAMP):
        annotations.pop(each, None)
    return annotations, meta.get("labels"), meta.get("finalizers"), stored.value["spec"]


def test_a_set_is_generated_replicated_and_then_left_in_peace() -> None:
    """Ten minutes with a drift, a degradation and a refresh: nothing of ours makes it look again."""

    async def story(scene: Scene) -> None:
        for agent in AGENTS:
            await scene.create(agent)
        await scene.synced(*AGENTS)
        # One reconcile for each set, one POST for each Application: statuses are no reason to look again.
        assert (scene.status.reconciles, scene.status.writes) == (2, 6)
        world = scene.fleet.spokes["m1"].world
        world.drift("Deployment", "one", "guestbook-ui")
        world.degrade("Deployment", "two", "guestbook-ui")
        await scene.fleet.until(lambda: state(scene.app("m1", "two"))[1] == "Degraded")
        world.degrade("Deployment", "two", "guestbook-ui", False)
        await argocd_server.refresh(scene.hub, "m2", "three", env=scene.fleet.env)
        await trio.sleep(600)
        assert scene.are("Synced", "Healthy", *AGENTS)
        # The request, the hydration's timestamp that the controller takes away, and our taking away of both.
        assert scene.status.reconciles <= 2 + 6
        assert scene.status.writes <= 6 + 2
        assert scene.status.failures == 0
        ours = [e for e in scene.writes(PRINCIPAL) if e.new is not None]
        assert len(ours) > 12
        assert [_owned(e.old) for e in ours] == [_owned(e.new) for e in ours]

    play(story)


def test_a_writer_of_an_annotation_would_be_a_hot_loop() -> None:
    """Why the principal writes none: one that puts its annotation back is undone at once, for ever."""

    async def story(scene: Scene) -> None:
        await scene.create("m1")
        await scene.synced("m1")
        patch = MergePatch({"metadata": {"annotations": {"someone/else": "marks it"}}})
        before = scene.status.reconciles
        for _ in range(20):
            await scene.hub.patch(APPLICATIONS, "m1", "one", patch)
            await scene.fleet.until(lambda: "someone/else" not in (scene.annotations("m1", "one")))
        assert scene.status.reconciles - before >= 20

    play(story)


def test_what_the_generator_no_longer_yields_is_deleted_with_its_workload() -> None:
    """The plain family of the template makes the spoke prune; the others stay."""

    async def story(scene: Scene) -> None:
        await scene.create("m1")
        await scene.synced("m1")
        await scene.change("m1", {"generators": elements("one", "two")})
        await scene.fleet.until(lambda: scene.app("m1", "three") is None)
        await scene.fleet.wait_consistent()
        assert [(prune.app, prune.by) for prune in scene.fleet.spokes["m1"].world.prunes] == [
            (f"{NAMESPACE}/three", FAMILY)
        ] * 2
        assert scene.are("Synced", "Healthy", "m1", apps=("one", "two"))

    play(story)


def test_resources_are_preserved_where_the_set_says_so() -> None:
    """Without the family a removal takes the Application only."""

    async def story(scene: Scene) -> None:
        await scene.create("m1", syncPolicy={"preserveResourcesOnDeletion": True})
        await scene.synced("m1")
        await scene.change("m1", {"generators": elements("one")})
        await scene.fleet.until(lambda: scene.app("m1", "three") is None)
        await scene.fleet.wait_consistent()
        assert not scene.fleet.spokes["m1"].world.prunes

    play(story)


def test_a_deleted_set_takes_its_applications_with_it() -> None:
    """Kubernetes collects them by their owner, and the spoke prunes what they deployed."""

    async def story(scene: Scene) -> None:
        await scene.create("m1")
        await scene.synced("m1")
        await scene.hub.delete(APPLICATION_SETS, "m1", "set")
        await scene.fleet.until(lambda: all(scene.app("m1", name) is None for name in APPS))
        await scene.fleet.wait_consistent()
        assert len(scene.fleet.spokes["m1"].world.prunes) == 6

    play(story)


def test_an_application_that_a_user_deletes_comes_back_as_a_new_one() -> None:
    """The spoke prunes the old one's workload to the end before it gets the new one."""

    async def story(scene: Scene) -> None:
        await scene.create("m1")
        await scene.synced("m1")
        before = scene.app("m1", "one")
        await argocd_server.delete(scene.hub, "m1", "one")
        await scene.fleet.until(lambda: scene.uid("m1", "one") not in ("", before and before.meta.uid))
        await scene.synced("m1")
        assert len(scene.fleet.spokes["m1"].world.prunes) == 2

    play(story)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_request_of_a_rolling_sync_runs_exactly_once(seed: int) -> None:
    """Over a finished operation and over a running one: what is asked for once more is not run once more.

    As long as its Application is Pending, the controller patches ``.operation`` at each look, and so takes
    our entry out of it.
    """

    async def story(scene: Scene) -> None:
        await scene.create("m1", strategy=ROLLING)
        await scene.synced("m1")
        overwritten = 0
        for _ in range(3):
            before = {name: (scene.starts("m1", name), scene.requests("m1", name)) for name in APPS}
            world = scene.fleet.spokes["m1"].world
            world.git = world.git.push(EXAMPLES, "guestbook")
            revision = world.git.resolve({"repoURL": EXAMPLES, "path": "guestbook", "targetRevision": "HEAD"})
            await scene.fleet.until(lambda: scene.deployed("m1") == [revision] * 3, 900)  # noqa: B023
            await scene.synced("m1")
            for name in APPS:
                starts, requests = before[name]
                asked = scene.requests("m1", name) - requests
                assert asked >= 1
                assert scene.starts("m1", name) - starts == asked
            overwritten = sum(scene.overwrites("m1", name) for name in APPS)
        assert overwritten > 0
        assert scene.status.reconciles < 150

    play(story, seed=seed, progressive=True)


def test_a_rolling_sync_goes_step_by_step() -> None:
    """No Application of the second step is started before the first step is Healthy on the hub."""

    async def story(scene: Scene) -> None:
        await scene.create("m2", strategy=ROLLING)
        await scene.synced("m2")
        attempts = scene.fleet.spokes["m2"].world.attempts
        ended = min(a.at for a in attempts if (a.app, a.phase) == (f"{NAMESPACE}/one", "Succeeded"))
        others = [a.at for a in attempts if a.app != f"{NAMESPACE}/one"]
        assert min(others) > ended + 3.0  # A rollout of the workload takes three seconds.

    play(story, progressive=True)


def test_a_request_equal_to_one_whose_end_no_watch_has_shown_is_run() -> None:
    """The principal ended the first itself: what it then finds standing has been asked for anew."""

    async def story(scene: Scene) -> None:
        fleet, spoke = scene.fleet, scene.fleet.spokes["m1"]
        app = application("web", namespace="m1")
        await scene.hub.create(APPLICATIONS, app)
        await fleet.until(lambda: state(scene.app("m1", "web"))[0] == "OutOfSync")
        await fleet.wait_consistent()
        await argocd_server.sync(scene.hub, "m1", "web", git=spoke.world.git)
        await fleet.until(lambda: scene.phase("m1", "web") == "Running")
        fleet.clients[PRINCIPAL].faults = Faults(stalls=1.0, stall=30.0, breaks=1.0)
        await fleet.until(lambda: scene.phase("m1", "web") == "Succeeded")
        await argocd_server.sync(scene.hub, "m1", "web", git=spoke.world.git)
        await trio.sleep(5)
        fleet.hub.compact(fleet.hub.rv)
        await trio.sleep(40)
        fleet.clients[PRINCIPAL].faults = NONE
        await fleet.until(lambda: scene.phase("m1", "web") == "Succeeded")
        await fleet.wait_consistent()
        assert scene.starts("m1", "web") == 2

    play(story)
