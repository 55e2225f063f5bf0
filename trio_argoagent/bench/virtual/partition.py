"""How long until both sides agree again after a partition of so many minutes, and what does it take?

A managed agent with ``APPS`` Applications; a side is how many of their specs are edited on the hub while the
network is gone. ``linked`` is from the moment when the agent could dial again until it has: it dials at least
twice a minute, however long nobody answered. ``agree`` ends when both sides hold the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import trio

from trio_argoagent.bench.apart import CORES, Order, apart
from trio_argoagent.bench.figures import Sense, Values
from trio_argoagent.bench.questions import Goal, Growth, Question, Side
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.runtime.backoff import CAP
from trio_argoagent.stream.protocol import codec, messages
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.fleet import PRINCIPAL, Fleet, SpokePlan, open_fleet
from trio_argoagent.testing.scheduling import simulate

AGENT: Final = "agent-000"
APPS: Final = 200
QUICK_APPS: Final = 20
ALL: Final = "all"
CHANGES: Final = ("1", "100", ALL)
LOOK: Final = 0.002
"""Virtual seconds between two looks at whether both sides agree."""
PATIENCE: Final = 300.0
"""Virtual seconds."""
MARGIN: Final = 5.0
"""Seconds that a fleet may take beyond the longest wait of an agent."""


async def _wait(fleet: Fleet, true: Callable[[], bool]) -> float:
    """Virtual seconds until something is so."""
    began = trio.current_time()
    await fleet.until(true, PATIENCE, look=LOOK)
    return trio.current_time() - began


async def _part(apps: int, changes: int, minutes: int, seed: int) -> Values:
    """One partition."""
    records = 0

    def count(agent: str, up: bool, frame: bytes) -> None:
        nonlocal records
        records += isinstance(codec.decode(frame), messages.RecordMessage)

    async with open_fleet([SpokePlan(AGENT)], seed=seed, start=False) as fleet:
        fleet.start(PRINCIPAL, AGENT)
        for number in range(apps):
            await fleet.apply(application(f"app-{number:03}", namespace=AGENT))
        await fleet.wait_consistent()
        fleet.cut(AGENT)
        await trio.sleep(30.0 * minutes)
        for number in range(changes):
            edit = MergePatch({"spec": {"source": {"targetRevision": "v2"}}})
            await fleet.hub_as("user").patch(APPLICATIONS, AGENT, f"app-{number:03}", edit)
        await trio.sleep(30.0 * minutes)
        fleet.network.on_frame, before = count, fleet.network.total.bytes_sent
        fleet.heal(AGENT)
        linked = await _wait(fleet, lambda: bool(fleet.network.links(AGENT)))
        after = await _wait(fleet, lambda: not fleet.differences())
        sent = fleet.network.total.bytes_sent - before
    return {
        "linked": ("virtual s", linked),
        "after": ("virtual s", after),
        "agree": ("virtual s", linked + after),
        "records": ("", float(records)),
        "wire": ("B", float(sent)),
    }


def play(order: Order) -> Values:
    """See ``apart``."""
    apps = QUICK_APPS if order.quick else APPS
    changes = apps if order.side == ALL else min(apps, int(order.side))
    return simulate(_part, apps, changes, int(order.case), order.turn + 1, seed=order.turn + 1)


_SIDES: Final = tuple(Side(name, "", "Applications edited meanwhile") for name in CHANGES)
QUESTION: Final = Question(
    "partition",
    "virtual",
    "no network for so long, and edits on the hub meanwhile",
    (1, 10, 60, 720),
    "minutes",
    apart(__name__, CORES),
    sides=_SIDES,
    ours=ALL,
    quick_cases=(1, 60),
    quick_sides=(ALL,),
    rounds=5,
    goals=(
        Goal(
            "seconds until both sides agree, 12 h, all edited", ALL, 720, "agree", Sense.AT_MOST, CAP + MARGIN
        ),
        Goal("records for one edit, 12 h", "1", 720, "records", Sense.AT_MOST, 1),
    ),
    growth=tuple(
        Growth(f"seconds from the link on, {side} edited, against minutes", "after", 0.1, side)
        for side in CHANGES
    ),
)
