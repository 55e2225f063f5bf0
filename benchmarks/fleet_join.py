"""How long until every Application of a new agent is there, and how much memory do the programs take then?

    python -m benchmarks.fleet_join [--apps 100 1000] [--entries 0] [--mode managed]

The Applications stand where they are owned before the agent comes. ``--entries 140`` makes them 40 KB each,
with their statuses; then the memory is that of DESIGN's figures.
"""

from __future__ import annotations

import argparse
import time

import trio

from benchmarks import rig
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, SpokePlan

AGENT = "agent-000"


async def join(apps: int, entries: int, mode: Mode) -> None:
    """One fleet, one number of Applications."""
    async with rig.open_rig([SpokePlan(AGENT, mode)]) as fleet:
        await rig.settle(fleet)
        node, autonomous = fleet.nodes[AGENT], mode is Mode.AUTONOMOUS
        with fleet.programs[AGENT].killed():
            owner = node.machine if autonomous else fleet.hub
            user, namespace = owner.local("user"), NAMESPACE if autonomous else AGENT
            for number in range(apps):
                await user.create(APPLICATIONS, application(rig.app_name(number), namespace=namespace))
            began, writes = time.perf_counter(), fleet.writes
        with trio.fail_after(rig.PATIENCE):
            while fleet.differences():  # noqa: ASYNC110 (another process tells nobody)
                await trio.sleep(0.2)
        took = time.perf_counter() - began
        await rig.settle(fleet)
        created = fleet.writes - writes
        if entries:
            for number in range(apps):
                await rig.write_status(node, number, 1, entries)
            await rig.settle(fleet)
        used = {name: rig.usage(fleet.programs[name].pid) for name in (AGENT, PRINCIPAL)}
        rig.show(what="join", mode=str(mode.value), apps=apps, entries=entries, seconds=round(took, 2),
                 writes=created, agent_mib=round(used[AGENT].rss, 1),
                 principal_mib=round(used[PRINCIPAL].rss, 1))  # fmt: skip


async def main(apps: list[int], entries: int, mode: Mode) -> None:
    """Each number of Applications in a fleet of its own."""
    for count in apps:
        await join(count, entries, mode)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--apps", type=int, nargs="+", default=[0, 100, 1000])
    parser.add_argument("--entries", type=int, default=0, help="of status.resources, 280 bytes each")
    parser.add_argument("--mode", type=Mode, choices=list(Mode), default=Mode.MANAGED)
    given = parser.parse_args()
    trio.run(main, given.apps, given.entries, given.mode)
