"""What counts the instructions of a process: perf, where the processor can be asked, or else valgrind.

They agree within some percent only, so their units differ: figures of one are never judged by the other's.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import trio

from trio_argoagent.bench.children import last_word
from trio_argoagent.bench.figures import BY_VALGRIND, INSTRUCTIONS
from trio_argoagent.bench.questions import NotHere
from trio_argoagent.errors import UserError

Job = tuple[str, str, int]
"""A module of this package, the case that its ``WORK`` does, and how often."""

WORKER: Final = "trio_argoagent.bench.counts.worker"
_ENVIRONMENT: Final = {"PYTHONHASHSEED": "0", "LC_ALL": "C"}
"""Else the order of sets, and with it the work, differs from run to run."""
_COUNTED: Final = re.compile(r"^==\d+== I +refs: +([\d,]+)$", re.MULTILINE)


class Counter(Protocol):
    """One of them."""

    @property
    def unit(self) -> str:
        """Of its figures."""

    @property
    def times(self) -> int:
        """How many times the usual amount of work is done: more where it costs little."""

    async def absent(self) -> str:
        """Why it cannot be used here; empty: it can."""

    async def count(self, jobs: Sequence[Job]) -> list[int]:
        """The instructions of each job, and of what it takes to begin.

        Raises:
            UserError: one of them, or the counter, has failed; the text has its last word.
        """


class Perf:
    """The processor's own counter. A process for each job: it counts whole families only."""

    unit = INSTRUCTIONS
    times = 10

    async def absent(self) -> str:
        """See ``Counter``."""
        if shutil.which("perf") is None:
            return "perf is not installed"
        try:
            await self._counted([sys.executable, "-c", ""])
        except UserError as exc:
            return str(exc)
        return ""

    async def count(self, jobs: Sequence[Job]) -> list[int]:
        """See ``Counter``."""
        return [await self._counted(_worker([job])) for job in jobs]

    async def _counted(self, command: Sequence[str]) -> int:
        with tempfile.TemporaryDirectory() as folder:
            said = f"{folder}/said"
            await _run(["perf", "stat", "-x,", "-e", "instructions:u", "-o", said, "--", *command])
            return by_perf(_text(said))


class Valgrind:
    """A processor in software: some 30 times as slow, and the same everywhere.

    Cachegrind counts like callgrind at half its price. A process that is forked is counted by itself.
    """

    unit = BY_VALGRIND
    times = 1

    async def absent(self) -> str:
        """See ``Counter``."""
        await trio.lowlevel.checkpoint()
        return "" if shutil.which("valgrind") else "valgrind is not installed"

    async def count(self, jobs: Sequence[Job]) -> list[int]:
        """See ``Counter``."""
        with tempfile.TemporaryDirectory() as folder:
            command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
            # Without its server for debuggers, whose pipes it would leave behind if it is killed.
            command += ["--vgdb=no", f"--log-file={folder}/%p"]
            pids = json.loads(await _run([*command, *_worker(jobs)]))
            return [by_valgrind(_text(f"{folder}/{pid}")) for pid in pids]


COUNTERS: Final[Sequence[Counter]] = (Perf(), Valgrind())
"""The best first."""


async def usable() -> Counter:
    """The best that there is here.

    Raises:
        NotHere: there is none; the text says why.
    """
    reasons = []
    for counter in COUNTERS:
        reason = await counter.absent()
        if not reason:
            return counter
        reasons.append(reason)
    raise NotHere(f"nothing here counts instructions: {'; '.join(reasons)}")


def by_perf(text: str) -> int:
    """What ``perf stat -x,`` says: the sum over the kinds of cores, for each has a line.

    Raises:
        UserError: it has counted nothing.
    """
    rows = [line.split(",") for line in text.splitlines() if "instructions" in line]
    counts = [int(row[0]) for row in rows if row[0].isdecimal()]
    if counts:
        return sum(counts)
    said = rows[0][0].strip("<>") if rows else "no count"
    raise UserError(f"perf: instructions are {said} here")


def by_valgrind(text: str) -> int:
    """What cachegrind, or callgrind, says of one process.

    Raises:
        UserError: it has counted nothing.
    """
    if found := _COUNTED.search(text):
        return int(found[1].replace(",", ""))
    raise UserError(f"valgrind: no count of instructions: {last_word(text)}")


def _text(file: str) -> str:
    return Path(file).read_text("utf-8", "replace")


def _worker(jobs: Sequence[Job]) -> list[str]:
    return [sys.executable, "-m", WORKER, json.dumps(jobs)]


async def _run(command: Sequence[str]) -> bytes:
    """What a command says, the processes that it starts being gone with it.

    Raises:
        UserError: it has failed.
    """
    ended = await trio.run_process(
        command,
        capture_stdout=True,
        capture_stderr=True,
        check=False,
        env=os.environ | _ENVIRONMENT,
        start_new_session=True,
        deliver_cancel=_kill_all,
    )
    if ended.returncode:
        last = last_word(ended.stderr.decode("utf-8", "replace"))
        raise UserError(f"{command[0]}: ended with code {ended.returncode}: {last}")
    return ended.stdout


async def _kill_all(process: trio.Process) -> None:
    """It leads a session of its own: all that is in there, for a counter alone would leave what it counts."""
    os.killpg(process.pid, signal.SIGKILL)
