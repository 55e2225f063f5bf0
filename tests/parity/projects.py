"""AppProjects where they are owned and where they are copied, for the scenarios about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from trio_argoagent.errors import NotFound
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS
from trio_argoagent.ports.cluster import Cluster, MergePatch
from trio_argoagent.testing.argocd.applications import app_project
from trio_argoagent.testing.fleet import EVERYWHERE

from .stage import Side, Stage, find

OTHER: Final = {"spec": {"description": "another"}}
ROLE: Final = "dev"


@attrs.frozen
class Place:
    """An AppProject on one side."""

    cluster: Cluster
    namespace: str
    name: str

    async def get(self) -> Object | None:
        """It, or None where there is none."""
        return await find(self.cluster, APP_PROJECTS, self.namespace, self.name)

    async def spec(self) -> Mapping[str, Any]:
        """Its spec; empty where there is none."""
        found = await self.get()
        return (found.get("spec") or {}) if found is not None else {}

    async def edit(self, value: Mapping[str, Any]) -> None:
        """Merge into it."""
        await self.cluster.patch(APP_PROJECTS, self.namespace, self.name, MergePatch(value))

    async def delete(self) -> None:
        """Make it go, if it has not gone."""
        try:
            await self.cluster.delete(APP_PROJECTS, self.namespace, self.name)
        except NotFound:
            return

    async def create(self, **spec: Any) -> None:
        """Make it."""
        value = app_project(self.name, namespace=self.namespace, **spec)
        await self.cluster.create(APP_PROJECTS, value)


def owned(stage: Stage, side: Side, name: str = "team") -> Place:
    """Where an agent's project is owned."""
    if side.mapping.autonomous:
        return Place(side.cluster, side.namespace, name)
    return Place(stage.hub, stage.namespace, name)


def copied(stage: Stage, side: Side, name: str = "team") -> Place:
    """Where its copy or mirror is."""
    if side.mapping.autonomous:
        return Place(stage.hub, stage.namespace, f"{side.name}-{name}")
    return Place(side.cluster, side.namespace, name)


def policies(project: str, role: str = ROLE) -> list[dict[str, Any]]:
    """The roles of a project, one of them, which may sync its Applications."""
    lines = [
        f"p, proj:{project}:{role}, applications, sync, {project}/*, allow",
        f"p, proj:{project}:{role}, clusters, get, {project}/*, allow",
    ]
    return [{"name": role, "policies": lines}]


async def prepared(stage: Stage, **spec: Any) -> tuple[Place, Place]:
    """A project ``team``, in step: where it is owned, and its copy."""
    side = stage.side
    mine, other = owned(stage, side), copied(stage, side)
    await mine.create(**({} if side.mapping.autonomous else EVERYWHERE), **spec)
    await is_there(stage, other)
    await stage.agree()
    return mine, other


async def is_there(stage: Stage, place: Place) -> None:
    """Wait until it exists and stays."""

    async def there() -> bool:
        found = await place.get()
        return found is not None and not found.deleting

    await stage.until(there)


async def is_gone(stage: Stage, *places: Place) -> None:
    """Wait until it exists nowhere."""

    async def gone() -> bool:
        return not [place for place in places if await place.get() is not None]

    await stage.until(gone)
