"""How many status changes a second reach the hub, beside what the hub's server does alone; and their bytes.

    python -m benchmarks.fleet_status [--agents 1] [--apps 200] [--changes 2000] [--entries 140]

Distinct Applications change on the spokes, ``--flying`` of them at a time and agent; each is waited for on
the hub. Alone: another process patches the same statuses onto the hub, as many at a time.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from functools import partial
from typing import Final

import trio

from benchmarks import rig
from trio_argoagent.kube.client import open_cluster
from trio_argoagent.kube.credentials import from_kubeconfig
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.fleet import PRINCIPAL, SpokePlan
from trio_argoagent.testing.processes.fleet import Fleet

FLYING: Final = 20


async def through_us(fleet: Fleet, given: argparse.Namespace) -> None:
    """The fleet at work."""
    arrivals, times = rig.Arrivals(fleet.hub), list[float]()

    async def change(name: str, first: int) -> None:
        for number in range(first, given.changes, given.flying):
            began = time.perf_counter()
            await rig.write_status(fleet.nodes[name], number % given.apps, number + 1, given.entries)
            await arrivals.wait(name, number % given.apps, number + 1)
            times.append(time.perf_counter() - began)

    pids = {name: program.pid for name, program in fleet.programs.items()} | {"servers": os.getpid()}
    before = {name: rig.usage(pid).cpu for name, pid in pids.items()}
    asked = rig.Asked(fleet)
    carried, began = sum(rig.wire(fleet, name) for name in fleet.nodes), time.perf_counter()
    async with trio.open_nursery() as nursery:
        for name in fleet.nodes:
            for first in range(given.flying):
                nursery.start_soon(change, name, first)
    wall = time.perf_counter() - began
    done = given.changes * len(fleet.nodes)
    cpu = {name: rig.usage(pid).cpu - before[name] for name, pid in pids.items()}
    agents = sum(cpu[name] for name in fleet.nodes)
    rig.show(what="through us", agents=len(fleet.nodes), changes=done, per_second=round(done / wall, 1),
         **rig.percentiles(times), hub_writes_per_change=round(arrivals.count / done, 2),
         bytes_per_change=round((sum(rig.wire(fleet, name) for name in fleet.nodes) - carried) / done),
         ms_cpu_principal=round(1000 * cpu[PRINCIPAL] / done, 2),
         ms_cpu_agents=round(1000 * agents / done, 2),
         ms_cpu_servers=round(1000 * cpu["servers"] / done, 2), **asked.figures())  # fmt: skip


async def alone(fleet: Fleet, given: argparse.Namespace) -> None:
    """The hub's server, and a process that writes to it."""
    done = given.changes * len(fleet.nodes)
    command = [sys.executable, "-m", "benchmarks.fleet_status", "--write", str(fleet.hub.kubeconfig),
               f"--changes={done}", f"--apps={given.apps}", f"--agents={len(fleet.nodes)}",
               f"--entries={given.entries}", f"--flying={given.flying}"]  # fmt: skip
    with contextlib.ExitStack() as stack:
        for program in fleet.programs.values():
            stack.enter_context(program.stopped())
        ended = await trio.run_process(command, capture_stdout=True)
    rig.show(what="the hub's server alone", changes=done, per_second=float(ended.stdout))


async def write(given: argparse.Namespace) -> None:
    """The writing process: prints how many a second."""
    async with open_cluster(await from_kubeconfig(given.write)) as hub:

        async def change(first: int) -> None:
            for number in range(first, given.changes, given.flying):
                agent = rig.agent_names(given.agents)[number % given.agents]
                patch = MergePatch({"status": rig.status(number + 7, given.entries)})
                await hub.patch(APPLICATIONS, agent, rig.app_name(number % given.apps), patch)

        began = time.perf_counter()
        async with trio.open_nursery() as nursery:
            for first in range(given.flying):
                nursery.start_soon(change, first)
        print(round(given.changes / (time.perf_counter() - began), 1))


async def main(given: argparse.Namespace) -> None:
    """Both, one after the other."""
    async with rig.open_rig([SpokePlan(name) for name in rig.agent_names(given.agents)]) as fleet:
        await rig.create(fleet, given.apps, given.entries)
        await through_us(fleet, given)
        await alone(fleet, given)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agents", type=int, default=1)
    parser.add_argument("--apps", type=int, default=200, help="of each agent")
    parser.add_argument("--changes", type=int, default=2000, help="of each agent")
    parser.add_argument("--entries", type=int, default=140, help="of status.resources, 280 bytes each")
    parser.add_argument("--flying", type=int, default=FLYING, help="changes at a time, of each agent")
    parser.add_argument("--write", default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    trio.run(partial(write if arguments.write else main, arguments))
