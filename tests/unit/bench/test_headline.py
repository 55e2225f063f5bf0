"""The figures of a release, and the README that shows the newest ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.history import BEGIN, END, HISTORY, README, shown
from trio_argoagent.bench.catalogue import QUESTIONS
from trio_argoagent.bench.figures import Figure
from trio_argoagent.bench.headline import LINES, kept, load, table
from trio_argoagent.bench.machine import describe
from trio_argoagent.bench.results import Key, Result
from trio_argoagent.errors import UserError


def result() -> Result:
    """With all that is asked for, and of some a peer's."""
    figures: dict[Key, Figure] = {}
    for line in LINES:
        figures[line.key] = Figure("us", (2.0, 2.2, 2.1))
        if line.peer:
            figures[line.beside] = Figure("us", (10.5,))
    return Result(figures, describe())


def test_questions() -> None:
    """Each line is about a case and a side that there are."""
    for line in LINES:
        question = QUESTIONS[line.key[0]]
        assert {line.key[1], line.peer or line.key[1]} <= {side.name for side in question.sides}
        assert line.key[2] in [str(case) for case in question.cases]


def test_table() -> None:
    """Figures with their spread, goals, and a plot of what has a peer."""
    lines = table(kept(result(), "1.0")).splitlines()
    assert lines[2] == "| hub edit of 4 KB until it stands on the spoke, p50 | 2.1 us ±5% | 5 ms |"
    (rate,) = [line for line in lines if line.startswith("| status changes")]
    assert rate == "| status changes a second | 2.1 us ±5% (alone: 10.5 us) | 400 |"
    assert "  ours   ####                  2.1 us ±5%" in lines
    assert "  alone  ####################  10.5 us" in lines
    assert lines[-1].startswith("Release 1.0; ")


def test_missing() -> None:
    """A release without one of its figures is none; a peer may be missing."""
    found = result()
    bare = Result({line.key: found.figures[line.key] for line in LINES}, found.machine)
    assert "grpc" not in table(kept(bare, "1.0"))
    del bare.figures[LINES[0].key]  # type: ignore[attr-defined]
    with pytest.raises(UserError, match="not measured: propagation ours 0 p50"):
        kept(bare, "1.0")


def test_shown() -> None:
    """The table stands where the README has a place for it, and nothing else changes."""
    assert shown(f"a\n{BEGIN}old\n{END}b\n", "new") == f"a\n{BEGIN}new\n{END}b\n"
    with pytest.raises(ValueError, match="no place"):
        shown("a\n", "new")


def releases() -> list[Path]:
    """Files that are kept, the oldest first."""
    return sorted(HISTORY.glob("*.json"), key=lambda path: [int(part) for part in path.stem.split(".")])


def test_readme() -> None:
    """It shows the newest release's figures as they were kept."""
    if not releases():
        pytest.skip("no release has figures yet")
    readme = README.read_text()
    assert shown(readme, table(load(releases()[-1]))) == readme
