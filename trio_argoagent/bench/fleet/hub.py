"""What the principal takes for each connected agent: memory, and CPU while nothing happens.

Agents are processes of their own, each with a cluster and so many Applications.
"""

from __future__ import annotations

from typing import Final

from trio_argoagent.bench.figures import Case, Found, Sense, Values, beyond
from trio_argoagent.bench.fleet import rig
from trio_argoagent.bench.questions import Asked, Goal, Growth, Question, each
from trio_argoagent.bench.usage import usage_of
from trio_argoagent.testing.fleet import PRINCIPAL, SpokePlan

APPS: Final = 10
ENTRIES: Final = 8
WATCHED: Final = 10.0
"""Seconds of quiet."""
QUICK_WATCHED: Final = 2.0
FILES: Final = 24
"""Descriptors for each agent here, about: its cluster's listener, the proxies' connections, its log."""


async def _measure(case: Case, asked: Asked) -> Values:
    agents, watched = int(case), QUICK_WATCHED if asked.effort.quick else WATCHED
    async with rig.open_rig([SpokePlan(name) for name in rig.agent_names(agents)]) as fleet:
        await rig.create(fleet, APPS, ENTRIES)
        pids = {name: program.pid for name, program in fleet.programs.items()}
        idle = await rig.idling(pids, watched)
        after = {name: usage_of(pid).mib for name, pid in pids.items()}
        mean = sum(idle[name] for name in fleet.nodes) / agents
        return {
            "principal": ("MiB", after[PRINCIPAL]),
            "idle": ("% of a core", idle[PRINCIPAL]),
            "agent": ("MiB", sum(after[name] for name in fleet.nodes) / agents),
            "agent idle": ("% of a core", mean),
        }


async def _ask(asked: Asked) -> Found:
    found = beyond(await each(_measure)(asked), "principal", "of one", "KiB", 1024)
    return beyond(found, "idle", "idle of one", "% of a core", 1)


QUESTION: Final = Question(
    "hub-cost",
    "fleet",
    "the principal beside so many quiet agents of 10 Applications",
    (1, 4, 10, 40),
    "agents",
    _ask,
    quick_cases=(3,),
    rounds=1,
    goals=(
        Goal("idle CPU of an agent", "ours", 10, "agent idle", Sense.AT_MOST, 0.5),
        Goal("idle CPU of the principal", "ours", 40, "idle", Sense.AT_MOST, 2),
    ),
    growth=(
        Growth("the principal's memory for one agent against agents", "of one", 0.1),
        Growth("the principal's idle CPU against agents", "idle", 1.0),
    ),
    files=FILES,
)
