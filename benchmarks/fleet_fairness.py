"""Does a quiet agent notice a flooding one? Its latencies alone, and beside one that never stops.

    python -m benchmarks.fleet_fairness [--edits 100] [--apps 100] [--entries 8]

The quiet agent has one spec edited at a time on the hub, and one status at a time on its spoke. The other
changes the statuses of all its Applications, ``--rate`` a second; 0: as fast as the hub shows them,
``--flying`` at a time, which also takes all of the machine.
"""

from __future__ import annotations

import argparse
import time
from functools import partial

import trio

from benchmarks import rig
from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.fleet import SpokePlan
from trio_argoagent.testing.processes.fleet import Fleet

QUIET, FLOODER = "quiet", "flooder"
PAUSE = 0.02
"""Seconds between two edits."""


async def one_at_a_time(fleet: Fleet, arrivals: rig.Arrivals, given: argparse.Namespace, base: int) -> None:
    """The quiet agent's two latencies."""
    specs, statuses = list[float](), list[float]()
    seen: dict[str, trio.Event] = {}

    def note(entry: LogEntry) -> None:
        if entry.resource == APPLICATIONS and entry.new is not None:
            revision = entry.new.value["spec"]["source"]["targetRevision"]
            if revision in seen:
                seen.pop(revision).set()

    leave = fleet.nodes[QUIET].machine.server.subscribe(note)
    hub = fleet.hub.local("user")
    for number in range(given.edits):
        revision = f"v{base + number}"
        arrived = seen[revision] = trio.Event()
        began = time.perf_counter()
        edit = MergePatch({"spec": {"source": {"targetRevision": revision}}})
        await hub.patch(APPLICATIONS, QUIET, rig.app_name(0), edit)
        with trio.fail_after(rig.PATIENCE):
            await arrived.wait()
        specs.append(time.perf_counter() - began)
        await trio.sleep(PAUSE)
        began = time.perf_counter()
        await rig.write_status(fleet.nodes[QUIET], 1, base + number + 1, given.entries)
        await arrivals.wait(QUIET, 1, base + number + 1)
        statuses.append(time.perf_counter() - began)
        await trio.sleep(PAUSE)
    leave()
    what = "beside a flooder" if base else "alone"
    rig.show(what=what, n=given.edits, spec=rig.percentiles(specs), status=rig.percentiles(statuses))


async def flood(fleet: Fleet, arrivals: rig.Arrivals, given: argparse.Namespace, first: int) -> None:
    """Change, wait until the hub shows it, change another, until cancelled."""
    number, due = first, trio.current_time()
    while True:
        number += given.flying
        if given.rate:
            due += given.flying / given.rate
            await trio.sleep_until(due)
        await rig.write_status(fleet.nodes[FLOODER], number % given.apps, number, given.entries)
        await arrivals.wait(FLOODER, number % given.apps, number)


async def main(given: argparse.Namespace) -> None:
    """Alone, and then not."""
    async with rig.open_rig([SpokePlan(QUIET), SpokePlan(FLOODER)]) as fleet:
        await rig.create(fleet, given.apps, given.entries)
        arrivals = rig.Arrivals(fleet.hub)
        await one_at_a_time(fleet, arrivals, given, 0)
        async with trio.open_nursery() as nursery:
            before, began = arrivals.count, time.perf_counter()
            for first in range(given.flying):
                nursery.start_soon(flood, fleet, arrivals, given, first)
            await one_at_a_time(fleet, arrivals, given, given.edits)
            rate = (arrivals.count - before) / (time.perf_counter() - began)
            rig.show(what="the hub's writes a second meanwhile", rate=round(rate, 1))
            nursery.cancel_scope.cancel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--edits", type=int, default=100)
    parser.add_argument("--apps", type=int, default=100, help="of each agent; a multiple of --flying")
    parser.add_argument("--entries", type=int, default=8, help="of status.resources, 280 bytes each")
    parser.add_argument("--flying", type=int, default=20, help="the flooder's changes at a time")
    parser.add_argument("--rate", type=float, default=80.0, help="its changes a second; 0: no limit")
    trio.run(partial(main, parser.parse_args()))
