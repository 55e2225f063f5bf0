"""What a reconnect costs, by how many Applications have changed, and by how many there are: bytes, seconds.

Both programs stay alive; the proxy cuts the link and turns the agent away while specs are edited on the hub.
All bytes of both directions are counted, from the agent's first to two quiet seconds after both sides agree:
the TLS handshake, HTTP/2, the comparison, the records. ``compared`` leaves out what a link costs that has
nothing to compare, which is measured first. ``agree`` goes from the agent's link to the last of the two
proofs that the other side holds all that it should, as the programs' logs tell them. How long the agent waits
before it dials again is no figure: that grows when cuts follow one another, whatever has changed.
"""

from __future__ import annotations

from typing import Final

import trio

from trio_argoagent.bench.figures import Found, Sense, Values
from trio_argoagent.bench.fleet import rig
from trio_argoagent.bench.questions import OURS, Asked, Goal, Growth, Question, Side
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.fleet import SpokePlan
from trio_argoagent.testing.processes.fleet import Fleet

AGENT: Final = "agent-000"
APPS: Final = 1000
QUICK_APPS: Final = 100
ENTRIES: Final = 4
"""Resources in a status."""


AMONG: Final = Side("among so many", "", "one of so many Applications has changed")


async def _reconnect(fleet: Fleet, changes: int, edit: str) -> tuple[int, float]:
    """One cut and so many edits; bytes, and seconds from the link that is back until all is proven."""
    link, hub = fleet.links[AGENT], fleet.hub.local("user")
    with link.closed():
        link.cut()
        for number in range(changes):
            change = MergePatch({"spec": {"source": {"targetRevision": edit}}})
            await hub.patch(APPLICATIONS, AGENT, rig.app_name(number), change)
        before, proofs = rig.wire(fleet, AGENT), rig.Proofs(fleet)
        await trio.sleep(0.5)
    proven = await proofs.wait()
    *_, (_, linked) = rig.moments(fleet, AGENT, "link-up")
    await rig.settle(fleet)
    return rig.wire(fleet, AGENT) - before, proven - linked


async def ask(asked: Asked) -> Found:
    """All cases in one fleet."""
    found: list[tuple[int, Values]] = []
    async with rig.open_rig([SpokePlan(AGENT)]) as fleet:
        await rig.settle(fleet, rig.PAUSE)
        base, _ = await _reconnect(fleet, 0, "")
        created = 0
        for case in (int(case) for case in asked.cases):
            changes, apps = _amounts(case, asked)
            if not apps:
                continue
            await rig.create(fleet, apps - created, ENTRIES, first=created)
            created = apps
            carried, agree = await _reconnect(fleet, changes, f"v{case}")
            wire = {"wire": ("B", float(carried)), "compared": ("B", float(carried - base))}
            found.append((case, {**wire, "agree": ("s", agree)}))
    return found


def _amounts(case: int, asked: Asked) -> tuple[int, int]:
    """How many change, and of how many: cases rise."""
    if asked.side is AMONG:
        return 1, case
    return case, QUICK_APPS if asked.effort.quick else APPS


QUESTION: Final = Question(
    "reconnect",
    "fleet",
    "a cut, while some Applications change on the hub",
    (0, 1, 10, 100, 1000),
    "changed, or among",
    ask,
    sides=(OURS, AMONG),
    quick_cases=(0, 10),
    quick_sides=(OURS.name,),
    rounds=1,
    goals=(
        Goal("bytes with nothing changed, TLS handshake aside", "ours", 0, "compared", Sense.AT_MOST, 1024),
        Goal("bytes with 10 changed", "ours", 10, "compared", Sense.AT_MOST, 6 * 1024 + 10 * 2048),
        Goal("bytes with one of 1,000 changed", AMONG.name, 1000, "compared", Sense.AT_MOST, 6 * 1024 + 2048),
    ),
    growth=(
        Growth("bytes against edits", "compared", 1.0),
        # One bucket of 256 is told of.
        Growth("bytes of one edit against Applications", "compared", 1.0, AMONG.name),
    ),
)
