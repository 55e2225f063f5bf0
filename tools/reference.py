"""Writes docs/reference/{principal,agent}.md from the option table: ``python -m tools.reference``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from trio_argoagent.runtime.options.programs import PROGRAMS
from trio_argoagent.runtime.options.rows import Option, Part, Program

FOLDER: Final = Path(__file__).parents[1] / "docs" / "reference"
_INTRODUCTION: Final = """\
# Options of the {name}

Made from the option table by `python -m tools.reference`; a test compares. How values are written, and which
of flag, variable and key counts: [../configuration.md](../configuration.md).
"""


def page(program: Program) -> str:
    """The reference of a program's options, as Markdown."""
    parts = "".join("\n" + "\n".join(_part(program, part)) + "\n" for part in program.parts)
    return _INTRODUCTION.format(name=program.name) + parts


def _part(program: Program, part: Part) -> Iterator[str]:
    yield f"## {part.title}"
    yield ""
    yield "| option | what it does | default | variable | key | since |"
    yield "|---|---|---|---|---|---|"
    for option in part.options:
        cells = (
            _flags(option),
            option.help.replace("<", "&lt;"),
            _default(option),
            ", ".join(f"`{each}`" for each in program.variables(option)),
            _code(program.key(option)),
            option.since,
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _flags(option: Option) -> str:
    if not option.flag:
        return ""
    flags = [option.short, option.flag, option.negative]
    shown = ", ".join(_code(each) for each in flags if each)
    return shown if option.kind.is_switch else f"{shown} {_code(option.metavar)}"


def _default(option: Option) -> str:
    if option.required:
        return "required"
    return _code(option.shown) if option.shown == option.default else option.shown


def _code(text: str) -> str:
    return text and f"`{text}`"


def main() -> None:
    """Write both pages."""
    FOLDER.mkdir(exist_ok=True)
    for program in PROGRAMS.values():
        (FOLDER / f"{program.name}.md").write_text(page(program), encoding="utf-8")


if __name__ == "__main__":
    main()
