"""A store of one Application: enough of an API server to carry out what a pass decides."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import attrs

from trio_argoagent.ports.cluster import JsonPatch
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.argocd.deletion import finalise
from trio_argoagent.testing.argocd.names import PERMISSIVE, Dialect, Level, Settings
from trio_argoagent.testing.argocd.operations import operate
from trio_argoagent.testing.argocd.reconcile import refresh
from trio_argoagent.testing.argocd.world import World
from trio_argoagent.testing.argocd.writes import Decision, SetOperation, Write

NOW = 1_790_000_000.0
"""Unix seconds at which each test begins."""
V35, V36 = Settings(dialect=Dialect.V35), Settings(dialect=Dialect.V36)
PROJECT: Mapping[str, Any] = {"metadata": {"name": "default"}, "spec": PERMISSIVE}


@attrs.define
class Bench:
    """One Application, its world, and a clock that a test moves by hand."""

    settings: Settings = V36
    app: dict[str, Any] = attrs.field(factory=lambda: made("web"))
    world: World = attrs.field(factory=World)
    project: Mapping[str, Any] | None = attrs.field(factory=lambda: PROJECT)
    now: float = NOW

    def refresh(self, level: Level | None = None) -> Decision:
        """One refresh, carried out."""
        state = self.world.state(self.app, self.project, self.now)
        return self.carry_out(refresh(copy.deepcopy(self.app), self.now, state, self.settings, level))

    def operate(self, after: float = 0.0) -> Decision:
        """One pass over the operation some seconds later, carried out."""
        self.now += after
        state = self.world.state(self.app, self.project, self.now)
        return self.carry_out(operate(copy.deepcopy(self.app), self.now, state, self.settings))

    def finalise(self, after: float = 0.0) -> Decision:
        """One pass over the deletion some seconds later, carried out."""
        self.now += after
        state = self.world.state(self.app, self.project, self.now)
        return self.carry_out(finalise(copy.deepcopy(self.app), self.now, state, self.settings))

    def sync(self, operation: Mapping[str, Any] | None = None, passes: int = 8) -> None:
        """Run an operation to its end, following the pauses that each pass asks for."""
        if operation is not None:
            self.app["operation"] = operation
        for _ in range(passes):
            decision = self.operate()
            if self.app.get("operation") is None:
                return
            self.now += min(wake.after for wake in decision.wakes if wake.level is None)
        raise AssertionError(f"still running: {self.app['status']['operationState']}")

    def carry_out(self, decision: Decision) -> Decision:
        """Do to the Application and to the world what a pass decided."""
        before = copy.deepcopy(self.app)
        for step in decision.steps:
            if isinstance(step, SetOperation):
                self.app["operation"] = step.operation
                self.app.setdefault("status", {}).pop("operationState", None)
            elif isinstance(step, Write) and isinstance(step.patch, JsonPatch):
                for operation in step.patch.operations:
                    _json_patch(self.app, operation)
            elif isinstance(step, Write):
                assert not isinstance(step.patch, JsonPatch)
                self.app = merge(self.app, step.patch.value)
            else:
                self.world.apply(before, step, self.now, self.settings)
        if self.app.get("operation", 0) is None:
            del self.app["operation"]
        return decision

    @property
    def status(self) -> dict[str, Any]:
        """``status``."""
        found: dict[str, Any] = self.app.get("status", {})
        return found

    @property
    def state(self) -> dict[str, Any]:
        """``status.operationState``."""
        found: dict[str, Any] = self.status["operationState"]
        return found


def made(name: str, path: str = "guestbook", **spec: Any) -> dict[str, Any]:
    """An Application as a server stores it, with an empty status."""
    app = application(name, path, **spec)
    app["metadata"] |= {"uid": f"uid-{name}"}
    return app | {"status": {}}


def merge(old: Any, patch: Any) -> Any:
    """RFC 7386, the plain way."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(old) if isinstance(old, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), value)
    return result


def _json_patch(app: dict[str, Any], operation: Mapping[str, Any]) -> None:
    *path, last = (p.replace("~1", "/").replace("~0", "~") for p in operation["path"].split("/")[1:])
    place = app
    for part in path:
        place = place[part]
    if operation["op"] == "test":
        assert place[last] == operation["value"]
    elif operation["op"] == "remove":
        del place[last]
    else:
        place[last] = copy.deepcopy(operation["value"])
