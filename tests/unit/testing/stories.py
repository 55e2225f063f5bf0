"""A fleet of one managed spoke with one synced Application, for tests of the kit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing import Fleet, SpokePlan, application, automated, open_fleet, simulate
from trio_argoagent.testing.oracle import objects

CONTROLLER = "east/application-controller"


def play(story: Callable[[Fleet], Awaitable[None]], *names: str, seed: int = 1) -> None:
    """Run a story with a fleet of these managed spokes, each with an Application ``web``; none: ``east``."""

    async def main() -> None:
        async with open_fleet([SpokePlan(name) for name in names or ("east",)], seed=seed) as fleet:
            for name in fleet.spokes:
                await fleet.apply(application("web", namespace=name, syncPolicy=automated()))
            await fleet.wait_synced()
            await story(fleet)

    simulate(main, seed=seed)


async def move(fleet: Fleet, path: str, agent: str = "east") -> None:
    """Point the Application at another path, on the hub."""
    patch = MergePatch({"spec": {"source": {"path": path}}})
    await fleet.cluster("hub").patch(APPLICATIONS, agent, "web", patch)


def copy(fleet: Fleet, agent: str = "east") -> Object:
    """The Application on the spoke, as it is now."""
    return objects(fleet.spokes[agent].server, APPLICATIONS, "argocd")["web"]


def path_of(fleet: Fleet, agent: str = "east") -> Any:
    """Where the copy points."""
    return (copy(fleet, agent).get("spec") or {})["source"]["path"]
