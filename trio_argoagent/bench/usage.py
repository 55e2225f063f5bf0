"""What a process has used: taken by that process itself, whoever asks.

A server is asked by a datagram on a socket of its own, and by a signal to look at it. So it can be asked
whatever loop it runs on, needs no thread, and nothing has to be said over the channel that is being measured.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import attrs

from trio_argoagent.errors import UserError

ASK_TIMEOUT: Final = 30.0
"""Seconds that a server may take to answer: it collects its garbage first when it is asked for memory."""
SIGNAL: Final = signal.SIGUSR1
LOOPBACK: Final = "127.0.0.1"
_MEMORY, _CPU = b"m", b"c"


@attrs.frozen
class Server:
    """Where a process can be asked.

    Attributes:
        pid: of the process.
        control: its port for such questions.
    """

    pid: int
    control: int


@attrs.frozen
class Usage:
    """Of one process, up to now.

    Attributes:
        cpu: seconds, of all its threads, in the kernel and outside.
        wall: seconds on some clock of that process.
        rss: bytes resident; 0 where the kernel does not say.
        objects: that the garbage collector watches; 0: not counted.
    """

    cpu: float
    wall: float
    rss: int = 0
    objects: int = 0

    @property
    def mib(self) -> float:
        """MiB resident."""
        return self.rss / 2**20


def own_usage(*, memory: bool = False) -> Usage:
    """This process' own.

    Args:
        memory: collect garbage, then count objects and resident bytes, too.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu, wall = used.ru_utime + used.ru_stime, time.perf_counter()
    if not memory:
        return Usage(cpu, wall)
    gc.collect()
    with suppress(OSError):
        return Usage(cpu, wall, resident(os.getpid()), len(gc.get_objects()))
    return Usage(cpu, wall, 0, len(gc.get_objects()))


def resident(pid: int) -> int:
    """Bytes of a process that are in memory now.

    Raises:
        OSError: there is no such process, or the kernel does not say.
    """
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def peak() -> float:
    """MiB of this process that were ever resident.

    Where the kernel does not tell, it is ``ru_maxrss``: that counts what whoever has started it had, too.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    told = (int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return next(told, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024


def kernels(pid: int, name: str) -> str:
    """What the kernel says of another process in the file of that name.

    Raises:
        UserError: the process has ended, or the kernel has no such file.
    """
    file = Path(f"/proc/{pid}/{name}")
    try:
        return file.read_text()
    except OSError as exc:
        if Path(f"/proc/self/{name}").exists():
            raise UserError("a process that is measured has ended") from exc
        raise UserError(f"this system does not tell what a process uses: cannot read {file}") from exc


def usage_of(pid: int) -> Usage:
    """What the kernel says of another process: its CPU in ticks of some 10 ms, and what is resident.

    Raises:
        UserError: it has ended, or the kernel does not say.
    """
    fields = kernels(pid, "stat").rpartition(")")[2].split()
    rss = int(kernels(pid, "statm").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    ticks = int(fields[11]) + int(fields[12])
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), time.perf_counter(), rss)


@contextmanager
def answering() -> Iterator[Server]:
    """Answer ``ask_usage`` while the block lasts, whatever the loop in it is doing."""
    with _socket() as control:
        control.setblocking(False)

        def answer(*_: object) -> None:
            # A handler runs in the main thread, between two steps of whatever that is at.
            with suppress(BlockingIOError):
                asked, whose = control.recvfrom(1)
                usage = own_usage(memory=asked == _MEMORY)
                control.sendto(json.dumps(attrs.asdict(usage)).encode(), whose)

        before = signal.signal(SIGNAL, answer)
        try:
            yield Server(os.getpid(), control.getsockname()[1])
        finally:
            signal.signal(SIGNAL, before)


def ask_usage(server: Server, *, memory: bool = False) -> Usage:
    """What a server has used; blocks until it answers.

    Args:
        server: as it has told where it is.
        memory: see ``own_usage``.

    Raises:
        OSError: it is gone, or does not answer within ``ASK_TIMEOUT``.
    """
    with _socket() as own:
        own.settimeout(ASK_TIMEOUT)
        own.sendto(_MEMORY if memory else _CPU, (LOOPBACK, server.control))
        os.kill(server.pid, SIGNAL)
        return Usage(**json.loads(own.recv(4096)))


def _socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((LOOPBACK, 0))
    return made
