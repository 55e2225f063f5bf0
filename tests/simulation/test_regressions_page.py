"""The page on regressions is true: each report has its line, and each test that it names exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
LINE: Final = re.compile(r"^\| (?P<id>[sw]\w+) \| (?P<what>[^|]+) \| (?P<tests>[^|]+) \|$", re.MULTILINE)
TEST: Final = re.compile(r"`([\w/.-]+)(?:::(\w+))?`")
REPORTS: Final = (
    "s715", "s809", "s840", "s841", "s839", "s383", "s266", "s1037", "s1051", "s1053", "s748", "s660",
    "s813", "s443", "s348", "s465", "s742", "s783", "s857", "s960", "s1058", "s814", "s1057", "sA",
    "sB", "sC", "sD", "sE", "sF", "w3", "w4", "w22", "w12", "s593", "s921",
    "s1061",
)  # fmt: skip
"""What must not get lost when the page is edited."""


def lines() -> dict[str, str]:
    """The tests of each report, as the page names them."""
    page = (ROOT / "docs" / "regressions.md").read_text()
    return {found["id"]: found["tests"] for found in LINE.finditer(page)}


def functions(path: Path) -> Iterator[str]:
    """The tests of a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.name


def test_every_report_has_a_line() -> None:
    """Also every scenario that is named after one."""
    scenarios = (path.name.partition("-")[0] for path in (ROOT / "examples" / "scenarios").glob("*-*.yaml"))
    wanted = {*REPORTS, *(name for name in scenarios if re.fullmatch(r"s[A-F0-9]\d*|w\d+", name))}
    assert sorted(wanted - lines().keys()) == []


@pytest.mark.parametrize("report", sorted(lines()))
def test_what_the_page_names_exists(report: str) -> None:
    """A scenario's name begins with the report's id; a test's name holds it."""
    named = TEST.findall(lines()[report])
    assert named
    for where, test in named:
        path = ROOT / where
        assert path.is_file(), where
        if test:
            assert test in list(functions(path))
            assert f"_{report.lower()}_" in f"{test}_".lower()
        else:
            assert path.name.startswith(f"{report}-")
