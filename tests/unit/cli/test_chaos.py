"""``chaos`` from the command line: what it refuses, in one line, before anything is started."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from trio_argoagent.cli import chaos
from trio_argoagent.ports.env import Env
from trio_argoagent.testing.processes.faults import FAULTS
from trio_argoagent.testing.processes.plan import Options, Plan, draw_plan
from trio_argoagent.testing.processes.run import Report

from .conftest import Files, Run


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever is saved is saved here."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "hints"),
    [
        (("--faults", "cut,flood"), ["--faults: there is no 'flood'", "none, all, ", *FAULTS]),
        (("--faults", ""), ["--faults: there is no ''"]),
        (("--duration", "0"), ["'--duration'", "0<x<=86400"]),
        (("--duration", "soon"), ["'--duration'", "'soon'"]),
        (("--duration", "nan"), ["--duration: must be a number of seconds"]),
        (("--agents", "51"), ["'--agents'", "1<=x<=50"]),
        (("--plan", "none.json"), ["--plan: cannot read none.json: No such file or directory"]),
        (("--plan", "none.json", "--apps", "2"), ["--plan: the plan says what --apps says"]),
        (("--report", "none/report"), ["cannot write none/report: No such file or directory"]),
    ],
)
def test_what_cannot_be(run: Run, arguments: tuple[str, ...], hints: list[str]) -> None:
    """One line that names the option and what may be given instead."""
    line = run("chaos", *arguments).line
    assert all(hint in line for hint in hints), line


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"\xff", "--plan: plan.json, byte 0: this is not UTF-8"),
        ("{", "--plan: plan.json: plan: line 1: "),
        ("[]", "--plan: plan.json: plan: must be an object"),
        ('{"version": 1}', "--plan: plan.json: plan: seed: is missing"),
    ],
)
def test_what_is_no_plan(run: Run, files: Files, content: bytes | str, hint: str) -> None:
    """The file, and the line or the field."""
    files.write("plan.json", content)
    assert run("chaos", "--plan", "plan.json").line.startswith(hint)


def test_a_target_that_is_not_there(run: Run, files: Files) -> None:
    """A plan that was edited for another fleet."""
    text = draw_plan(1, Options(seconds=5.0)).to_json()
    assert '"target": "m1"' in text
    files.write("plan.json", text.replace('"target": "m1"', '"target": "m9"'))
    assert "target: must be one of m1, a2" in run("chaos", "--plan", "plan.json").line


FAILED = Report(
    seed=7, seconds=9.0, settled_after=300.0, actions={"edit": 2}, faults={"cut": 1}, proxy={}, programs={},
    writes=3, intents=0, differences=("m1: Application app0: has no copy",), violations=("P1: m1 has ended",),
)  # fmt: skip


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever is run fails as above, and leaves a log."""

    async def run_plan(plan: Plan, env: Env, folder: Path, logs: Path, tell: Callable[[str], None]) -> Report:
        (logs / "m1.log").write_text("precious")
        await trio.lowlevel.checkpoint()
        return FAILED

    monkeypatch.setattr(chaos, "run_plan", run_plan)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_a_failure_is_told(run: Run, failing: None, tmp_path: Path) -> None:
    """What differs, what was violated, the plan, the logs, and a command; the code is 1."""
    said = run("chaos", "--seed", "7", "--duration", "5")
    assert said.code == 1
    lines = said.out.splitlines()
    assert "1 faults (1 cut)" in lines[0]
    assert "differs: m1: Application app0: has no copy" in lines
    assert "violated: P1: m1 has ended" in lines
    assert "again: trio-argoagent chaos --plan chaos-seed-7.json" in lines
    assert Plan.from_json((tmp_path / "chaos-seed-7.json").read_text()).seed == 7
    logs = Path(lines[-1].removeprefix("logs: "))
    assert (logs / "m1.log").read_text() == "precious"


def test_a_failure_for_programs(run: Run, failing: None, tmp_path: Path) -> None:
    """Standard output and the report are JSON; the file that was played is named again."""
    (tmp_path / "my plan.json").write_text(draw_plan(7, Options(seconds=5.0)).to_json())
    said = run("chaos", "--plan", "my plan.json", "--json", "--report", "report.json")
    assert said.code == 1
    assert json.loads(said.out) == json.loads((tmp_path / "report.json").read_text()) == as_json(FAILED)
    assert "again: trio-argoagent chaos --plan 'my plan.json'" in said.err


def as_json(report: Report) -> Any:
    """What is left of it in JSON."""
    return json.loads(json.dumps(report.to_json()))
