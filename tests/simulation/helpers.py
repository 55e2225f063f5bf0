"""What the simulations share: fleets of one or two spokes, and short words for what happens on them."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from random import Random
from typing import Any

import trio

from trio_argoagent.apiserver.core.kinds import CRDS
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.crds import argocd_crds
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS, Resource
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.stream.protocol import codec, messages
from trio_argoagent.sync.policy import DEFAULTS, Policies
from trio_argoagent.testing import oracle
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.argocd.names import Dialect, Settings
from trio_argoagent.testing.fleet import NAMESPACE, Fleet, SpokePlan, open_fleet
from trio_argoagent.testing.monitors import Monitors
from trio_argoagent.testing.scheduling import simulate

Story = Callable[["Scene"], Awaitable[None]]


class Scene:
    """A running fleet with its monitors, one managed (``m1``) or autonomous (``a1``) spoke, and its users."""

    def __init__(self, fleet: Fleet, monitors: Monitors) -> None:
        self.fleet, self.monitors = fleet, monitors
        self.records = 0
        """Records that were sent, both ways."""
        self._listener = fleet.network.on_frame
        fleet.network.on_frame = self._on_frame
        (self.spoke,) = fleet.spokes.values()
        self.hub = fleet.hub_as("user")
        self.argocd = fleet.hub_as("argocd-server")
        """The hub as argocd-server sees it."""
        self.there = fleet.spoke_as(self.spoke.name, "spoke-user")

    def _on_frame(self, agent: str, up: bool, frame: bytes) -> None:
        if self._listener is not None:
            self._listener(agent, up, frame)
        self.records += isinstance(codec.decode(frame), messages.RecordMessage)

    async def create(self, name: str, path: str = "guestbook", **more: Any) -> Object:
        """Create an Application where it is owned, as kubectl does."""
        if self.spoke.mapping.autonomous:
            return await self.there.create(APPLICATIONS, application(name, path, namespace=NAMESPACE, **more))
        return await self.hub.create(APPLICATIONS, application(name, path, namespace=self.spoke.name, **more))

    async def edit(self, name: str, spec: Mapping[str, Any]) -> Object:
        """Change an Application's spec on the hub."""
        patch = MergePatch({"spec": spec})
        return await self.hub.patch(APPLICATIONS, self.spoke.name, name, patch)

    async def change(self, cluster: LocalCluster, name: str, metadata: Mapping[str, Any]) -> Object:
        """Change an Application's metadata on either side."""
        namespace = self.spoke.name if cluster.server is self.fleet.hub else NAMESPACE
        return await cluster.patch(APPLICATIONS, namespace, name, MergePatch({"metadata": metadata}))

    def on_hub(self, name: str) -> Object | None:
        """An Application on the hub, as it is now."""
        return oracle.objects(self.fleet.hub, APPLICATIONS, self.spoke.name).get(name)

    def on_spoke(self, name: str) -> Object | None:
        """An Application on the spoke, as it is now."""
        return oracle.objects(self.spoke.server, APPLICATIONS, NAMESPACE).get(name)

    def deployed(self, name: str) -> int:
        """How many resources of that Application are deployed and stay."""
        live = self.spoke.world.live(NAMESPACE, name, self.fleet.env.now())
        return sum(each.gone_at is None for each in live)

    async def cut(self) -> None:
        """Cut the link, and let both sides notice."""
        self.fleet.network.cut(self.spoke.name)
        await trio.sleep(0.5)

    async def heal(self, timeout: float = 300.0) -> None:
        """Let the agent in again, and wait until both sides agree."""
        self.fleet.network.heal(self.spoke.name)
        await self.agree(timeout)

    async def agree(self, timeout: float = 300.0) -> None:
        """Wait until both sides agree, whatever is under way now."""
        await trio.sleep(1.0)
        await self.fleet.wait_consistent(timeout)

    async def until(self, condition: Callable[[], bool], timeout: float = 120.0) -> None:
        """Wait for a condition."""
        await self.fleet.until(condition, timeout)

    async def synced(self, *names: str) -> None:
        """Wait until these Applications are Synced and Healthy on the hub, and both sides agree."""
        await self.until(lambda: all(state(self.on_hub(name)) == ("Synced", "Healthy") for name in names))
        await self.agree()


def state(app: Object | None) -> tuple[str, str]:
    """Sync and health of an Application."""
    status = (app.get("status") if app is not None else None) or {}
    return (status.get("sync") or {}).get("status", ""), (status.get("health") or {}).get("status", "")


def operation_state(app: Object | None) -> Mapping[str, Any]:
    """The operationState of an Application; empty where there is none."""
    status = (app.get("status") if app is not None else None) or {}
    found: Mapping[str, Any] = status.get("operationState") or {}
    return found


def bulky(chance: Random) -> dict[str, Any]:
    """Metadata of 30 KB that no compression makes small, and that is like no other: it fills a slow link."""
    return {"annotations": {"example.com/big": base64.b64encode(chance.randbytes(22_500)).decode()}}


async def bulky_edit(scene: Scene, name: str, revision: str, chance: Random) -> None:
    """Change all of an Application's bulk, and its revision."""
    change = MergePatch({"metadata": bulky(chance), "spec": {"source": {"targetRevision": revision}}})
    await scene.hub.patch(APPLICATIONS, scene.spoke.name, name, change)


def exists(server: ApiServer, resource: Resource, namespace: str, name: str) -> bool:
    """Is there such an object?"""
    return name in oracle.objects(server, resource, namespace)


def has_project(scene: Scene, name: str) -> bool:
    """Is there such an AppProject on the spoke?"""
    return exists(scene.spoke.server, APP_PROJECTS, NAMESPACE, name)


async def restrict(cluster: LocalCluster, path: Sequence[str], values: Sequence[str]) -> None:
    """From now on this cluster accepts these values only in that field of an Application."""
    crd = next(crd for crd in argocd_crds() if crd["spec"]["names"]["plural"] == "applications")
    node = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for name in path:
        node = node["properties"][name]
    node["enum"] = list(values)
    patch = MergePatch({"spec": {"versions": crd["spec"]["versions"]}})
    await cluster.patch(CRDS, "", "applications.argoproj.io", patch)


def narrow(speed: float) -> Callable[[str, bool, int], float]:
    """A link that carries so many bytes a second each way."""
    free = {True: 0.0, False: 0.0}

    def late(agent: str, up: bool, size: int) -> float:
        free[up] = max(free[up], trio.current_time()) + size / speed
        return free[up] - trio.current_time()

    return late


def play(
    story: Story,
    *,
    mode: Mode = Mode.MANAGED,
    seed: int = 1,
    dialect: Dialect = Dialect.V36,
    settings: Settings | None = None,
    watched: bool = True,
    policies: Policies = DEFAULTS,
) -> None:
    """Run a story on a fresh fleet of one spoke; ``watched``: and hold the monitors against it."""
    name = "m1" if mode is Mode.MANAGED else "a1"
    plan = SpokePlan(name, mode, settings or Settings(dialect=dialect), policies)

    async def main() -> None:
        async with open_fleet([plan], seed=seed, start=False) as fleet:
            monitors = Monitors(fleet, attach=watched)
            scene = Scene(fleet, monitors)
            fleet.start()
            await story(scene)
            monitors.check()

    simulate(main, seed=seed)
