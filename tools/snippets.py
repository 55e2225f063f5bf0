"""Pages show the code that is there: ``python -m tools.snippets`` puts it in again after a change.

A snippet stands below a marker, which is a comment and so not seen by readers::

    <!-- snippet: trio_argoagent/replication/bell.py Bell.wait -->
    <!-- snippet: trio_argoagent/net/http2.py open_http2 from "try:" to "nursery.cancel_scope.cancel()" -->

It names a function or a class, and may show part of it: from the first line that begins so to the next one
that begins like the second text. Docstrings are left out. ``<!-- tree: NAME -->`` shows a nursery tree of
``tools.trees``, ``<!-- noted tree: NAME -->`` the same, where what is said beside a line stays. A test
compares every page with what this would write.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

TOP: Final = Path(__file__).parents[1]
DOCS: Final = TOP / "docs"
NOTES_AT: Final = 48
"""The column of what is said beside a tree."""
_MARKER: Final = re.compile(r"<!-- (snippet|tree|noted tree): (.+?) -->\n\n?```(\w*)\n(.*?)```\n", re.DOTALL)
_ASKED: Final = re.compile(
    r'(?P<path>\S+) (?P<name>\S+)(?: from "(?P<first>[^"]+)")?(?: to "(?P<last>[^"]+)")?'
)
_BLOCKS: Final = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Misfit(Exception):
    """A marker names what is not there (any more)."""


def snippet(asked: str) -> str:
    """The code that a marker asks for, as far to the left as it goes.

    Raises:
        Misfit: there is none.
    """
    found = _ASKED.fullmatch(asked)
    if found is None:
        raise Misfit(f"no such form: {asked}")
    lines = _definition(found["path"], found["name"])
    if found["first"]:
        lines = _part(lines, found["first"], found["last"] or "", asked)
    return textwrap.dedent("\n".join(lines)) + "\n"


def refreshed(page: str, trees: Mapping[str, str] | Callable[[], Mapping[str, str]]) -> str:
    """A page with what its markers ask for.

    Args:
        page: its text.
        trees: by name; or what makes them, which is asked only if the page shows one.

    Raises:
        Misfit: a marker asks for what is not there.
    """

    def put(found: re.Match[str]) -> str:
        what, asked, language, before = found.groups()
        if what == "snippet":
            text = snippet(asked)
        else:
            made = trees() if callable(trees) else trees
            if asked not in made:
                raise Misfit(f"no such tree: {asked}")
            text = made[asked] + "\n" if what == "tree" else _noted(made[asked], before)
        return f"<!-- {what}: {asked} -->\n```{language}\n{text}```\n"

    return _MARKER.sub(put, page)


def _noted(tree: str, before: str) -> str:
    """The tree with the notes that stood beside its lines before."""
    notes = {label: note for _, label, note in map(_parts, before.splitlines()) if note}
    lines = []
    for branch, label, _ in map(_parts, tree.splitlines()):
        note = notes.get(label, "")
        lines.append(f"{branch + label:<{NOTES_AT}}{note}" if note else branch + label)
    return "\n".join(lines) + "\n"


def _parts(line: str) -> tuple[str, str, str]:
    """Of a line of a tree: what draws the branch, the label, and the note behind two spaces."""
    found = re.fullmatch(r"([│├└─ ]*)(.*?)(?: {2,}(.*))?", line)
    assert found is not None
    return found[1], found[2], found[3] or ""


def pages() -> list[Path]:
    """Those that have markers."""
    candidates = [*sorted(DOCS.rglob("*.md")), TOP / "ARCHITECTURE.md"]
    return [path for path in candidates if _MARKER.search(path.read_text(encoding="utf-8"))]


@cache
def _parsed(path: str) -> tuple[list[str], ast.Module]:
    try:
        text = (TOP / path).read_text(encoding="utf-8")
    except OSError as exc:
        raise Misfit(f"{path}: {exc.strerror}") from exc
    return text.splitlines(), ast.parse(text)


def _definition(path: str, name: str) -> list[str]:
    lines, node = _parsed(path)
    where: ast.AST = node
    for part in name.split("."):
        inside = (each for each in ast.iter_child_nodes(where) if isinstance(each, _BLOCKS))
        found = next((each for each in inside if each.name == part), None)
        if found is None:
            raise Misfit(f"{path}: there is no {name}")
        where = found
    assert isinstance(where, _BLOCKS)
    first = min([where.lineno, *(each.lineno for each in where.decorator_list)])
    hidden = {number for each in ast.walk(where) if isinstance(each, _BLOCKS) for number in _docstring(each)}
    span = range(first, (where.end_lineno or first) + 1)
    return [lines[number - 1] for number in span if number not in hidden]


def _docstring(block: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> range:
    if ast.get_docstring(block, clean=False) is None or len(block.body) == 1:
        return range(0)
    # A class has an empty line behind it.
    after = block.body[1].lineno if isinstance(block, ast.ClassDef) else (block.body[0].end_lineno or 0) + 1
    decorators = getattr(block.body[1], "decorator_list", ())
    after = min([after, *(each.lineno for each in decorators)])
    return range(block.body[0].lineno, after)


def _part(lines: list[str], first: str, last: str, asked: str) -> list[str]:
    begins = [number for number, line in enumerate(lines) if line.strip().startswith(first)]
    if not begins:
        raise Misfit(f"nothing begins like the first text: {asked}")
    start, stop = begins[0], len(lines)
    if last:
        ends = [n for n, line in enumerate(lines) if n >= start and line.strip().startswith(last)]
        if not ends:
            raise Misfit(f"nothing begins like the last text: {asked}")
        stop = ends[0] + 1
    return lines[start:stop]


def main() -> int:
    """Write the pages anew, and say which have changed."""
    from tools.trees import trees

    for path in pages():
        before = path.read_text(encoding="utf-8")
        after = refreshed(before, trees)
        if after != before:
            path.write_text(after, encoding="utf-8")
            print(path.relative_to(TOP))
    return 0


if __name__ == "__main__":
    sys.exit(main())
