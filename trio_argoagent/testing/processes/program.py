"""A program of the fleet: a process, the next one when it has ended, and what the kernel denies them."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs
import msgspec
import trio

from trio_argoagent.testing.machine import UNOBSERVED
from trio_argoagent.testing.processes.leash import Child, open_child

RESTART: Final = 0.3
"""Seconds from the end of a process to the start of the next one."""
RUNNING_ONLY: Final = (resource.RLIMIT_FSIZE,)
"""Limits that no process starts under. A file in memory counts, too, and a program puts its key into one."""
LAST_LINES: Final = 3
"""Of the log of a process that has ended by itself: what is told of them."""


@attrs.frozen
class Death:
    """A process that has ended without having been asked to.

    Attributes:
        program: whose.
        code: its exit code, or the negative number of a signal.
        excused: it was denied memory, and may end of that.
        said: the end of its log.
    """

    program: str
    code: int
    excused: bool
    said: str

    def __str__(self) -> str:
        return f"P1: {self.program} has ended by itself with code {self.code}: {self.said}"


class Program:
    """See the module.

    Args:
        name: for people.
        command: path of the program, and its arguments; what is assigned later counts from the next start on.
        environment: all of it.
        log: a file that every process of it appends to.
    """

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name, self.log = name, log
        self.starts = 0
        self.deaths: list[Death] = []
        self.command, self._environment = command, environment
        self._child: Child | None = None
        self._forbidden, self._stopped = 0, 0
        self._wanted = trio.Event()
        self._wanted.set()
        self._limits: dict[int, list[int]] = {}
        self._starved, self._asked = False, False
        self._silence = 0

    @property
    def pid(self) -> int:
        """Of its process; 0: there is none at the moment."""
        return self._child.pid if self._child is not None and self._child.code is None else 0

    async def run(self) -> None:
        """Run it again and again until cancelled."""
        while True:
            await self._wanted.wait()
            await self._live()
            await trio.sleep(RESTART)

    async def _live(self) -> None:
        """One process, from its start to its end."""
        self.starts += 1
        self._silence = self.log.stat().st_size if self.log.exists() else 0
        self._starved, self._asked = resource.RLIMIT_AS in self._limits, False
        async with open_child(self.command, self._environment, self.log) as child:
            self._child = child
            for what in self._limits:
                if what not in RUNNING_ONLY:
                    self._apply(what)
            if self._stopped:
                child.send(signal.SIGSTOP)
            try:
                await child.wait()
                if not self._asked:
                    self._died(child)
            finally:
                self._child = None

    def _died(self, child: Child) -> None:
        assert child.code is not None
        last = self.log.read_bytes().splitlines()[-LAST_LINES:]
        said = " / ".join(line.decode("utf-8", "replace") for line in last)
        self.deaths.append(Death(self.name, child.code, self._starved, said))

    # Troubles

    @property
    def troubles(self) -> tuple[int, int, dict[int, list[int]]]:
        """How many forbid it to run, how many want it to stand still, and what is limited to what."""
        return self._forbidden, self._stopped, {what: [*each] for what, each in self._limits.items()}

    @contextlib.contextmanager
    def killed(self, by: signal.Signals = signal.SIGKILL) -> Iterator[None]:
        """Kill it; once it and the context have ended it is started again, unless another one forbids it."""
        self._forbidden += 1
        self._asked = True
        if self._wanted.is_set():  # Else somebody may be waiting for this very one.
            self._wanted = trio.Event()
        self._send(by)
        try:
            yield
        finally:
            self._forbidden -= 1
            if not self._forbidden:
                self._wanted.set()

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """While the context is open, it stands still (SIGSTOP)."""
        self._stopped += 1
        self._send(signal.SIGSTOP)
        try:
            yield
        finally:
            self._stopped -= 1
            if not self._stopped:
                self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        if self._child is not None:
            self._child.send(number)

    @contextlib.contextmanager
    def limited(self, what: int, soft: int) -> Iterator[None]:
        """While the context is open, its processes have no more of a resource than this.

        Args:
            what: ``resource.RLIMIT_...``.
            soft: the limit; the hard one stays, so that this one can be taken back.
        """
        self._limits.setdefault(what, []).append(soft)
        self._starved = self._starved or what == resource.RLIMIT_AS
        self._apply(what)
        try:
            yield
        finally:
            self._limits[what].remove(soft)
            self._apply(what)
            if not self._limits[what]:
                del self._limits[what]

    def _apply(self, what: int) -> None:
        soft, hard = resource.getrlimit(what)
        limits = [each for each in (soft, *self._limits[what]) if each != resource.RLIM_INFINITY]
        if self.pid:
            with contextlib.suppress(ProcessLookupError):  # It has died, and we have not been told yet.
                resource.prlimit(self.pid, what, (min(limits, default=resource.RLIM_INFINITY), hard))

    # What it uses

    @property
    def has_spoken(self) -> bool:
        """Has its process logged anything, so that it is past its beginning?"""
        return self.pid > 0 and self.log.exists() and self.log.stat().st_size > self._silence

    def descriptors(self) -> int:
        """How many files and sockets it has open; 0: it does not run."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            return len(os.listdir(f"/proc/{self.pid}/fd")) if self.pid else 0
        return 0

    def memory(self) -> int:
        """Bytes of address space that it has; 0: it does not run."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, IndexError):
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[0]) if self.pid else 0
            return pages * resource.getpagesize()
        return 0


def environment(folder: Path) -> dict[str, str]:
    """The environment of a fleet's programs: ours, without what would set options of theirs.

    All of them share this machine, so none of them opens the ports that it could be observed at.
    """
    ours = ("ARGOCD_", "KUBE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    # Under a full disk CPython writes half a .pyc, and takes it for a whole one later.
    return kept | UNOBSERVED | {"TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}


def count_events(log: Path) -> Counter[str]:
    """How often each event stands in a log of JSON lines; other lines count as ``other``."""
    found: Counter[str] = Counter()
    with log.open("rb") as file:
        for line in file:
            try:
                found[msgspec.json.decode(line, type=_Line).event] += 1
            except msgspec.DecodeError:
                found["other"] += 1
    return found


@attrs.frozen
class _Line:
    event: str
