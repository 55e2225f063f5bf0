"""Test_Revert*: what is changed on the side that does not own it is put back."""

from __future__ import annotations

import pytest
import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS

from .play import play
from .stage import Side, Stage

TAMPERED = {"spec": {"source": {"targetRevision": "tampered"}}}


async def is_put_back(stage: Stage, side: Side) -> None:
    """Wait until nobody shows what was tampered with; then, with a link again, both sides agree."""

    async def honest() -> bool:
        found = (await side.on_hub("guestbook"), await side.on_spoke("guestbook"))
        return all(app is not None and revision(app) == "HEAD" for app in found)

    await stage.until(honest)
    side.heal()
    await stage.agree()


def revision(app: Object) -> str:
    """The revision that an Application is meant to be at."""
    return str(app.get("spec")["source"]["targetRevision"])


async def prepared(stage: Stage) -> Side:
    """One Application, in step."""
    await stage.side.create("guestbook")
    await stage.agree()
    return stage.side


def test_revert_managed_cluster_changes() -> None:
    """An edit of the copy is reverted at once."""

    async def story(stage: Stage) -> None:
        side = await prepared(stage)
        await side.edit_on_spoke("guestbook", TAMPERED)
        await is_put_back(stage, side)

    play(story)


def test_revert_disconnected_managed_cluster_changes() -> None:
    """An edit of the copy is reverted while the link is down."""

    async def story(stage: Stage) -> None:
        side = await prepared(stage)
        side.cut()
        await side.edit_on_spoke("guestbook", TAMPERED)
        await is_put_back(stage, side)

    play(story)


def test_cache_recreated_on_restart() -> None:
    """An agent that has begun anew and has not reached its principal still knows what the copy must be."""

    async def story(stage: Stage) -> None:
        side = await prepared(stage)
        side.agent.crash()
        side.cut()
        side.agent.start()
        await stage.until(lambda: _has_seen_its_cluster(side))
        await side.edit_on_spoke("guestbook", TAMPERED)
        await is_put_back(stage, side)

    play(story)


async def _has_seen_its_cluster(side: Side) -> bool:
    """Does the second agent know the copy, so that it can tell an edit from what it found?"""
    await trio.lowlevel.checkpoint()
    second = side.agent.instance if side.agent.starts == 2 else None
    return second is not None and second.spoke.stores[Kind.APPLICATION].informer.complete


def test_revert_managed_cluster_offline_changes() -> None:
    """An edit of the copy that was made while the agent was down is reverted when it is back."""

    async def story(stage: Stage) -> None:
        side = await prepared(stage)
        side.agent.crash()
        await side.edit_on_spoke("guestbook", TAMPERED)
        side.agent.start()
        await is_put_back(stage, side)

    play(story)


def test_revert_autonomous_app_changes() -> None:
    """An edit of a mirror is reverted."""

    async def story(stage: Stage) -> None:
        side = await prepared(stage)
        await side.edit_on_hub("guestbook", TAMPERED)
        await is_put_back(stage, side)

    play(story, autonomous=("edge",))


@pytest.mark.parametrize("mode", ["managed", "autonomous"])
def test_revert_app_deletion(mode: str) -> None:
    """Test_Revert{Managed,Autonomous}AppDeletion: who does not own it cannot delete it."""

    async def story(stage: Stage) -> None:
        side = await prepared(stage)
        if mode == "managed":
            cluster, namespace, seen = side.cluster, side.namespace, side.on_spoke
        else:
            cluster, namespace, seen = stage.hub, side.name, side.on_hub
        before = await seen("guestbook")
        assert before is not None
        await cluster.delete(APPLICATIONS, namespace, "guestbook")

        async def anew() -> bool:
            found = await seen("guestbook")
            return found is not None and found.meta.uid != before.meta.uid

        await stage.until(anew)
        await stage.agree()

    play(story, mode=Mode(mode))
