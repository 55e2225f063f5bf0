"""What an autonomous agent can reach on the hub: its own mirrors, and nothing else."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from trio_argoagent.model.keys import Kind
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.sync import names
from trio_argoagent.testing.argocd.applications import app_project, application

from .hub import APPLIED, HUB, PENDING, REJECTED, app_key, copy_body, open_hub, project_body, tombstone, value


async def test_a_project_of_the_hub_is_not_adopted(autojump_clock: MockClock) -> None:
    """An agent that names its project as a hub's project does not get hold of that."""
    async with open_hub("edge") as hub:
        before = await hub.users.create(APP_PROJECTS, app_project("edge-secret", namespace=HUB))
        agent = await hub.autonomous("edge")
        key = app_key("secret", Kind.APP_PROJECT)
        answer = await agent.ask(value(key, project_body()), final=False)
        assert (answer.outcome, answer.holding) == (PENDING, None)
        await agent.send(tombstone(key, "spoke-uid"))
        await trio.sleep(300)
        after = hub.project("edge-secret")
        assert after is not None
        assert after.meta.resource_version == before.meta.resource_version


async def test_a_project_of_the_hub_that_goes_makes_room(autojump_clock: MockClock) -> None:
    """The mirror comes as soon as its name is free."""
    async with open_hub("edge") as hub:
        await hub.users.create(APP_PROJECTS, app_project("edge-secret", namespace=HUB))
        agent = await hub.autonomous("edge")
        key = app_key("secret", Kind.APP_PROJECT)
        await agent.ask(value(key, project_body()), final=False)
        await trio.sleep(200)
        await hub.users.delete(APP_PROJECTS, HUB, "edge-secret")
        await trio.sleep(1)
        assert agent.results()[-1].outcome is APPLIED


async def test_an_application_of_the_hub_is_not_adopted(autojump_clock: MockClock) -> None:
    """Nor one that a hub's user has put into the agent's namespace, until it has gone."""
    async with open_hub("edge") as hub:
        before = await hub.users.create(APPLICATIONS, application("web", namespace="edge"))
        agent = await hub.autonomous("edge")
        assert (await agent.ask(value(app_key(), copy_body()), final=False)).outcome is PENDING
        await trio.sleep(300)
        after = hub.app("edge")
        assert after is not None
        assert after.meta.resource_version == before.meta.resource_version


async def test_a_deleting_project_of_the_hub_keeps_its_finalizers(autojump_clock: MockClock) -> None:
    """Only mirrors are stripped for want of somebody who would do it."""
    async with open_hub("edge") as hub:
        held = app_project("edge-secret", namespace=HUB)
        held["metadata"]["finalizers"] = [names.FAMILY]
        await hub.users.create(APP_PROJECTS, held)
        await hub.users.delete(APP_PROJECTS, HUB, "edge-secret")
        agent = await hub.autonomous("edge")
        await agent.send(value(app_key("secret", Kind.APP_PROJECT), project_body()))
        await trio.sleep(60)
        after = hub.project("edge-secret")
        assert after is not None
        assert after.finalizers == (names.FAMILY,)


async def test_agents_whose_names_begin_alike(autojump_clock: MockClock) -> None:
    """``a-b-x`` is x of a-b: agent a is not told of it, cannot remove it and cannot take it."""
    async with open_hub("a", "a-b") as hub:
        owner, neighbour = await hub.autonomous("a-b"), await hub.autonomous("a")
        assert (await owner.ask(value(app_key("x", Kind.APP_PROJECT), project_body()))).outcome is APPLIED
        await trio.sleep(1)
        before = hub.project("a-b-x")
        assert before is not None
        theirs = app_key("b-x", Kind.APP_PROJECT)
        assert await neighbour.list_held() == {}
        assert (await neighbour.ask(tombstone(theirs, "spoke-uid"))).outcome is APPLIED
        assert (await neighbour.ask(value(theirs, project_body()), final=False)).outcome is PENDING
        await trio.sleep(300)
        after = hub.project("a-b-x")
        assert after is not None
        assert after.meta.resource_version == before.meta.resource_version
        assert list(await owner.list_held()) == [app_key("x", Kind.APP_PROJECT)]


