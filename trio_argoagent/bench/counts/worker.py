"""The process whose instructions are counted: ``python -m trio_argoagent.bench.counts.worker JOBS``.

The jobs are a JSON list of ``[module, case, count]``. Each is done by a process of its own, forked once all
modules are there and each work has been done once: what it takes to begin is paid once, and is the same for
all. The ids of these processes are printed as one line of JSON.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Final

LIFETIME: Final = 600
"""Seconds of this process, and of each job, whatever becomes of whoever has started it."""


def done_apart(work: Callable[[int], None], count: int) -> int:
    """Do it in a process of its own; returns its id.

    Raises:
        SystemExit: it has failed; what is wrong it has said itself.
    """
    if pid := os.fork():
        _, status = os.waitpid(pid, 0)
        if status:
            raise SystemExit(1)
        return pid
    signal.alarm(LIFETIME)
    work(count)
    os._exit(0)  # What raises ends the process, too, and says why.


def main(jobs: Sequence[tuple[str, str, int]]) -> None:
    """The process."""
    works = [(importlib.import_module(module).WORK[case], count) for module, case, count in jobs]
    for work in dict.fromkeys(work for work, _ in works):
        work(1)
    # Else a collection that falls into a job would look at all that was made before it.
    gc.collect()
    gc.freeze()
    pids = [done_apart(work, count) for work, count in works]
    sys.stdout.write(json.dumps(pids) + "\n")


if __name__ == "__main__":
    signal.alarm(LIFETIME)
    main(json.loads(sys.argv[1]))
