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

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.bench.fleet import rig
from trio_argoagent.bench.usage import usage_of
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.collector import UNPROXIED, Collector, open_collector
from trio_argoagent.testing.fleet import PRINCIPAL, SpokePlan
from trio_argoagent.testing.processes.fleet import Fleet

AGENT: Final = "agent-000"
APPS: Final = 20
ENTRIES: Final = 8
"""Of a status: an ordinary small Application."""
SENT: Final = 7.0
"""Seconds after which what has ended was sent: the exporter's five, and some."""


class Arrivals:
    """Which revision each Application of the spoke points at."""

    def __init__(self, fleet: Fleet) -> None:
        self._seen: dict[str, str] = {}
        self._changed = trio.Event()
        fleet.nodes[AGENT].machine.server.subscribe(self._note)

    def _note(self, entry: LogEntry) -> None:
        if entry.resource == APPLICATIONS and entry.new is not None:
            self._seen[entry.new.name] = entry.new.value["spec"]["source"]["targetRevision"]
            self._changed.set()
            self._changed = trio.Event()

    async def wait(self, name: str, revision: str) -> None:
        """Until it points there."""
        with trio.fail_after(rig.PATIENCE):
            while self._seen.get(name) != revision:
                await self._changed.wait()


async def edit(fleet: Fleet, arrivals: Arrivals, mark: str, edits: int) -> None:
    """So many, as many at a time as there are Applications."""
    hub = fleet.hub.local("you")

    async def of_one(app: int) -> None:
        for number in range(app, edits, APPS):
            name, revision = rig.app_name(app), f"{mark}-{number}"
            patch = MergePatch({"spec": {"source": {"targetRevision": revision}}})
            await hub.patch(APPLICATIONS, AGENT, name, patch)
            await arrivals.wait(name, revision)

    async with trio.open_nursery() as nursery:
        for app in range(APPS):
            nursery.start_soon(of_one, app)


async def turn(
    fleet: Fleet, arrivals: Arrivals, collector: Collector, mark: str, edits: int
) -> dict[str, tuple[float, float]]:
    """By program: milliseconds of CPU for an edit, and resident MiB afterwards."""
    await edit(fleet, arrivals, f"{mark}-warm", APPS)
    await rig.settle(fleet)
    await trio.sleep(SENT)
    collector.forget()
    before = {name: usage_of(program.pid) for name, program in fleet.programs.items()}
    await edit(fleet, arrivals, mark, edits)
    await rig.settle(fleet)
    await trio.sleep(SENT)
    after = {name: usage_of(program.pid) for name, program in fleet.programs.items()}
    return {name: (1000 * (after[name].cpu - before[name].cpu) / edits, after[name].mib) for name in after}


async def main(given: argparse.Namespace) -> None:
    """A line of JSON for each turn, then one with the medians and their ratio."""
    os.environ.update(UNPROXIED)
    found = defaultdict[tuple[bool, str], list[tuple[float, float]]](list)
    async with open_collector() as collector, rig.open_rig([SpokePlan(AGENT)]) as fleet:
        arrivals = Arrivals(fleet)
        await rig.create(fleet, APPS, ENTRIES)
        commands = {name: tuple(program.command) for name, program in fleet.programs.items()}
        traced = (f"--otlp-address={collector.address}", "--otlp-insecure")
        for number in range(2 * given.rounds):
            on = number % 2 == 1
            for name, program in fleet.programs.items():
                program.command = (*commands[name], *(traced if on else ()))
                with program.killed():
                    pass
            figures = await turn(fleet, arrivals, collector, f"turn-{number}", given.edits)
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
