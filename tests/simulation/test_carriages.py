"""A whole fleet over WebSockets, and through a proxy: what people do arrives, as over HTTP/2."""

from __future__ import annotations

import pytest
import trio

from trio_argoagent.errors import NotFound
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing import SpokePlan, Way, application, automated, open_fleet, simulate

WAYS = {
    "websocket": Way(websocket=True),
    "proxy": Way(proxied=True),
    "websocket through a proxy": Way(websocket=True, proxied=True),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_fleet_lives_on_it(way: str) -> None:
    """Objects are made, edited and deleted, statuses come back, and a cut is survived; both modes."""

    async def main() -> None:
        plans = [SpokePlan("east"), SpokePlan("edge", Mode.AUTONOMOUS)]
        async with open_fleet(plans, seed=1, level=2, way=WAYS[way]) as fleet:
            await fleet.apply(application("web", namespace="east", syncPolicy=automated()))
            await fleet.apply(application("web", syncPolicy=automated()), "edge")
            await fleet.wait_synced()
            fleet.cut("east")
            patch = MergePatch({"spec": {"source": {"path": "helm-guestbook"}}})
            await fleet.cluster("hub").patch(APPLICATIONS, "east", "web", patch)
            await trio.sleep(60.0)
            fleet.heal("east")
            await fleet.wait_synced()
            shown = await fleet.cluster("hub").get(APPLICATIONS, "east", "web")
            assert (shown.get("status") or {})["sync"]["comparedTo"]["source"]["path"] == "helm-guestbook"
            await fleet.cluster("hub").delete(APPLICATIONS, "east", "web")
            await fleet.wait_consistent()
            with pytest.raises(NotFound):
                await fleet.cluster("east").get(APPLICATIONS, "argocd", "web")
            counted = fleet.network.statistics()
            assert counted.frames_sent > 0 and fleet.network.links("edge") == 1

    simulate(main, seed=1)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dead", ["half open", "principal killed", "agent killed"])
def test_a_link_that_is_dead_is_found_out(way: str, dead: str) -> None:
    """Nobody says goodbye: the link's own keepalive notices, and a new one is dialled."""

    async def main() -> None:
        async with open_fleet([SpokePlan("east")], seed=2, level=2, way=WAYS[way]) as fleet:
            await fleet.apply(application("web", namespace="east", syncPolicy=automated()))
            await fleet.wait_synced()
            if dead == "half open":
                fleet.half_open("east")
            else:
                program = dead.split()[0].replace("agent", "east")
                fleet.kill(program)
                fleet.restart(program)
            await fleet.apply(application("web", "helm-guestbook", namespace="east"))
            await fleet.wait_synced()
            assert not fleet.differences()
            await fleet.until(lambda: fleet.network.links("east") == 1)

    simulate(main, seed=2)


@pytest.mark.parametrize("way", WAYS)
def test_the_same_seed_does_the_same(way: str) -> None:
    """What WebSockets draw by themselves (keys and masks) moves nothing."""
    counts = []
    for _ in range(2):

        async def main() -> None:
            async with open_fleet([SpokePlan("east")], seed=3, level=2, way=WAYS[way]) as fleet:
                await fleet.apply(application("web", namespace="east", syncPolicy=automated()))
                await fleet.wait_synced()
                counts.append((trio.current_time(), fleet.network.statistics()))

        simulate(main, seed=3)
    assert counts[0] == counts[1]
