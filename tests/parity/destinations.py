"""Stories with destination-based mapping: a tenant's namespace on both sides, and how programs are set up."""

from __future__ import annotations

from typing import Any

from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS, NAMESPACES
from trio_argoagent.testing.argocd.applications import application

from .play import Story, play
from .stage import Side, Stage, find, namespace

TENANTS = ("team-*", "edge*")


def play_by_destination(
    story: Story, *, managed: tuple[str, ...] = (), autonomous: tuple[str, ...] = ()
) -> None:
    """Run a story in which destinations say whose an Application is; ``team-*`` takes part on both sides.

    Such an agent watches all of its cluster, so two of them need a cluster each.
    """
    play(story, managed=managed, autonomous=autonomous, tenants=TENANTS)


async def tenant(stage: Stage, name: str, *sides: Side) -> str:
    """The namespace of a tenant, on the hub and on these agents' clusters."""
    name = f"team-{name}{stage.backing.tag}"
    await stage.hub.create(NAMESPACES, namespace(name))
    for side in sides:
        await side.cluster.create(NAMESPACES, namespace(name))
    return name


async def make(stage: Stage, where: str, name: str, agent: str, **spec: Any) -> Object:
    """An Application of the hub for that agent."""
    destination = {"name": agent, "namespace": f"{name}-{where}"}
    value = application(name, namespace=where, **{"cascade": False} | spec, destination=destination)
    return await stage.hub.create(APPLICATIONS, value)


async def until_there(stage: Stage, side: Side, where: str, name: str) -> Object:
    """Wait for a copy on that agent's cluster."""

    async def there() -> bool:
        return await find(side.cluster, APPLICATIONS, where, name) is not None

    await stage.until(there)
    found = await find(side.cluster, APPLICATIONS, where, name)
    assert found is not None
    return found


async def until_gone(stage: Stage, side: Side, where: str, name: str) -> None:
    """Wait until that agent's cluster has no such Application."""

    async def gone() -> bool:
        return await find(side.cluster, APPLICATIONS, where, name) is None

    await stage.until(gone)
