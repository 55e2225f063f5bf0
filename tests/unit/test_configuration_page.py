"""docs/configuration.md and docs/reference: what they show is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tools import reference
from trio_argoagent.runtime.options.programs import PROGRAMS

from .cli.conftest import Run, run

__all__ = ["run"]
DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "configuration.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```console\n\$ trio-argoagent (.*)\n((?:.*\n)*?)```", PAGE)
(PARAMS,) = re.findall(r"```yaml\n((?:.*\n)*?)```", PAGE)


def cells(text: str) -> list[list[str]]:
    """Lines, whatever the widths of columns: these follow from options that the page does not show."""
    return [re.split(" {2,}", line) for line in text.splitlines()]


@pytest.mark.parametrize(("command", "shown"), BLOCKS, ids=[command for command, _ in BLOCKS])
def test_a_command(
    command: str, shown: str, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It prints what stands below it; dots stand for more of the same."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(PARAMS)
    said = run(*shlex.split(command))
    found, expected = cells(said.out + said.err), cells(shown)
    if expected[-1] == ["..."]:
        expected = expected[:-1]
        found = found[: len(expected)]
    assert found == expected
    assert said.code == (2 if "error: " in shown else 0)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_reference_is_made_of_the_table(name: str) -> None:
    """``python -m tools.reference`` makes it anew."""
    path = DOCS / "reference" / f"{name}.md"
    assert path.read_text(encoding="utf-8") == reference.page(PROGRAMS[name])
