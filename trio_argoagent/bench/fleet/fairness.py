"""Does a quiet agent notice a flooding one? Its latencies alone, and beside one that never stops.

The quiet agent has one spec edited at a time on the hub, and one status at a time on its spoke. The other
changes the statuses of all its Applications, so many a second.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import trio

from trio_argoagent.bench.figures import Case, Sense, Values, percentiles
from trio_argoagent.bench.fleet import rig
from trio_argoagent.bench.questions import Asked, Goal, Question, Side, each
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.fleet import NAMESPACE, SpokePlan
from trio_argoagent.testing.processes.fleet import Fleet

QUIET, FLOODER = "quiet", "flooder"
PAUSE: Final = 0.01
"""Seconds between two edits."""
EDITS: Final = 200
"""Of a spec and of a status, each: p99 is not the worst of them."""
QUICK_EDITS: Final = 10
APPS: Final = 100
ENTRIES: Final = 8
FLYING: Final = 20
"""The flooder's changes at a time."""
ALONE, BESIDE = Side("alone", "", "nobody else"), Side("flooded", "", "beside the flooder")


async def _one_at_a_time(fleet: Fleet, arrivals: rig.Arrivals, edits: int) -> Values:
    """The quiet agent's two latencies."""
    specs, statuses = list[float](), list[float]()
    on_spoke = rig.Arrivals(fleet.nodes[QUIET].machine, rig.wanted_revision)
    hub = fleet.hub.local("user")
    for number in range(edits):
        began = time.perf_counter()
        edit = MergePatch({"spec": rig.edit(number + 1)})
        await hub.patch(APPLICATIONS, QUIET, rig.app_name(0), edit)
        await on_spoke.wait(NAMESPACE, 0, number + 1)
        specs.append(time.perf_counter() - began)
        await trio.sleep(PAUSE)
        began = time.perf_counter()
        await rig.write_status(fleet.nodes[QUIET], 1, number + 1, ENTRIES)
        await arrivals.wait(QUIET, 1, number + 1)
        statuses.append(time.perf_counter() - began)
        await trio.sleep(PAUSE)
    return percentiles(specs, "ms", "spec") | percentiles(statuses, "ms", "status")


@asynccontextmanager
async def _flooding(fleet: Fleet, arrivals: rig.Arrivals, rate: int) -> AsyncIterator[None]:
    """The other agent changes so many a second while the block lasts."""

    async def flood(first: int) -> None:
        # One after the other, and not all of them at the same moments.
        number, due = first, trio.current_time() + first / rate
        while True:
            number += FLYING
            due += FLYING / rate
            await trio.sleep_until(due)
            await rig.write_status(fleet.nodes[FLOODER], number % APPS, number, ENTRIES)
            await arrivals.wait(FLOODER, number % APPS, number)

    async with trio.open_nursery() as nursery:
        for first in range(FLYING):
            nursery.start_soon(flood, first)
        yield
        nursery.cancel_scope.cancel()


async def _measure(case: Case, asked: Asked) -> Values:
    rate, edits = int(case), QUICK_EDITS if asked.effort.quick else EDITS
    async with rig.open_rig([SpokePlan(QUIET), SpokePlan(FLOODER)], counted=False) as fleet:
        await rig.create(fleet, APPS, ENTRIES)
        arrivals = rig.Arrivals(fleet.hub)
        if asked.side is ALONE:
            return await _one_at_a_time(fleet, arrivals, edits)
        async with _flooding(fleet, arrivals, rate):
            before, began = arrivals.count, time.perf_counter()
            found = await _one_at_a_time(fleet, arrivals, edits)
            return {**found, "hub writes": ("/s", (arrivals.count - before) / (time.perf_counter() - began))}


QUESTION: Final = Question(
    "fairness",
    "fleet",
    "a quiet agent's latencies, alone and beside one that floods",
    (80,),
    "flood, /s",
    each(_measure),
    sides=(ALONE, BESIDE),
    ours=ALONE.name,
    rounds=2,
    goals=(
        Goal("p99 of a status beside the flooder", "flooded", 80, "status p99", Sense.AT_MOST, 1.2, "alone"),
        Goal("p99 of a spec beside the flooder", "flooded", 80, "spec p99", Sense.AT_MOST, 1.2, "alone"),
    ),
)
