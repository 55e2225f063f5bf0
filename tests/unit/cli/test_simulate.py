"""``simulate`` from the command line: what it says, and how it ends."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.testing import broken
from trio_argoagent.cli import running
from trio_argoagent.testing.campaign import Job
from trio_argoagent.testing.chaos import FAULTS, WIRE_FAULTS
from trio_argoagent.testing.plan import Options

from .conftest import Files, Run

SHORT = ("--agents", "1", "--apps", "1", "--hours", repr(broken.SHORT.seconds / 3600), "--faults", "none")
"""The same as ``broken.SHORT``."""


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Whatever is saved is saved here."""
    monkeypatch.chdir(tmp_path)
    yield


# What cannot be


@pytest.mark.parametrize(
    ("arguments", "hints"),
    [
        (("--faults", "cut,moonquake"), ["--faults: there is no 'moonquake'", "none, all, ", *FAULTS]),
        (("--faults", ""), ["--faults: there is no ''"]),
        (("--faults", "torn"), ["--faults: 'torn' needs --level 2"]),
        (("--level", "2", "--faults", "moonquake"), ["there is no 'moonquake'", "reset-stream"]),
        (("--level", "3"), ["'--level'"]),
        (("--compare", "a", "b"), ["--compare: cannot read a: No such file or directory"]),
        (("--compare", "a", "b", "--seed", "1"), ["--compare: nothing is played: leave --seed out"]),
        (("--hours", "0"), ["'--hours'", "0<x<=1000"]),
        (("--hours", "nan"), ["--hours: must be a number"]),
        (("--seeds", "0"), ["'--seeds'"]),
        (("--replay", "none.json"), ["--replay: cannot read none.json: No such file or directory"]),
        (("--replay", "none.json", "--apps", "2"), ["--replay: the plan says what --apps says"]),
        (("--replay", "none.json", "--seed", "0"), ["--replay: the plan says what --seed says"]),
        (("--trace", "none/trace"), ["--trace: cannot write none/trace: No such file or directory"]),
    ],
)
def test_what_cannot_be(run: Run, arguments: tuple[str, ...], hints: list[str]) -> None:
    """One line that names the option and what may be given instead."""
    line = run("simulate", *arguments).line
    assert all(hint in line for hint in hints), line


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ('"seed": ', '"seed" ', "line 3"),
        ('"agents": 1', '"agents": "one"', "options: agents: must be a whole number"),
        ('"kind": "create"', '"kind": "wish"', "items["),
        ("{", "\x00", "line 1"),
    ],
)
def test_a_plan_that_cannot_be_read(run: Run, files: Files, old: str, new: str, hint: str) -> None:
    """The line names the file, and its line or field."""
    good = Job(4, Options(agents=1, apps=1, seconds=12.0, faults=())).find_plan().to_json()
    assert old in good
    path = files.write("plan.json", good.replace(old, new, 1))
    line = run("simulate", "--replay", path).line
    assert line.startswith(f"--replay: {path}: ")
    assert hint in line


def test_a_plan_that_is_no_text(run: Run, files: Files) -> None:
    """The line names the byte."""
    path = files.write("plan.json", b'{"version": \xff}')
    assert run("simulate", "--replay", path).line == f"--replay: {path}, byte 12: this is not UTF-8"


def test_the_page_names_every_fault() -> None:
    """docs/simulate.md and the table of faults are one list, in one order."""
    page = (Path(__file__).parents[3] / "docs" / "simulate.md").read_text()
    rows = [f"| `{fault.name}` | {fault.what} |" for fault in WIRE_FAULTS.values()]
    assert page.partition("| fault | |\n|---|---|\n")[2].splitlines() == rows


# What is said


@pytest.mark.processes
def test_the_result_as_json_does_not_depend_on_the_jobs(run: Run) -> None:
    """Exactly these fields, and nothing else on standard output; two jobs say what one says."""
    one = run("simulate", *SHORT, "--seeds", "2", "--json", "--jobs", "1")
    two = run("simulate", *SHORT, "--seeds", "2", "--json", "--jobs", "2")
    assert (one.code, one.err) == (0, "")
    assert one == two
    result = json.loads(one.out)
    assert list(result) == ["seeds", "steps", "virtual_hours", "faults", "violations", "trace_blake2b"]
    assert (result["seeds"], result["faults"], result["violations"]) == (2, {}, 0)
    assert result["steps"] > 1000
    assert result["virtual_hours"] > 2 * broken.SHORT.seconds / 3600
    other = json.loads(run("simulate", *SHORT, "--seed", "2", "--seeds", "2", "--json").out)
    assert other["trace_blake2b"] != result["trace_blake2b"]


