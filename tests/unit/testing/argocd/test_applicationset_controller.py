"""The simulated applicationset-controller on an API server, in virtual time."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from trio_argoagent.errors import NotFound
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS, NAMESPACES, SECRETS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.argocd.applications import app_project
from trio_argoagent.testing.argocd.applicationset import APPLICATION_SETS
from trio_argoagent.testing.argocd.applicationset_controller import SetStatus, run_applicationset_controller
from trio_argoagent.testing.argocd.generators import SECRET_TYPE

from .conftest import Stage
from .helpers import merge
from .sets import TEMPLATE, appset


class Sets:
    """A running controller, and the set ``set`` in the namespace of an agent."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.status = stage, SetStatus()

    async def start(self) -> None:
        """Run the controller."""
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "m1"}}
        await self.stage.cluster.create(NAMESPACES, namespace)

        async def run(*, task_status: trio.TaskStatus[None]) -> None:
            cluster, env = self.stage.cluster.impersonate("appset"), self.stage.env
            await run_applicationset_controller(
                cluster, "argocd", env=env, status=self.status, task_status=task_status
            )

        await self.stage.nursery.start(run)

    async def apps(self) -> dict[str, Object]:
        """The Applications that stand a second later."""
        await trio.sleep(1)
        return {app.meta.name: app for app in (await self.stage.cluster.list(APPLICATIONS, "m1")).items}


async def _started(stage: Stage, **spec: object) -> Sets:
    sets = Sets(stage)
    await sets.start()
    value = appset(**spec)
    del value["metadata"]["uid"]
    await stage.cluster.create(APPLICATION_SETS, value)
    return sets


async def test_it_creates_once_and_falls_silent(stage: Stage, autojump_clock: MockClock) -> None:
    """Its own creations and statuses are no reason to look again."""
    sets = await _started(stage)
    assert list(await sets.apps()) == ["one", "two"]
    await stage.cluster.patch(APPLICATIONS, "m1", "one", MergePatch({"status": {"sourceType": "Helm"}}))
    await trio.sleep(3600)
    assert (sets.status.reconciles, sets.status.writes, sets.status.failures) == (1, 2, 0)


async def test_what_others_write_is_undone(stage: Stage, autojump_clock: MockClock) -> None:
    """Each change costs two looks: one that undoes it, and one because of the undoing."""
    sets = await _started(stage)
    await sets.apps()
    change = MergePatch({"metadata": {"annotations": {"mine": "x"}, "labels": {"ring": "x"}}})
    await stage.cluster.patch(APPLICATIONS, "m1", "one", change)
    one = (await sets.apps())["one"]
    assert (one.annotations, one.labels) == ({"team": "web"}, {"ring": "first"})
    assert (sets.status.reconciles, sets.status.writes) == (3, 3)


async def test_it_deletes_and_recreates(stage: Stage, autojump_clock: MockClock) -> None:
    """What is not generated goes (here without finalizers, at once); what somebody deletes comes back."""
    sets = await _started(stage, syncPolicy={"preserveResourcesOnDeletion": True})
    before = (await sets.apps())["one"].meta.uid
    await stage.cluster.delete(APPLICATIONS, "m1", "one")
    after = (await sets.apps())["one"].meta.uid
    assert after != before
    spec = {"generators": [{"list": {"elements": [{"name": "one", "ring": "first"}]}}]}
    await stage.cluster.patch(APPLICATION_SETS, "m1", "set", MergePatch({"spec": spec}))
    assert [app.meta.uid for app in (await sets.apps()).values()] == [after]


async def test_failures_are_tried_again_ever_later(stage: Stage, autojump_clock: MockClock) -> None:
    """A name that the API server refuses: the other Application comes all the same."""
    elements = [{"name": "Not_A_Name", "ring": "x"}, {"name": "two", "ring": "x"}]
    sets = await _started(stage, generators=[{"list": {"elements": elements}}])
    assert list(await sets.apps()) == ["two"]
    # 5 ms, doubled each time: eight tries in the first second or so.
    assert 7 <= sets.status.failures <= 9
    await trio.sleep(600)
    assert sets.status.failures <= 18


async def test_a_missing_project_is_waited_for(stage: Stage, autojump_clock: MockClock) -> None:
    """Nobody tells of it: three minutes."""
    template = merge(TEMPLATE, {"spec": {"project": "team"}})
    sets = await _started(stage, template=template)
    assert await sets.apps() == {}
    await stage.cluster.create(APP_PROJECTS, app_project("team"))
    assert await sets.apps() == {}
    await trio.sleep(180)
    assert len(await sets.apps()) == 2


async def test_a_new_cluster_is_generated_for_at_once(stage: Stage, autojump_clock: MockClock) -> None:
    """One Application for each agent that has a cluster secret, and none when that has gone."""
    template = merge(
        TEMPLATE, {"metadata": {"labels": None}, "spec": {"destination": {"server": "{{server}}"}}}
    )
    generator = {"clusters": {"selector": {"matchLabels": {SECRET_TYPE: "cluster"}}}}
    sets = await _started(
        stage, generators=[generator], template=template, syncPolicy={"preserveResourcesOnDeletion": True}
    )
    assert await sets.apps() == {}
    labels = {SECRET_TYPE: "cluster"}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "c", "namespace": "argocd", "labels": labels},
    }
    await stage.cluster.create(SECRETS, secret | {"stringData": {"name": "spoke", "server": "https://spoke"}})
    found = await sets.apps()
    assert found["spoke"].get("spec")["destination"]["server"] == "https://spoke"
    await stage.cluster.delete(SECRETS, "argocd", "c")
    assert await sets.apps() == {}


async def test_a_deleted_set_is_forgotten(stage: Stage, autojump_clock: MockClock) -> None:
    """It lets go of its own finalizer only; what it generated is for Kubernetes to collect."""
    sets = await _started(stage)
    await sets.apps()
    patch = MergePatch({"metadata": {"finalizers": ["resources-finalizer.argocd.argoproj.io"]}})
    await stage.cluster.patch(APPLICATION_SETS, "m1", "set", patch)
    await stage.cluster.delete(APPLICATION_SETS, "m1", "set")
    assert len(await sets.apps()) == 2
    try:
        await stage.cluster.get(APPLICATION_SETS, "m1", "set")
    except NotFound:
        assert sets.status.rollouts == {}
    else:
        raise AssertionError("the set is still there")
