"""An object nested too deep to be read: it is said, nothing of it travels, and nothing else suffers."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APPLICATIONS, EVENTS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing import oracle
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL

from .helpers import Scene, play


def _deep(levels: int = 100) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"deeper": value}
    return {"spec": {"source": {"helm": {"valuesObject": value}}}}


async def _edit(scene: Scene, value: Any) -> None:
    managed = not scene.spoke.mapping.autonomous
    cluster, namespace = (scene.hub, scene.spoke.name) if managed else (scene.there, NAMESPACE)
    await cluster.patch(APPLICATIONS, namespace, "web", MergePatch(value))


def _said(scene: Scene) -> list[str]:
    server = scene.fleet.hub if not scene.spoke.mapping.autonomous else scene.spoke.server
    spaces = (NAMESPACE, scene.spoke.name)
    events = [event for each in spaces for event in oracle.objects(server, EVENTS, each).values()]
    return [event.get("message") for event in events if "nested deeper" in event.get("message")]


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("restart", [False, True])
def test_a_deep_application_is_said_and_its_copy_stays(mode: Mode, restart: bool) -> None:
    """It must end no program, and its absence from what can be read must not be taken for its deletion."""

    async def story(scene: Scene) -> None:
        await scene.create("web", cascade=False)
        await scene.create("other", cascade=False)
        await scene.agree()
        owner, copies = (
            (PRINCIPAL, scene.on_spoke) if mode is Mode.MANAGED else (scene.spoke.name, scene.on_hub)
        )
        before = copies("web")
        await _edit(scene, _deep())
        await scene.until(lambda: bool(_said(scene)), 5)
        if restart:
            scene.fleet.kill(owner)
            await trio.sleep(1)
            scene.fleet.start(owner)
        await scene.create("later", cascade=False)
        await scene.until(lambda: copies("later") is not None, 20)
        await trio.sleep(400)
        after = copies("web")
        assert before is not None and after is not None and after.meta.uid == before.meta.uid
        assert after.get("spec") == before.get("spec")
        await _edit(scene, {"spec": {"source": {"helm": None, "targetRevision": "v2"}}})
        await scene.agree()
        after = copies("web")
        assert after is not None and after.get("spec")["source"]["targetRevision"] == "v2"
        await trio.sleep(10)

    play(story, mode=mode, watched=False)


def test_a_deep_copy_is_put_back() -> None:
    """Somebody on the spoke writes it; the hub's value is the shallow one."""

    async def story(scene: Scene) -> None:
        await scene.create("web", cascade=False)
        await scene.agree()
        await scene.there.patch(APPLICATIONS, NAMESPACE, "web", MergePatch(_deep()))
        await scene.agree()
        copy = scene.on_spoke("web")
        assert copy is not None and not copy.unreadable

    play(story)