async def test_a_mirrored_project_is_put_back_whatever_is_edited(autojump_clock: MockClock) -> None:
    """The field by which argocd-agent's mirrors tell their agent included."""
    async with open_hub("edge") as hub:
        agent = await hub.autonomous("edge")
        assert (await agent.ask(value(app_key("mine", Kind.APP_PROJECT), project_body()))).outcome is APPLIED
        patch = MergePatch({"spec": {"sourceNamespaces": ["other"]}, "metadata": {"labels": {"x": "y"}}})
        await hub.users.patch(APP_PROJECTS, HUB, "edge-mine", patch)
        await trio.sleep(60)
        after = hub.project("edge-mine")
        assert after is not None
        assert (after.get("spec")["sourceNamespaces"], after.labels) == (["edge"], {})


async def test_argocd_agents_mirror_is_taken_over(autojump_clock: MockClock) -> None:
    """An installation is switched over without deleting anything."""
    async with open_hub("edge") as hub:
        theirs = app_project("edge-mine", namespace=HUB, sourceNamespaces=["edge"])
        theirs["metadata"]["annotations"] = {names.SOURCE_UID: "spoke-uid"}
        before = await hub.users.create(APP_PROJECTS, theirs)
        agent = await hub.autonomous("edge")
        assert (await agent.ask(value(app_key("mine", Kind.APP_PROJECT), project_body()))).outcome is APPLIED
        after = hub.project("edge-mine")
        assert after is not None
        assert (after.meta.uid, after.annotations[names.AGENT]) == (before.meta.uid, "edge")


async def test_out_of_scope(autojump_clock: MockClock) -> None:
    """Another namespace's keys are rejected, whatever the mode."""
    async with open_hub("edge", "other") as hub:
        agent = await hub.autonomous("edge")
        answer = await agent.ask(value(app_key(namespace="other"), copy_body()))
        assert answer.outcome is REJECTED
        assert hub.app("other") is None


async def test_a_managed_agent_makes_no_objects(autojump_clock: MockClock) -> None:
    """What only an autonomous agent owns, a managed one cannot send."""
    async with open_hub("edge") as hub:
        agent = await hub.join("edge")
        for kind in (Kind.APPLICATION, Kind.APP_PROJECT):
            assert (await agent.ask(value(app_key(kind=kind), copy_body()))).outcome is REJECTED
        assert hub.app("edge") is None


async def test_a_deleted_mirror_comes_back(autojump_clock: MockClock) -> None:
    """With Argo CD's default finalizers on the way: nobody on the hub would take them off."""
    async with open_hub("edge") as hub:
        agent = await hub.autonomous("edge")
        assert (await agent.ask(value(app_key(), copy_body()))).outcome is APPLIED
        first = hub.app("edge")
        assert first is not None
        finalizers = MergePatch({"metadata": {"finalizers": [names.FAMILY]}})
        await hub.users.patch(APPLICATIONS, "edge", "web", finalizers)
        await hub.users.delete(APPLICATIONS, "edge", "web")
        await trio.sleep(60)
        second = hub.app("edge")
        assert second is not None
        assert (second.meta.uid != first.meta.uid, second.deleting, second.finalizers) == (True, False, ())


async def test_a_status_that_comes_before_its_mirror(autojump_clock: MockClock) -> None:
    """It is written as soon as the mirror is there, not when some back-off ends."""
    async with open_hub("edge") as hub:
        agent = await hub.autonomous("edge")
        body = {
            "status": {"health": {"status": "Healthy"}},
            "operation": None,
            "intent": "",
            "refresh": False,
        }
        await agent.ask(value(app_key(kind=Kind.STATUS), body), final=False)
        await trio.sleep(20)
        await agent.ask(value(app_key("default", Kind.APP_PROJECT), project_body()))
        await agent.ask(value(app_key(), copy_body()))
        await trio.sleep(0.5)
        after = hub.app("edge")
        assert after is not None
        assert after.get("status") == body["status"]
