"""A status that no other cluster would take travels in part, and says so; others do not wait for it."""

from __future__ import annotations

import base64
import functools
import random
from collections.abc import Callable
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


def test_a_large_object_beside_small_ones() -> None:
    """A mirror of 1.4 MB travels in parts; who changes meanwhile does not wait for it."""

    async def story(scene: Scene) -> None:
        fleet, network = scene.fleet, scene.fleet.network
        for name in ("large", "small"):
            await scene.create(name, cascade=False)
        await scene.agree()
        fleet.crash(scene.spoke.controller)
        network.shape = narrow(64 * 1024)
        chance = random.Random(1)
        text = base64.b64encode(chance.randbytes(1024 * 1024)).decode()
        began = trio.current_time()
        value = {"spec": {"source": {"helm": {"values": text}}}}
        await scene.there.patch(APPLICATIONS, NAMESPACE, "large", MergePatch(value))
        for number in range(5):
            await trio.sleep(1.0)
            changed = {"spec": {"source": {"targetRevision": f"v{number}"}}}
            await scene.there.patch(APPLICATIONS, NAMESPACE, "small", MergePatch(changed))
            small = functools.partial(revision, scene, "small", f"v{number}")
            # What is queued before it, and one part.
            await scene.until(small, (256 + 2 * 64) / 64 + 1)
        await scene.agree()
        assert trio.current_time() > began + 12
        hub = scene.on_hub("large")
        assert hub is not None and hub.get("spec")["source"]["helm"]["values"] == text
        agent = fleet.agents[scene.spoke.name].instance
        assert agent is not None and agent.status().freight.in_parts == 1

    play(story, mode=Mode.AUTONOMOUS)


def narrow(speed: float) -> Callable[[str, bool, int], float]:
    """A link that carries so many bytes a second each way."""
    free = {True: 0.0, False: 0.0}

    def late(agent: str, up: bool, size: int) -> float:
        free[up] = max(free[up], trio.current_time()) + size / speed
        return free[up] - trio.current_time()

    return late


def revision(scene: Scene, name: str, wanted: str) -> bool:
    """Does the hub show this?"""
    app = scene.on_hub(name)
    return app is not None and bool(app.get("spec")["source"].get("targetRevision") == wanted)
