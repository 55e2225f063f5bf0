"""What the demo refuses before it starts anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Files, Run


@pytest.mark.parametrize(
    ("option", "hints"),
    [
        (["--cut", "wset:1:1"], ["--cut wset:1:1", "choose one of east, west, edge"]),
        (["--cut", "west:1"], ["--cut west:1", "write AGENT:AT:SECONDS"]),
        (["--cut", "west:30:1"], ["--cut west:30:1", "choose less than 30, or a longer --duration"]),
        (["--restart", "hub"], ["--restart hub", "write NODE:AT"]),
        (["--restart", "moon:1"], ["--restart moon:1", "choose one of hub, east, west, edge"]),
    ],
)
def test_faults_that_cannot_be(run: Run, option: list[str], hints: list[str]) -> None:
    """The line names the option as it was written, and what may be written."""
    line = run("demo", "--headless", *option).line
    assert all(hint in line for hint in hints)


def test_a_report_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    """It is tried at the start, not after the workload."""
    path = tmp_path / "missing" / "report.json"
    line = run("demo", "--headless", "--report", str(path)).line
    assert line.startswith(f"--report: cannot write {path}: No such file or directory")


def test_documents_that_cannot_be_read(run: Run, tmp_path: Path) -> None:
    """The line names the file."""
    path = tmp_path / "apps.yaml"
    line = run("demo", "--headless", "--apply", str(path)).line
    assert line.startswith(f"--apply: cannot read {path}: No such file or directory")


def test_a_bad_document(run: Run, files: Files) -> None:
    """The line names file, document and field; an old report is left as it was."""
    path = files.write("apps.yaml", "---\n---\nkind: Application\n")
    report = files.write("report.json", "precious")
    line = run("demo", "--headless", "--apply", path, "--report", report).line
    assert line.startswith(f"{path}, document 2: apiVersion: ")
    assert Path(report).read_text() == "precious"
