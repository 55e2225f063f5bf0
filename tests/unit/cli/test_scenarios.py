"""``simulate --scenario``: what it says, and how it ends."""

from __future__ import annotations

import json

import pytest

from tests.unit.testing.scenario.files import GOOD, changed

from .conftest import Files, Run

BAD = changed("application: web, equals: 1", "application: web, equals: 2")
"""What it expects does not come true."""


def test_a_scenario_that_holds(run: Run, files: Files) -> None:
    """One line for each run, and one for all; the code is 0."""
    path = files.write("good.yaml", GOOD)
    said = run("simulate", "--scenario", path, "--scenario", path, "--seeds", "2", "--seed", "5")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[1] == f"ok      {path}, seed 6: A sync that is pressed while the link is down"
    assert len(lines) == 5
    assert lines[-1].startswith("4 runs, ") and lines[-1].endswith("none failed")


def test_a_scenario_that_fails(run: Run, files: Files) -> None:
    """What did not hold, with its line; what led to it; the command that shows it again; the code is 1."""
    path = files.write("bad file.yaml", BAD)
    said = run("simulate", "--scenario", path)
    assert said.code == 1
    lines = said.out.splitlines()
    assert lines[0].startswith(f"failed  {path}, seed 1: ")
    assert f"s: {path}:18: expect[0]: not so: operations" in lines[1]
    assert any("cut east" in line for line in lines)
    assert f"again: trio-argoagent simulate --scenario '{path}' --seed 1" in lines
    assert lines[-1].endswith("1 failed")


def test_a_scenario_for_programs(run: Run, files: Files) -> None:
    """JSON alone on standard output, words on standard error."""
    good, bad = files.write("good.yaml", GOOD), files.write("bad.yaml", BAD)
    said = run("simulate", "--scenario", good, "--scenario", bad, "--json")
    assert said.code == 1
    found = json.loads(said.out)
    assert (found["scenarios"], found["failed"]) == (2, 1)
    first, second = found["runs"]
    assert (first["scenario"], first["seed"], first["failures"]) == (good, 1, [])
    assert len(second["failures"]) == 1 and second["timeline"]
    assert said.err.startswith("ok      ")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (
            changed("cut: east", "cut: eats"),
            "bad.yaml:10: timeline[0].cut: there is no agent 'eats': did you",
        ),
        ("title: x\nfleet: [", "bad.yaml:2: this is not YAML"),
        ("\x00", "bad.yaml:1: this is not YAML"),
    ],
)
def test_a_scenario_that_cannot_be_read(run: Run, files: Files, text: str, hint: str) -> None:
    """One line with the file, the line and the field, before anything runs."""
    good, bad = files.write("good.yaml", GOOD), files.write("bad.yaml", text)
    assert hint in run("simulate", "--scenario", good, "--scenario", bad).line


def test_a_file_that_is_none(run: Run, files: Files) -> None:
    """It is not there, or not a text."""
    assert "cannot read none.yaml: No such file" in run("simulate", "--scenario", "none.yaml").line
    path = files.write("binary.yaml", b"\xff\xfe")
    assert "binary.yaml, byte 0: this is not UTF-8" in run("simulate", "--scenario", path).line


@pytest.mark.parametrize(
    "option", [("--agents", "2"), ("--faults", "none"), ("--replay", "x"), ("--trace", "x"), ("--shrink",)]
)
def test_options_that_have_no_meaning_beside_it(run: Run, files: Files, option: tuple[str, ...]) -> None:
    """The file says what they would say."""
    path = files.write("good.yaml", GOOD)
    assert f"{option[0]} has no meaning beside it" in run("simulate", "--scenario", path, *option).line
