"""docs/parity.md is true: each test that it names exists, and it names each."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
NAMED: Final = re.compile(r"`(test_\w+\.py)::(test_\w+)(?:\[(\w+)\])?`")


def scenarios() -> Iterator[tuple[str, str]]:
    """Every scenario, by file and name."""
    for path in sorted((ROOT / "tests" / "parity").glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield path.name, node.name


def named() -> list[tuple[str, str, str]]:
    """File, test and, if it has several, which of them, as the page has it."""
    found: list[tuple[str, str, str]] = NAMED.findall((ROOT / "docs" / "parity.md").read_text())
    return found


def test_the_page_names_every_scenario_and_no_other() -> None:
    """A reader can tick them off."""
    assert {(file, test) for file, test, _ in named()} == set(scenarios())


def test_the_cases_of_a_scenario_exist() -> None:
    """Those that the page names by their ids."""
    for file, _, case in named():
        text = (ROOT / "tests" / "parity" / file).read_text()
        assert not case or f'id="{case}"' in text, case
