"""How long until every Application of a new agent is there, and how much memory do the programs take then?

The Applications stand where they are owned before the agent comes. The memory is that of Applications of
about 40 KB, statuses and all.
"""

from __future__ import annotations

import time
from typing import Final

import trio

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.bench.figures import Case, Values
from trio_argoagent.bench.fleet import rig
from trio_argoagent.bench.questions import Asked, Growth, Question, Side, each
from trio_argoagent.bench.usage import usage_of
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, SpokePlan
from trio_argoagent.testing.machine import Machine
from trio_argoagent.testing.processes.program import RESTART

AGENT: Final = "agent-000"
SIDES: Final = tuple(Side(mode.value, "", "who owns the Applications") for mode in Mode)


class _Copies:
    """When Applications that were not there came to a cluster."""

    def __init__(self, machine: Machine) -> None:
        self._came: dict[str, float] = {}
        self._changed = trio.Event()
        machine.server.subscribe(self._note)

    def _note(self, entry: LogEntry) -> None:
        if entry.resource == APPLICATIONS and entry.new is not None and entry.old is None:
            self._came[entry.new.name] = time.perf_counter()
            self._changed.set()
            self._changed = trio.Event()

    async def wait(self, count: int) -> float:
        """Until there are so many; when the last of them came."""
        with trio.fail_after(rig.PATIENCE):
            while len(self._came) < count:
                await self._changed.wait()
        return max(self._came.values())


async def _measure(case: Case, asked: Asked) -> Values:
    apps, mode = int(case), Mode(asked.side.name)
    async with rig.open_rig([SpokePlan(AGENT, mode)]) as fleet:
        await rig.settle(fleet, rig.PAUSE)
        node, autonomous = fleet.nodes[AGENT], mode is Mode.AUTONOMOUS
        with fleet.programs[AGENT].killed():
            owner, other = (node.machine, fleet.hub) if autonomous else (fleet.hub, node.machine)
            user, namespace = owner.local("user"), NAMESPACE if autonomous else AGENT
            for number in range(apps):
                await user.create(APPLICATIONS, application(rig.app_name(number), namespace=namespace))
            copies = _Copies(other)
            await trio.sleep(2 * RESTART)  # Then nothing but this block keeps the next one from starting.
            began, writes = time.perf_counter(), fleet.writes
        # The oracle would take a core from the servers, which are in this process, so it is asked later.
        took = await copies.wait(apps) - began
        await rig.settle(fleet)
        created = fleet.writes - writes
        for number in range(apps):
            await rig.write_status(node, number, 1)
        await rig.settle(fleet)
        used = {name: usage_of(fleet.programs[name].pid) for name in (AGENT, PRINCIPAL)}
        return {
            "all there": ("s", took),
            "each": ("ms", 1000 * took / apps),
            "writes": ("an Application", created / apps),
            "agent": ("MiB", used[AGENT].mib),
            "principal": ("MiB", used[PRINCIPAL].mib),
        }


QUESTION: Final = Question(
    "join",
    "fleet",
    "a new agent's Applications, until all are there, its start included",
    (100, 300, 1000),
    "Applications",
    each(_measure),
    sides=SIDES,
    ours=Mode.MANAGED.value,
    quick_cases=(20,),
    quick_sides=(Mode.MANAGED.value,),
    rounds=1,
    growth=(Growth("seconds against Applications", "all there", 1.05, Mode.MANAGED.value),),
)
