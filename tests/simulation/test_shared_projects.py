"""One AppProject of the hub, several agents: it goes when nobody needs it any more."""

from __future__ import annotations

import trio

from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.argocd.applications import app_project, application
from trio_argoagent.testing.argocd.names import FAMILY
from trio_argoagent.testing.fleet import EVERYWHERE, NAMESPACE, SpokePlan, open_fleet
from trio_argoagent.testing.monitors import Monitors
from trio_argoagent.testing.oracle import objects
from trio_argoagent.testing.scheduling import simulate


def test_a_project_outlives_the_applications_of_an_agent_that_is_away() -> None:
    """The agent that answers first must not free it: another one's cascade would hang without it."""

    async def story() -> None:
        async with open_fleet((SpokePlan("m1"), SpokePlan("m2")), seed=5) as fleet:
            monitors = Monitors(fleet)
            hub = fleet.hub_as("user")
            team = app_project("team", namespace=NAMESPACE, **EVERYWHERE)
            team["metadata"]["finalizers"] = [FAMILY]
            await hub.create(APP_PROJECTS, team)
            await hub.create(APPLICATIONS, application("web", namespace="m1", project="team"))
            await fleet.wait_consistent()
            fleet.network.cut("m1")
            await argocd_server.delete(hub, "m1", "web")
            await hub.delete(APP_PROJECTS, NAMESPACE, "team")
            await trio.sleep(60)
            assert "team" in objects(fleet.hub, APP_PROJECTS, NAMESPACE)
            assert "team" not in objects(fleet.spokes["m2"].server, APP_PROJECTS, NAMESPACE)
            fleet.network.heal("m1")
            await fleet.wait_consistent()
            assert "team" not in objects(fleet.hub, APP_PROJECTS, NAMESPACE)
            assert not objects(fleet.spokes["m1"].server, APPLICATIONS, NAMESPACE)
            monitors.check()

    simulate(story, seed=5)
