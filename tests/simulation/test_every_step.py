"""A crash at each step of the scheduler, not only at random ones, in one small story.

Every ``STRIDE``-th step of the story is a run of its own, for each program and each mode; a full walk needs
nothing but another stride.
"""

from __future__ import annotations

import pytest
import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.argocd.applications import app_project
from trio_argoagent.testing.argocd.names import Settings
from trio_argoagent.testing.fleet import EVERYWHERE, NAMESPACE, PRINCIPAL, Fleet

from .helpers import Scene, operation_state, play

STRIDE = 29
"""Steps between two crashes: a prime, so that no rhythm of the schedule is in step with it."""
FOUND = (92,)
"""Steps that found something: a link that broke before its welcome was reported down, but never up."""
QUICK = Settings(operation=0.1, progressing=0.1, pruning=0.1)
DOWN = 0.5
"""Seconds that the program is away."""


class CrashAt(trio.abc.Instrument):
    """Kills one program when the scheduler is about to take a step, and counts steps."""

    def __init__(self, fleet: Fleet, program: str, step: int) -> None:
        self.steps, self.struck = 0, False
        self._fleet, self._program, self._step = fleet, program, step

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """One more; is it the one?"""
        self.steps += 1
        if self.steps == self._step:
            self.struck = True
            self._fleet.crash(self._program)


async def small_story(scene: Scene) -> None:
    """A project and an Application come, are synced, edited, and go; nothing is waited for long."""
    owner = scene.there if scene.spoke.mapping.autonomous else scene.hub
    namespace = NAMESPACE if scene.spoke.mapping.autonomous else scene.spoke.name
    await owner.create(APP_PROJECTS, app_project("team", namespace=NAMESPACE, **EVERYWHERE))
    await scene.create("web", project="team")
    await scene.create("stays")
    await scene.until(lambda: scene.on_hub("web") is not None and scene.on_spoke("web") is not None)
    await trio.sleep(0.5)
    await argocd_server.sync(scene.argocd, scene.spoke.name, "web")
    await trio.sleep(0.5)
    await owner.patch(
        APPLICATIONS, namespace, "web", MergePatch({"spec": {"source": {"targetRevision": "v2"}}})
    )
    await trio.sleep(0.5)
    await owner.delete(APPLICATIONS, namespace, "web")
    await trio.sleep(0.5)


def play_with_crash(mode: Mode, who: str, step: int) -> int:
    """The story with a crash at that step; returns how many steps it took. 0: without a crash."""
    counted: list[int] = []

    async def story(scene: Scene) -> None:
        program = scene.spoke.name if who == "agent" else who
        crash = CrashAt(scene.fleet, program, step)
        trio.lowlevel.add_instrument(crash)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_raise_again, scene, program, crash)
            await small_story(scene)
            counted.append(crash.steps)
            nursery.cancel_scope.cancel()
        scene.fleet.start(program)
        trio.lowlevel.remove_instrument(crash)
        await scene.agree()
        assert crash.struck == bool(step)
        assert scene.on_hub("web") is None and scene.on_spoke("web") is None
        assert scene.on_hub("stays") is not None and scene.on_spoke("stays") is not None
        assert not operation_state(scene.on_hub("stays"))
        assert all(starts == 1 for starts in scene.monitors.intents.values())

    play(story, mode=mode, settings=QUICK)
    return counted[0]


async def _raise_again(scene: Scene, program: str, crash: CrashAt) -> None:
    await scene.until(lambda: crash.struck, timeout=1_000.0)
    await trio.sleep(DOWN)
    scene.fleet.start(program)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("who", [PRINCIPAL, "agent"])
def test_a_crash_at_any_step_is_survived(mode: Mode, who: str) -> None:
    """Wherever it strikes, both sides agree in the end, the sync starts once, and no rule is broken."""
    steps = play_with_crash(mode, who, 0)
    assert steps > 10 * STRIDE
    for step in (*range(1, steps, STRIDE), *FOUND):
        play_with_crash(mode, who, step)
