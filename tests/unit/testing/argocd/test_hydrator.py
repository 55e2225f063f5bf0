"""The hydrator's passes, as tables, and a whole hydration on a cluster."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.argocd.applications import application, hydrator
from trio_argoagent.testing.argocd.git import Git
from trio_argoagent.testing.argocd.hydrator import AGAIN, hydrate
from trio_argoagent.testing.argocd.names import HYDRATE, HYDRATE_TIMESTAMP, REFRESH, Settings, stamp

from .conftest import Stage
from .helpers import NOW

OURS = hydrator()
HYDRATED = {"phase": "Hydrated", "startedAt": stamp(NOW - 60), "sourceHydrator": OURS}
FAILED = {"phase": "Failed", "startedAt": stamp(NOW - 600), "sourceHydrator": OURS}
RUNNING = {"phase": "Hydrating", "startedAt": stamp(NOW), "sourceHydrator": OURS}
ASKED = {HYDRATE: "normal", HYDRATE_TIMESTAMP: stamp(NOW)}


def app(current: dict[str, Any] | None = None, annotations: dict[str, str] | None = None) -> dict[str, Any]:
    """A hydrated Application in that state."""
    value = application("web", sourceHydrator=OURS, metadata={"annotations": annotations or {}})
    return value | ({"status": {"sourceHydrator": {"currentOperation": current}}} if current else {})


def phases(value: dict[str, Any], now: float = NOW) -> list[str]:
    """The phases that a pass writes."""
    writes = [step.patch for step in hydrate(value, now, Git(), Settings()).steps]  # type: ignore[union-attr]
    bodies = [patch.value for patch in writes if hasattr(patch, "value")]
    found = [body["status"]["sourceHydrator"]["currentOperation"] for body in bodies if "status" in body]
    return [each["phase"] for each in found]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (application("web"), []),
        (application("web", metadata={"annotations": ASKED}), []),
        (app(), ["Hydrating"]),
        (app(HYDRATED), []),
        (app(HYDRATED, ASKED), ["Hydrating"]),
        (app(HYDRATED | {"sourceHydrator": hydrator("helm-guestbook")}), ["Hydrating"]),
        (app(FAILED | {"finishedAt": stamp(NOW - AGAIN)}), []),
        (app(FAILED | {"finishedAt": stamp(NOW - AGAIN - 1)}), ["Hydrating"]),
        (app(RUNNING, ASKED), []),
    ],
)
def test_when_a_hydration_begins(value: dict[str, Any], expected: list[str]) -> None:
    """As ``appNeedsHydration`` has it."""
    assert phases(value) == expected


def test_a_hydration_ends_after_its_time_and_asks_for_a_refresh() -> None:
    """Unless an operation stands: then the controller looks anyway when that has ended."""
    settings = Settings()
    soon = hydrate(app(RUNNING), NOW + settings.hydration / 2, Git(), settings)
    assert soon.steps == () and [wake.after for wake in soon.wakes] == [settings.hydration / 2]
    done = hydrate(app(RUNNING), NOW + settings.hydration, Git(), settings)
    assert phases(app(RUNNING), NOW + settings.hydration) == ["Hydrated"] and len(done.steps) == 2
    busy = app(RUNNING) | {"operation": {"sync": {}}}
    assert len(hydrate(busy, NOW + settings.hydration, Git(), settings).steps) == 1


async def test_a_request_is_answered(stage: Stage, autojump_clock: MockClock) -> None:
    """Both annotations go, the dry source is rendered anew, and the Application is looked at after that."""
    await stage.start()
    await stage.add("web", sourceHydrator=OURS)
    await stage.reach("OutOfSync", "Missing")
    await trio.sleep(10)
    before = (await stage.status())["sourceHydrator"]["currentOperation"]["startedAt"]
    await argocd_server.refresh(stage.cluster, "argocd", "web", env=stage.env)
    await trio.sleep(10)
    status = await stage.status()
    assert status["sourceHydrator"]["currentOperation"]["startedAt"] > before
    assert status["sourceHydrator"]["currentOperation"]["phase"] == "Hydrated"
    assert status["sync"]["comparedTo"]["source"]["targetRevision"] == "environments/dev"
    assert REFRESH not in (await stage.app()).annotations and HYDRATE not in (await stage.app()).annotations
