"""How long a hub edit takes to its spoke: from one API server's commit to the other's, nothing between.

One managed agent, an Application of about 4 KB, one edit at a time. The principal and the agent are
processes; the API servers share this one. Loaded: another Application's status changes on the spoke, so many
a second.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import trio

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.bench.figures import Case, Sense, Values, percentiles
from trio_argoagent.bench.fleet import rig
from trio_argoagent.bench.questions import Asked, Goal, Question, each
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.fleet import SpokePlan
from trio_argoagent.testing.processes.fleet import Fleet

AGENT: Final = "agent-000"
PADDING: Final = 3500
"""Bytes of Helm values."""
EDITS: Final = 200
QUICK_EDITS: Final = 20
PAUSE: Final = 0.02
"""Seconds between two edits."""


async def _edits(fleet: Fleet, count: int) -> list[float]:
    """Seconds of each."""
    arrived: dict[str, float] = {}
    event = trio.Event()

    def note(entry: LogEntry) -> None:
        if entry.resource == APPLICATIONS and entry.new is not None:
            arrived[entry.new.value["spec"]["source"]["targetRevision"]] = time.perf_counter()
            event.set()

    fleet.nodes[AGENT].machine.server.subscribe(note)
    app = application("edited", namespace=AGENT)
    app["spec"]["source"] |= {"helm": {"values": "x" * PADDING}, "targetRevision": "v0"}
    user, times = fleet.hub.local("user"), list[float]()
    for number in range(count + 1):
        began, wanted = time.perf_counter(), f"v{number}"
        if number == 0:
            await user.create(APPLICATIONS, app)
        else:
            change = MergePatch({"spec": {"source": {"targetRevision": wanted}}})
            await user.patch(APPLICATIONS, AGENT, "edited", change)
        with trio.fail_after(rig.PATIENCE):
            while wanted not in arrived:
                await event.wait()
                event = trio.Event()
        times.append(arrived[wanted] - began)
        await trio.sleep(PAUSE)
    return times[1:]


@asynccontextmanager
async def _load(fleet: Fleet, rate: int) -> AsyncIterator[None]:
    """So many status changes a second while the block lasts."""

    async def change() -> None:
        number, due = 0, trio.current_time()
        while rate:
            number, due = number + 1, due + 1 / rate
            await trio.sleep_until(due)
            await rig.write_status(fleet.nodes[AGENT], 0, number, 8)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(change)
        yield
        nursery.cancel_scope.cancel()


async def _measure(case: Case, asked: Asked) -> Values:
    count = QUICK_EDITS if asked.effort.quick else EDITS
    async with rig.open_rig([SpokePlan(AGENT)], counted=False) as fleet:
        await rig.create(fleet, 1, 8)
        async with _load(fleet, int(case)):
            return percentiles(await _edits(fleet, count), "ms")


QUESTION: Final = Question(
    "propagation",
    "fleet",
    "a hub edit of 4 KB until it stands on the spoke",
    (0, 100),
    "status changes beside, /s",
    each(_measure),
    quick_cases=(0,),
    goals=(
        Goal("p50, idle", "ours", 0, "p50", Sense.AT_MOST, 5),
        Goal("p99, idle", "ours", 0, "p99", Sense.AT_MOST, 25),
    ),
)
