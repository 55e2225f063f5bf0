"""Test_AgentManaged, Test_AgentAutonomous."""

from __future__ import annotations

from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch

from .play import play
from .stage import Stage


def test_agent_managed() -> None:
    """A hub Application reaches its agent, points at the cluster it is on, and follows edits and its end."""

    async def story(stage: Stage) -> None:
        side = stage.side
        await side.create("guestbook", cascade=False)
        await stage.agree()
        copy = await side.on_spoke("guestbook")
        assert copy is not None and copy.get("spec")["destination"]["name"] == "in-cluster"
        await side.edit_on_hub("guestbook", {"spec": {"source": {"targetRevision": "v2"}}})
        await stage.agree()
        copy = await side.on_spoke("guestbook")
        assert copy is not None and copy.get("spec")["source"]["targetRevision"] == "v2"
        await stage.hub.delete(APPLICATIONS, side.name, "guestbook")

        async def gone() -> bool:
            return await side.on_spoke("guestbook") is None

        await stage.until(gone)

    play(story)


def test_agent_autonomous() -> None:
    """A spoke's Application is mirrored under a prefixed project, and follows edits and its end."""

    async def story(stage: Stage) -> None:
        side = stage.side
        await side.create("guestbook", cascade=False)
        await stage.agree()
        mirror = await side.on_hub("guestbook")
        assert mirror is not None
        assert mirror.get("spec")["project"] == f"{side.name}-default"
        assert mirror.get("spec")["destination"]["name"] == side.name
        revision = MergePatch({"spec": {"source": {"targetRevision": "v2"}}})
        await side.cluster.patch(APPLICATIONS, side.namespace, "guestbook", revision)
        await stage.agree()
        mirror = await side.on_hub("guestbook")
        assert mirror is not None and mirror.get("spec")["source"]["targetRevision"] == "v2"
        await side.cluster.delete(APPLICATIONS, side.namespace, "guestbook")

        async def gone() -> bool:
            return await side.on_hub("guestbook") is None

        await stage.until(gone)

    play(story, autonomous=("edge",))
