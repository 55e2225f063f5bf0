"""What does an agent cost the spoke that it runs on: to start, in memory, and while nothing happens?

    python -m benchmarks.agent_cost [--zipapp FILE] [--apps 0 100 1000] [--idle 30] [--mode managed]

Of this very program, or of a one-file program (``make zipapp``), in a cache of its own that is empty at
first. The Applications are 40 KB each, with their statuses. ``rss`` is what the kernel counts as resident,
``own`` the part of it that is shared with no other process; both in MiB, when all has settled.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import trio

from benchmarks import rig
from trio_argoagent.model.identity import Mode
from trio_argoagent.testing.fleet import SpokePlan
from trio_argoagent.testing.processes.fleet import OURS

AGENT: Final = "agent-000"
CACHE: Final = "TRIO_ARGOAGENT_CACHE"
STARTS: Final = 5
"""Starts of a warm program, of which the median is shown."""


@contextmanager
def empty_cache() -> Iterator[None]:
    """One-file programs unpack into a new directory while the context is open."""
    before = os.environ.get(CACHE)
    with tempfile.TemporaryDirectory() as folder:
        os.environ[CACHE] = folder
        try:
            yield
        finally:
            del os.environ[CACHE]
            if before is not None:
                os.environ[CACHE] = before


def seconds_to_start(command: Sequence[str]) -> float:
    """Until a program has read its command line, and has said what it would do."""
    began = time.perf_counter()
    subprocess.run([*command, "agent", "--help"], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def starts(command: Sequence[str], *, one_file: bool) -> None:
    """Show how long a start takes."""
    first = seconds_to_start(command)
    later = sorted(seconds_to_start(command) for _ in range(STARTS))[STARTS // 2]
    rig.show(what="start", one_file=one_file, first=round(first, 2), later=round(later, 2))


def memory(pid: int) -> dict[str, float]:
    """MiB: resident, and resident in this process alone."""
    kept = {"rss": 0, "own": 0}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, size = line.split()[:2]
        if name == "Rss:":
            kept["rss"] += int(size)
        elif name in ("Private_Clean:", "Private_Dirty:"):
            kept["own"] += int(size)
    return {name: round(size / 1024, 1) for name, size in kept.items()}


async def linked(fleet: rig.Fleet) -> float:
    """Seconds from the start of an agent's process until its link carries something."""
    with fleet.programs[AGENT].killed():
        counted = fleet.links[AGENT].counted
        before = counted["down"]
    began = time.perf_counter()
    with trio.fail_after(rig.PATIENCE):
        while counted["down"] == before:  # noqa: ASYNC110 (another process tells nobody)
            await trio.sleep(0.01)
    return time.perf_counter() - began


async def measure(command: Sequence[str], apps: int, idle: float, mode: Mode) -> None:
    """One fleet of one agent with so many Applications."""
    async with rig.open_rig([SpokePlan(AGENT, mode)], command) as fleet:
        await rig.settle(fleet)
        await rig.create(fleet, apps)
        grown = memory(fleet.programs[AGENT].pid)
        up = await linked(fleet)
        await rig.settle(fleet)
        pid = fleet.programs[AGENT].pid
        before = rig.usage(pid).cpu
        await trio.sleep(idle)
        used = rig.usage(pid).cpu - before
        rig.show(what="agent", mode=str(mode.value), apps=apps, **memory(pid), grown=grown["rss"],
                 linked_after=round(up, 2), idle_cpu_percent=round(100 * used / idle, 2))  # fmt: skip


async def main(given: argparse.Namespace) -> None:
    """All figures, one line of JSON each."""
    one_file = given.zipapp is not None
    command = [sys.executable, str(given.zipapp.resolve())] if one_file else OURS
    with empty_cache():
        starts(command, one_file=one_file)
        for count in given.apps:
            await measure(command, count, given.idle, given.mode)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--zipapp", type=Path, help="the one file; without it: what runs this")
    parser.add_argument("--apps", type=int, nargs="+", default=[0, 100, 1000])
    parser.add_argument("--idle", type=float, default=30.0, help="seconds in which nothing happens")
    parser.add_argument("--mode", type=Mode, choices=list(Mode), default=Mode.MANAGED)
    trio.run(main, parser.parse_args())
