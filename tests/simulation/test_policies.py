"""The policies over whole fleets, with the monitors on: what is taken over, what goes, what stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.sync import conditions, names, policy
from trio_argoagent.sync.policy import Adoption, Local, Mismatch, Policies
from trio_argoagent.testing import oracle
from trio_argoagent.testing.argocd.applications import app_project, application, automated
from trio_argoagent.testing.fleet import EVERYWHERE, NAMESPACE

from .helpers import Scene, has_project, play

ELSEWHERE: Mapping[str, Any] = {
    "source": {"repoURL": "https://example.com/elsewhere", "path": ".", "targetRevision": "v9"}
}


def _said(scene: Scene, name: str = "web") -> str:
    app = scene.on_hub(name)
    return conditions.said((app.get("status") or {}) if app is not None else {})


async def _local(scene: Scene, name: str = "web", **metadata: Any) -> str:
    value = application(name, namespace=NAMESPACE, cascade=False, metadata=metadata, **ELSEWHERE)
    return (await scene.there.create(APPLICATIONS, value)).meta.uid


def test_a_local_application_is_adopted_though_its_spec_differs() -> None:
    """In place, in one write, and nothing that is deployed goes."""

    async def story(scene: Scene) -> None:
        uid = await _local(scene)
        await scene.create("web", syncPolicy=automated())
        await scene.synced("web")
        copy = scene.on_spoke("web")
        assert copy is not None and copy.meta.uid == uid
        assert scene.deployed("web")

    play(story)


def test_s950_what_is_not_adopted_says_so_at_once_and_blocks_nobody() -> None:
    """A naive agent says nothing, and the hub looks as if its Application ran."""

    async def story(scene: Scene) -> None:
        uid = await _local(scene)
        await scene.create("web")
        await scene.until(lambda: policy.NOT_ADOPTED in _said(scene), 5)
        await scene.create("other", syncPolicy=automated())
        await scene.until(lambda: scene.on_spoke("other") is not None, 5)
        await scene.there.delete(APPLICATIONS, NAMESPACE, "web")
        await scene.agree()
        copy = scene.on_spoke("web")
        assert copy is not None and copy.meta.uid != uid
        await scene.until(lambda: not _said(scene), 10)

    play(story, policies=Policies(adoption=Adoption.NEVER))


def test_what_is_not_adopted_stays_when_the_hubs_goes() -> None:
    """Its deletion, with cascade, is about another object; nor does an agent's restart change that."""

    async def story(scene: Scene) -> None:
        uid = await _local(scene)
        await scene.create("web")
        await scene.until(lambda: policy.NOT_ADOPTED in _said(scene), 5)
        scene.fleet.kill("m1")
        await trio.sleep(1)
        scene.fleet.start("m1")
        await trio.sleep(20)
        await scene.hub.delete(APPLICATIONS, "m1", "web")
        await scene.until(lambda: scene.on_hub("web") is None, 60)
        copy = scene.on_spoke("web")
        assert copy is not None and copy.meta.uid == uid and copy.get("spec")["source"] == ELSEWHERE["source"]

    play(story, policies=Policies(adoption=Adoption.NEVER))


@pytest.mark.parametrize("mismatch", list(Mismatch))
def test_an_application_made_anew_on_the_hub(mismatch: Mismatch) -> None:
    """Deleted without cascade and created with another spec: recreate, or upsert in place; no prune."""

    async def story(scene: Scene) -> None:
        await scene.create("web", cascade=False, syncPolicy=automated())
        await scene.synced("web")
        before, deployed = scene.on_spoke("web"), scene.deployed("web")
        assert before is not None and deployed
        scene.fleet.network.cut("m1")
        await scene.hub.delete(APPLICATIONS, "m1", "web")
        await scene.create("web", "kustomize-guestbook", cascade=False)
        await scene.heal()
        copy = scene.on_spoke("web")
        assert copy is not None and (copy.meta.uid == before.meta.uid) is (mismatch is Mismatch.UPSERT)
        assert scene.deployed("web") == deployed

    play(story, policies=Policies(mismatch=mismatch))


def test_a_word_that_is_none_is_said_on_the_hub() -> None:
    """The agent's setting counts; the condition goes when the annotation is mended."""

    async def story(scene: Scene) -> None:
        await scene.create("web", metadata={"annotations": {names.MISMATCH_POLICY: "often"}})
        await scene.until(lambda: "'often'" in _said(scene), 5)
        await scene.agree()
        assert scene.on_spoke("web") is not None
        scene.fleet.kill("principal")
        await trio.sleep(1)
        scene.fleet.start("principal")
        await trio.sleep(30)
        assert "'often'" in _said(scene)
        await scene.change(scene.hub, "web", {"annotations": {names.MISMATCH_POLICY: "upsert"}})
        await scene.until(lambda: not _said(scene), 5)
        await scene.agree()

    play(story)


def test_s813_a_hub_restored_with_other_uids_deletes_no_project() -> None:
    """The default project and another one, deleted and made anew on the hub, other spec and all."""

    async def story(scene: Scene) -> None:
        team = app_project("team", namespace=NAMESPACE, **EVERYWHERE)
        await scene.hub.create(APP_PROJECTS, team)
        await scene.until(lambda: has_project(scene, "team"))
        await scene.agree()
        uids = {name: obj.meta.uid for name, obj in _projects(scene).items()}
        scene.fleet.network.cut("m1")
        for name in ("default", "team"):
            await scene.hub.delete(APP_PROJECTS, NAMESPACE, name)
            value = app_project(name, namespace=NAMESPACE, description="another", **EVERYWHERE)
            await scene.hub.create(APP_PROJECTS, value)
        await scene.heal()
        assert {name: obj.meta.uid for name, obj in _projects(scene).items()} == uids

    play(story)


def _projects(scene: Scene) -> Mapping[str, Any]:
    return oracle.objects(scene.spoke.server, APP_PROJECTS, NAMESPACE)


@pytest.mark.parametrize("mode", list(Mode))
def test_s1058_what_is_local_stays(mode: Mode) -> None:
    """Annotations and labels that match are written by others on one side, for ever; and none travels."""

    async def story(scene: Scene) -> None:
        managed = mode is Mode.MANAGED
        await scene.create("web")
        await scene.agree()
        notes = {"annotations": {"image-updater.tag": "v2", names.NOTIFIED: "{}"}, "labels": {"team": "x"}}
        await scene.change(scene.there, "web", notes)
        await trio.sleep(5)
        found = scene.on_spoke("web")
        assert found is not None and found.annotations["image-updater.tag"] == "v2"
        assert found.annotations[names.NOTIFIED] == "{}" and found.labels["team"] == "x"
        owner = (scene.hub, "m1") if managed else (scene.there, NAMESPACE)
        edit = MergePatch({"spec": {"source": {"targetRevision": "v3"}}, "metadata": {"labels": {"a": "b"}}})
        await owner[0].patch(APPLICATIONS, owner[1], "web", edit)
        await scene.agree()
        found, other = scene.on_spoke("web"), scene.on_hub("web")
        assert found is not None and found.labels == {"team": "x", "a": "b"}
        assert other is not None and other.labels == {"a": "b"}
        assert "image-updater.tag" not in other.annotations
        await trio.sleep(600)
        later = scene.on_spoke("web")
        assert later is not None and later.annotations == found.annotations and later.labels == found.labels

    play(story, mode=mode, policies=Policies(local=Local(("image-updater.*",), ("team",))))
