"""``trio-argoagent bench``: asks questions one after the other, and says where the answers are.

Exit codes: 0 measured, whether or not the goals were met; 1 ``compare`` has found a regression; 2 the input
cannot be used, or a question has no answer; the others are answered all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import attrs
import trio
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from trio_argoagent.bench import machine, report, results
from trio_argoagent.bench.answers import Answer
from trio_argoagent.bench.catalogue import choose, with_sides
from trio_argoagent.bench.children import compile_modules
from trio_argoagent.bench.comparing import Change, Difference, compare, elsewhere, lacking, regressions
from trio_argoagent.bench.page import page
from trio_argoagent.bench.questions import QUICK, THOROUGH, Effort, Question
from trio_argoagent.bench.relative import relative
from trio_argoagent.bench.runner import answer, rounds_of, why
from trio_argoagent.cli import running
from trio_argoagent.errors import UserError

PAGE: Final = "report.html"


def run_questions(*, questions: Sequence[str], sides: Sequence[str], quick: bool, output: str) -> None:
    """Measure; the options are those of the command."""

    async def program() -> int:
        asked = with_sides(choose(questions), sides)
        folder = _folder(output)
        console, effort = report.screen(), QUICK if quick else THOROUGH
        measured = _Measured(folder, machine.describe())
        await trio.to_thread.run_sync(compile_modules)
        with _progress(console) as bar:
            turns = [_turns(each, sides, effort) for each in asked]
            task = bar.add_task("", total=sum(turns))
            for number, question in enumerate(asked):

                def step(text: str) -> None:
                    bar.update(task, description=text)
                    bar.advance(task)

                await measured.ask(question, effort, sides, step, bar.console)
                bar.update(task, completed=sum(turns[: number + 1]))  # One that fails skips some.
        file = measured.finish(quick=quick)
        console.print(f"{file}: open it in a browser; the figures are beside it, as JSON", soft_wrap=True)
        return running.USAGE if measured.failed else 0

    running.judge(program)


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


@attrs.define
class _Measured:
    """What has been found so far, and where it goes."""

    folder: Path
    machine: dict[str, object]
    answers: list[Answer] = attrs.field(factory=list)
    failed: dict[str, str] = attrs.field(factory=dict)

    async def ask(
        self,
        question: Question,
        effort: Effort,
        sides: Sequence[str],
        step: Callable[[str], None],
        console: Console,
    ) -> None:
        """One question; whatever keeps it from being answered does not keep the others."""
        began = trio.current_time()
        try:
            results.forget(self.folder, question)
            found = await answer(question, effort, step, sides=sides)
            self.answers.append(found)
            report.show(found, console)
            took = trio.current_time() - began
            console.print(f"{question.name}: answered in {took:.0f} s", style="dim", highlight=False)
            results.write(self.folder, found, self.machine, quick=effort.quick)
        except* Exception as group:
            reason = self.failed[question.name] = why(group)
            console.print(f"{question.name}: no answer: {reason}", markup=False, soft_wrap=True)

    def finish(self, *, quick: bool) -> Path:
        """Write the page; returns where it is.

        Raises:
            UserError: it cannot be written.
        """
        file = self.folder / PAGE
        try:
            file.write_text(page(self.answers, self.failed, self.machine, quick=quick), "utf-8")
        except OSError as exc:
            raise UserError(f"cannot write {file}: {exc.strerror}") from exc
        return file


def _turns(question: Question, sides: Sequence[str], effort: Effort) -> int:
    """Rounds of all sides that can be measured."""
    present = [each for each in question.taking(effort, sides) if not each.absent]
    return len(present) * rounds_of(question, effort)


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)


def _folder(output: str) -> Path:
    """Where the figures go, once it is known that they can: measuring takes minutes.

    Raises:
        UserError: they cannot.
    """
    folder = Path(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / PAGE).touch()
    except OSError as exc:
        raise UserError(f"--output: cannot write to {folder}: {exc.strerror}") from exc
    return folder


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
