"""What an agent costs the spoke that it runs on: to start, in memory, and while nothing happens.

The Applications are 40 KB each, with their statuses. ``rss`` is what the kernel counts as resident, ``own``
the part of it that is shared with no other process, when all has settled after a restart; ``grown`` is the
resident memory of the process that has seen each status arrive.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import trio

from trio_argoagent.bench.figures import Case, Found, Sense, Values, beyond
from trio_argoagent.bench.fleet import rig
from trio_argoagent.bench.questions import Asked, Goal, Growth, Question, each
from trio_argoagent.bench.usage import kernels
from trio_argoagent.model.identity import Mode
from trio_argoagent.testing.fleet import SpokePlan
from trio_argoagent.testing.processes.fleet import OURS, Fleet
from trio_argoagent.testing.processes.program import RESTART

AGENT: Final = "agent-000"
IDLE: Final = 10.0
"""Seconds of quiet."""
QUICK_IDLE: Final = 2.0


async def measure(command: Sequence[str], apps: int, idle: float, mode: Mode) -> Values:
    """One fleet of one agent.

    Args:
        command: what starts trio-argoagent.
        apps: how many Applications.
        idle: seconds in which nothing happens.
        mode: the agent's.
    """
    async with rig.open_rig([SpokePlan(AGENT, mode)], command) as fleet:
        await rig.settle(fleet, rig.PAUSE)
        await rig.create(fleet, apps)
        grown = _memory(fleet.programs[AGENT].pid)
        linked = await _linked(fleet)
        await rig.settle(fleet)
        pid = fleet.programs[AGENT].pid
        used = (await rig.idling({AGENT: pid}, idle))[AGENT]
        kept = _memory(pid)
        return {
            "linked": ("s", linked),
            "rss": ("MiB", kept["rss"]),
            "own": ("MiB", kept["own"]),
            "grown": ("MiB", grown["rss"]),
            "idle": ("% of a core", used),
        }


def _memory(pid: int) -> dict[str, float]:
    """MiB: resident, and resident in this process alone.

    Raises:
        UserError: it has ended, or the kernel does not say.
    """
    kept = {"rss": 0, "own": 0}
    for line in kernels(pid, "smaps_rollup").splitlines()[1:]:
        name, size = line.split()[:2]
        if name == "Rss:":
            kept["rss"] += int(size)
        elif name in ("Private_Clean:", "Private_Dirty:"):
            kept["own"] += int(size)
    return {name: size / 1024 for name, size in kept.items()}


async def _linked(fleet: Fleet) -> float:
    """Seconds from the start of an agent's process until its link carries something."""
    with fleet.programs[AGENT].killed():
        await trio.sleep(2 * RESTART)  # Then nothing but this block keeps the next one from starting.
        counted = fleet.links[AGENT].counted
        before = counted["down"]
    began = time.perf_counter()
    with trio.fail_after(rig.PATIENCE):
        while counted["down"] == before:  # noqa: ASYNC110 (another process tells nobody)
            await trio.sleep(0.01)
    return time.perf_counter() - began


async def _measure(case: Case, asked: Asked) -> Values:
    return await measure(OURS, int(case), QUICK_IDLE if asked.effort.quick else IDLE, Mode.MANAGED)


async def _ask(asked: Asked) -> Found:
    return beyond(await each(_measure)(asked), "rss", "of one", "KiB", 1024)


QUESTION: Final = Question(
    "agent-cost",
    "fleet",
    "an agent with so many Applications of 40 KB: memory, idle CPU, seconds to its link",
    (0, 100, 300, 1000),
    "Applications",
    _ask,
    quick_cases=(0,),
    rounds=1,
    goals=(
        Goal("MiB with none", "ours", 0, "rss", Sense.AT_MOST, 55),
        Goal("MiB with 100", "ours", 100, "rss", Sense.AT_MOST, 60),
        Goal("MiB with 1,000", "ours", 1000, "rss", Sense.AT_MOST, 90),
        Goal("idle CPU with 1,000", "ours", 1000, "idle", Sense.AT_MOST, 0.5),
    ),
    growth=(Growth("memory of an Application against how many there are", "of one", 0.1),),
)
