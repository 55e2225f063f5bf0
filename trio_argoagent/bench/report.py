"""Answers for people, as tables on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rich.console import Console
from rich.table import Table

from trio_argoagent.bench.answers import Answer, Row, Verdict
from trio_argoagent.bench.figures import Case, Figure
from trio_argoagent.bench.growth import Trend

_VERDICTS: Final = {True: "[green]met[/]", False: "[red]missed[/]", None: "not measured"}


def show(answer: Answer, console: Console) -> None:
    """One question as a table, and what became of its goals."""
    question = answer.question
    # In the head of its column a unit takes no room from the figures: 80 columns must be enough.
    units = {name: figure.unit for row in answer.rows for name, figure in row.figures.items()}
    table = Table(title=f"{question.name}: {question.what}", title_justify="left", title_style="bold")
    table.add_column(question.case_unit, justify="right")
    peers = len({row.side for row in answer.rows}) > 1
    if peers:
        table.add_column("side", no_wrap=True)
    for name, unit in units.items():
        table.add_column(f"{name}\n[dim]{unit}[/]", justify="right", no_wrap=True)
    ratios = any(_ratio(answer, row) for row in answer.rows)
    if peers and ratios:
        table.add_column(f"CPU /\n{question.ours}", justify="right", no_wrap=True)
    before = None
    for row in answer.rows:
        if peers and before is not None and row.case != before:
            table.add_section()
        before = row.case
        cells = [cell(row.figures.get(name)) for name in units]
        sides, ratio = [row.side] * peers, [_ratio(answer, row)] * (peers and ratios)
        table.add_row(named(row.case), *sides, *cells, *ratio)
    console.print(table)
    for name, why in answer.absent.items():
        console.print(f"  {name}: {why}")
    for line in [*verdicts(answer.verdicts), *trends(answer.trends)]:
        console.print(f"  {line}")
    console.print()


def named(case: Case) -> str:
    """A case in the first column."""
    return f"{case:,}" if isinstance(case, int) else case


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


def trends(judged: Iterable[Trend]) -> list[str]:
    """How costs grow, in one line each."""
    lines = []
    for trend in judged:
        fits = "" if trend.exponent is None else f"n^{trend.exponent:.2f}, "
        growth = trend.growth
        lines.append(f"growth: {growth.text}: at most n^{growth.most:g}: {fits}{_VERDICTS[trend.met]}")
    return lines


def _ratio(answer: Answer, row: Row) -> str:
    ratio = answer.ratio(row)
    return "" if ratio is None else f"{ratio:.2f}x"
