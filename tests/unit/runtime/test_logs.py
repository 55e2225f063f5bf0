"""Logs: whatever speaks, one line each, in the form that was asked for."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from trio_argoagent.runtime import logs, sparing
from trio_argoagent.runtime.events import Event


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    """The process' logging, as it was."""
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], root.level, sys.excepthook
    yield
    sys.excepthook = hook
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(captured: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was logged as JSON."""
    out, err = captured.readouterr()
    assert out == ""
    return [json.loads(line) for line in err.splitlines()]


def test_a_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    """One event is one line with the same fields, always."""
    logs.configure("info", "json")
    logs.log_events("principal", lambda: 0.0)(Event("link-up", "east", "managed agent\n0.1.0", "warning"))
    (line,) = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "program": "principal",
        "event": "link-up",
        "agent": "east",
        "detail": "managed agent\n0.1.0",
        "level": "warning",
        "subsys": "link",
    }


def test_an_event_about_the_program_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """It names no agent."""
    logs.configure("info", "json")
    logs.log_events("agent", lambda: 0.0)(Event("cluster-unreachable", "", "the spoke's API server: no"))
    (line,) = lines(capsys)
    assert "agent" not in line


def test_the_least_that_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """What is below the level costs no line, whoever says it."""
    logs.configure("warning", "json")
    observe = logs.log_events("agent", lambda: 0.0)
    for level in ("info", "warning", "error"):
        observe(Event(f"at-{level}", "", "", level))
    logging.getLogger("somebody").info("a library talks")
    assert [line["event"] for line in lines(capsys)] == ["at-warning", "at-error"]


def test_libraries_log_in_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    """A traceback is a field of one line; what went wrong, and where, is another one."""
    logs.configure("debug", "json")
    try:
        raise ValueError("broken")
    except ValueError as exc:
        logging.getLogger("trio_argoagent.net").error("a request handler failed", exc_info=exc)
    (line,) = lines(capsys)
    assert (line["event"], line["level"]) == ("a request handler failed", "error")
    assert line["error"].startswith("ValueError: broken (")
    assert "test_logs.py:" in line["error"] and "Traceback" not in line["error"]
    assert line["exception"].startswith("Traceback") and line["exception"].endswith("ValueError: broken")


@pytest.mark.parametrize("style", logs.FORMATS)
def test_a_group_is_one_line(capsys: pytest.CaptureFixture[str], style: str) -> None:
    """However deep: what went wrong, each once; the tracebacks are for debug."""
    logs.configure("info", style)
    inner = ExceptionGroup("inner", [KeyError("b")])
    group = ExceptionGroup("outer", [ValueError("a\nb"), inner, *map(OSError, range(9))])
    logging.getLogger("trio_argoagent.net").error("a request handler failed", exc_info=group)
    (line,) = capsys.readouterr().err.splitlines()
    assert "ValueError: a b (nowhere); KeyError: 'b' (nowhere); OSError: 0 (nowhere);" in line
    assert "and 3 more" in line and "OSError: 6" not in line
    assert "Traceback" not in line and "outer" not in line


def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    """For people: one line, and no colours where there is no terminal."""
    logs.configure("info", "text")
    logs.log_events("agent", lambda: 0.0)(Event("link-up", "east", "connected"))
    (line,) = capsys.readouterr().err.splitlines()
    assert "link-up" in line
    assert "detail=connected" in line
    assert "\x1b" not in line


@pytest.mark.parametrize("level", logs.LEVELS)
@pytest.mark.parametrize("style", logs.FORMATS)
def test_every_level_and_form(capsys: pytest.CaptureFixture[str], level: str, style: str) -> None:
    """Errors come through at each; at the last one, only what ends a program."""
    logs.configure(level, style)
    logs.log_events("agent", lambda: 0.0)(Event("bad", "", "", "error"))
    assert ("bad" in capsys.readouterr().err) == (level != "fatal")


def test_parts_have_levels_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    """More of one, less of another; what is in none has the default."""
    logs.configure("warn,link=error,redis-proxy=info", "json")
    observe = logs.log_events("principal", lambda: 0.0)
    for name in ("link-up", "redis-proxy", "option-ignored"):
        for level in ("info", "warning", "error"):
            observe(Event(name, "", "", level))
    told = [(line["event"], line["level"]) for line in lines(capsys)]
    assert told == [
        ("link-up", "error"),
        ("redis-proxy", "info"),
        ("redis-proxy", "warning"),
        ("redis-proxy", "error"),
        ("option-ignored", "warning"),
        ("option-ignored", "error"),
    ]


def test_a_flood(capsys: pytest.CaptureFixture[str]) -> None:
    """What one agent causes again and again is bounded, and told so; another one's lines are not."""
    logs.configure("info", "json")
    now = [0.0]
    observe = logs.log_events("principal", lambda: now[0])
    for number in range(1000):
        observe(Event("link-broken", "east", f"{number}", "warning"))
    observe(Event("link-broken", "west", "once", "warning"))
    now[0] = 60.0
    observe(Event("link-broken", "east", "again", "warning"))
    told = lines(capsys)
    assert [line["detail"] for line in told] == [*map(str, range(30)), "once", "again"]
    assert "not logged" in told[29]["note"] and "note" not in told[28]
    assert told[-1]["omitted"] == 970


def test_a_flood_of_a_library(capsys: pytest.CaptureFixture[str]) -> None:
    """Likewise."""
    logs.configure("info", "json")
    for number in range(100):
        logging.getLogger("somebody").error("failed %d", number)
    told = lines(capsys)
    assert len(told) == 30
    assert told[-1]["event"].startswith("failed 29 (more than 30 of these")


def test_a_flood_of_a_library_that_ends(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minute later, whatever the wall clock says meanwhile, it is told how many were left out."""
    logs.configure("info", "json")
    now = [0.0]
    (handler,) = logging.getLogger().handlers
    monkeypatch.setattr(handler, "now", lambda: now[0])
    logger = logging.getLogger("somebody")
    for number in range(100):
        logger.handle(record(logger, "failed %d", number, created=1e9 - 3600 * number))
    now[0] = 60.0
    logger.handle(record(logger, "failed %d", 100, created=0.0))
    logger.handle(record(logger, "failed %d", 101, created=0.0))
    assert [line["event"] for line in lines(capsys)][30:] == [
        "failed 100 (70 before it were not logged)",
        "failed 101",
    ]


def test_a_library_that_cannot_log(capsys: pytest.CaptureFixture[str]) -> None:
    """Where it is, is said, and not what it was about; nothing of ours ends."""
    logs.configure("info", "json")
    for _ in range(40):
        logging.getLogger("somebody").error("failed %d times", SECRET)
    told = lines(capsys)
    assert len(told) == 30 and SECRET not in repr(told)
    assert {line["event"] for line in told} == {"a library's line cannot be logged"}
    assert told[0]["logger"] == "somebody" and "test_logs.py:" in told[0]["place"]


def test_what_a_library_makes_up_hides_no_other_s(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ever new words of one share a bound of its own."""
    monkeypatch.setattr(sparing, "MOST", 20)
    logs.configure("info", "json")
    for number in range(200):
        logging.getLogger("somebody").error(f"failed {number}")
    logging.getLogger("another").error("once")
    told = [line["event"] for line in lines(capsys)]
    assert len(told) == 20 + sparing.BURST + 1 and told[-1] == "once"


def test_long_lines_of_a_library(capsys: pytest.CaptureFixture[str]) -> None:
    """Those that begin alike share a count: what tells lines apart is kept, and may be of any length."""
    logs.configure("info", "json")
    for number in range(100):
        logging.getLogger("somebody").error("x" * logs.KEY + f" failed {number}")
        logging.getLogger("somebody").error("y" * (logs.KEY - 2) + f"{number % 2}" + " failed")
    told = [line["event"] for line in lines(capsys)]
    alike, apart = (sum(each.startswith(first) for each in told) for first in "xy")
    assert (alike, apart) == (sparing.BURST, 2 * sparing.BURST)


def record(logger: logging.Logger, text: str, *args: object, created: float) -> logging.LogRecord:
    """What a library says, by a clock that is set while it speaks."""
    made = logger.makeRecord(logger.name, logging.ERROR, "x.py", 1, text, args, None)
    made.created = created
    return made


class Full:
    """A disk without room."""

    def write(self, text: str) -> int:
        """Never."""
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        """There is nothing."""

    def isatty(self) -> bool:
        """It is none."""
        return False


def test_lines_that_are_lost_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever says them."""
    monkeypatch.setattr(sys, "stderr", Full())
    stream = logs.configure("info", "json")
    logs.log_events("agent", lambda: 0.0)(Event("link-up", "east", "connected"))
    logging.getLogger("somebody").error("failed")
    assert stream.failures == 2


SECRET = "hunter2hunter2"


@pytest.mark.parametrize("style", logs.FORMATS)
@pytest.mark.parametrize("level", ["info", "debug"])
def test_no_secret_comes_out(capsys: pytest.CaptureFixture[str], style: str, level: str) -> None:
    """In a detail, a field, an exception of a group, or what a library says."""
    logs.configure(level, style)
    logs.log_events("agent", lambda: 0.0)(Event("link-broken", "", f"it said password={SECRET}"))
    structlog.get_logger().error(
        "x", token=SECRET, value={"Authorization": SECRET}, raw=f"Bearer {SECRET}".encode()
    )
    try:
        raise ExceptionGroup("all", [ValueError(f"GET https://user:{SECRET}@hub/ failed")])
    except ExceptionGroup as group:
        logging.getLogger("somebody").error("with Bearer %s", SECRET, exc_info=group)
    logs.json_lines("audit", "decision", sys.stderr)("refused", {"reason": f'{{"token": "{SECRET}"}}'})
    told = capsys.readouterr().err
    assert SECRET not in told
    assert told.count("<redacted>") >= 7


def test_no_secret_in_the_last_words(capsys: pytest.CaptureFixture[str]) -> None:
    """What ends the program is shown whole, but for that."""
    logs.configure("info", "text")
    try:
        raise ValueError(f"password={SECRET}")
    except ValueError as exc:
        sys.excepthook(type(exc), exc, exc.__traceback__)
    told = capsys.readouterr().err
    assert told.startswith("Traceback") and told.endswith("ValueError: password=<redacted>\n")
