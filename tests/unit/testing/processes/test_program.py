"""Programs as processes: they come back, end with their parent, and are denied what is denied to them."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
import trio

from trio_argoagent.testing.processes.fleet import reserved_port
from trio_argoagent.testing.processes.leash import open_child
from trio_argoagent.testing.processes.program import RESTART, Program, count_events, environment

pytestmark = pytest.mark.processes

TIMEOUT: Final = 90.0
"""Seconds for anything: other tests run beside."""
SLEEPER: Final = "import time; print('up', file=__import__('sys').stderr, flush=True); time.sleep(1000)"


@asynccontextmanager
async def open_program(folder: Path, code: str = SLEEPER) -> AsyncIterator[Program]:
    """A program that runs while the context is open."""
    log = folder / "log"
    program = Program("p", (sys.executable, "-S", "-c", code), environment(folder), log)
    with trio.fail_after(TIMEOUT):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(program.run)
            yield program
            nursery.cancel_scope.cancel()


async def until(condition: Callable[[], bool]) -> None:
    """Other processes tell nobody when they have done something."""
    while not condition():  # noqa: ASYNC110
        await trio.sleep(0.02)


def ups(program: Program) -> int:
    """How many processes have come as far as their first line."""
    return program.log.read_text().count("up") if program.log.exists() else 0


def state(pid: int) -> str:
    """Of a process, as the kernel calls it: T is stopped; empty: there is none."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


async def test_a_killed_program_comes_back(tmp_path: Path) -> None:
    """After the last of the troubles, not before, and it is no death of its own."""
    async with open_program(tmp_path) as program:
        await until(lambda: ups(program) == 1)
        first = program.pid
        assert os.getsid(first) == first
        with contextlib.ExitStack() as stack:
            with program.killed():
                await until(lambda: not program.pid)
                await trio.sleep(2 * RESTART)
                stack.enter_context(program.killed())
            assert program.starts == 1
        await until(lambda: ups(program) == 2)
        assert program.pid != first
        assert program.deaths == []
        last = program.pid
    assert state(last) == ""


async def test_a_program_that_ends_by_itself_is_told(tmp_path: Path) -> None:
    """With its code and its last words; and it is started again."""
    code = "import sys; print('no more', file=sys.stderr); sys.exit(7)"
    async with open_program(tmp_path, code) as program:
        await until(lambda: program.starts >= 2)
        death = program.deaths[0]
        assert (death.code, death.excused) == (7, False)
        assert str(death) == "P1: p has ended by itself with code 7: no more"


async def test_a_stopped_program_stands_still(tmp_path: Path) -> None:
    """As long as any trouble wants it so; also a process that is started meanwhile."""
    async with open_program(tmp_path) as program:
        await until(lambda: ups(program) == 1)
        with program.stopped():
            with program.stopped():
                await until(lambda: state(program.pid) == "T")
            assert state(program.pid) == "T"
        await until(lambda: state(program.pid) == "S")


async def test_limits_are_set_and_taken_back(tmp_path: Path) -> None:
    """On the process that runs, and on the next one; the tightest of several counts."""
    async with open_program(tmp_path) as program:
        await until(lambda: ups(program) == 1)
        before = resource.prlimit(program.pid, resource.RLIMIT_NOFILE)
        with program.limited(resource.RLIMIT_NOFILE, 50):
            with program.limited(resource.RLIMIT_NOFILE, 40):
                assert resource.prlimit(program.pid, resource.RLIMIT_NOFILE) == (40, before[1])
            assert resource.prlimit(program.pid, resource.RLIMIT_NOFILE) == (50, before[1])
            with program.killed():
                await until(lambda: not program.pid)
            await until(lambda: ups(program) == 2)
            assert resource.prlimit(program.pid, resource.RLIMIT_NOFILE) == (50, before[1])
        assert resource.prlimit(program.pid, resource.RLIMIT_NOFILE) == before
        assert program.descriptors() >= 3
        assert program.memory() > 1 << 20


async def test_no_process_begins_on_a_full_disk(tmp_path: Path) -> None:
    """Neither the one that has said nothing yet, nor the next one: a file in memory counts, too."""
    async with open_program(tmp_path) as program:
        assert not program.has_spoken
        await until(lambda: program.has_spoken)
        before = resource.prlimit(program.pid, resource.RLIMIT_FSIZE)
        with program.limited(resource.RLIMIT_FSIZE, 3):
            assert resource.prlimit(program.pid, resource.RLIMIT_FSIZE) == (3, before[1])
            with program.killed():
                await until(lambda: not program.pid)
                assert not program.has_spoken
            await until(lambda: program.has_spoken)
            assert resource.prlimit(program.pid, resource.RLIMIT_FSIZE) == before
        assert resource.prlimit(program.pid, resource.RLIMIT_FSIZE) == before


async def test_only_a_lack_of_memory_excuses_a_death(tmp_path: Path) -> None:
    """A program that is denied memory may end of it."""
    code = "import time; time.sleep(1); a = bytes(1 << 28)"
    async with open_program(tmp_path, code) as program:
        with program.limited(resource.RLIMIT_AS, 64 << 20):
            await until(lambda: len(program.deaths) > 1)
            # The first process may have got its memory before the limit was there.
            assert program.deaths[1].excused
            assert "MemoryError" in program.deaths[1].said


async def test_a_child_ends_with_its_parent(tmp_path: Path) -> None:
    """Whatever ends the parent: here it is killed, and can do nothing about it."""
    parent = f"""
import sys, trio
from pathlib import Path
from trio_argoagent.testing.processes.leash import open_child
async def main():
    command, log = [sys.executable, "-S", "-c", {SLEEPER!r}], Path({str(tmp_path / "log")!r})
    async with open_child(command, {{}}, log) as child:
        print(child.pid, flush=True)
        await trio.sleep_forever()
trio.run(main)
"""
    command = [sys.executable, "-c", parent]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220
        assert process.stdout is not None
        child = int(process.stdout.readline())
        try:
            assert state(child)
            process.kill()
            with trio.fail_after(TIMEOUT):
                # Nobody may be there to reap it.
                await until(lambda: state(child) in ("", "Z", "X"))
        finally:
            process.kill()


async def test_a_child_is_gone_when_its_context_ends(tmp_path: Path) -> None:
    """Also when it stands still and its owner is cancelled."""
    command = (sys.executable, "-S", "-c", SLEEPER)
    with trio.CancelScope() as scope:
        async with open_child(command, environment(tmp_path), tmp_path / "log") as child:
            child.send(signal.SIGSTOP)
            scope.cancel()
            await child.wait()
    assert child.code == -signal.SIGKILL
    assert state(child.pid) == ""


def test_a_reserved_port_can_be_listened_on_again_and_again() -> None:
    """By whoever asks for it, and by nobody else."""
    import socket

    with reserved_port() as port:
        for _ in range(2):
            with socket.socket() as server:
                server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                server.bind(("127.0.0.1", port))
                server.listen()
                with socket.create_connection(("127.0.0.1", port)) as client, server.accept()[0]:
                    assert client.getpeername()[1] == port
        with socket.socket() as client:
            assert client.connect_ex(("127.0.0.1", port)) != 0


def test_events_of_a_log_are_counted(tmp_path: Path) -> None:
    """Each by its name; what is no JSON is counted, too."""
    log = tmp_path / "log"
    lines = [json.dumps({"event": name, "level": "info"}) for name in ("link-up", "link-up", "listening")]
    log.write_text("\n".join([*lines, "Traceback", '{"eve']))
    assert count_events(log) == {"link-up": 2, "listening": 1, "other": 2}
