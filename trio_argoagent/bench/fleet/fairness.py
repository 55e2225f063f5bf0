"""Does a quiet agent notice a flooding one? Its latencies alone, and beside one that never stops.

The quiet agent has one spec edited at a time on the hub, and one status at a time on its spoke. The other
changes the statuses of all its Applications: so many a second, or as many as reach the hub. It has nothing in
common with the quiet one but the principal, the hub and this machine (``flooder``). The cases take turns in
one fleet, there and back, so that whatever drifts on this machine drifts for all of them.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import attrs
import trio

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.bench.figures import Case, Found, Sense, Values, percentiles
from trio_argoagent.bench.fleet import rig
from trio_argoagent.bench.fleet.flooder import CHANGE, open_flooder
from trio_argoagent.bench.questions import Asked, Goal, Question
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.fleet import NAMESPACE, SpokePlan
from trio_argoagent.testing.processes.fleet import Fleet

QUIET, FLOODER = "quiet", "flooder"
PAUSE: Final = 0.01
"""Seconds between two edits."""
EDITS: Final = 50
"""Of a spec and of a status, each, in one turn of a case."""
TURNS: Final = 4
"""Of each case: p99 is not the worst of their edits."""
QUICK_EDITS, QUICK_TURNS = 10, 1
APPS: Final = 100
ENTRIES: Final = 8
ALONE: Final = 0
"""The case without a flood."""
FULL: Final = "full"
"""The case of a flood that is as fast as it goes."""
FLYING: Final = 20
"""Its changes at a time that have not come to the hub."""
SWELL: Final = 0.25
"""Seconds until a flood is one, and until nothing is left of it."""


@attrs.define
class _Taken:
    """What one case has shown: seconds of each edit, writes on the hub, and in how many seconds."""

    specs: list[float] = attrs.field(factory=list)
    statuses: list[float] = attrs.field(factory=list)
    writes: int = 0
    seconds: float = 0.0

    def values(self, alone: _Taken) -> Values:
        """Its figures, and its p99 as multiples of another case's."""
        figures: dict[str, tuple[str, float]] = {}
        for name, times, least in (
            ("spec", self.specs, alone.specs),
            ("status", self.statuses, alone.statuses),
        ):
            places, worst = percentiles(times, "ms", name), f"{name} p99"
            times_alone = places[worst][1] / percentiles(least, "ms", name)[worst][1]
            figures |= {**places, f"{worst} of alone": ("x", times_alone)}
        return {**figures, "hub writes": ("/s", self.writes / self.seconds)}


class _Quiet:
    """The quiet agent's two latencies, edit after edit."""

    def __init__(self, fleet: Fleet) -> None:
        self._node, self._hub = fleet.nodes[QUIET], fleet.hub.local("user")
        self._on_hub = rig.Arrivals(fleet.hub)
        self._on_spoke = rig.Arrivals(self._node.machine, rig.wanted_revision)
        self._number = 0

    async def edit(self, edits: int, taken: _Taken) -> None:
        """So many more of each."""
        before, began = self._on_hub.count, time.perf_counter()
        for _ in range(edits):
            self._number += 1
            taken.specs.append(await self._spec(self._number))
            await trio.sleep(PAUSE)
            taken.statuses.append(await self._status(self._number))
            await trio.sleep(PAUSE)
        taken.writes += self._on_hub.count - before
        taken.seconds += time.perf_counter() - began

    async def _spec(self, number: int) -> float:
        began, edit = time.perf_counter(), MergePatch({"spec": rig.edit(number)})
        await self._hub.patch(APPLICATIONS, QUIET, rig.app_name(0), edit)
        await self._on_spoke.wait(NAMESPACE, 0, number)
        return time.perf_counter() - began

    async def _status(self, number: int) -> float:
        began = time.perf_counter()
        await rig.write_status(self._node, 1, number, ENTRIES)
        await self._on_hub.wait(QUIET, 1, number)
        return time.perf_counter() - began


class _Flood:
    """The other agent's changes."""

    def __init__(self, fleet: Fleet, flooder: trio.Process) -> None:
        assert flooder.stdin is not None
        self._pipe = flooder.stdin
        self._room = trio.Semaphore(FLYING)
        fleet.hub.server.subscribe(self._note)

    def _note(self, entry: LogEntry) -> None:
        if entry.resource == APPLICATIONS and entry.new is not None and entry.new.namespace == FLOODER:
            self._room.release()

    @asynccontextmanager
    async def going(self, case: Case) -> AsyncIterator[None]:
        """It goes on while the block lasts, as the case says."""
        async with trio.open_nursery() as nursery:
            if case != ALONE:
                nursery.start_soon(self._go, case)
            await trio.sleep(SWELL)
            yield
            nursery.cancel_scope.cancel()
        await trio.sleep(SWELL)

    async def _go(self, case: Case) -> None:
        due = trio.current_time()
        while True:
            if case != FULL:
                due += 1 / int(case)
                await trio.sleep_until(due)
            await self._room.acquire()
            await self._pipe.send_all(CHANGE)


async def _ask(asked: Asked) -> Found:
    quick = asked.effort.quick
    taken = {case: _Taken() for case in asked.cases}
    async with rig.open_rig([SpokePlan(QUIET)], counted=False) as fleet:
        await rig.create(fleet, APPS, ENTRIES)
        async with open_flooder(fleet, FLOODER, APPS, ENTRIES) as flooder:
            quiet, flood = _Quiet(fleet), _Flood(fleet, flooder)
            await quiet.edit(QUICK_EDITS, _Taken())  # The first ones are slow, whoever else is there.
            for turn in range(QUICK_TURNS if quick else TURNS):
                for case in asked.cases[::-1] if turn % 2 else asked.cases:
                    async with flood.going(case):
                        await quiet.edit(QUICK_EDITS if quick else EDITS, taken[case])
    return [(case, taken[case].values(taken[ALONE])) for case in asked.cases]


QUESTION: Final = Question(
    "fairness",
    "fleet",
    "a quiet agent's latencies, alone and beside one that floods",
    (ALONE, 80, FULL),
    "flood, /s",
    _ask,
    rounds=2,
    goals=(
        Goal("p99 of a status beside the flooder", "ours", 80, "status p99 of alone", Sense.AT_MOST, 1.2),
        Goal("p99 of a spec beside the flooder", "ours", 80, "spec p99 of alone", Sense.AT_MOST, 1.2),
    ),
)
