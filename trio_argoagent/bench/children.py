"""Processes that take part in a measurement, and are gone when it ends.

They start as those of an installed program do, from compiled modules: see ``compile_modules``.
"""

from __future__ import annotations

import compileall
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import trio

FRAME: Final = " |+-"
"""What the traceback of a group is framed with."""
PACKAGE: Final = Path(__file__).parents[1]


def compile_modules(package: Path = PACKAGE) -> None:
    """Compile what has not been compiled as it is now, as an installation does.

    A checkout may never have been, where ``PYTHONDONTWRITEBYTECODE`` is set: then each process would take a
    third longer to start, and a MiB for the compiler. Where nothing can be written it stays so.
    """
    compileall.compile_dir(package, quiet=2)


@asynccontextmanager
async def child(command: Sequence[str], **more: Any) -> AsyncIterator[trio.Process]:
    """A process for as long as the block lasts; its standard input and output are pipes.

    Args:
        command: what is run.
        more: see ``subprocess.Popen``.
    """
    process = await trio.lowlevel.open_process(
        list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, **more
    )
    try:
        yield process
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    await trio.aclose_forcefully(pipe)


async def line(process: trio.Process) -> bytes:
    """The line that it prints; empty when it ends without one."""
    assert process.stdout is not None
    text = b""
    while not text.endswith(b"\n"):
        piece = await process.stdout.receive_some()
        if not piece:
            return b""
        text += piece
    return text


def last_word(text: str) -> str:
    """The last line of what a process said before it ended, without the frame of a group's traceback."""
    lines = (each.lstrip(FRAME).strip() for each in reversed(text.split("\n")))
    return next(filter(None, lines), "it says nothing")
