"""Where logs go when they cannot go there."""

from __future__ import annotations

import errno
import io
import logging
import sys

import pytest
import structlog

from trio_argoagent.runtime import logs
from trio_argoagent.runtime.events import Event
from trio_argoagent.runtime.logfile import SILENCE, OnceAMinute, Unfailing


class FullDisk(io.StringIO):
    """A file that takes nothing any more while it is full."""

    full = False

    def write(self, text: str) -> int:
        """As a real one."""
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)

    def flush(self) -> None:
        """Likewise."""
        if self.full:
            raise OSError(errno.EFBIG, "File too large")


def test_a_full_disk_costs_lines_only() -> None:
    """What cannot be written is counted, and what comes after that is written."""
    disk = FullDisk()
    stream = Unfailing(disk)
    assert stream.write("one\n") == 4
    disk.full = True
    assert stream.write("two\n") == 4
    stream.flush()
    disk.full = False
    stream.write("three\n")
    stream.flush()
    assert disk.getvalue() == "one\nthree\n"
    assert stream.failures == 2


def test_a_closed_stream_costs_lines_only() -> None:
    """Standard error may have been closed, by whoever embeds the program or by its end."""
    closed = io.TextIOWrapper(io.BytesIO())
    closed.close()
    stream = Unfailing(closed)
    assert stream.write("lost\n") == 5
    stream.flush()
    assert stream.failures == 2


@pytest.mark.parametrize("style", logs.FORMATS)
def test_an_event_on_a_full_disk_is_no_error(monkeypatch: pytest.MonkeyPatch, style: str) -> None:
    """Whoever tells what happens goes on with its work."""
    disk = FullDisk()
    monkeypatch.setattr(sys, "stderr", disk)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        logs.configure("info", style)
        observe = logs.log_events("agent", lambda: 0.0)
        disk.full = True
        observe(Event("link-up", "east", "lost"))
        logging.getLogger("x").error("lost, too")
        disk.full = False
        observe(Event("link-down", "east", "kept"))
    finally:
        structlog.reset_defaults()
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.getLogger("trio.serve_listeners").filters.clear()
    assert "kept" in disk.getvalue()
    assert "lost" not in disk.getvalue()


def test_what_repeats_itself_is_logged_once_a_minute() -> None:
    """The first one without its traceback, and the next one a minute later."""
    judge = OnceAMinute()
    passed = []
    for at in (1000.0, 1000.1, 1059.9, 1000.0 + SILENCE, 1061.0):
        failure = (ValueError, ValueError(), None)
        record = logging.LogRecord("trio", logging.ERROR, "", 1, "EMFILE", (), failure)
        record.created = at
        if judge.filter(record):
            passed.append(at)
            assert record.exc_info is None
    assert passed == [1000.0, 1000.0 + SILENCE]
