"""A process that ends with its parent, whatever ends the parent.

A parent that is killed with SIGKILL cannot clean up, so the kernel must: PR_SET_PDEATHSIG kills a child whose
parent has gone, and survives ``exec``. Rejected: a pipe that the child watches (our programs would need code
for that), ``preexec_fn`` (it runs Python between fork and exec, which may deadlock beside threads), and a
watchdog process (then somebody must watch that one). So a tiny interpreter sets it and becomes the program.

The kernel means the parent's *thread*, not its process. Trio starts processes in worker threads, which end
when they are idle: hence ``Popen`` in this thread, for its millisecond.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import trio

_LEASH: Final = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    os._exit(1)  # It has gone already.
os.execv(sys.argv[2], sys.argv[2:])
"""


class Child:
    """One process, in a session of its own; ``open_child`` makes it."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self._process, self._descriptor = process, descriptor

    @property
    def pid(self) -> int:
        """Of the process; nobody else has it before the child is closed."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """How it has ended: its exit code, or the negative number of a signal; None: it runs."""
        return self._process.returncode

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it has not ended."""
        self._process.send_signal(number)

    async def wait(self) -> None:
        """Until it has ended; one task at a time."""
        await trio.lowlevel.wait_readable(self._descriptor)
        self._process.wait()


@asynccontextmanager
async def open_child(
    command: Sequence[str], environment: Mapping[str, str], log: Path
) -> AsyncIterator[Child]:
    """A process that is gone when the context ends, however it ends.

    Args:
        command: path of the program, and its arguments.
        environment: all of it.
        log: a file that its standard error is appended to.
    """
    leashed = [sys.executable, "-I", "-S", "-c", _LEASH, str(os.getpid()), *command]
    with log.open("ab") as errors:
        process = subprocess.Popen(  # noqa: ASYNC220 (see the module)
            leashed,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=environment,
            start_new_session=True,
        )
    descriptor = os.pidfd_open(process.pid)
    try:
        yield Child(process, descriptor)
    finally:
        process.kill()
        process.wait()  # It cannot be put off: SIGKILL ends a stopped process, too.
        os.close(descriptor)
