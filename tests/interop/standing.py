"""A bound on everything that a test waits for, whose failure tells where everything stood."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from .programs import Program


@asynccontextmanager
async def within(seconds: float, what: str, *programs: Program) -> AsyncIterator[None]:
    """Let the body take so long, and no longer.

    Args:
        seconds: of real time; far more than it takes on a slow machine.
        what: it is, for people.
        programs: whose last words help.

    Raises:
        AssertionError: it has taken longer (in a group); each task's stack is in the text.
    """

    async def watch() -> None:
        await trio.sleep(seconds)
        lines = [f"{what}: not within {seconds:g} s", *_stacks(), *(str(program) for program in programs)]
        raise AssertionError("\n".join(lines))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        yield
        nursery.cancel_scope.cancel()


def _stacks() -> Iterator[str]:
    root = trio.lowlevel.current_root_task()
    waiting = [root] if root is not None else []
    while waiting:
        task = waiting.pop()
        waiting += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
        frames = [(frame.f_code, number) for frame, number in task.iter_await_frames()]
        stood = [f"{code.co_name} ({Path(code.co_filename).name}:{number})" for code, number in frames]
        yield f"{task.name}: {' > '.join(stood)}"
