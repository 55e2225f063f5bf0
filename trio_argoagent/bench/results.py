"""Figures as files: one JSON for each question, written so that other tools can read them, and read again.

The form is versioned (``FORM``): a file says which questions, sides, cases and figures it holds, with every
round's value, so that whoever compares two of them can judge how much a difference is worth.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from trio_argoagent.bench.answers import Answer
from trio_argoagent.bench.figures import Figure
from trio_argoagent.bench.questions import Question
from trio_argoagent.errors import UserError

FORM: Final = 1
"""Of the files."""
LARGEST: Final = 16 * 2**20
"""Bytes of a file that is read: one of ours has some 100 KB."""
GREATEST: Final = 1e15
"""Of a figure, either way: with what is beyond that nothing can be reckoned."""
JOINT: Final = "/"
"""Between the parts of a key, where it is written as one."""
BUSY: Final = "load"
"""What of a machine may be another when the next question is asked."""

Key = tuple[str, str, str, str]
"""Question, side, case and figure."""


def as_json(answer: Answer, machine: Mapping[str, Any], *, quick: bool) -> dict[str, Any]:
    """All of it, in plain values."""
    return {"form": FORM, "quick": quick, "machine": dict(machine), "question": answer.as_json()}


def path(folder: Path, question: Question) -> Path:
    """Of the file that bears the question's name."""
    return folder / f"{question.name}.json"


def forget(folder: Path, question: Question) -> None:
    """Remove what an earlier run has found: a question that fails now would seem to be answered.

    Raises:
        UserError: it cannot be removed.
    """
    file = path(folder, question)
    try:
        file.unlink(missing_ok=True)
    except OSError as exc:
        raise UserError(f"cannot remove {file}: {exc.strerror}") from exc


def write(folder: Path, answer: Answer, machine: Mapping[str, Any], *, quick: bool) -> Path:
    """Into the question's file, whole or not at all.

    Raises:
        UserError: it cannot be written.
    """
    file = path(folder, answer.question)
    try:
        text = json.dumps(as_json(answer, machine, quick=quick), indent=1, allow_nan=False)
    except ValueError as exc:
        raise UserError(f"{answer.question.name}: a figure is no number: {exc}") from exc
    replace(file, text + "\n")
    return file


def replace(file: Path, text: str) -> None:
    """Write a file whole; where it cannot be, what was there stays.

    Raises:
        UserError: it cannot be written.
    """
    partial = file.with_name(f".{file.name}.partial")
    try:
        try:
            partial.write_text(text, "utf-8")
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as exc:
        raise UserError(f"cannot write {file}: {exc.strerror}") from exc


@attrs.frozen
class Result:
    """What a file says.

    Attributes:
        figures: by question, side, case and name.
        machine: where they were taken.
        quick: was it a quick look?
        whole: all that a folder holds, and not a file of it.
    """

    figures: dict[Key, Figure]
    machine: Mapping[str, Any]
    quick: bool = False
    whole: bool = False


def read(path: Path) -> Result:
    """A file, or all ``*.json`` of a folder.

    Raises:
        UserError: there is none, one is no such file, or they were not taken alike.
    """
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        raise UserError(f"{path}: no figures: give a JSON file that bench has written, or a folder of them")
    first, *more = [_result(file) for file in files]
    figures = dict(first.figures)
    for file, each in zip(files[1:], more, strict=True):
        if unlike := _unlike(first, each):
            raise UserError(f"{file}: another {unlike} than in {files[0].name}: give each run its own folder")
        if twice := figures.keys() & each.figures.keys():
            raise UserError(f"{file}: {min(twice)[0]} is in another file there, too: remove one of them")
        figures |= each.figures
    return Result(figures, first.machine, first.quick, whole=path.is_dir())


def _unlike(one: Result, other: Result) -> str:
    """What keeps figures from being those of one run; empty: nothing."""
    if one.quick != other.quick:
        return "effort (a quick look)"
    names = (name for name in {**one.machine, **other.machine} if name != BUSY)
    return next((name for name in names if one.machine.get(name) != other.machine.get(name)), "")


def _result(file: Path) -> Result:
    told = _load(file)
    try:
        # A release keeps figures by their keys, and a run those of one question.
        figures = _by_key(told["figures"]) if "figures" in told else _figures(told["question"])
        if not isinstance(told["quick"], bool):
            raise TypeError("quick is neither true nor false")
        return Result(figures, dict(told["machine"]), told["quick"])
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as exc:
        raise UserError(f"{file}: not written by bench: {type(exc).__name__}: {exc}") from exc


def _load(file: Path) -> dict[str, Any]:
    try:
        # Asked before it is opened: a pipe waits there for somebody who writes.
        if not stat.S_ISREG(file.stat().st_mode):
            raise UserError(f"{file}: not written by bench: no regular file")
        with file.open("rb") as opened:
            text = opened.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise UserError(f"{file}: not written by bench: more than {LARGEST // 2**20} MiB")
        told = json.loads(text.decode())
    except OSError as exc:
        raise UserError(f"cannot read {file}: {exc.strerror}") from exc
    except (ValueError, RecursionError) as exc:
        raise UserError(f"{file}: not JSON: {exc}") from exc
    if not isinstance(told, dict) or told.get("form") != FORM:
        raise UserError(f"{file}: not written by bench, or by another version of it: no form {FORM}")
    return told


def _figures(question: Mapping[str, Any]) -> dict[Key, Figure]:
    """Of one question, as ``as_json`` writes them."""
    return {
        (str(question["name"]), str(row["side"]), str(row["case"]), str(name)): _figure(name, figure)
        for row in question["rows"]
        for name, figure in row["figures"].items()
    }


def _by_key(figures: Mapping[str, Any]) -> dict[Key, Figure]:
    """As ``headline.kept`` writes them."""
    found: dict[Key, Figure] = {}
    for joined, figure in figures.items():
        try:
            name, side, case, what = joined.split(JOINT)
        except ValueError as exc:
            raise ValueError(f"{joined} names no question, side, case and figure") from exc
        found[name, side, case, what] = _figure(joined, figure)
    return found


def _figure(name: str, told: Mapping[str, Any]) -> Figure:
    values = told["values"]
    # A truth value passes for a number in Python, and a string for a list of characters.
    if not isinstance(values, list) or any(type(value) not in (int, float) for value in values):
        raise TypeError(f"{name}: its values are no list of numbers")
    if not values:
        raise ValueError(f"{name} has no values")
    if not all(abs(float(value)) <= GREATEST for value in values):
        raise ValueError(f"{name} has a value that is none, or is enormous")
    return Figure(str(told["unit"]), tuple(float(value) for value in values))
