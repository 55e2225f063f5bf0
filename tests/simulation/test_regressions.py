"""What seeds of the simulator have found in the product, each as a story of its own."""

from __future__ import annotations

import pytest
import trio

from trio_argoagent.apiserver.core.values import Verb
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.sync import names
from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.argocd.applications import app_project, automated
from trio_argoagent.testing.argocd.names import FAMILY
from trio_argoagent.testing.faults import NONE, Faults
from trio_argoagent.testing.fleet import EVERYWHERE, NAMESPACE, PRINCIPAL

from .helpers import Scene, exists, operation_state, play

LAGGING = Faults(stalls=0.5, stall=5.0)
"""A watch that shows every other change up to five seconds late."""


@pytest.mark.parametrize("seed", [1, 3])
@pytest.mark.parametrize("mode", list(Mode))
def test_a_lagging_watch_does_not_bring_deleted_objects_back(mode: Mode, seed: int) -> None:
    """A watch that tells of a copy's birth after the copy was deleted is no reason to guard that copy."""

    async def story(scene: Scene) -> None:
        await scene.agree()
        program = "m1" if mode is Mode.MANAGED else PRINCIPAL
        scene.fleet.clients[program].faults = LAGGING
        for number in range(20):
            path = ("guestbook", "helm-guestbook")[number % 2]
            await scene.create("web", path, cascade=False, syncPolicy=automated())
            await trio.sleep(1)
            if mode is Mode.MANAGED:
                await scene.hub.delete(APPLICATIONS, "m1", "web")
            else:
                await scene.there.delete(APPLICATIONS, NAMESPACE, "web")
            if number % 3 == 0:
                await trio.sleep(1)
        scene.fleet.clients[program].faults = NONE
        await scene.agree()

    play(story, mode=mode, seed=seed)


def test_a_deletion_known_from_a_status_write_is_not_taken_for_carried_out() -> None:
    """The answer to a status write shows a deletion before the watch does: nobody has carried it out yet."""

    async def story(scene: Scene) -> None:
        await scene.create("web", syncPolicy=automated())
        await scene.synced("web")
        scene.fleet.clients[PRINCIPAL].faults = Faults(stalls=1.0, stall=40.0)
        await scene.change(scene.hub, "web", {"labels": {"any": "change"}})
        await argocd_server.delete(scene.argocd, "m1", "web")
        scene.spoke.world.degrade("Deployment", "web", "guestbook-ui")
        await trio.sleep(90)
        scene.fleet.clients[PRINCIPAL].faults = NONE
        await scene.agree()
        assert scene.deployed("web") == 0

    play(story)


def test_a_deleting_hub_object_that_no_spoke_holds_is_let_go_after_a_cut() -> None:
    """Nothing has to be sent, so nothing is answered: knowing what the spoke holds is enough."""

    async def story(scene: Scene) -> None:
        await scene.agree()
        await scene.cut()
        project = app_project("team", namespace=NAMESPACE, **EVERYWHERE)
        project["metadata"]["finalizers"] = [FAMILY]
        await scene.hub.create(APP_PROJECTS, project)
        await scene.hub.delete(APP_PROJECTS, NAMESPACE, "team")
        await scene.heal()
        assert not exists(scene.fleet.hub, APP_PROJECTS, NAMESPACE, "team")

    play(story)


def test_a_record_that_waits_is_forgotten_when_it_was_withdrawn_during_a_cut() -> None:
    """An Application that waits for its project, and is deleted on the hub meanwhile, never arrives."""

    async def story(scene: Scene) -> None:
        await scene.create("web", cascade=False, project="team")
        await trio.sleep(1)
        await scene.cut()
        await scene.hub.delete(APPLICATIONS, "m1", "web")
        await scene.heal()
        await trio.sleep(30)
        created = [e.name for e in scene.spoke.server.log if e.verb is Verb.CREATE and e.actor == "agent"]
        assert "web" not in created

    play(story)


def test_a_sync_whose_copy_was_replaced_before_its_end_was_told_is_started_on_the_new_copy() -> None:
    """The answer was lost with the copy that remembered it: the request must not stand for ever."""

    async def story(scene: Scene) -> None:
        await scene.create("web", cascade=False)
        await scene.agree()
        # The agent writes, but never hears of it: when its watch works again, the new copy stands there.
        scene.fleet.clients["m1"].faults = Faults(stalls=1.0, stall=30.0, breaks=1.0)
        await argocd_server.sync(scene.argocd, "m1", "web")
        await trio.sleep(5)
        await scene.there.delete(APPLICATIONS, NAMESPACE, "web")
        scene.spoke.server.compact(scene.spoke.server.rv)
        await trio.sleep(40)
        scene.fleet.clients["m1"].faults = NONE
        await scene.until(lambda: operation_state(scene.on_hub("web")).get("phase") == "Succeeded")
        await scene.agree()

    play(story)


def test_a_refresh_of_an_ignored_object_is_not_sent() -> None:
    """What is out of replication asks nothing of the spoke, and nothing waits for it there."""

    async def story(scene: Scene) -> None:
        await scene.create("web", metadata={"labels": {names.IGNORE_SYNC: "true"}})
        await trio.sleep(1)
        before = scene.records
        await argocd_server.refresh(scene.argocd, "m1", "web", env=scene.fleet.env, wait=False)
        await trio.sleep(5)
        assert scene.records == before

    play(story)
