"""Files and functions stay small enough to be read in one go; the exceptions say why."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import trio_argoagent

PACKAGE: Final = Path(trio_argoagent.__file__).parent
MAX_FILE: Final = 400
MAX_FUNCTION: Final = 60
"""Lines, without the docstring."""
LONG_FILES: Final[dict[str, str]] = {
    "sync/replica.py": "one state machine: split, its invariants would span files",
    "sync/source.py": "likewise",
    "testing/contracts.py": "one suite for every cluster: a list of short tests",
    "testing/faults.py": "one wrapper of the whole Cluster port: every verb meets every fault",
}
"""Path in the package -> why it is longer."""
LONG_FUNCTIONS: Final[dict[str, str]] = {}
"""Path and name -> why it is longer."""


def lines(node: ast.stmt) -> int:
    """From its first to its last."""
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function of a file and its lines without the docstring."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            text = lines(node.body[0]) if ast.get_docstring(node, clean=False) else 0
            yield node.name, lines(node) - text


def test_no_file_is_long() -> None:
    """A longer file is two ideas, or has a reason."""
    sources = {str(path.relative_to(PACKAGE)): path for path in PACKAGE.rglob("*.py")}
    long = {name for name, path in sources.items() if len(path.read_text().splitlines()) > MAX_FILE}
    assert long <= set(LONG_FILES)


def test_no_function_is_long() -> None:
    """Likewise for functions."""
    long = {
        f"{path.relative_to(PACKAGE)}:{name}"
        for path in PACKAGE.rglob("*.py")
        for name, count in functions(path)
        if count > MAX_FUNCTION
    }
    assert long <= set(LONG_FUNCTIONS)
