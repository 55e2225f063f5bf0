"""What does a fleet of so many agents cost, in one process and in virtual time?

Every fourth agent is autonomous. Each has ten Applications, with auto-sync. ``synced`` is when all of them
are Synced and Healthy on the hub and both sides agree; ``back`` is from the end of a cut of every link until
all agents are back, and both sides agree.
"""

from __future__ import annotations

import time
from typing import Final

import trio

from trio_argoagent.bench.apart import CORES, Order, apart
from trio_argoagent.bench.figures import CPU, Found, Sense, Values, beyond
from trio_argoagent.bench.questions import Asked, Goal, Growth, Question
from trio_argoagent.bench.usage import peak
from trio_argoagent.testing.fleet import open_fleet
from trio_argoagent.testing.proofs import wait_proven
from trio_argoagent.testing.scheduling import simulate
from trio_argoagent.testing.storms import create, spokes
from trio_argoagent.testing.user import unsynced

APPS: Final = 10
"""Of each agent."""
QUICK_APPS: Final = 2
PATIENCE: Final = 3600.0
"""Virtual seconds."""
LOOK: Final = 1.0
"""Virtual seconds between two looks at whether all is Synced."""


async def _converge(agents: int, apps: int, seed: int) -> Values:
    async with open_fleet(spokes(agents), seed=seed) as fleet:
        await create(fleet, apps)
        await fleet.until(lambda: not unsynced(fleet.hub), PATIENCE, look=LOOK)
        await wait_proven(fleet, PATIENCE)
        synced = trio.current_time()
        for agent in fleet.agents:
            fleet.cut(agent)
        await trio.sleep(1.0)
        for agent in fleet.agents:
            fleet.heal(agent)
        began = trio.current_time()
        await wait_proven(fleet, PATIENCE)
        sent = fleet.network.total.bytes_sent
        back = trio.current_time() - began
    return {
        "synced": ("virtual s", synced),
        "back": ("virtual s", back),
        "wire": ("B an Application", sent / (agents * apps)),
    }


def play(order: Order) -> Values:
    """See ``apart``."""
    agents, apps, seed = int(order.case), QUICK_APPS if order.quick else APPS, order.turn + 1
    before = time.process_time()
    found = simulate(_converge, agents, apps, seed, seed=seed)
    cpu = time.process_time() - before
    return {CPU: ("s", cpu), "each": ("ms an Application", 1000 * cpu / (agents * apps)),
            "peak": ("MiB", peak()), **found}  # fmt: skip


async def ask(asked: Asked) -> Found:
    """As many cases at a time as there are processors: CPU is each process' own, and seconds are virtual."""
    return beyond(await apart(__name__, CORES)(asked), "peak", "of one", "KiB", 1024)


QUESTION: Final = Question(
    "scale",
    "virtual",
    "the simulator: a fleet until all is Synced, a cut of every link, and back",
    (3, 10, 30, 100),
    "agents",
    ask,
    quick_cases=(3, 10),
    rounds=1,
    goals=(Goal("virtual seconds until all is Synced", "ours", 100, "synced", Sense.AT_MOST, 60),),
    growth=(
        Growth("CPU against agents", CPU, 1.1),
        Growth("memory of an agent against agents", "of one", 0.1),
        Growth("virtual seconds until all is Synced", "synced", 0.1),
    ),
)
