"""What do traces cost the two programs: CPU for each edit, and memory?

    python -m benchmarks.tracing_cost [--rounds 5] [--edits 500]

A principal and an agent as processes, all of whose traces go to a collector here, or none, in turns in one
run, each time in new processes. An edit of an Application on the hub is waited for on the spoke, so that each
is a record of its own. CPU is that of all threads of a process, until its spans were sent.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import defaultdict
from statistics import median
from typing import Any, Final

import trio

from trio_argoagent.bench.fleet import rig
from trio_argoagent.bench.usage import usage_of
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.collector import UNPROXIED, Collector, open_collector
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, SpokePlan
from trio_argoagent.testing.processes.fleet import Fleet

AGENT: Final = "agent-000"
APPS: Final = 20
ENTRIES: Final = 8
"""Of a status: an ordinary small Application."""
SENT: Final = 7.0
"""Seconds after which what has ended was sent: the exporter's five, and some."""


async def edit(fleet: Fleet, arrivals: rig.Arrivals, edits: range) -> None:
    """Each of them, as many at a time as there are Applications."""
    hub = fleet.hub.local("you")

    async def of_one(app: int) -> None:
        for number in edits[app::APPS]:
            patch = MergePatch({"spec": rig.edit(number)})
            await hub.patch(APPLICATIONS, AGENT, rig.app_name(app), patch)
            await arrivals.wait(NAMESPACE, app, number)

    async with trio.open_nursery() as nursery:
        for app in range(APPS):
            nursery.start_soon(of_one, app)


async def turn(
    fleet: Fleet, arrivals: rig.Arrivals, collector: Collector, edits: range
) -> dict[str, tuple[float, float]]:
    """By program: milliseconds of CPU for an edit after the first few, and resident MiB afterwards."""
    await edit(fleet, arrivals, edits[:APPS])
    await rig.settle(fleet)
    await trio.sleep(SENT)
    collector.forget()
    before = {name: usage_of(program.pid) for name, program in fleet.programs.items()}
    await edit(fleet, arrivals, edits[APPS:])
    await rig.settle(fleet)
    await trio.sleep(SENT)
    after = {name: usage_of(program.pid) for name, program in fleet.programs.items()}
    count = len(edits) - APPS
    return {name: (1000 * (used.cpu - before[name].cpu) / count, used.mib) for name, used in after.items()}


async def main(given: argparse.Namespace) -> None:
    """A line of JSON for each turn, then one with the medians and their ratio."""
    os.environ.update(UNPROXIED)
    found = defaultdict[tuple[bool, str], list[tuple[float, float]]](list)
    async with open_collector() as collector, rig.open_rig([SpokePlan(AGENT)]) as fleet:
        arrivals = rig.Arrivals(fleet.nodes[AGENT].machine, rig.wanted_revision)
        each_turn = given.edits + APPS
        await rig.create(fleet, APPS, ENTRIES)
        commands = {name: tuple(program.command) for name, program in fleet.programs.items()}
        traced = (f"--otlp-address={collector.address}", "--otlp-insecure")
        for number in range(2 * given.rounds):
            on = number % 2 == 1
            for name, program in fleet.programs.items():
                program.command = (*commands[name], *(traced if on else ()))
                with program.killed():
                    pass
            edits = range(1 + number * each_turn, 1 + (number + 1) * each_turn)
            figures = await turn(fleet, arrivals, collector, edits)
            for name, each in figures.items():
                found[on, name].append(each)
            show(traced=on, spans=len(collector.spans), **figures)
    for name in (PRINCIPAL, AGENT):
        without, with_them = (
            [median(column) for column in zip(*found[way, name], strict=True)] for way in (False, True)
        )
        cpu, rss = zip(without, with_them, strict=True)
        show(program=name, cpu_ms=cpu, ratio=cpu[1] / cpu[0], rss_mib=rss)


def show(**figures: Any) -> None:
    """One line of JSON."""
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--edits", type=int, default=500)
    trio.run(main, parser.parse_args())
