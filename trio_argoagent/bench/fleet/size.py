"""What travels for one status change, by the object's size and by what has changed in it.

One change at a time, each waited for on the hub; all bytes of the link are counted, both ways: the record,
its answer, HTTP/2 and TLS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import trio

from trio_argoagent.bench.figures import Case, Sense, Values
from trio_argoagent.bench.fleet import rig
from trio_argoagent.bench.questions import Asked, Goal, Growth, Question, Side, each
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.fleet import NAMESPACE, SpokePlan

AGENT: Final = "agent-000"
CHANGES: Final = 20
QUIET: Final = 0.3
"""Seconds after the last change, in which its answer travels."""

Change = Callable[[dict[str, Any], int], None]


def _revision(status: dict[str, Any], number: int) -> None:
    """Every change has this much: it is how it is recognised."""


def _health(status: dict[str, Any], number: int) -> None:
    """One resource of them all."""
    entry = status["resources"][number % len(status["resources"])]
    entry["health"] = {"status": "Progressing", "message": f"{number} of 3 updated replicas are available"}


def _operation(status: dict[str, Any], number: int) -> None:
    """A sync has ended: its state, with a result for each resource."""
    results = [
        {"group": entry["group"], "kind": entry["kind"], "name": entry["name"], "status": "Synced",
         "message": f"deployment.apps/{entry['name']} configured"}
        for entry in status["resources"]
    ]  # fmt: skip
    status["operationState"] = {
        "operation": {"sync": {"revision": f"{number:040x}"}},
        "phase": "Succeeded",
        "message": f"successfully synced (all tasks run), {number}",
        "startedAt": f"2026-01-01T00:{number:02}:00Z",
        "finishedAt": f"2026-01-01T00:{number:02}:09Z",
        "syncResult": {"revision": f"{number:040x}", "resources": results},
    }


def _everything(status: dict[str, Any], number: int) -> None:
    """Nothing of the resources is as it was."""
    for place, entry in enumerate(status["resources"]):
        entry["name"] = f"deployment-{number:04}-{place:04}-{(number * 7919 + place) ** 3:x}"


CHANGED: Final[dict[str, Change]] = {
    "revision": _revision,
    "one health": _health,
    "operation": _operation,
    "everything": _everything,
}
SIDES: Final = tuple(Side(name, "", "what has changed") for name in CHANGED)


async def _measure(case: Case, asked: Asked) -> Values:
    entries, alter = int(case), CHANGED[asked.side.name]
    async with rig.open_rig([SpokePlan(AGENT)]) as fleet:
        await rig.create(fleet, 1, entries)
        arrivals, spoke = rig.Arrivals(fleet.hub), fleet.nodes[AGENT].machine.local("argocd")
        size = len(rig.encoded(rig.status(0, entries)))
        before = rig.wire(fleet, AGENT)
        for number in range(1, CHANGES + 1):
            status = rig.status(number, entries)
            alter(status, number)
            await spoke.patch(APPLICATIONS, NAMESPACE, rig.app_name(0), MergePatch({"status": status}))
            await arrivals.wait(AGENT, 0, number)
        await trio.sleep(QUIET)
        return {"wire": ("B", (rig.wire(fleet, AGENT) - before) / CHANGES), "status": ("B", size)}


QUESTION: Final = Question(
    "status-bytes",
    "fleet",
    "bytes of one status change, by size and by what has changed",
    (8, 140, 560),
    "resources in a status",
    each(_measure, at_once=3),
    sides=SIDES,
    ours="revision",
    quick_cases=(140,),
    quick_sides=("revision", "everything"),
    goals=(
        Goal("one field of 40 KB", "revision", 140, "wire", Sense.AT_MOST, 400),
        Goal("one resource's health of 40 KB", "one health", 140, "wire", Sense.AT_MOST, 600),
    ),
    growth=(
        Growth("bytes of one changed field against the object's size", "wire", 0.1, "revision"),
        Growth("bytes of one resource's health against the object's size", "wire", 1.0, "one health"),
        Growth("bytes of a status that is all new against its size", "wire", 1.0, "everything"),
    ),
    rounds=1,
)
