"""Answers for people, as tables on a terminal."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Final, TextIO

from rich.console import Console
from rich.table import Table

from trio_argoagent.bench.answers import Answer, Row, Verdict
from trio_argoagent.bench.figures import Case, Figure
from trio_argoagent.bench.growth import Trend

WIDE: Final = 160
"""Columns of a table where nobody says how wide a line may be: in a file, or a pipe."""
ENDLESS: Final = 10_000
"""Columns that no table has."""
DETAILS: Final = ("client", "server")
"""Figures that are left out first where a line is too short: they are in the sum beside them."""
_VERDICTS: Final = {True: "[green]met[/]", False: "[red]missed[/]", None: "not measured"}


def screen(file: TextIO | None = None) -> Console:
    """Where answers are shown: as wide as the terminal, or as ``COLUMNS`` says, or ``WIDE``."""
    console = Console(file=file)
    told = console.is_terminal or "COLUMNS" in os.environ
    return console if told else Console(file=file, width=WIDE)


def show(answer: Answer, console: Console) -> None:
    """One question as a table, and what became of its goals."""
    question = answer.question
    console.print(f"[bold]{question.name}: {question.what}[/]", highlight=False, soft_wrap=True)
    table, missing = _fitting(answer, console)
    console.print(table)
    if missing:
        console.print(f"  no room for: {', '.join(missing)}", highlight=False, soft_wrap=True)
    for name, why in answer.absent.items():
        console.print(f"  {name}: {why}", soft_wrap=True)
    for line in [*verdicts(answer.verdicts), *trends(answer.trends)]:
        console.print(f"  {line}", soft_wrap=True)
    console.print()


def _fitting(answer: Answer, console: Console) -> tuple[Table, Sequence[str]]:
    """The fullest table that a line has room for, and what is left out of it.

    Where not even the barest fits, its figures take several lines each: none is cut.
    """
    names = list(dict.fromkeys(name for row in answer.rows for name in row.figures))
    endless = console.options.update(width=ENDLESS)
    few = [name for name in names if name not in DETAILS]
    for kept, spreads in ((names, True), (few, True), (few, False)):
        table = _table(answer, kept, spreads=spreads)
        # Of a line without an end, else the table would seem to be as wide as it may be.
        if console.measure(table, options=endless).maximum <= console.width:
            break
    missing = [name for name in names if name not in kept]
    return table, missing if spreads else [*missing, "how far rounds lie apart"]


def _table(answer: Answer, names: Sequence[str], *, spreads: bool) -> Table:
    question = answer.question
    # In the head of its column a unit takes no room from the figures.
    units = {name: figure.unit for row in answer.rows for name, figure in row.figures.items()}
    table, wide = Table(), max((len(named(row.case)) for row in answer.rows), default=0)
    table.add_column(question.case_unit, justify="right", no_wrap=True, min_width=wide)
    peers = len({row.side for row in answer.rows}) > 1
    if peers:
        table.add_column("side", no_wrap=True, min_width=max(len(row.side) for row in answer.rows))
    for name in names:
        table.add_column(f"{name}\n[dim]{units[name]}[/]", justify="right", overflow="fold")
    ratios = any(_ratio(answer, row) for row in answer.rows)
    if peers and ratios:
        table.add_column(f"CPU /\n{question.ours}", justify="right", overflow="fold")
    before = None
    for row in answer.rows:
        if peers and before is not None and row.case != before:
            table.add_section()
        before = row.case
        cells = [cell(row.figures.get(name), spread=spreads) for name in names]
        sides, ratio = [row.side] * peers, [_ratio(answer, row)] * (peers and ratios)
        table.add_row(named(row.case), *sides, *cells, *ratio)
    return table


def named(case: Case) -> str:
    """A case in the first column."""
    return f"{case:,}" if isinstance(case, int) else case


def cell(figure: Figure | None, *, spread: bool = True) -> str:
    """A figure without its unit: its median, and how far its values lie apart."""
    if figure is None:
        return ""
    apart = f" ±{figure.spread / 2:.0%}" if spread and len(figure.values) > 1 else ""
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
        fits = trend.told and f"{trend.told}, "
        growth = trend.growth
        lines.append(f"growth: {growth.text}: at most n^{growth.most:g}: {fits}{_VERDICTS[trend.met]}")
    return lines


def _ratio(answer: Answer, row: Row) -> str:
    ratio = answer.ratio(row)
    return "" if ratio is None else f"{ratio:.2f}x"
