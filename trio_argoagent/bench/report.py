"""Answers for people, and for programs."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from importlib import metadata
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from trio_argoagent.bench.values import Answer, Figure, Row, Verdict

_PACKAGES: Final = ("trio-argoagent", "trio", "h2", "msgpack", "cryptography", "grpcio", "grpclib")
_VERDICTS: Final = {True: "[green]met[/]", False: "[red]missed[/]", None: "not measured"}


def versions() -> dict[str, str]:
    """Of what the figures depend on; without those that are not installed."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def as_json(name: str, answers: Sequence[Answer], *, quick: bool) -> dict[str, Any]:
    """All of it."""
    return {
        "benchmark": name,
        "quick": quick,
        "versions": versions(),
        "questions": [answer.as_json() for answer in answers],
    }


def show(answer: Answer, console: Console) -> None:
    """One question as a table, and what became of its goals."""
    question = answer.question
    # In the head of its column a unit takes no room from the figures: 80 columns must be enough.
    units = {name: figure.unit for row in answer.rows for name, figure in row.figures.items()}
    table = Table(title=f"{question.name}: {question.what}", title_justify="left", title_style="bold")
    table.add_column(question.case_unit, justify="right")
    table.add_column("side", no_wrap=True)
    for name, unit in units.items():
        table.add_column(f"{name}\n[dim]{unit}[/]", justify="right", no_wrap=True)
    table.add_column(f"CPU /\n{question.ours}", justify="right", no_wrap=True)
    before = None
    for row in answer.rows:
        if before is not None and row.case != before:
            table.add_section()
        before = row.case
        figures = (row.figures.get(name) for name in units)
        table.add_row(f"{row.case:,}", row.side, *(cell(figure) for figure in figures), _ratio(answer, row))
    console.print(table)
    for name, why in answer.absent.items():
        console.print(f"  {name}: {why}")
    for line in verdicts(answer.verdicts):
        console.print(f"  {line}")
    console.print()


def cell(figure: Figure | None) -> str:
    """A figure without its unit: its median, and how far its values lie apart."""
    if figure is None:
        return ""
    apart = f" ±{figure.spread / 2:.0%}" if len(figure.values) > 1 else ""
    return f"{number(figure.median)}{apart}"


def number(value: float) -> str:
    """Three figures that count, or all before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def verdicts(judged: Iterable[Verdict]) -> list[str]:
    """Goals in one line each."""
    lines = []
    for verdict in judged:
        goal = verdict.goal
        times = "x" if goal.peer else ""
        value = "" if verdict.value is None else f"{number(verdict.value)}{times}, "
        lines.append(
            f"goal: {goal.text}: {goal.sense.value} {number(goal.bound)}{times}:"
            f" {value}{_VERDICTS[verdict.met]}"
        )
    return lines


def _ratio(answer: Answer, row: Row) -> str:
    ratio = answer.ratio(row)
    return "" if ratio is None else f"{ratio:.2f}x"
