"""How many changes a second cross from one cluster to the other, beside what the other's server does alone.

Distinct Applications change on one side, ``FLYING`` at a time, and each change is waited for on the other.
Alone: another process makes the same changes there, as many at a time, while all programs are stopped.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Final

import attrs
import trio

from trio_argoagent.bench.apart import told
from trio_argoagent.bench.figures import Case, Values, percentiles
from trio_argoagent.bench.fleet import rig, writer
from trio_argoagent.bench.questions import Ask, Asked, each
from trio_argoagent.bench.usage import usage_of
from trio_argoagent.testing.fleet import PRINCIPAL, SpokePlan
from trio_argoagent.testing.machine import Machine
from trio_argoagent.testing.processes.fleet import Fleet

FLYING: Final = 20
"""Changes at a time."""
APPS: Final = 100
CHANGES: Final = 600
QUICK_CHANGES: Final = 100
AGENT: Final = "agent-000"
ALONE: Final = "alone"
"""Name of the side that is the other side's server by itself."""


@attrs.frozen
class Way:
    """From one side to the other.

    Attributes:
        what: ``writer`` knows how to make such a change.
        prepare: the Applications, in step, of such a size.
        write: a change of an Application: which one, its number, the size.
        target: where it arrives.
        namespace: in which.
        arrivals: of such changes.
    """

    what: str
    prepare: Callable[[Fleet, int], Awaitable[None]]
    write: Callable[[Fleet, int, int, int], Awaitable[None]]
    target: Callable[[Fleet], Machine]
    namespace: str
    arrivals: Callable[[Machine], rig.Arrivals]


def asking(way: Way) -> Ask:
    """What measures both sides of a question: ours, and the one that is called ``ALONE``."""

    async def measure(case: Case, asked: Asked) -> Values:
        size, changes = int(case), QUICK_CHANGES if asked.effort.quick else CHANGES
        does = _alone if asked.side.name == ALONE else _through_us
        async with rig.open_rig([SpokePlan(AGENT)]) as fleet:
            await way.prepare(fleet, size)
            return await does(fleet, way, size, changes)

    return each(measure)


async def _through_us(fleet: Fleet, way: Way, size: int, changes: int) -> Values:
    arrivals, times = way.arrivals(way.target(fleet)), list[float]()

    async def change(first: int) -> None:
        for number in range(first, changes, FLYING):
            began = time.perf_counter()
            await way.write(fleet, number % APPS, number + 1, size)
            await arrivals.wait(way.namespace, number % APPS, number + 1)
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
        "writes": ("", arrivals.count / changes),
        "principal": ("ms", 1000 * cpu[PRINCIPAL] / changes),
        "agent": ("ms", 1000 * cpu[AGENT] / changes),
    }


async def _alone(fleet: Fleet, way: Way, size: int, changes: int) -> Values:
    """The other side's server, and a process that writes to it."""
    order = (way.what, way.target(fleet).kubeconfig, way.namespace, size, changes, APPS, FLYING)
    with contextlib.ExitStack() as stack:
        for program in fleet.programs.values():
            stack.enter_context(program.stopped())
        return {"rate": ("/s", await told(writer.__name__, *(str(each) for each in order)))}
