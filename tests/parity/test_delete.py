"""Test_CascadeDeleteOnManagedAgent."""

from __future__ import annotations

from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.argocd.applications import automated

from .play import play
from .stage import Stage

HOLD = "example.com/hold"


def test_cascade_delete_on_managed_agent() -> None:
    """The hub's Application waits, deleting, until the spoke has let its copy go; the workload is pruned."""

    async def story(stage: Stage) -> None:
        side = stage.side
        await side.create("guestbook", syncPolicy=automated())
        await stage.agree()

        async def deployed() -> bool:
            return any(not each.gone_at for each in side.world.live(side.namespace, "guestbook", 0.0))

        await stage.until(deployed)
        copy = await side.on_spoke("guestbook")
        assert copy is not None
        held = MergePatch({"metadata": {"finalizers": [*copy.finalizers, HOLD]}})
        await side.cluster.patch(APPLICATIONS, side.namespace, "guestbook", held)
        await stage.hub.delete(APPLICATIONS, side.name, "guestbook")

        async def pruned() -> bool:
            copy = await side.on_spoke("guestbook")
            return copy is not None and list(copy.finalizers) == [HOLD]

        await stage.until(pruned)
        hub = await side.on_hub("guestbook")
        assert hub is not None and hub.deleting
        released = MergePatch({"metadata": {"finalizers": None}})
        await side.cluster.patch(APPLICATIONS, side.namespace, "guestbook", released)

        async def gone() -> bool:
            return await side.on_hub("guestbook") is None and await side.on_spoke("guestbook") is None

        await stage.until(gone)
        assert side.world.prunes

    play(story)
