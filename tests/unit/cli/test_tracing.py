"""Where traces and the most detailed log come from: the options, and what is missing."""

from __future__ import annotations

import sys

import pytest
from click.testing import CliRunner

from trio_argoagent.cli.commands import cli
from trio_argoagent.cli.tracing import TracingOptions, open_tracing
from trio_argoagent.runtime.events import ignore
from trio_argoagent.runtime.loglevels import parse
from trio_argoagent.runtime.recordlog import RecordLog, parse_detail
from trio_argoagent.testing.scheduling import make_env


@pytest.mark.parametrize(("level", "detail"), [("info", ""), ("debug", ""), ("info", "events")])
async def test_without_traces(level: str, detail: str) -> None:
    """Nobody is told, or the log; nothing of OpenTelemetry is loaded."""
    before = "opentelemetry" in sys.modules
    options = TracingOptions(parse(level), parse_detail(detail), "", False)
    async with open_tracing(options, "agent", "agent-managed", make_env(1, "tracing"), ignore) as tracing:
        assert isinstance(tracing, RecordLog) is bool(level == "debug" or detail)
    assert ("opentelemetry" in sys.modules) is before


def test_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that says what to do, before anything is listened to."""
    monkeypatch.setitem(sys.modules, "trio_argoagent.runtime.otel", None)
    monkeypatch.delattr("trio_argoagent.runtime.otel", raising=False)  # Some other test has loaded it.
    said = CliRunner().invoke(cli, ["principal", "--otlp-address=collector:4317"])
    assert said.exit_code == 2
    assert said.output.count("\n") == 1, said.output
    line = said.output
    assert line.startswith("error: --otlp-address: ") and "pip install '.[otel]'" in line
    assert "EXTRAS=otel" in line  # Nothing can be installed into an image, or into the one file.


def test_a_wrong_category() -> None:
    """One line that names the choices."""
    said = CliRunner().invoke(cli, ["principal", "--full-detail=events,everything"])
    assert said.exit_code == 2
    assert "--full-detail" in said.output and "all, actions, events, informers" in said.output
