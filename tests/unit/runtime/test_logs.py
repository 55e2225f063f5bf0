"""Logs: whatever speaks, one line each, in the form that was asked for."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from trio_argoagent.runtime import logs
from trio_argoagent.runtime.events import Event


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    """The process' logging, as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
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
    logs.log_events("principal")(Event("link-up", "east", "managed agent\n0.1.0", "warning"))
    (line,) = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "program": "principal",
        "event": "link-up",
        "agent": "east",
        "detail": "managed agent\n0.1.0",
        "level": "warning",
    }


def test_an_event_about_the_program_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """It names no agent."""
    logs.configure("info", "json")
    logs.log_events("agent")(Event("cluster-unreachable", "", "the spoke's API server: no"))
    (line,) = lines(capsys)
    assert "agent" not in line


def test_the_least_that_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """What is below the level costs no line, whoever says it."""
    logs.configure("warning", "json")
    observe = logs.log_events("agent")
    for level in ("info", "warning", "error"):
        observe(Event(f"at-{level}", "", "", level))
    logging.getLogger("somebody").info("a library talks")
    assert [line["event"] for line in lines(capsys)] == ["at-warning", "at-error"]


def test_libraries_log_in_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    """A traceback is a field of one line, not lines that no collector can read."""
    logs.configure("info", "json")
    try:
        raise ValueError("broken")
    except ValueError as exc:
        logging.getLogger("trio_argoagent.net").error("a request handler failed", exc_info=exc)
    (line,) = lines(capsys)
    assert (line["event"], line["level"]) == ("a request handler failed", "error")
    assert "ValueError: broken" in line["exception"]


def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    """For people: one line, and no colours where there is no terminal."""
    logs.configure("info", "text")
    logs.log_events("agent")(Event("link-up", "east", "connected"))
    (line,) = capsys.readouterr().err.splitlines()
    assert "link-up" in line
    assert "detail=connected" in line
    assert "\x1b" not in line


@pytest.mark.parametrize("level", logs.LEVELS)
@pytest.mark.parametrize("style", logs.FORMATS)
def test_every_level_and_form(capsys: pytest.CaptureFixture[str], level: str, style: str) -> None:
    """Errors come through at each."""
    logs.configure(level, style)
    logs.log_events("agent")(Event("bad", "", "", "error"))
    assert "bad" in capsys.readouterr().err
