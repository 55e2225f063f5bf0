"""Markdown as far as the tests of pages need it: blocks, commands, headings, links."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

TOP: Final = Path(__file__).parents[3]
NAMES: Final = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    *sorted(path.relative_to(TOP).as_posix() for path in (TOP / "docs").rglob("*.md")),
]
FENCE: Final = re.compile(r"^ *```(\w*)$")
MARKER: Final = re.compile(r"^<!-- (run by|not run:) (.+) -->$")
SHELL: Final = ("console", "sh", "bash")
PROGRAM: Final = "trio-argoagent"
KEYWORDS: Final = ("do", "then", "else")
"""Of the shell, before a command."""
ELLIPSIS: Final = "..."
"""What stands for the rest of a command on a page."""


@attrs.frozen
class Marker:
    """Who runs the commands below it, until the next one on its page, or why nobody does."""

    run: bool
    text: str


@attrs.frozen
class Block:
    """A fenced block of commands, and the nearest marker above it."""

    page: str
    line: int
    commands: tuple[str, ...]
    marker: Marker | None


def text_of(page: str) -> str:
    """All of it."""
    return (TOP / page).read_text(encoding="utf-8")


def blocks(page: str) -> Iterator[Block]:
    """Those with commands: of a shell, or of no language where a line begins as a command does."""
    marker, language, start, inside = None, None, 0, list[str]()
    for number, line in enumerate(text_of(page).splitlines(), start=1):
        fence, marked = FENCE.match(line), MARKER.match(line)
        if fence and language is None:
            language, start, inside = fence[1], number, []
        elif fence:
            if found := commands(language or "", inside):
                yield Block(page, start, tuple(found), marker)
            language = None
        elif language is not None:
            inside.append(line.strip())
        elif marked:
            marker = Marker(marked[1] == "run by", marked[2])


def commands(language: str, lines: list[str]) -> list[str]:
    """Those of a block: what follows a prompt, or all where no prompt is shown."""
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    prompted = [line[2:] for line in joined if line.startswith("$ ")]
    if prompted or language not in ("", *SHELL):
        return prompted
    begins = re.compile(r"(\w+=\$\()?(trio-argoagent|kubectl|curl|docker|jq|make|export|pip|python)\b")
    return joined if any(begins.match(line) for line in joined) else []


def program_lines(command: str) -> Iterator[list[str]]:
    """The arguments of each call of our own program in a command of the shell."""
    reader = shlex.shlex(command, posix=True, punctuation_chars=True)
    reader.whitespace_split = True
    words = list[str]()
    for token in [*reader, ";"]:
        if token and set(token) <= {*"();<>|&"}:
            if words[:1] == [PROGRAM]:
                yield words[1:]
            words = []
        elif token not in KEYWORDS:
            words.append(token)


def anchors(page: str) -> set[str]:
    """What can be linked to in it: its headings, as GitHub makes them into names."""
    found, seen = set[str](), Counter[str]()
    for heading in re.findall(r"^#+ (.+?)\s*$", unfenced(page), re.MULTILINE):
        shown = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w -]", "", shown.lower()).replace(" ", "-")
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found


def unfenced(page: str) -> str:
    """It, without its blocks."""
    return re.sub(r"^ *```.*?^ *```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)


def links(page: str) -> list[str]:
    """Where it leads, within the project."""
    targets = re.findall(r"\]\(([^)\s]+)\)|^\[[^]]+\]: (\S+)", unfenced(page), re.MULTILINE)
    return [one or other for one, other in targets if "://" not in (one or other)]
