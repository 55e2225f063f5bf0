"""One cluster in process with a simulated Argo CD on it, under a virtual clock."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import attrs
import pytest
import trio

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.errors import NotFound
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS, NAMESPACES
from trio_argoagent.ports.env import Env
from trio_argoagent.testing.argocd.application_controller import run_application_controller
from trio_argoagent.testing.argocd.applications import app_project, application
from trio_argoagent.testing.argocd.names import Settings
from trio_argoagent.testing.argocd.waiting import until
from trio_argoagent.testing.argocd.world import World

from .helpers import NOW


@attrs.define
class Stage:
    """A cluster, its world, and a controller that can be started and stopped."""

    server: ApiServer
    cluster: LocalCluster
    env: Env
    nursery: trio.Nursery
    world: World = attrs.field(factory=World)

    async def start(self, settings: Settings | None = None) -> trio.CancelScope:
        """Start a controller; cancel what is returned to stop it."""
        scope = trio.CancelScope()

        async def run(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
            with scope:
                await run_application_controller(
                    self.cluster.impersonate("argocd-application-controller"),
                    "argocd",
                    env=self.env,
                    world=self.world,
                    settings=settings,
                    task_status=task_status,
                )

        await self.nursery.start(run)
        return scope

    async def add(self, name: str, path: str = "guestbook", **more: Any) -> None:
        """Create an Application as kubectl would."""
        await self.cluster.create(APPLICATIONS, application(name, path, **more))

    async def app(self, name: str = "web") -> Object:
        """An Application as it is now."""
        return await self.cluster.get(APPLICATIONS, "argocd", name)

    async def status(self, name: str = "web") -> dict[str, Any]:
        """The status of an Application as it is now."""
        found: dict[str, Any] = (await self.app(name)).get("status") or {}
        return found

    async def reach(self, sync: str, health: str, name: str = "web") -> None:
        """Wait until sync and health are these, at most ten virtual minutes."""
        await self.until(lambda app: _state(app) == (sync, health), name)

    async def until(self, done: Callable[[Object], bool], name: str = "web") -> Object:
        """Wait for a condition, at most ten virtual minutes."""
        with trio.fail_after(600):
            return await until(self.cluster, "argocd", name, done)

    async def gone(self, name: str = "web") -> None:
        """Wait until the Application is no more, at most ten virtual minutes."""
        with trio.fail_after(600):
            while True:
                try:
                    await self.app(name)
                except NotFound:
                    return
                await trio.sleep(0.1)

    def writes(self, actor: str = "argocd-application-controller") -> int:
        """How many writes that one has done."""
        return sum(entry.actor == actor for entry in self.server.log)


def _state(app: Object) -> tuple[str, str]:
    status = app.get("status") or {}
    return (status.get("sync") or {}).get("status", ""), (status.get("health") or {}).get("status", "")


@pytest.fixture
def env() -> Env:
    """Wall time that runs with the clock of the test, and seeded randomness."""
    chance = random.Random(1)
    return Env(now=lambda: NOW + trio.current_time(), random=chance, entropy=chance.randbytes)


@pytest.fixture
async def stage(env: Env, nursery: trio.Nursery) -> Stage:
    """A cluster with Argo CD's namespace and default project; the controller is not yet running."""
    server = argocd_server(entropy=env.entropy, now=env.now())
    cluster = LocalCluster(server, env=env, actor="user")
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}}
    await cluster.create(NAMESPACES, namespace)
    await cluster.create(APP_PROJECTS, app_project())
    return Stage(server, cluster, env, nursery)
