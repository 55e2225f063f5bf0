"""docs/structured-concurrency.md and its chapters are true: what they show is what there is."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import pytest

import trio_argoagent
from tools import snippets
from tools.trees import trees

from .patterns import PATTERNS, Pattern

TOP: Final = Path(__file__).parents[2]
DOCS: Final = TOP / "docs"
INDEX: Final = (DOCS / "structured-concurrency.md").read_text(encoding="utf-8")
ARCHITECTURE: Final = (TOP / "ARCHITECTURE.md").read_text(encoding="utf-8")
PAGES: Final = [path.relative_to(TOP).as_posix() for path in snippets.pages()]
CHAPTERS: Final = sorted((DOCS / "structured-concurrency").glob("*.md"))


def rows() -> Iterator[list[str]]:
    """Of the table of patterns."""
    table = INDEX.split("| pattern |", 1)[1].split("\n\n", 1)[0]
    for line in table.splitlines()[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def anchors(path: Path) -> set[str]:
    """What can be linked to in a page: its headings, as they are made into names."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def scene(pattern: Pattern) -> str:
    """Where it is, as the page says it."""
    show = pattern.show.args[0] if isinstance(pattern.show, partial) else pattern.show
    return f"`{show.__module__.rpartition('.')[2]}.py::{show.__name__}`"


@pytest.mark.parametrize("page", PAGES)
def test_what_is_shown_is_the_code(page: str) -> None:
    """Snippets and pictures; ``python -m tools.snippets`` puts them in again."""
    text = (TOP / page).read_text(encoding="utf-8")
    shown = snippets.refreshed(text, trees)
    assert shown == text, f"{page} shows what is not so any more: run `python -m tools.snippets`"


def test_the_pages_are_found() -> None:
    """Each chapter shows code, and the overview shows trees, as does ARCHITECTURE.md."""
    assert {f"docs/structured-concurrency/{path.name}" for path in CHAPTERS} < {*PAGES}
    assert {"docs/structured-concurrency.md", "ARCHITECTURE.md"} < {*PAGES}


def test_every_pattern_has_its_row() -> None:
    """And every row its pattern, its scene, its code and its section."""
    told = {row[0].partition("]")[0].lstrip("["): row for row in rows()}
    assert set(told) == {pattern.name for pattern in PATTERNS}
    for pattern in PATTERNS:
        link, code, shown = told[pattern.name]
        assert shown == scene(pattern)
        for name in re.findall(r"`([^`]+)`", code):
            assert (TOP / "trio_argoagent" / name).is_file(), f"{pattern.name}: there is no {name}"
        page, _, anchor = link.partition("(")[2].rstrip(")").partition("#")
        assert anchor == pattern.name
        assert anchor in anchors(DOCS / page), f"{page} has no section {anchor}"


def test_links_between_the_pages() -> None:
    """They lead somewhere."""
    for path in (DOCS / "structured-concurrency.md", *CHAPTERS):
        for page, anchor in re.findall(r"\]\(([\w./-]+\.md)#?([\w-]*)\)", path.read_text(encoding="utf-8")):
            target = (path.parent / page).resolve()
            assert target.is_file(), f"{path.name}: {page}"
            assert not anchor or anchor in anchors(target), f"{path.name}: {page}#{anchor}"


def test_nothing_is_left_of_a_link() -> None:
    """A disconnect takes away tasks and adds none, and the next link brings back the very same ones."""
    drawn = trees()
    for program in ("agent", "principal"):
        assert drawn[f"{program} connected"] == drawn[f"{program} again"]
        before, after = (drawn[f"{program} {when}"].split() for when in ("connected", "cut"))
        assert len(after) < len(before)
    assert "Mooring.hold" not in drawn["agent cut"]
    assert "Session" not in drawn["agent cut"] + drawn["principal cut"]


def test_a_move_has_two_links_and_one_session() -> None:
    """What exists because of a session is there once."""
    moving = trees()["agent moving"]
    assert "2 x Mooring.hold" in moving
    assert moving.count("Session.write") == 1


def classes() -> dict[str, type]:
    """Of the product, by name."""
    found = {}
    for module in pkgutil.walk_packages(trio_argoagent.__path__, "trio_argoagent."):
        if module.name == "trio_argoagent.runtime.otel":
            continue  # It needs an extra.
        if re.match(r"trio_argoagent\.(agent|principal|runtime|net|redis)\b", module.name):
            found |= {
                k: v for k, v in vars(importlib.import_module(module.name)).items() if isinstance(v, type)
            }
    return found


def test_the_tasks_that_are_named_beside_it_exist() -> None:
    """Those that not every program has."""
    beside = ARCHITECTURE.split("Not every program has all of them.", 1)[1].split("\n## ", 1)[0]
    named = re.findall(r"`(\w+)\.(\w+)`", beside)
    assert len(named) >= 5
    known = classes()
    assert [f"{name}.{method}" for name, method in named if not hasattr(known.get(name), method)] == []
