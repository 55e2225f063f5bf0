"""Figures as files: one JSON for each question, written so that other tools can read them, and read again.

The form is versioned (``FORM``): a file says which questions, sides, cases and figures it holds, with every
round's value, so that whoever compares two of them can judge how much a difference is worth.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from trio_argoagent.bench.answers import Answer
from trio_argoagent.bench.figures import Figure
from trio_argoagent.errors import UserError

FORM: Final = 1
"""Of the files."""
LARGEST: Final = 16 * 2**20
"""Bytes of a file that is read: one of ours has some 100 KB."""

Key = tuple[str, str, str, str]
"""Question, side, case and figure."""


def as_json(answer: Answer, machine: Mapping[str, Any], *, quick: bool) -> dict[str, Any]:
    """All of it, in plain values."""
    return {"form": FORM, "quick": quick, "machine": dict(machine), "question": answer.as_json()}


def write(folder: Path, answer: Answer, machine: Mapping[str, Any], *, quick: bool) -> Path:
    """Into a file that bears the question's name.

    Raises:
        UserError: it cannot be written.
    """
    file = folder / f"{answer.question.name}.json"
    try:
        file.write_text(json.dumps(as_json(answer, machine, quick=quick), indent=1) + "\n")
    except OSError as exc:
        raise UserError(f"cannot write {file}: {exc.strerror}") from exc
    return file


@attrs.frozen
class Result:
    """What a file says.

    Attributes:
        figures: by question, side, case and name.
        machine: where they were taken.
    """

    figures: Mapping[Key, Figure]
    machine: Mapping[str, Any]


def read(path: Path) -> Result:
    """A file, or all ``*.json`` of a folder.

    Raises:
        UserError: there is none, or one is no such file.
    """
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        raise UserError(f"{path}: no figures: give a JSON file that bench has written, or a folder of them")
    figures: dict[Key, Figure] = {}
    machine: Mapping[str, Any] = {}
    for file in files:
        told = _load(file)
        try:
            figures |= _figures(told["question"])
            machine = dict(told["machine"])
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            raise UserError(f"{file}: not written by bench: {type(exc).__name__}: {exc}") from exc
    return Result(figures, machine)


def _load(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > LARGEST:
            raise UserError(f"{file}: not written by bench: more than {LARGEST // 2**20} MiB")
        told = json.loads(file.read_text("utf-8"))
    except OSError as exc:
        raise UserError(f"cannot read {file}: {exc.strerror}") from exc
    except (ValueError, RecursionError) as exc:
        raise UserError(f"{file}: not JSON: {exc}") from exc
    if not isinstance(told, dict) or told.get("form") != FORM:
        raise UserError(f"{file}: not written by bench, or by another version of it: no form {FORM}")
    return told


def _figures(question: Mapping[str, Any]) -> dict[Key, Figure]:
    """Of one question, as ``as_json`` writes them."""
    found: dict[Key, Figure] = {}
    for row in question["rows"]:
        for name, figure in row["figures"].items():
            values = tuple(float(value) for value in figure["values"])
            if not values:
                raise ValueError(f"{name} has no values")
            key = (str(question["name"]), str(row["side"]), str(row["case"]), str(name))
            found[key] = Figure(str(figure["unit"]), values)
    return found
