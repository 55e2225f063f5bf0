"""Runs a program until it is told to stop, and says a user's mistake in one line.

Exit codes: 0 a clean end (a signal included); 1 the program found what it looks for (differences); 2 the
user's input cannot be used; 130 interrupted before anything ran, or was judged; 141 whoever read what is
printed has gone; anything else is a bug, with its traceback.
"""

from __future__ import annotations

import errno
import gc
import linecache
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn

import attrs
import click
import trio

from trio_argoagent.errors import UserError, leaves
from trio_argoagent.runtime import dependencies
from trio_argoagent.runtime.events import Event, Observer

USAGE: Final = 2
INTERRUPTED: Final = 130
"""Ctrl-C before anything ran, as shells count it."""
UNREAD: Final = 128 + signal.SIGPIPE
"""Nobody reads what is printed any more (``| head``): what shells count of a program that this has ended."""
_UNPRINTED: Final = (errno.EPIPE, errno.ENOSPC, errno.EIO)
"""What else fails with one of these is told where it is done: Trio has errors of its own for streams."""
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@attrs.define
class Farewell:
    """What a program does between a signal and its end; nothing, until it says what."""

    take: Callable[[], Awaitable[None]] | None = None


def run(program: Callable[[], Awaitable[int]], farewell: Farewell | None = None) -> None:
    """Run ``program`` under Trio until it ends or a signal comes; then leave the process.

    Args:
        program: returns the exit code.
        farewell: for which a signal leaves time; a second one does not.
    """
    code = USAGE
    try:
        dependencies.check()
        # attrs keeps the source of each method that it has made there: 0.7 MiB of an idle agent.
        linecache.clearcache()
        # What is imported stays: each full collection would look through it, for 30 ms.
        gc.freeze()
        code = trio.run(_until_signalled, program, farewell or Farewell())
    except* UserError as group:
        for problem in leaves(group):
            click.echo(f"error: {problem}", err=True)
    finally:
        gc.unfreeze()
    sys.exit(code)


def refuse(mistakes: Iterable[str]) -> NoReturn:
    """Say each in a line of its own, and leave the process."""
    for each in mistakes:
        click.echo(f"error: {each}", err=True)
    sys.exit(USAGE)


def refuse_if(mistakes: Sequence[str]) -> None:
    """Likewise, if there is any."""
    if mistakes:
        refuse(mistakes)


def usage(mistake: click.ClickException) -> str:
    """What click says of a command line, in one line."""
    return " ".join(mistake.format_message().split()).rstrip(".")


def usage_line(mistake: click.ClickException) -> str:
    """Likewise, with where help is."""
    context = getattr(mistake, "ctx", None)
    where = context.command_path if context is not None else "trio-argoagent"
    return f"{usage(mistake)}; see {where} --help"


def remark(remarks: Iterable[str], observer: Observer) -> None:
    """Log what a user has written in vain."""
    for each in remarks:
        observer(Event("option-ignored", "", each, "warning"))


def judge(program: Callable[[], Awaitable[int]]) -> None:
    """Like ``run``, for a program that is to judge: a signal before its end is no clean end."""
    finished = False

    async def to_its_end() -> int:
        nonlocal finished
        code = await program()
        finished = True
        return code

    try:
        run(to_its_end)
    except SystemExit as ended:
        sys.exit(ended.code if ended.code or finished else INTERRUPTED)


@contextmanager
def printing() -> Iterator[None]:
    """What the block prints, which leaves the process, has arrived when it does: nobody else would tell.

    A reader that has gone ends it as it ends other programs, without a word; a full disk is one line.
    """
    out = sys.stdout
    try:
        try:
            yield
        except SystemExit:
            if sys.stdout is not out:  # Click has put another in its place: nobody reads.
                raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from None
            if out is not None:
                out.flush()
            raise
    except (OSError, SystemExit, BaseExceptionGroup) as exc:
        causes = [_unprinted(each) for each in leaves(exc)]
        if 0 in causes:
            raise
        # What is left of it could not be printed at the interpreter's end, either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
        if errno.EPIPE in causes:
            sys.exit(UNREAD)
        refuse([f"cannot print: {os.strerror(causes[0])}"])


def _unprinted(exc: BaseException | None) -> int:
    """The number of the error that keeps something from being printed; 0: it is no such error."""
    if isinstance(exc, OSError):
        return exc.errno if exc.errno in _UNPRINTED else 0
    # Rich exits with code 1 where nobody reads: to us, that code says something else.
    while isinstance(exc, SystemExit):
        exc = exc.__context__
    return errno.EPIPE if isinstance(exc, BrokenPipeError) else 0


async def _until_signalled(program: Callable[[], Awaitable[int]], farewell: Farewell) -> int:
    code = 0
    async with trio.open_nursery() as nursery:

        async def leave(take: Callable[[], Awaitable[None]]) -> None:
            await take()
            nursery.cancel_scope.cancel()

        async def watch_signals(task_status: trio.TaskStatus[None]) -> None:
            # What is ignored stays so: nohup has made sure that no terminal's end is ours.
            heeded = [each for each in _SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
            with trio.open_signal_receiver(*heeded) as signals:
                task_status.started()
                async for _ in signals:
                    if farewell.take is None:
                        nursery.cancel_scope.cancel()
                        return
                    nursery.start_soon(leave, farewell.take)
                    farewell.take = None

        await nursery.start(watch_signals)
        code = await program()
        nursery.cancel_scope.cancel()
    return code


def read_file(path: str, what: str) -> bytes:
    """The content of a file the user has named.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as exc:
        raise UserError(f"{what}: cannot read {path}: {exc.strerror}") from exc


def read_folder(path: str, what: str) -> list[Path]:
    """What is in a folder the user has named, in no order.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return list(Path(path).iterdir())
    except OSError as exc:
        raise UserError(f"{what}: cannot read {path}: {exc.strerror}") from exc
