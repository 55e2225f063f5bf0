"""Argo CD's other programs write the same objects: nobody loses a write, and nobody writes for ever."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

import pytest
import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS
from trio_argoagent.sync import names
from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.argocd.applications import app_project, automated
from trio_argoagent.testing.argocd.image_updater import run_image_updater
from trio_argoagent.testing.argocd.names import POST_DELETE, PRE_DELETE
from trio_argoagent.testing.argocd.notifications import NOTIFIED, Alerts, run_notifications_controller
from trio_argoagent.testing.fleet import EVERYWHERE, NAMESPACE
from trio_argoagent.testing.scheduling import make_env

from .helpers import Scene, has_project, play

REST: Final = 600.0
"""Seconds in which nothing may be written."""
SETTLING: Final = 90.0
"""Seconds after which the last cosmetic status has been sent."""
NEWEST: Final = "registry.example.com/web:v2"


def written(scene: Scene) -> int:
    """What anybody has written on the hub and on the spoke, so far."""
    return len(scene.fleet.hub.log) + len(scene.spoke.server.log)


async def rests(scene: Scene) -> None:
    """With Argo CD's controller at rest, nobody writes anything for ten minutes."""
    scene.fleet.crash(scene.spoke.controller)
    await trio.sleep(SETTLING)
    before, records = written(scene), scene.records
    await trio.sleep(REST)
    assert (written(scene) - before, scene.records - records) == (0, 0)


async def beside(program: Callable[..., Awaitable[None]], story: Callable[[], Awaitable[None]]) -> None:
    """Run a program of Argo CD beside a story, and its end is the program's."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(program)
        await story()
        nursery.cancel_scope.cancel()


def images(app: Object | None) -> Any:
    """The images that an image updater has set."""
    assert app is not None
    return (app.get("spec")["source"].get("kustomize") or {}).get("images")


# Notifications


@pytest.mark.parametrize("side", ["hub", "spoke"])
@pytest.mark.parametrize("mode", list(Mode))
def test_s1058_one_sync_is_one_alert(mode: Mode, side: str) -> None:
    """Whoever overwrites annotations of a mirror or a copy wipes the note, and the alert is sent again."""

    async def story(scene: Scene) -> None:
        await scene.create("web")
        await scene.agree()
        alerts = Alerts()
        cluster = scene.fleet.hub_as("notifications") if side == "hub" else scene.there
        env = make_env(1, "notifications")

        async def syncs() -> None:
            for number in range(3):
                await argocd_server.cli_sync(scene.argocd, scene.spoke.name, "web")
                await trio.sleep(200.0)
                assert len(alerts.sent) == number + 1
            app = scene.on_hub("web") if side == "hub" else scene.on_spoke("web")
            assert app is not None and NOTIFIED in app.annotations
            other = scene.on_spoke("web") if side == "hub" else scene.on_hub("web")
            assert other is not None and NOTIFIED not in other.annotations
            await rests(scene)

        await beside(partial(run_notifications_controller, cluster, "", env=env, alerts=alerts), syncs)

    play(story, mode=mode)


def test_a_refresh_that_a_stale_copy_brings_back_ends() -> None:
    """The notifications controller puts back the annotation that was there when it read: one more refresh."""

    async def story(scene: Scene) -> None:
        await scene.create("web")
        await scene.agree()
        cluster, alerts = scene.fleet.hub_as("notifications"), Alerts()
        env = make_env(1, "notifications")

        async def revived() -> None:
            await argocd_server.sync(scene.argocd, scene.spoke.name, "web")
            await trio.sleep(2.5)
            for _ in range(20):
                await argocd_server.refresh(scene.argocd, "m1", "web", env=scene.fleet.env, wait=False)
                await trio.sleep(0.5)
            await scene.until(lambda: bool(alerts.sent))
            await trio.sleep(60.0)
            app = scene.on_hub("web")
            assert app is not None and names.REFRESH not in app.annotations
            brought_back = [
                entry
                for entry in scene.fleet.hub.log
                if entry.actor == "notifications"
                and entry.new is not None
                and names.REFRESH in (entry.new.metadata.get("annotations") or {})
            ]
            assert brought_back
            await rests(scene)

        run = partial(run_notifications_controller, cluster, "m1", env=env, alerts=alerts, think=3.0)
        await beside(run, revived)

    play(story)


# Image updaters


def test_an_image_updater_on_the_hub_reaches_the_managed_spoke() -> None:
    """It edits the spec like anybody else; afterwards it finds what it wants, and rests."""

    async def story(scene: Scene) -> None:
        await scene.create("web", syncPolicy=automated())
        await scene.synced("web")

        async def updates() -> None:
            await scene.until(lambda: images(scene.on_spoke("web")) == [NEWEST])
            await scene.synced("web")
            await rests(scene)

        cluster = scene.fleet.hub_as("image-updater")
        await beside(partial(run_image_updater, cluster, "m1", {"web": NEWEST}), updates)

    play(story)


def test_an_image_updater_on_an_autonomous_spoke_is_mirrored() -> None:
    """There the spoke owns the spec."""

    async def story(scene: Scene) -> None:
        await scene.create("web", syncPolicy=automated())
        await scene.synced("web")

        async def updates() -> None:
            await scene.until(lambda: images(scene.on_hub("web")) == [NEWEST])
            await scene.synced("web")
            await rests(scene)

        await beside(partial(run_image_updater, scene.there, NAMESPACE, {"web": NEWEST}), updates)

    play(story, mode=Mode.AUTONOMOUS)


def test_an_image_updater_on_a_managed_spoke_is_contested_and_not_fought_for_ever() -> None:
    """The hub owns the spec: it is put back, more and more seldom, and the hub's object says so."""

    async def story(scene: Scene) -> None:
        await scene.create("web")
        await scene.agree()

        def said() -> str:
            app = scene.on_hub("web")
            status = (app.get("status") if app is not None else None) or {}
            return " ".join(each["message"] for each in status.get("conditions", ()))

        async def fights() -> None:
            await scene.until(lambda: "keeps changing spec.source.kustomize" in said(), 300.0)
            ours = [entry for entry in scene.spoke.server.log if entry.actor == "agent"]
            await trio.sleep(REST)
            after = [entry for entry in scene.spoke.server.log if entry.actor == "agent"]
            assert len(after) - len(ours) <= REST / 300.0 + 1
            assert images(scene.on_hub("web")) is None

        updater = partial(run_image_updater, scene.there, NAMESPACE, {"web": NEWEST}, interval=20.0)
        await beside(updater, fights)
        await scene.until(lambda: images(scene.on_spoke("web")) is None, 400.0)

    play(story)


