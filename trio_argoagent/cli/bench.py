"""``trio-argoagent bench compare`` and ``questions``.

Exit codes: 1 ``compare`` has found a regression; 2 the input cannot be used.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from trio_argoagent.bench import report, results
from trio_argoagent.bench.catalogue import choose
from trio_argoagent.bench.comparing import Change, Difference, compare, elsewhere, lacking, regressions
from trio_argoagent.bench.relative import relative
from trio_argoagent.cli import running
from trio_argoagent.errors import UserError


def run_compare(*, before: str, after: str, threshold: float) -> None:
    """Compare two sets of figures; the options are those of the command."""

    async def program() -> int:
        older, newer = results.read(Path(before)), results.read(Path(after))
        other, alike = elsewhere(older.machine, newer.machine), older.quick == newer.quick
        sets = [each.figures | relative(each.figures) if other else each.figures for each in (older, newer)]
        found = compare(sets[0], sets[1], threshold / 100, alike=alike, here=not other)
        if not found:
            raise UserError(f"{before} and {after} have no figure in common")
        console = report.screen()
        _show_changes(found, console)
        gone = lacking(older.figures, newer.figures)
        for part in gone:
            console.print(f"missing in {after}: {part}", markup=False, soft_wrap=True)
        if not alike:
            console.print("One of them is a quick look: coarse, and of fewer rounds.")
        if other:
            told = f"They were taken on different machines ({', '.join(other)})"
            console.print(f"{told}: judged are counts, bytes and our CPU by peers'.", soft_wrap=True)
        whole = alike and older.whole and newer.whole
        return 1 if regressions(found) or (whole and gone) else 0

    running.judge(program)


def _show_changes(found: Sequence[Difference], console: Console) -> None:
    """What differs, a line each; of the rest how many there are."""
    for each in found:
        if each.change is not Change.SAME:
            where = " ".join(part for part in each.key if part != "ours")
            unit = each.before.unit
            values = f"{report.cell(each.before)} -> {report.cell(each.after)} {unit} ({each.ratio:.2f}x)"
            console.print(f"{each.change.value}: {where}: {values}", markup=False, soft_wrap=True)
    counted = {change: sum(each.change is change for each in found) for change in Change}
    told = ", ".join(f"{count} {change.value}" for change, count in counted.items() if count)
    console.print(f"{len(found)} figures: {told}", soft_wrap=True)


def list_questions() -> None:
    """Print what is asked, by family."""
    console = report.screen()
    for question in choose(()):
        cases = ", ".join(report.named(case) for case in question.cases)
        sides = ", ".join(side.name for side in question.sides)
        console.print(f"[bold]{question.name}[/] ({question.family}): {question.what}", highlight=False)
        console.print(f"    {question.case_unit}: {cases}; {sides}", highlight=False)
