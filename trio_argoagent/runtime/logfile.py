"""Where a log goes: a full disk, or a reader that has gone, costs lines and never the program.

What is logged is told from the middle of the work. An exception of standard error there ends a link, or the
whole program, and comes again with the next line.
"""

from __future__ import annotations

import logging
from typing import Final, TextIO

SILENCE: Final = 60.0
"""Seconds for which a complaint that repeats itself is not logged again."""


class Unfailing:
    """A text stream that takes everything.

    Args:
        stream: where it goes if that is possible.
    """

    def __init__(self, stream: TextIO) -> None:
        self.failures = 0
        """How often it was not."""
        self._stream = stream

    def write(self, text: str) -> int:
        """Write it, or count a failure."""
        try:
            self._stream.write(text)
        except OSError:
            self.failures += 1
        return len(text)

    def flush(self) -> None:
        """Likewise."""
        try:
            self._stream.flush()
        except OSError:
            self.failures += 1


class OnceAMinute(logging.Filter):
    """Lets a logger's record through if none came within a minute, and without a traceback.

    Where a process is out of file descriptors, Trio logs each of its ten attempts to accept in a second, with
    a traceback that says nothing: that fills the disk, too.
    """

    def __init__(self) -> None:
        super().__init__()
        self._told = -SILENCE

    def filter(self, record: logging.LogRecord) -> bool:
        """Is it the first one in a while?"""
        if self._told <= record.created < self._told + SILENCE:
            return False
        self._told, record.exc_info = record.created, None
        return True
