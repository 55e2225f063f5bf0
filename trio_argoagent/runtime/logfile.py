"""Where a log goes: a full disk, a reader that has gone, a closed stream cost lines and never the program.

What is logged is told from the middle of the work. An exception of standard error there ends a link, or the
whole program, and comes again with the next line.
"""

from __future__ import annotations

import logging
import os
from typing import Final, Protocol

SILENCE: Final = 60.0
"""Seconds for which a complaint that repeats itself is not logged again."""
_NOT_TAKEN: Final = (OSError, ValueError)
"""What a stream raises: the system's, or its own once it is closed."""


class Writes(Protocol):
    """What of a text stream is needed here."""

    def write(self, text: str, /) -> int:
        """Take a text."""

    def flush(self) -> None:
        """Pass it on."""


class Unfailing:
    """A text stream that takes everything.

    Args:
        stream: where it goes if that is possible.
    """

    def __init__(self, stream: Writes) -> None:
        self.failures = 0
        """How often it was not."""
        self._stream = stream

    def write(self, text: str) -> int:
        """Write it, or count a failure."""
        try:
            self._stream.write(text)
        except _NOT_TAKEN:
            self.failures += 1
        return len(text)

    def flush(self) -> None:
        """Likewise."""
        try:
            self._stream.flush()
        except _NOT_TAKEN:
            self.failures += 1


class Appending:
    """A file of lines to which nobody else than its owner has access.

    It is opened for each line, so that whoever rotates logs may move it away at any time. What is there
    already keeps the access that it has.

    Args:
        path: of the file; made where it is missing.
    """

    def __init__(self, path: str) -> None:
        self._path, self._torn = path, False

    def write(self, text: str) -> int:
        """Append a whole line.

        Raises:
            OSError: it is not there, or only a part of it.
        """
        # Non-blocking: a pipe that nobody reads must not stop the program.
        how = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        data = (b"\n" if self._torn else b"") + text.encode()
        file = os.open(self._path, how, 0o600)
        try:
            written = os.write(file, data) if data else 0
        finally:
            os.close(file)
        self._torn = written < len(data) and (self._torn or written > 0)
        if written < len(data):
            raise OSError("the disk is full")
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""


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
