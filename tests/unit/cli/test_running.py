"""How a program is run."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
import trio

from trio_argoagent.cli.running import UNREAD, USAGE, run


def test_what_is_imported_is_not_looked_through() -> None:
    """By no collection while the program runs; whoever has called it then collects as before."""

    async def program() -> int:
        await trio.lowlevel.checkpoint()
        return 0 if gc.get_freeze_count() else 1

    with pytest.raises(SystemExit) as ended:
        run(program)
    assert (ended.value.code, gc.get_freeze_count()) == (0, 0)


HANGING_UP: Final = """
import os, signal, sys
import trio
from trio_argoagent.cli.running import run

if sys.argv[1] == "ignored":
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

async def program():
    try:
        os.kill(os.getpid(), signal.SIGHUP)
        await trio.sleep(0 if sys.argv[1] == "ignored" else 60)
        print("done")
    finally:
        print("cleared")
    return 0

run(program)
"""


@pytest.mark.processes
@pytest.mark.parametrize(("how", "said"), [("heeded", ["cleared"]), ("ignored", ["done", "cleared"])])
def test_a_terminal_that_is_closed(how: str, said: list[str]) -> None:
    """It ends a program like any other signal, and what the program has started; nohup keeps it from that."""
    command = [sys.executable, "-c", HANGING_UP, how]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, said, "")


FULL: Final = "error: cannot print: No space left on device\n"


PRINTING: Final = pytest.mark.parametrize(
    ("arguments", "unbuffered"),
    [(["version"], ""), (["bench", "questions"], ""), (["bench", "questions"], "1")],
)


def ending(arguments: list[str], out: int, unbuffered: str) -> tuple[int, str]:
    """How a command ends whose standard output is that, buffered or not, and what it says."""
    command = [sys.executable, "-m", "trio_argoagent", *arguments]
    done = subprocess.run(
        command,
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    )
    return done.returncode, done.stderr


@pytest.mark.processes
@PRINTING
def test_nobody_reads(arguments: list[str], unbuffered: str) -> None:
    """It ends without a word, and not as one that has found something."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert ending(arguments, writer, unbuffered) == (UNREAD, "")
    finally:
        os.close(writer)


@pytest.mark.processes
@PRINTING
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk(arguments: list[str], unbuffered: str) -> None:
    """One line, whoever prints, also where it is printed at the end."""
    with open("/dev/full", "wb") as full:
        assert ending(arguments, full.fileno(), unbuffered) == (USAGE, FULL)
