"""What a reconnect costs after so many of a thousand Applications have changed: bytes, seconds to converge.

Both programs stay alive; the proxy cuts the link and turns the agent away while specs are edited on the hub.
All bytes of both directions are counted, from the agent's first to two quiet seconds after both sides agree:
the TLS handshake, HTTP/2, the comparison, the records. ``compared`` leaves out what a link costs that has
nothing to compare, which is measured first. ``dialled`` is what the agent waits before it dials again, and
grows when cuts follow one another; ``agree`` goes from its link to the last of the two proofs that the other
side holds all that it should, as the programs' logs tell them.
"""

from __future__ import annotations

from typing import Final

import trio

from trio_argoagent.bench.figures import Found, Sense, Values
from trio_argoagent.bench.fleet import rig
from trio_argoagent.bench.questions import Asked, Goal, Growth, Question
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.fleet import SpokePlan
from trio_argoagent.testing.processes.fleet import Fleet

AGENT: Final = "agent-000"
APPS: Final = 1000
QUICK_APPS: Final = 100
ENTRIES: Final = 4
"""Resources in a status."""


async def _reconnect(fleet: Fleet, changes: int, edit: str) -> tuple[int, float, float]:
    """One cut and so many edits; bytes, seconds until the link is back, and from then until all is proven."""
    link, hub = fleet.links[AGENT], fleet.hub.local("user")
    with link.closed():
        link.cut()
        for number in range(changes):
            change = MergePatch({"spec": {"source": {"targetRevision": edit}}})
            await hub.patch(APPLICATIONS, AGENT, rig.app_name(number), change)
        before, proofs = rig.wire(fleet, AGENT), rig.Proofs(fleet)
        await trio.sleep(0.5)
    began = fleet.env.now()
    proven = await proofs.wait()
    *_, (_, linked) = rig.moments(fleet, AGENT, "link-up")
    await rig.settle(fleet)
    return rig.wire(fleet, AGENT) - before, linked - began, proven - linked


async def ask(asked: Asked) -> Found:
    """All cases in one fleet."""
    found: list[tuple[int, Values]] = []
    apps = QUICK_APPS if asked.effort.quick else APPS
    async with rig.open_rig([SpokePlan(AGENT)]) as fleet:
        await rig.settle(fleet, rig.PAUSE)
        base, _, _ = await _reconnect(fleet, 0, "")
        await rig.create(fleet, apps, ENTRIES)
        for changes in (int(case) for case in asked.cases):
            carried, dialled, agree = await _reconnect(fleet, changes, f"v{changes}")
            wire = {"wire": ("B", float(carried)), "compared": ("B", float(carried - base))}
            found.append((changes, {**wire, "dialled": ("s", dialled), "agree": ("s", agree)}))
    return found


QUESTION: Final = Question(
    "reconnect",
    "fleet",
    "a cut, while some Applications change on the hub",
    (0, 1, 10, 100, 1000),
    "changed",
    ask,
    quick_cases=(0, 10),
    rounds=1,
    goals=(
        Goal("bytes with nothing changed, TLS handshake aside", "ours", 0, "compared", Sense.AT_MOST, 1024),
        Goal("bytes with 10 changed", "ours", 10, "compared", Sense.AT_MOST, 6 * 1024 + 10 * 2048),
    ),
    growth=(Growth("bytes against edits", "compared", 1.0),),
)
