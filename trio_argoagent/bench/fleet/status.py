"""How many status changes a second reach the hub, and what each costs."""

from __future__ import annotations

from typing import Final

from trio_argoagent.bench.figures import Sense
from trio_argoagent.bench.fleet import rates, rig
from trio_argoagent.bench.questions import Goal, Question, Side
from trio_argoagent.testing.processes.fleet import Fleet

THROUGH, ALONE = Side("ours", "", "from spoke to hub"), Side(rates.ALONE, "", "the hub's server, by itself")


async def _prepare(fleet: Fleet, entries: int) -> None:
    await rig.create(fleet, rates.APPS, entries)


async def _write(fleet: Fleet, app: int, number: int, entries: int) -> None:
    await rig.write_status(fleet.nodes[rates.AGENT], app, number, entries)


_WAY: Final = rates.Way("status", _prepare, _write, lambda fleet: fleet.hub, rates.AGENT, rig.Arrivals)

QUESTION: Final = Question(
    "status-rate",
    "fleet",
    "status changes of distinct Applications, spoke to hub",
    (8, 140),
    "resources in a status",
    rates.asking(_WAY),
    sides=(THROUGH, ALONE),
    quick_cases=(8,),
    quick_sides=(THROUGH.name,),
    rounds=3,
    goals=(
        Goal("status changes a second", "ours", 8, "rate", Sense.AT_LEAST, 400),
        Goal("of what the hub's server does alone", "ours", 8, "rate", Sense.AT_LEAST, 0.6, "alone"),
        Goal("bytes of a status change, 40 KB", "ours", 140, "wire", Sense.AT_MOST, 400),
        Goal("writes on the hub for each", "ours", 8, "writes", Sense.AT_MOST, 1),
    ),
)
