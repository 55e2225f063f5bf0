"""What happens to the demo's fleet: first Applications, a seeded workload, cuts, restarts, and the end."""

from __future__ import annotations

from random import Random
from typing import Any, Final

import trio

from trio_argoagent import errors
from trio_argoagent.demo.documents import Document
from trio_argoagent.demo.fleet import Fleet
from trio_argoagent.demo.report import Counted
from trio_argoagent.demo.settings import HUB, Cut, Restart
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.argocd.applications import app_project, automated, samples
from trio_argoagent.testing.furnishing import EVERYWHERE
from trio_argoagent.testing.machine import NAMESPACE, USER
from trio_argoagent.testing.workload import TEAM, Site, Workload

HEADLESS_PACE: Final = 0.15
"""Seconds between two actions on average, without a screen."""
SCREEN_PACE: Final = 2.5
"""Likewise with one: as fast as a person reads."""
SETTLE_TIMEOUT: Final = 120.0
"""Seconds after the last action within which both sides must agree."""
QUIET: Final = 3.0
"""Seconds without a difference and without a write by the product: then it has settled."""
PROJECTS: Final = ("demo", TEAM)
"""There from start to end: else the demo would time how long Applications wait for the workload's own."""
_POLL: Final = 0.25


class Drive:
    """See the module.

    Args:
        fleet: what it happens to.
        documents: the user's own objects.
    """

    def __init__(self, fleet: Fleet, documents: tuple[Document, ...]) -> None:
        self._fleet, self._documents = fleet, documents
        self._settings = fleet.settings
        self._cuts = self._restarts = self._applied = 0
        sites = tuple(
            Site(node.name, node.mode, node.machine.local(USER), NAMESPACE, node.world)
            for node in fleet.nodes.values()
        )
        self._workload = Workload(
            fleet.hub.local(USER),
            NAMESPACE,
            sites,
            Random(f"workload {self._settings.seed}"),
            fleet.env,
            self._settings.apps,
            without=("unproject",),
        )

    def counted(self) -> Counted:
        """What has been done so far."""
        return Counted(self._applied + sum(self._workload.done.values()), self._cuts, self._restarts)

    async def run(self) -> None:
        """Create the first objects, then act for the asked time (for ever if none is asked)."""
        await self.apply_samples()
        await self.apply_documents()
        seconds = self._settings.duration or float("inf")
        async with trio.open_nursery() as nursery:
            for cut in self._settings.cuts:
                nursery.start_soon(self._cut, cut)
            for restart in self._settings.restarts:
                nursery.start_soon(self._restart, restart)
            with trio.move_on_after(seconds):
                await self._workload.run(HEADLESS_PACE if self._settings.headless else SCREEN_PACE)

    async def apply_samples(self) -> None:
        """The demo's own Applications, and AppProjects of each side's making."""
        for name in PROJECTS:
            shared = app_project(name, namespace=NAMESPACE, **EVERYWHERE)
            await self._fleet.hub.local(USER).create(APP_PROJECTS, shared)
        for node in self._fleet.nodes.values():
            managed = node.mode is Mode.MANAGED
            machine, namespace = (self._fleet.hub, node.name) if managed else (node.machine, NAMESPACE)
            cluster = machine.local(USER)
            if not managed:
                for name in PROJECTS:
                    await cluster.create(APP_PROJECTS, app_project(name, namespace=NAMESPACE))
            for app in _some(namespace, self._settings.apps):
                await cluster.create(APPLICATIONS, app)
                self._applied += 1

    async def apply_documents(self) -> None:
        """The user's own objects; one that is there already takes over what the document says."""
        for document in self._documents:
            machine = self._fleet.nodes[document.node].machine if document.node else self._fleet.hub
            cluster, value = machine.local(USER), document.value
            try:
                await cluster.create(document.resource, value)
            except errors.AlreadyExists:
                meta = value["metadata"]
                place = document.resource, meta.get("namespace", ""), meta["name"]
                await cluster.patch(*place, MergePatch(value))
            self._applied += 1

    async def _cut(self, cut: Cut) -> None:
        node = self._fleet.nodes[cut.agent]
        await trio.sleep(cut.at)
        node.cut()
        self._cuts += 1
        await trio.sleep(cut.seconds)
        node.heal()

    async def _restart(self, restart: Restart) -> None:
        await trio.sleep(restart.at)
        if restart.node == HUB:
            for node in self._fleet.nodes.values():
                node.stopwatch.forget()
            self._fleet.program.restart()
        else:
            self._fleet.nodes[restart.node].stopwatch.forget()
            self._fleet.nodes[restart.node].program.restart()
        self._restarts += 1

    async def settle(self) -> list[str]:
        """Wait until both sides agree and nothing is written any more; what still differs at the end."""
        with trio.move_on_after(SETTLE_TIMEOUT):
            quiet_since, writes = trio.current_time(), self._fleet.writes()
            while trio.current_time() < quiet_since + QUIET:
                await trio.sleep(_POLL)
                if self._fleet.writes() != writes or self._fleet.differences():
                    quiet_since, writes = trio.current_time(), self._fleet.writes()
        return self._fleet.differences()


def _some(namespace: str, count: int) -> list[dict[str, Any]]:
    """That many of the samples (and more of the same if there are too few); two of three sync themselves."""
    found = samples(namespace)
    more = (samples(namespace, prefix=f"more-{number}-") for number in range(1, 1 + count // len(found)))
    chosen = [*found, *(app for batch in more for app in batch)][:count]
    for index, app in enumerate(chosen):
        if index % 3 != 2:
            app["spec"].setdefault("syncPolicy", automated())
    return chosen