@pytest.mark.processes
def test_a_trace_is_the_seeds_in_their_order(run: Run, tmp_path: Path) -> None:
    """Each alone hashes to what the seed says; together they are the file; nothing else is left behind."""
    said = run("simulate", *SHORT, "--seed", "4", "--seeds", "2", "--trace", "both", "--jobs", "2")
    assert said.code == 0
    assert "2 seeds, " in said.out and ": none violated\n" in said.out
    traces = []
    for seed in ("4", "5"):
        result = json.loads(run("simulate", *SHORT, "--seed", seed, "--trace", seed, "--json").out)
        traces.append((tmp_path / seed).read_bytes())
        digest = hashlib.blake2b(traces[-1], digest_size=32).hexdigest()
        assert hashlib.blake2b(f"{digest}\n".encode(), digest_size=32).hexdigest() == result["trace_blake2b"]
    assert (tmp_path / "both").read_bytes() == b"".join(traces)
    assert sorted(os.listdir(tmp_path)) == ["4", "5", "both"]


@pytest.mark.processes
def test_two_traces_are_compared(run: Run, files: Files) -> None:
    """Those of one seed are the same; of two, the first write that differs is shown, and the code is 1."""
    for name, seed, level in (("a", "4", "2"), ("b", "4", "2"), ("c", "5", "2")):
        assert run("simulate", *SHORT, "--seed", seed, "--level", level, "--trace", name).code == 0
    same = run("simulate", "--compare", "a", "b")
    assert (same.code, same.out) == (0, "a and b are the same, write by write\n")
    other = run("simulate", "--compare", "a", "c")
    assert other.code == 1
    assert "is the first that differs:\n" in other.out
    assert "  first:  " in other.out and "  second: " in other.out
    none = files.write("none", b'{"at": 1}\n')
    line = run("simulate", "--compare", none, "a").line
    assert line == f"--compare: {none}, line 1: this is no line of a trace"


@pytest.mark.processes
def test_a_broken_product_is_caught(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The seed, the rule, what led to it, a saved plan, and a command that shows it again; the code is 1."""
    seed = str(broken.caught().seed)
    customized = tmp_path / "customized"
    customized.mkdir()
    broken.break_workers(monkeypatch, customized)
    said = run("simulate", *SHORT, "--seed", seed, "--shrink")
    assert said.code == 1
    lines = said.out.splitlines()
    assert lines[0] == f"seed {seed} is violated:"
    assert f": {broken.RULE}: " in lines[1]
    story = "\n".join(lines[: lines.index("")])
    assert "users                   create" in story
    assert "agent                   deletes Application argocd/app0" in story
    again = next(line for line in lines if line.startswith("again: "))
    assert again == f"again: trio-argoagent simulate --replay simulate-seed-{seed}.json"

    replayed = run(*again.split()[2:])
    assert replayed.code == 1
    assert replayed.out.splitlines()[:2] == lines[:2]
    as_json = run(*again.split()[2:], "--json")
    assert (as_json.code, json.loads(as_json.out)["violations"]) == (1, 1)
    assert as_json.err.splitlines()[:2] == lines[:2]

    whole = run("simulate", *SHORT, "--seed", seed)
    assert f"again: trio-argoagent simulate {' '.join(SHORT)} --seed {seed}" in whole.out


@pytest.mark.processes
def test_an_interrupt_ends_it_and_is_no_success(tmp_path: Path) -> None:
    """Ctrl-C: no worker is left, what was done is said, and the code tells that nothing is proven."""
    command = [
        sys.executable,
        "-m",
        "trio_argoagent",
        "simulate",
        *SHORT,
        "--seeds",
        "100000",
        "--trace",
        "t",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not list(tmp_path.glob(".simulate-*/2")):  # A worker has come as far as the second seed.
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=90)
    assert process.returncode == running.INTERRUPTED
    assert "interrupted after " in out
    assert err == ""
    assert os.listdir(tmp_path) == ["t"]
