"""``chaos`` as a user runs it: real processes, real faults, and both sides agree in the end."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from trio_argoagent.testing.processes.plan import Options, Plan
from trio_argoagent.testing.stage import Item

from .programs import environment

pytestmark = pytest.mark.processes

COMMAND: Final = (sys.executable, "-m", "trio_argoagent", "chaos")
TIMEOUT: Final = 400.0
"""Seconds: chaos itself gives up before that."""
EDITS: Final = tuple(("edit", "sync", "relabel", "refresh")[number % 4] for number in range(12))


def make_plan(options: Options, *troubles: tuple[str, str, float, float, float]) -> Plan:
    """These troubles (kind, target, at, lasts, strength), and users who edit and sync all the time."""
    number = itertools.count()
    targets = itertools.cycle(spoke.name for spoke in Plan(1, options, ()).spokes)
    pace = options.seconds / len(EDITS)
    actions = [Item(next(number), pace * place, kind, next(targets)) for place, kind in enumerate(EDITS)]
    items = [Item(next(number), at, kind, target, *more) for kind, target, at, *more in troubles]
    return Plan(1, options, tuple(sorted((*actions, *items), key=lambda item: item.at)))


def scratch(folder: Path) -> dict[str, str]:
    """An environment whose temporary folder is the test's own."""
    (folder / "tmp").mkdir()
    return environment() | {"TMPDIR": str(folder / "tmp"), "PYTHONWARNINGS": "error"}


def play(plan: Plan, folder: Path) -> dict[str, Any]:
    """Run a plan; the result, which is flawless, and what it leaves behind, which is nothing."""
    (folder / "plan.json").write_text(plan.to_json())
    command = [*COMMAND, "--plan", "plan.json", "--json", "--report", "report.json"]
    environ = scratch(folder)
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert os.listdir(environ["TMPDIR"]) == []
    value: dict[str, Any] = json.loads(done.stdout)
    assert value == json.loads((folder / "report.json").read_text())
    assert (value["passed"], value["differences"], value["violations"]) == (True, [], [])
    assert value["writes"] > 0
    assert sum(value["actions"].values()) > 0
    return value


def test_broken_wires(tmp_path: Path) -> None:
    """Whatever happens to links and to connections to API servers, both sides agree afterwards."""
    plan = make_plan(
        Options(2, 2, seconds=5.0, keepalive=1.0),
        ("half-open", "m1", 0.2, 0.5, 0.0),
        ("one-way", "a2", 0.3, 0.5, 0.2),
        ("api-cut", "principal", 0.5, 0.5, 0.0),
        ("api-slow", "a2", 1.0, 1.0, 0.1),
        ("latency", "a2", 1.5, 1.0, 0.2),
        ("slice", "m1", 2.0, 1.0, 0.9),
        ("slow", "a2", 2.6, 0.8, 0.1),
        ("corrupt", "m1", 3.0, 1.0, 1.0),
        ("refuse", "a2", 3.5, 1.0, 0.0),
        ("reset", "a2", 3.7, 0.0, 0.0),
        ("cut", "m1", 4.2, 0.6, 0.0),
    )
    value = play(plan, tmp_path)
    assert value["faults"] == {item.kind: 1 for item in plan.items if item.kind not in EDITS}
    assert value["proxy"]["cut"] >= 1
    assert [each["starts"] for each in value["programs"].values()] == [1, 1, 1]


def test_broken_programs(tmp_path: Path) -> None:
    """Killed, stopped, and with a full disk: both sides agree afterwards, and nobody has died of the disk."""
    plan = make_plan(
        Options(2, 2, seconds=6.0),
        ("kill", "principal", 0.2, 0.2, 0.0),
        ("stop", "m1", 1.0, 2.0, 0.0),
        ("kill", "a2", 2.0, 0.5, 0.0),
        ("disk-full", "principal", 4.0, 1.5, 0.0),
        ("disk-full", "m1", 4.2, 1.5, 0.0),
    )
    value = play(plan, tmp_path)
    assert value["faults"] == {"disk-full": 2, "kill": 2, "stop": 1}
    programs = value["programs"]
    assert {name: each["starts"] for name, each in programs.items()} == {"principal": 2, "m1": 1, "a2": 2}
    assert all(each["deaths"] == [] for each in programs.values())


def test_a_crowd_at_the_door(tmp_path: Path) -> None:
    """A principal that is out of file descriptors accepts nobody any more, and keeps whom it has."""
    options = Options(1, 1, seconds=4.0, keepalive=120.0)
    value = play(make_plan(options, ("fd-limit", "principal", 0.1, 3.8, 0.0)), tmp_path)
    assert value["faults"] == {"fd-limit": 1}
    events = value["programs"]["principal"]["events"]
    assert (events["link-up"], events.get("link-down", 0)) == (1, 0)
    assert any("EMFILE" in event for event in events)


def children_of(parent: int) -> list[int]:
    """Its processes, as far as they live."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == parent:
                found.append(int(entry.name))
    return found


def test_an_interrupt_ends_everything_and_proves_nothing(tmp_path: Path) -> None:
    """Ctrl-C: no process and no file is left, no traceback is shown, and the code is no success."""
    environ = scratch(tmp_path)
    command = [*COMMAND, "--agents", "1", "--apps", "1", "--duration", "3600", "--faults", "stop"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        try:
            while "the fleet is up" not in (line := process.stderr.readline()):
                assert line, "it has ended"
            children = children_of(process.pid)
            assert len(children) == 2
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=TIMEOUT)
        finally:
            process.kill()
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert not any(Path(f"/proc/{child}").exists() for child in children)
    assert os.listdir(environ["TMPDIR"]) == []
