"""Races of the deletion guard: nobody confirms what is held but the story itself."""

from __future__ import annotations

from typing import Final

import trio

from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL
from trio_argoagent.testing.operator import confirm, read_held

from ..helpers import Scene
from .judging import Race

_FIRST_MINUTES: Final = 700.0
"""Seconds after which what is inferred is no longer held for that reason alone."""
_NAMES: Final = tuple(f"app{number}" for number in range(8))


async def _settled(scene: Scene, seconds: float) -> None:
    scene.fleet.confirming = False
    for name in _NAMES:
        await scene.create(name, cascade=False)
    await scene.agree()
    scene.fleet.crash(scene.spoke.controller)
    await trio.sleep(seconds)


async def _delete(scene: Scene, *names: str, seen: bool) -> None:
    if not seen:
        scene.fleet.crash(PRINCIPAL)
        await trio.sleep(1)
    for name in names:
        await scene.hub.delete(APPLICATIONS, "m1", name)
    scene.fleet.start(PRINCIPAL)
    await trio.sleep(60)


def _standing(scene: Scene) -> int:
    return sum(scene.on_spoke(name) is not None for name in _NAMES)


async def _emptied_unseen(scene: Scene) -> None:
    """Everything has gone while nobody watched: it stays on the spoke until a person says so."""
    await _settled(scene, _FIRST_MINUTES)
    await _delete(scene, *_NAMES, seen=False)
    assert _standing(scene) == len(_NAMES), "a fleet was deleted on nobody's word"
    held = await read_held(scene.hub, NAMESPACE)
    await confirm(scene.hub, NAMESPACE, "m1", held["m1"].set, scene.fleet.env.now())
    await scene.until(lambda: not _standing(scene))


async def _emptied_by_its_user(scene: Scene) -> None:
    """A user deletes everything, and it is seen: nobody is asked."""
    await _settled(scene, 0.0)
    await _delete(scene, *_NAMES, seen=True)
    assert not _standing(scene), "what a user has deleted is held"


async def _one_of_the_first_minutes(scene: Scene) -> None:
    """One object goes unseen just after an agent's start: it is held until the first minutes are over."""
    await _settled(scene, 0.0)
    await _delete(scene, _NAMES[0], seen=False)
    assert _standing(scene) == len(_NAMES), "a program that has just started spends a budget it cannot know"
    await trio.sleep(_FIRST_MINUTES)
    assert _standing(scene) == len(_NAMES) - 1, "it is held for ever"


GUARDING: Final = (
    Race("emptied-unseen", _emptied_unseen),
    Race("emptied-by-its-user", _emptied_by_its_user),
    Race("one-of-the-first-minutes", _one_of_the_first_minutes),
)
