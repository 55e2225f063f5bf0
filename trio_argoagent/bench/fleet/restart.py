"""What a restart of the principal costs when nothing has changed, until all agents are proven consistent.

The principal is killed and started again a second later. Counted are the writes of all programs from the kill
until both sides are proven to agree and have been quiet, the GETs of single objects, and the seconds from its
listening to the last of the two proofs of each agent, as the programs' logs tell them.
"""

from __future__ import annotations

from typing import Final

import trio

from trio_argoagent.bench.figures import Case, Sense, Values
from trio_argoagent.bench.fleet import rig
from trio_argoagent.bench.questions import Asked, Goal, Growth, Question, each
from trio_argoagent.testing.fleet import PRINCIPAL, SpokePlan

DOWN: Final = 1.0
"""Seconds."""
APPS: Final = 100
QUICK_APPS: Final = 10
ENTRIES: Final = 8
"""Resources in a status."""


async def _measure(case: Case, asked: Asked) -> Values:
    agents, apps = int(case), QUICK_APPS if asked.effort.quick else APPS
    async with rig.open_rig([SpokePlan(name) for name in rig.agent_names(agents)]) as fleet:
        await rig.create(fleet, apps, ENTRIES)
        await rig.settle(fleet)  # What is remembered of a first link is written a second later.
        proofs, writes, requests = rig.Proofs(fleet), fleet.writes, rig.Requests(fleet)
        carried = sum(rig.wire(fleet, name) for name in fleet.nodes)
        with fleet.programs[PRINCIPAL].killed():
            await trio.sleep(DOWN)
        last = await proofs.wait()
        await rig.settle(fleet)
        *_, (_, listening) = rig.moments(fleet, PRINCIPAL, "listening")
        carried = sum(rig.wire(fleet, name) for name in fleet.nodes) - carried
        return {
            "proven": ("s", last - listening),
            "writes": ("", fleet.writes - writes),
            "GETs": ("", requests.gets()),
            "wire": ("B an agent", carried / agents),
        }


QUESTION: Final = Question(
    "hub-restart",
    "fleet",
    "the principal is killed; 100 unchanged Applications an agent",
    (1, 3, 10),
    "agents",
    each(_measure),
    quick_cases=(3,),
    rounds=3,
    goals=(
        Goal("seconds until 10 agents are proven consistent", "ours", 10, "proven", Sense.AT_MOST, 2),
        Goal("writes", "ours", 10, "writes", Sense.AT_MOST, 0),
        Goal("GETs of an object", "ours", 10, "GETs", Sense.AT_MOST, 0),
    ),
    growth=(
        Growth("bytes of an agent against the number of agents", "wire", 0.1),
        Growth("seconds until all are proven consistent against agents", "proven", 1.0),
    ),
)
