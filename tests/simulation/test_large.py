"""A status that no other cluster would take travels in part, and says so; others do not wait for it."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.objects import canonical
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.sync.fitting import MAX_STATUS, OMITTED
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL

from .helpers import Scene, play


def _conditions(scene: Scene, name: str) -> dict[str, str]:
    app = scene.on_hub(name)
    status: dict[str, Any] = (app.get("status") if app is not None else None) or {}
    return {each["type"]: each["message"] for each in status.get("conditions", ())}


@pytest.mark.parametrize("mode", list(Mode))
def test_a_status_of_ten_thousand_resources(mode: Mode) -> None:
    """It is cut by its source, so a restart of the hub writes nothing; when it is smaller, it is whole."""

    async def story(scene: Scene) -> None:
        await scene.create("web", cascade=False)
        await scene.create("other", cascade=False)
        await scene.agree()
        scene.fleet.crash(scene.spoke.controller)
        rows = [
            {"kind": "ConfigMap", "name": f"map-{number}-{'x' * 120}", "status": "Synced"}
            for number in range(10_000)
        ]
        value = {"status": {"resources": rows, "health": {"status": "Healthy"}}}
        await scene.there.patch(APPLICATIONS, NAMESPACE, "web", MergePatch(value))
        await scene.until(lambda: OMITTED in _conditions(scene, "web"), 20)
        hub = scene.on_hub("web")
        assert hub is not None and len(canonical(hub.get("status"))) <= MAX_STATUS
        assert "of 10000 resources" in _conditions(scene, "web")[OMITTED]
        scene.fleet.kill(PRINCIPAL)
        await trio.sleep(1)
        version = scene.fleet.hub.rv
        scene.fleet.start(PRINCIPAL)
        await trio.sleep(20)
        log = scene.fleet.hub.log
        assert not [entry for entry in log if entry.resource == APPLICATIONS and entry.rv > version]
        smaller = {"status": {"resources": rows[:10]}}
        await scene.there.patch(APPLICATIONS, NAMESPACE, "web", MergePatch(smaller))
        await scene.until(lambda: OMITTED not in _conditions(scene, "web"), 20)
        await scene.agree()

    play(story, mode=mode)
