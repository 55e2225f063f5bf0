"""How many edits a second reach a spoke, and what each costs."""

from __future__ import annotations

from typing import Final

from trio_argoagent.bench.figures import Sense
from trio_argoagent.bench.fleet import rates, rig
from trio_argoagent.bench.questions import Goal, Question, Side
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.fleet import NAMESPACE
from trio_argoagent.testing.processes.fleet import Fleet

THROUGH, ALONE = Side("ours", "", "from hub to spoke"), Side(rates.ALONE, "", "the spoke's server, by itself")


async def _prepare(fleet: Fleet, padding: int) -> None:
    for number in range(rates.APPS):
        app = application(rig.app_name(number), namespace=rates.AGENT)
        app["spec"]["source"] |= {"helm": {"values": padding * "x"}}
        await fleet.hub.local("user").create(APPLICATIONS, app)
    await rig.settle(fleet, rig.PAUSE)


async def _write(fleet: Fleet, app: int, number: int, padding: int) -> None:
    change = MergePatch({"spec": rig.edit(number)})
    await fleet.hub.local("user").patch(APPLICATIONS, rates.AGENT, rig.app_name(app), change)


_WAY: Final = rates.Way(
    "spec",
    _prepare,
    _write,
    lambda fleet: fleet.nodes[rates.AGENT].machine,
    NAMESPACE,
    lambda spoke: rig.Arrivals(spoke, rig.wanted_revision),
)

QUESTION: Final = Question(
    "spec-rate",
    "fleet",
    "edits of distinct Applications, hub to spoke",
    (500, 35_000),
    "bytes of Helm values",
    rates.asking(_WAY),
    sides=(THROUGH, ALONE),
    quick_cases=(500,),
    quick_sides=(THROUGH.name,),
    rounds=2,
    goals=(Goal("writes on the spoke for each", "ours", 500, "writes", Sense.AT_MOST, 1),),
)