# Applications of Applications


@pytest.mark.parametrize("mode", list(Mode))
def test_the_children_of_an_application_are_found_where_the_hub_has_them(mode: Mode) -> None:
    """The user interface follows ``status.resources``: a mirror's child is in its agent's namespace."""

    async def story(scene: Scene) -> None:
        await scene.create("parent", "apps", syncPolicy=automated())
        await scene.synced("parent")

        def children(app: Object | None) -> dict[str, str]:
            assert app is not None
            found = app.get("status")["resources"]
            return {each["name"]: each["namespace"] for each in found if each["kind"] == "Application"}

        there, here = children(scene.on_spoke("parent")), children(scene.on_hub("parent"))
        assert there and there.keys() == here.keys()
        wanted = scene.spoke.name if mode is Mode.AUTONOMOUS else NAMESPACE
        assert set(there.values()) <= {NAMESPACE, "parent"}
        assert all(here[name] == (wanted if place == NAMESPACE else place) for name, place in there.items())
        await rests(scene)

    play(story, mode=mode)


# Finalizers of hooks, projects, stale edits


@pytest.mark.parametrize("mode", list(Mode))
def test_the_finalizers_of_hooks_stay_where_they_were_put(mode: Mode) -> None:
    """Argo CD adds them where it runs hooks; they are neither taken off there nor carried over."""

    async def story(scene: Scene) -> None:
        await scene.create("web")
        await scene.agree()
        spoke = scene.on_spoke("web")
        assert spoke is not None
        hooks = [PRE_DELETE, POST_DELETE]
        scene.fleet.crash(scene.spoke.controller)
        await scene.change(scene.there, "web", {"finalizers": [*spoke.finalizers, *hooks]})
        await rests(scene)
        spoke, hub = scene.on_spoke("web"), scene.on_hub("web")
        assert spoke is not None and hub is not None
        assert [each for each in spoke.finalizers if each in hooks] == hooks
        assert not set(hub.finalizers) & set(hooks)

    play(story, mode=mode)


def test_a_project_that_argocd_normalises_comes_to_rest() -> None:
    """Its server joins policies and keeps tokens in two places: each is one change for the spoke."""

    async def story(scene: Scene) -> None:
        project = app_project("team", namespace=NAMESPACE, **EVERYWHERE)
        policy = "p, proj:team:ci, applications, get, team/*, allow"
        project["spec"]["roles"] = [{"name": "ci", "policies": [policy], "jwtTokens": [{"iat": 1}]}]
        await scene.hub.create(APP_PROJECTS, project)
        await scene.agree()
        assert has_project(scene, "team")
        value = (await scene.hub.get(APP_PROJECTS, NAMESPACE, "team")).value()
        role = value["spec"]["roles"][0]
        role["policies"] = [policy.replace(",", ", ").replace("  ", " ")]
        role["jwtTokens"] = [{"iat": 1, "id": "1"}]
        value["status"] = {"jwtTokensByRole": {"ci": {"items": [{"iat": 1, "id": "1"}]}}}
        await scene.argocd.replace(APP_PROJECTS, value)
        await scene.agree()
        await rests(scene)

    play(story)


def test_an_edit_from_a_stale_copy_meets_statuses_and_loses_nothing() -> None:
    """Argo CD's server PUTs with the version it read; every status that comes between is a conflict."""

    async def story(scene: Scene) -> None:
        await scene.create("web", syncPolicy=automated())
        await scene.synced("web")
        stale = scene.on_hub("web")
        assert stale is not None
        for number in range(30):
            scene.spoke.world.degrade("Deployment", "web", "guestbook-ui", degraded=number % 2 == 0)
            await trio.sleep(0.3)
            if number % 5 == 0:
                wanted = stale.value()
                wanted["metadata"]["labels"] = {"edit": str(number)}
                wanted["spec"]["revisionHistoryLimit"] = number + 1
                await argocd_server.update_app(scene.argocd, wanted)
        await scene.synced("web")
        for app in (scene.on_hub("web"), scene.on_spoke("web")):
            assert app is not None and app.labels["edit"] == "25"
            assert app.get("spec")["revisionHistoryLimit"] == 26
        await rests(scene)

    play(story)
