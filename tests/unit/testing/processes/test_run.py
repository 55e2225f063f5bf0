"""The judgement of a run: what does not work is told, and what works is in tests/interop."""

from __future__ import annotations

from pathlib import Path

import pytest

from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.runtime.world import real_env
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.machine import NAMESPACE
from trio_argoagent.testing.processes import run
from trio_argoagent.testing.processes.fleet import Fleet
from trio_argoagent.testing.processes.plan import Options, Plan
from trio_argoagent.testing.processes.program import Program

pytestmark = pytest.mark.processes


async def test_a_product_that_does_nothing_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that end at once, after one illegal write: nothing of that goes unnoticed."""

    def hire(self: Fleet, keepalive: float) -> None:
        command = ("/bin/sh", "-c", "echo help >&2; exit 7")
        self.programs = {name: Program(name, command, {}, tmp_path / name) for name in ("principal", "m1")}
        forged = application("forged", namespace=NAMESPACE)
        self.hub.server.create(APPLICATIONS, NAMESPACE, forged, actor="principal", now=self.env.now())

    monkeypatch.setattr(Fleet, "hire", hire)
    monkeypatch.setattr(run, "START", 5.0)
    monkeypatch.setattr(run, "AGREEMENT", 1.0)
    told: list[str] = []
    plan = Plan(1, Options(1, 2, seconds=0.1), ())
    report = await run.run_plan(plan, real_env(), tmp_path, tmp_path, told.append)
    assert not report.passed
    assert any("Application app" in line and "has no copy" in line for line in report.differences)
    assert any(line.startswith("L1: before any trouble: m1: ") for line in report.violations)
    assert any(line.startswith("P1: m1 has ended by itself with code 7: ") for line in report.violations)
    assert any("I8: Application argocd/forged" in line for line in report.violations)
    assert report.programs["m1"].deaths[0] == 7
    assert report.to_json()["passed"] is False
    assert told[-1].startswith("nothing is wrong any more")
