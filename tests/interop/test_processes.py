"""Three programs as three processes, each killed in turn while both sides are edited."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.argocd.applications import application, automated
from trio_argoagent.testing.machine import NAMESPACE, Machine

from .programs import Fleet, Program, open_fleet

pytestmark = pytest.mark.processes

DEADLINE = 90.0
"""Seconds for both sides to agree; a few times what it takes, because other tests may run beside."""


async def create(machine: Machine, namespace: str, name: str) -> None:
    """Somebody creates an Application that syncs itself."""
    app = application(name, namespace=namespace, syncPolicy=automated())
    await machine.local("somebody").create(APPLICATIONS, app)


async def edit(machine: Machine, namespace: str, name: str, **spec: Any) -> None:
    """Somebody edits one."""
    await machine.local("somebody").patch(APPLICATIONS, namespace, name, MergePatch({"spec": spec}))


async def seen(machine: Machine, namespace: str, name: str) -> Any:
    """The revision it points at."""
    found = await machine.local("somebody").get(APPLICATIONS, namespace, name)
    return found.get("spec")["source"]["targetRevision"]


async def edit_both_sides(fleet: Fleet, revision: str) -> None:
    """Each side edits what it owns, what it does not own, and makes something new."""
    owned = {"source": {"targetRevision": revision}}
    illegal = {"source": {"targetRevision": "tampered"}}
    await edit(fleet.hub, "east", "shop", **owned)
    await edit(fleet.edge.machine, NAMESPACE, "shop", **owned)
    await edit(fleet.east.machine, NAMESPACE, "shop", **illegal)
    await edit(fleet.hub, "edge", "shop", **illegal)
    await create(fleet.hub, "east", f"new-{revision}")
    await create(fleet.edge.machine, NAMESPACE, f"new-{revision}")


async def check_both_sides(fleet: Fleet, revision: str) -> None:
    """The owner's edit has won on both sides."""
    with trio.fail_after(DEADLINE):
        await fleet.converge()
    for machine, namespace in (
        (fleet.hub, "east"),
        (fleet.east.machine, NAMESPACE),
        (fleet.hub, "edge"),
        (fleet.edge.machine, NAMESPACE),
    ):
        assert await seen(machine, namespace, "shop") == revision


async def test_each_process_is_killed_in_turn(tmp_path: Path) -> None:
    """Whichever of the three processes is killed while both sides change, they agree once it is back."""
    async with open_fleet(tmp_path) as fleet:
        await create(fleet.hub, "east", "shop")
        await create(fleet.edge.machine, NAMESPACE, "shop")
        with trio.fail_after(DEADLINE):
            await fleet.converge()
        for number, victim in enumerate((fleet.principal, fleet.east.agent, fleet.edge.agent), start=1):
            await victim.kill()
            await edit_both_sides(fleet, f"v{number}")
            assert fleet.differences()
            await fleet.nursery.start(victim.run)
            await check_both_sides(fleet, f"v{number}")
        programs: tuple[Program, ...] = (fleet.principal, fleet.east.agent, fleet.edge.agent)
        assert [await program.stop() for program in programs] == [0, 0, 0]
