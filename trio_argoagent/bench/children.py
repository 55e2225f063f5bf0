"""Processes that take part in a measurement, and are gone when it ends."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import trio


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
