"""An edit and an operation at the same moment: neither hides the other, whoever crashes when."""

from __future__ import annotations

from typing import Final

import pytest
import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.argocd.names import Settings
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL

from .helpers import Scene, operation_state, play
from .test_every_step import CrashAt

SETTINGS: Final = {
    "sync": Settings(operation=2.0, progressing=0.1, pruning=0.1),
    "terminate": Settings(operation=20.0, progressing=0.1, pruning=0.1),
}
"""What is terminated must not end by itself while a program is away."""
STRIDE: Final = 67
"""Steps between two crashes: a prime, and another one than in ``test_every_step``."""
DOWN: Final = 0.5
"""Seconds that the program is away."""


async def edit(scene: Scene) -> None:
    """Change the spec where it is owned."""
    cluster = scene.there if scene.spoke.mapping.autonomous else scene.hub
    namespace = NAMESPACE if scene.spoke.mapping.autonomous else scene.spoke.name
    await cluster.patch(APPLICATIONS, namespace, "web", MergePatch({"spec": {"revisionHistoryLimit": 5}}))


async def ask(scene: Scene, verb: str) -> None:
    """Press Sync, or Terminate, on the hub."""
    call = argocd_server.sync if verb == "sync" else argocd_server.terminate
    await call(scene.argocd, scene.spoke.name, "web")


async def the_story(scene: Scene, verb: str, order: str) -> None:
    """The two, one right after the other, amid a status that is under way."""
    first, second = (edit(scene), ask(scene, verb))
    if order == "operation first":
        first, second = second, first
    scene.spoke.world.degrade("Deployment", "web", "guestbook-ui", degraded=True)
    await first
    await second
    await trio.sleep(0.5)


async def prepared(scene: Scene, verb: str) -> None:
    """An Application that has been synced; for a terminate, another sync of it is running."""
    await scene.create("web")
    await scene.agree()
    await argocd_server.sync(scene.argocd, scene.spoke.name, "web")
    await scene.until(lambda: operation_state(scene.on_hub("web")).get("phase") == "Succeeded")
    await scene.agree()
    if verb == "terminate":
        await argocd_server.sync(scene.argocd, scene.spoke.name, "web")
        await scene.until(lambda: operation_state(scene.on_hub("web")).get("phase") == "Running")


def play_with_crash(mode: Mode, verb: str, order: str, who: str, step: int) -> int:
    """The story with a crash at that step of it; returns how many steps it took. 0: without a crash."""
    counted: list[int] = []

    async def story(scene: Scene) -> None:
        await prepared(scene, verb)
        program = scene.spoke.name if who == "agent" else who
        crash = CrashAt(scene.fleet, program, step)
        trio.lowlevel.add_instrument(crash)
        await the_story(scene, verb, order)
        counted.append(crash.steps)
        if step:
            await trio.sleep(DOWN)
            scene.fleet.start(program)
        trio.lowlevel.remove_instrument(crash)
        phase = "Succeeded" if verb == "sync" else "Failed"
        starts = 2  # The one before, and the one that was asked for, or is ended.
        await scene.until(lambda: operation_state(scene.on_hub("web")).get("phase") == phase)
        await scene.agree()
        for app in (scene.on_hub("web"), scene.on_spoke("web")):
            assert app is not None
            assert app.get("spec")["revisionHistoryLimit"] == 5
            assert app.get("operation") is None
        assert crash.struck == bool(step)
        assert list(scene.monitors.intents.values()) == [1] * starts

    play(story, mode=mode, settings=SETTINGS[verb])
    return counted[0]


@pytest.mark.parametrize("who", [PRINCIPAL, "agent"])
@pytest.mark.parametrize("order", ["edit first", "operation first"])
@pytest.mark.parametrize("verb", ["sync", "terminate"])
@pytest.mark.parametrize("mode", list(Mode))
def test_w12_s840_s841_a_crash_at_any_step_loses_neither(mode: Mode, verb: str, order: str, who: str) -> None:
    """An operation that travels inside the update of a spec is superseded by the next edit (s840); one that
    shares its queue slot replaces the edit (w12); and a status that was under way erases it (s841).
    """
    steps = play_with_crash(mode, verb, order, who, 0)
    assert steps > 3 * STRIDE
    for step in range(1, steps, STRIDE):
        play_with_crash(mode, verb, order, who, step)
