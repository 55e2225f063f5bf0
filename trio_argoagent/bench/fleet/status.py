"""How many status changes a second reach the hub, beside what the hub's server does alone; and their cost.

Distinct Applications change on one spoke, ``FLYING`` at a time, and each is waited for on the hub. Alone:
another process patches the same statuses onto the hub, as many at a time, while all programs are stopped.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import trio

from trio_argoagent.bench.apart import told
from trio_argoagent.bench.figures import Case, Sense, Values, percentiles
from trio_argoagent.bench.fleet import rig
from trio_argoagent.bench.questions import Asked, Goal, Question, Side, each
from trio_argoagent.bench.usage import usage_of
from trio_argoagent.testing.fleet import PRINCIPAL, SpokePlan
from trio_argoagent.testing.processes.fleet import Fleet

FLYING: Final = 20
"""Changes at a time."""
APPS: Final = 100
CHANGES: Final = 600
QUICK_CHANGES: Final = 100
AGENT: Final = "agent-000"
_WRITER: Final = "trio_argoagent.bench.fleet.writer"
THROUGH, ALONE = Side("ours", "", "from spoke to hub"), Side("alone", "", "the hub's server, by itself")


async def _through_us(fleet: Fleet, entries: int, changes: int) -> Values:
    arrivals, times = rig.Arrivals(fleet.hub), list[float]()
    node = fleet.nodes[AGENT]

    async def change(first: int) -> None:
        for number in range(first, changes, FLYING):
            began = time.perf_counter()
            await rig.write_status(node, number % APPS, number + 1, entries)
            await arrivals.wait(AGENT, number % APPS, number + 1)
            times.append(time.perf_counter() - began)

    before = {name: usage_of(program.pid).cpu for name, program in fleet.programs.items()}
    carried, began = rig.wire(fleet, AGENT), time.perf_counter()
    async with trio.open_nursery() as nursery:
        for first in range(FLYING):
            nursery.start_soon(change, first)
    wall = time.perf_counter() - began
    cpu = {name: usage_of(program.pid).cpu - before[name] for name, program in fleet.programs.items()}
    return {
        "rate": ("/s", changes / wall),
        **percentiles(times, "ms"),
        "wire": ("B", (rig.wire(fleet, AGENT) - carried) / changes),
        "hub writes": ("", arrivals.count / changes),
        "principal": ("ms", 1000 * cpu[PRINCIPAL] / changes),
        "agent": ("ms", 1000 * cpu[AGENT] / changes),
    }


async def _alone(fleet: Fleet, entries: int, changes: int) -> Values:
    """The hub's server, and a process that writes to it."""
    order = (fleet.hub.kubeconfig, AGENT, entries, changes, APPS, FLYING)
    with contextlib.ExitStack() as stack:
        for program in fleet.programs.values():
            stack.enter_context(program.stopped())
        rate = await told(_WRITER, *(str(each) for each in order))
    return {"rate": ("/s", rate)}


@asynccontextmanager
async def _fleet(entries: int) -> AsyncIterator[Fleet]:
    async with rig.open_rig([SpokePlan(AGENT)]) as fleet:
        await rig.create(fleet, APPS, entries)
        yield fleet


async def _measure(case: Case, asked: Asked) -> Values:
    entries, changes = int(case), QUICK_CHANGES if asked.effort.quick else CHANGES
    does = _alone if asked.side is ALONE else _through_us
    async with _fleet(entries) as fleet:
        return await does(fleet, entries, changes)


QUESTION: Final = Question(
    "status-rate",
    "fleet",
    "status changes of distinct Applications, spoke to hub",
    (8, 140),
    "resources in a status",
    each(_measure),
    sides=(THROUGH, ALONE),
    quick_cases=(8,),
    rounds=2,
    goals=(
        Goal("status changes a second", "ours", 8, "rate", Sense.AT_LEAST, 400),
        Goal("of what the hub's server does alone", "ours", 8, "rate", Sense.AT_LEAST, 0.6, "alone"),
        Goal("bytes of a status change, 40 KB", "ours", 140, "wire", Sense.AT_MOST, 400),
        Goal("writes on the hub for each", "ours", 8, "hub writes", Sense.AT_MOST, 1),
    ),
)
