"""The figures of a release, and the README that shows the newest ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import attrs
import pytest

from benchmarks.history import BEGIN, END, HISTORY, README, keep, main, shown
from trio_argoagent.bench import results
from trio_argoagent.bench.catalogue import QUESTIONS
from trio_argoagent.bench.figures import Figure
from trio_argoagent.bench.headline import LINES, kept, load, table
from trio_argoagent.bench.machine import describe
from trio_argoagent.bench.results import Key, Result
from trio_argoagent.errors import UserError

OURS = "trio-argoagent"


def result() -> Result:
    """With all that is asked for, and of some a peer's."""
    figures: dict[Key, Figure] = {}
    for line in LINES:
        figures[line.key] = Figure("us", (2.0, 2.2, 2.1))
        if line.peer:
            figures[line.beside] = Figure("us", (10.5,))
    here = describe()
    return Result(figures, here | {"revision": "0a1b2c3", "versions": here["versions"] | {OURS: "1.0"}})


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
    assert lines[-1].startswith("Release 1.0 (0a1b2c3); ")


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


def test_keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file for the release, and the README with its table: both, or nothing is written."""
    readme, bare = tmp_path / "README.md", tmp_path / "bare.md"
    readme.write_text(f"a\n{BEGIN}none\n{END}b\n")
    bare.write_text("a\n")
    monkeypatch.setattr(results, "read", lambda folder: result())
    with pytest.raises(UserError, match="VERSION: 'next' is none"):
        keep(tmp_path, "next", tmp_path, readme)
    with pytest.raises(UserError, match="no place for figures"):
        keep(tmp_path, "1.0", tmp_path, bare)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["README.md", "bare.md"]
    keep(tmp_path, "1.0", tmp_path, readme)
    told = load(tmp_path / "1.0.json")
    assert told["machine"]["versions"]["python"]
    assert told["machine"]["revision"] == "0a1b2c3"
    assert readme.read_text() == shown(readme.read_text(), table(told))
    with pytest.raises(UserError, match=r"measured was 1\.0: give that version, or measure 1\.1"):
        keep(tmp_path, "1.1", tmp_path, readme)
    monkeypatch.setattr(results, "read", lambda folder: attrs.evolve(result(), quick=True))
    with pytest.raises(UserError, match="quick look"):
        keep(tmp_path, "1.0", tmp_path, readme)
    dirty = attrs.evolve(result(), machine=result().machine | {"revision": "0a1b2c3+"})
    monkeypatch.setattr(results, "read", lambda folder: dirty)
    with pytest.raises(UserError, match=r"0a1b2c3\+: measured with changes not committed"):
        keep(tmp_path, "1.0", tmp_path, readme)


def test_compared(tmp_path: Path) -> None:
    """What is kept of a release is read again as figures, with every round."""
    file = tmp_path / "1.0.json"
    file.write_text(json.dumps(kept(result(), "1.0")))
    found = results.read(file)
    assert found.figures == result().figures
    assert found.machine["revision"] == "0a1b2c3"
    assert not found.quick


def test_not_installed() -> None:
    """The version of what runs from a checkout may not be known: then it is what one says."""
    found = result()
    del found.machine["versions"][OURS]
    assert kept(found, "2.0")["version"] == "2.0"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [((), "give DIR"), (("/none", "1.0"), "cannot read /none"), (("/none", "one"), "VERSION: 'one'")],
)
def test_mistakes(arguments: Sequence[str], hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line."""
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {hint}")


def test_place() -> None:
    """The README has one for figures."""
    readme = README.read_text()
    assert shown(readme, "x").count("\nx\n") == 1


def releases() -> list[Path]:
    """Files that are kept, the oldest first."""
    return sorted(HISTORY.glob("*.json"), key=lambda path: [int(part) for part in path.stem.split(".")])


def test_readme() -> None:
    """It shows the newest release's figures as they were kept."""
    if not releases():
        pytest.skip("no release has figures yet")
    readme = README.read_text()
    assert shown(readme, table(load(releases()[-1]))) == readme
