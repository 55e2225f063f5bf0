"""``trio-argoagent bench run``: asks questions one after the other, and says where the answers are.

Exit codes: 0 measured, whether or not the goals were met; 2 the input cannot be used, something has failed,
or the user has named what cannot be measured on this machine. What nobody has named and is not here (a peer,
what counts instructions, enough open files) is told, and that is all. 130 interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import attrs
import click
import trio
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from trio_argoagent.bench import machine, report, results
from trio_argoagent.bench.answers import Answer
from trio_argoagent.bench.catalogue import with_sides
from trio_argoagent.bench.children import compile_modules
from trio_argoagent.bench.keeping import PAGE, prepare
from trio_argoagent.bench.page import page
from trio_argoagent.bench.questions import QUICK, THOROUGH, Effort, NotHere, Question
from trio_argoagent.bench.runner import answer, rounds_of, why
from trio_argoagent.cli import running
from trio_argoagent.errors import UserError


def run_questions(*, questions: Sequence[str], sides: Sequence[str], quick: bool, output: str) -> None:
    """Measure; the options are those of the command."""

    async def program() -> int:
        asked = with_sides(questions, sides)
        effort = QUICK if quick else THOROUGH
        measured = _Measured(prepare(output, asked), asked, sides, effort, frozenset(questions))
        measured.publish()
        await trio.to_thread.run_sync(compile_modules)
        try:
            await measured.ask_all()
        except trio.Cancelled:
            told = f"{len(measured.answers)} of {len(asked)} questions are answered"
            click.echo(f"interrupted: {told}: {measured.file}", err=True)
            raise
        measured.publish()
        text = f"{measured.file}: open it in a browser; the figures are beside it, as JSON"
        measured.console.print(text, soft_wrap=True)
        return running.USAGE if measured.went_wrong else 0

    running.judge(program)


@attrs.define
class _Measured:
    """What has been found so far, and where it goes.

    Attributes:
        folder: of the files.
        asked: in this order.
        sides: that the user has named.
        effort: how much.
        named: questions and families that the user has named.
        machine: what it is measured on.
        console: where people see it.
        answers: in the order of the questions.
        failed: questions that have no answer, or whose figures are not kept, and why.
        went_wrong: is there anything that should have been measured, and was not?
    """

    folder: Path
    asked: Sequence[Question]
    sides: Sequence[str]
    effort: Effort
    named: frozenset[str]
    machine: dict[str, object] = attrs.field(factory=machine.describe)
    console: Console = attrs.field(factory=report.screen)
    answers: list[Answer] = attrs.field(factory=list)
    failed: dict[str, str] = attrs.field(factory=dict)
    went_wrong: bool = False

    @property
    def file(self) -> Path:
        """The page."""
        return self.folder / PAGE

    @property
    def waiting(self) -> int:
        """Questions that are still to be asked."""
        return len(self.asked) - len({*self.failed, *(each.question.name for each in self.answers)})

    async def ask_all(self) -> None:
        """All questions, one after the other."""
        with _progress(self.console) as bar:
            turns = [_turns(each, self.sides, self.effort) for each in self.asked]
            task, done = bar.add_task("", total=sum(turns)), 0
            for question, rounds in zip(self.asked, turns, strict=True):
                before = done

                def step(text: str) -> None:
                    nonlocal done
                    bar.update(task, description=text, completed=done)  # This one only begins.
                    done += 1

                if bar.disable:
                    self.console.print(f"{question.name} ...", style="dim", highlight=False)
                await self._ask(question, step)
                done = before + rounds  # One that fails skips some.

    async def _ask(self, question: Question, step: Callable[[str], None]) -> None:
        """One question; whatever keeps it from being answered does not keep the others."""
        found, reason = None, ""
        try:
            results.forget(self.folder, question)
            found = await answer(question, self.effort, step, sides=self.sides)
        except* NotHere as group:
            reason = why(group)
            self.went_wrong |= bool(self.named & {question.name, question.family})
        except* Exception as group:
            reason, self.went_wrong = why(group), True
        if found is None:
            self._fail(question, f"no answer: {reason}")
        else:
            self._tell(found)
        self._keep(question, found)

    def _tell(self, found: Answer) -> None:
        self.answers.append(found)
        self.went_wrong |= bool(found.failed)
        report.show(found, self.console)
        if found.taking is not None:
            took = f"{found.question.name}: answered in {found.taking.seconds:.0f} s"
            self.console.print(took, style="dim", highlight=False)

    def _keep(self, question: Question, found: Answer | None) -> None:
        """Write what is known by now: who interrupts the next question loses nothing."""
        try:
            if found is not None:
                results.write(self.folder, found, self.machine, quick=self.effort.quick)
            if self.waiting:
                self.publish()
        except UserError as exc:
            self.went_wrong = True
            self._fail(question, f"not kept: {exc}")

    def _fail(self, question: Question, reason: str) -> None:
        self.failed[question.name] = reason
        self.console.print(f"{question.name}: {reason}", markup=False, soft_wrap=True)

    def publish(self) -> None:
        """Write the page.

        Raises:
            UserError: it cannot be written.
        """
        quick, waiting = self.effort.quick, self.waiting
        text = page(self.answers, self.failed, self.machine, quick=quick, waiting=waiting)
        results.replace(self.file, text)


def _turns(question: Question, sides: Sequence[str], effort: Effort) -> int:
    """Rounds of all sides that can be measured."""
    present = [each for each in question.taking(effort, sides) if not each.absent]
    return len(present) * rounds_of(question, effort)


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # Seldom: this process may hold the API servers of what is measured.
    return Progress(
        *columns, console=console, transient=True, refresh_per_second=1, disable=not console.is_terminal
    )
