"""How many bytes does a reconnect cost, with 0, 1 and 10 of a thousand Applications changed meanwhile?

    python -m benchmarks.fleet_reconnect [--apps 1000] [--entries 4]

Both programs stay alive; the proxy cuts the link and turns the agent away while specs are edited on the hub.
All bytes of both directions are counted, from the agent's first to two quiet seconds after both sides agree:
the TLS handshake, HTTP/2, the comparison, the records. The first line is a link with nothing to
compare: what any link costs.
"""

from __future__ import annotations

import argparse

import trio

from benchmarks import rig
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.fleet import SpokePlan
from trio_argoagent.testing.processes.fleet import Fleet

AGENT = "agent-000"
CHANGES = (0, 1, 10)


async def reconnect(fleet: Fleet, changes: int, round_: int) -> None:
    """One cut, so many edits, and what it takes to be in step again."""
    link, hub = fleet.links[AGENT], fleet.hub.local("user")
    with link.closed():
        link.cut()
        for number in range(changes):
            edit = MergePatch({"spec": {"source": {"targetRevision": f"v{round_}"}}})
            await hub.patch(APPLICATIONS, AGENT, rig.app_name(number), edit)
        before, carried = rig.wire(fleet, AGENT), link.counted["carried"]
        await trio.sleep(0.5)
    with trio.fail_after(rig.PATIENCE):
        while link.counted["carried"] == carried:  # noqa: ASYNC110 (the proxy tells nobody)
            await trio.sleep(0.05)
    await rig.settle(fleet)
    rig.show(what="reconnect", changed=changes, bytes=rig.wire(fleet, AGENT) - before)


async def main(apps: int, entries: int) -> None:
    """Every number of changes, once."""
    async with rig.open_rig([SpokePlan(AGENT)]) as fleet:
        await rig.settle(fleet)
        for number, changes in enumerate((0, *CHANGES)):
            if number == 1:
                await rig.create(fleet, apps, entries)
                rig.show(what="Applications in step", count=apps)
            await reconnect(fleet, changes, number)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--apps", type=int, default=1000)
    parser.add_argument("--entries", type=int, default=4, help="of status.resources, 280 bytes each")
    given = parser.parse_args()
    trio.run(main, given.apps, given.entries)
