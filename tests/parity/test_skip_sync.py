"""Test_Application_SkipSync, Test_AppProject_SkipSync: a label keeps an object out, and takes it out."""

from __future__ import annotations

import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.sync import names
from trio_argoagent.testing.argocd.applications import app_project, automated
from trio_argoagent.testing.fleet import EVERYWHERE

from .play import play
from .stage import Stage, find

SKIPPED = {names.IGNORE_SYNC: "true"}
A_WHILE = 5.0
"""Seconds in which what is not skipped would have come."""


def test_application_skip_sync() -> None:
    """An Application with the label never leaves its cluster; without it, it does."""

    async def story(stage: Stage) -> None:
        side = stage.side
        await side.create("web", cascade=False, metadata={"labels": SKIPPED})
        await trio.sleep(A_WHILE)
        assert await side.on_spoke("web") is None
        await side.edit_on_hub("web", {"metadata": {"labels": {names.IGNORE_SYNC: None}}})
        await stage.agree()
        assert await side.on_spoke("web") is not None

    play(story)


def test_application_skip_sync_on_an_autonomous_agent() -> None:
    """The same the other way up."""

    async def story(stage: Stage) -> None:
        side = stage.side
        await side.create("web", cascade=False, metadata={"labels": SKIPPED})
        await trio.sleep(A_WHILE)
        assert await side.on_hub("web") is None
        await side.edit_on_spoke("web", {"metadata": {"labels": {names.IGNORE_SYNC: None}}})
        await stage.agree()
        assert await side.on_hub("web") is not None

    play(story, mode=Mode.AUTONOMOUS)


def test_application_skip_sync_false() -> None:
    """Only the exact word counts."""

    async def story(stage: Stage) -> None:
        for name, value in (("web", "false"), ("api", "True")):
            await stage.side.create(name, cascade=False, metadata={"labels": {names.IGNORE_SYNC: value}})
        await stage.agree()
        assert await stage.side.on_spoke("web") is not None
        assert await stage.side.on_spoke("api") is not None

    play(story)


def test_app_project_skip_sync() -> None:
    """Likewise for an AppProject."""

    async def story(stage: Stage) -> None:
        side = stage.side
        project = app_project("team", namespace=stage.namespace, **EVERYWHERE)
        project["metadata"]["labels"] = SKIPPED
        await stage.hub.create(APP_PROJECTS, project)
        await trio.sleep(A_WHILE)
        assert await find(side.cluster, APP_PROJECTS, side.namespace, "team") is None
        free = MergePatch({"metadata": {"labels": {names.IGNORE_SYNC: None}}})
        await stage.hub.patch(APP_PROJECTS, stage.namespace, "team", free)
        await stage.agree()
        assert await find(side.cluster, APP_PROJECTS, side.namespace, "team") is not None

    play(story)


def test_application_skip_sync_update() -> None:
    """One that is labelled later goes from the spoke without its workload, and comes back."""

    async def story(stage: Stage) -> None:
        side = stage.side
        await side.create("web", syncPolicy=automated())
        await stage.agree()

        async def deployed() -> bool:
            return bool(side.world.live(side.namespace, "web", 0.0))

        await stage.until(deployed)
        await side.edit_on_hub("web", {"metadata": {"labels": SKIPPED}})

        async def gone() -> bool:
            return await side.on_spoke("web") is None

        await stage.until(gone)
        assert not side.world.prunes and await find(stage.hub, APPLICATIONS, side.name, "web") is not None
        await side.edit_on_hub("web", {"metadata": {"labels": {names.IGNORE_SYNC: None}}})
        await stage.agree()

    play(story)
