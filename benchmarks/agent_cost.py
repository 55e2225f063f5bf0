"""What does an agent cost the spoke that it runs on: to start, in memory, and while nothing happens?

    python -m benchmarks.agent_cost [--zipapp FILE] [--apps 0 100 1000] [--idle 30] [--mode managed]

Of this very program, or of a one-file program (``make zipapp``), in a cache of its own that is empty at
first. The Applications are 40 KB each, with their statuses. ``rss`` is what the kernel counts as resident,
``own`` the part of it that is shared with no other process; both in MiB, when all has settled.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import trio

from trio_argoagent.bench.fleet.agent import measure
from trio_argoagent.model.identity import Mode
from trio_argoagent.testing.processes.fleet import OURS

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
    show(what="start", one_file=one_file, first=round(first, 2), later=round(later, 2))


def show(**figures: Any) -> None:
    """One line of JSON."""
    print(json.dumps(figures), flush=True)


async def main(given: argparse.Namespace) -> None:
    """All figures, one line of JSON each."""
    one_file = given.zipapp is not None
    command = [sys.executable, str(given.zipapp.resolve())] if one_file else OURS
    with empty_cache():
        starts(command, one_file=one_file)
        for count in given.apps:
            found = await measure(command, count, given.idle, given.mode)
            figures = {f"{name}, {unit}": round(value, 2) for name, (unit, value) in found.items()}
            show(what="agent", mode=given.mode.value, apps=count, **figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--zipapp", type=Path, help="the one file; without it: what runs this")
    parser.add_argument("--apps", type=int, nargs="+", default=[0, 100, 1000])
    parser.add_argument("--idle", type=float, default=30.0, help="seconds in which nothing happens")
    parser.add_argument("--mode", type=Mode, choices=list(Mode), default=Mode.MANAGED)
    trio.run(main, parser.parse_args())
