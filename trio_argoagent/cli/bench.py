"""``trio-argoagent bench``: questions, sides, and where the figures go.

Exit codes: 0 measured, whether or not the goals were met; 2 the input cannot be used, or a process failed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import attrs
from rich.console import Console

from trio_argoagent.bench import report
from trio_argoagent.bench.runner import QUICK, THOROUGH, answer
from trio_argoagent.bench.stream import QUESTIONS, SIDES
from trio_argoagent.bench.values import Question
from trio_argoagent.cli import running
from trio_argoagent.errors import UserError

T = TypeVar("T")


def run_stream(*, questions: Sequence[str], sides: Sequence[str], quick: bool, path: str) -> None:
    """Measure the link; the options are those of the command."""

    async def program() -> int:
        asked = [_narrowed(question, sides) for question in _pick(QUESTIONS, questions, "QUESTION")]
        _pick(SIDES, sides, "--side")
        file = _opened(path)
        console, effort = Console(), QUICK if quick else THOROUGH
        answers = []
        for question in asked:
            those = [SIDES[name] for name in question.sides]
            with console.status("") as status:
                found = await answer(question, those, effort, status.update)
            report.show(found, console)
            answers.append(found)
        if file is not None:
            text = json.dumps(report.as_json("stream", answers, quick=quick), indent=1)
            file.write_text(text + "\n")
        return 0

    running.judge(program)


def _pick(known: Mapping[str, T], names: Sequence[str], what: str) -> list[T]:
    """Those of these names, each once; without any: all.

    Raises:
        UserError: there is none of such a name.
    """
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UserError(f"{what}: there is no {unknown[0]!r}: choose of {', '.join(known)}")
    return [value for name, value in known.items() if not names or name in names]


def _narrowed(question: Question, sides: Sequence[str]) -> Question:
    """With these sides only; the question's own where none is named."""
    return attrs.evolve(question, sides=tuple(s for s in question.sides if not sides or s in sides))


def _opened(path: str) -> Path | None:
    """Where the figures go, once it is known that they can: measuring takes minutes.

    Raises:
        UserError: they cannot.
    """
    if not path:
        return None
    try:
        Path(path).touch()
    except OSError as exc:
        raise UserError(f"--json: cannot write {path}: {exc.strerror}") from exc
    return Path(path)
