"""A principal, an agent and their clusters in one process and virtual time; the link carries whole frames."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

import trio

from trio_argoagent.bench.objects import status
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.argocd.applications import application, automated
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, Fleet, SpokePlan, open_fleet
from trio_argoagent.testing.proofs import wait_proven
from trio_argoagent.testing.scheduling import simulate

AGENT: Final = "agent"
APPS: Final = 3
RESOURCES: Final = 8
"""Entries of a status."""
EVERY: Final = 0.1
"""Virtual seconds between two changes: one is through before the next."""


@asynccontextmanager
async def _settled(*programs: str) -> AsyncIterator[Fleet]:
    """An agent with its Applications, in step."""
    async with open_fleet([SpokePlan(AGENT)], seed=1, start=False) as fleet:
        fleet.start(*programs)
        for number in range(APPS):
            await fleet.apply(application(f"app-{number}", namespace=AGENT, syncPolicy=automated()))
        await wait_proven(fleet)
        yield fleet


async def _statuses(count: int) -> None:
    async with _settled(PRINCIPAL, AGENT) as fleet:
        controller = fleet.spoke_as(AGENT, "controller")
        for number in range(count):
            patch = MergePatch({"status": status(number, RESOURCES)})
            await controller.patch(APPLICATIONS, NAMESPACE, f"app-{number % APPS}", patch)
            await trio.sleep(EVERY)
        fleet.assert_consistent()


async def _edit(fleet: Fleet, number: int) -> None:
    patch = MergePatch({"spec": {"source": {"targetRevision": f"{number:040x}"}}})
    await fleet.hub_as("user").patch(APPLICATIONS, AGENT, f"app-{number % APPS}", patch)


async def _edits(count: int) -> None:
    async with _settled(PRINCIPAL, AGENT) as fleet:
        for number in range(count):
            await _edit(fleet, number)
            await trio.sleep(EVERY)
        fleet.assert_consistent()


async def _seconds(count: int) -> None:
    async with _settled() as fleet:
        await fleet.wait_synced()
        for number in range(count):
            await _edit(fleet, number)
            await trio.sleep(1.0)
        await fleet.wait_synced()


def statuses(count: int) -> None:
    """Change so many statuses on the spoke, until each stands on the hub; no Argo CD runs."""
    simulate(_statuses, count, seed=1)


def edits(count: int) -> None:
    """Edit so many Applications on the hub until each stands on the spoke; likewise."""
    simulate(_edits, count, seed=1)


def seconds(count: int) -> None:
    """Let so many seconds of virtual time pass, with Argo CD, and one edit in each that it syncs."""
    simulate(_seconds, count, seed=1)


WORK: Final[Mapping[str, Callable[[int], None]]] = {
    "status change": statuses,
    "edit": edits,
    "virtual second": seconds,
}
"""By case: does so many of it."""
