"""The runbook "a region is cut off" as a test: what goes on, what waits, and how long it takes afterwards."""

import pytest
import trio

from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing import application, automated

MOVE = MergePatch({"spec": {"source": {"path": "kustomize-guestbook"}}})


@pytest.mark.fleet(managed=("east", "west"), seed=1)
async def test_a_region_is_cut_off(fleet, hub, agents):
    """East is offline for an hour: it goes on deploying from Git, and catches up within a minute."""
    await fleet.apply([application("web", namespace=r, syncPolicy=automated()) for r in ("east", "west")])
    await fleet.wait_synced()

    fleet.cut("east")
    for region in ("east", "west"):
        await hub.patch(APPLICATIONS, region, "web", MOVE)
    fleet.push("guestbook")
    await trio.sleep(3600)

    east, west = [await agents[region].get(APPLICATIONS, "argocd", "web") for region in ("east", "west")]
    assert west.get("spec")["source"]["path"] == "kustomize-guestbook", "west follows the hub"
    assert east.get("spec")["source"]["path"] == "guestbook", "east does not know of the change"
    shown = await hub.get(APPLICATIONS, "east", "web")
    assert east.get("status")["sync"]["revision"] != shown.get("status")["sync"]["revision"], "it deploys on"

    fleet.heal("east")
    assert await fleet.wait_synced() < 60
