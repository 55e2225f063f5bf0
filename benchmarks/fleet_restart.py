"""What does a restart of the principal cost, when nothing has changed?

    python -m benchmarks.fleet_restart [--agents 10] [--apps 100] [--entries 8]

The principal is killed and started again a second later. Counted are the writes of all programs from the kill
until both sides are proven to agree and have been quiet, what the API servers are asked for besides, and the
seconds from its listening to the last of the two proofs of each agent, as the programs' logs tell them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import datetime

import trio

from benchmarks import rig
from trio_argoagent.testing.fleet import PRINCIPAL, SpokePlan
from trio_argoagent.testing.processes.fleet import Fleet

DOWN = 1.0
"""Seconds."""


def moments(fleet: Fleet, program: str, event: str) -> Iterator[float]:
    """When a program has told this, Unix seconds."""
    for line in fleet.programs[program].log.read_text().splitlines():
        said = json.loads(line)
        if said["event"] == event:
            yield datetime.fromisoformat(said["timestamp"]).timestamp()


def proofs(fleet: Fleet) -> int:
    """How many have been told so far."""
    return sum(len(list(moments(fleet, program, "in-step"))) for program in fleet.programs)


async def main(agents: int, apps: int, entries: int) -> None:
    """One restart."""
    async with rig.open_rig([SpokePlan(name) for name in rig.agent_names(agents)]) as fleet:
        await rig.create(fleet, apps, entries)
        before, writes, asked = proofs(fleet), fleet.writes, rig.Asked(fleet)
        carried = sum(rig.wire(fleet, name) for name in fleet.nodes)
        with fleet.programs[PRINCIPAL].killed():
            await trio.sleep(DOWN)
        with trio.fail_after(rig.PATIENCE):
            while proofs(fleet) < before + 2 * agents:  # noqa: ASYNC110 (another process tells nobody)
                await trio.sleep(0.1)
        await rig.settle(fleet)
        *_, listening = moments(fleet, PRINCIPAL, "listening")
        last = max(max(moments(fleet, program, "in-step")) for program in fleet.programs)
        carried = sum(rig.wire(fleet, name) for name in fleet.nodes) - carried
        rig.show(what="restart of the principal", agents=agents, applications=agents * apps,
                 seconds_from_listening=round(last - listening, 2), writes=fleet.writes - writes,
                 bytes_per_agent=round(carried / agents), **asked.figures())  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--agents", type=int, default=10)
    parser.add_argument("--apps", type=int, default=100, help="of each agent")
    parser.add_argument("--entries", type=int, default=8, help="of status.resources, 280 bytes each")
    given = parser.parse_args()
    trio.run(main, given.agents, given.apps, given.entries)
