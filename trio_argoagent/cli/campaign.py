"""A campaign at the command line: it plays the seeds of a request and says what came of them."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final, TextIO

import attrs
import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from trio_argoagent.errors import UserError
from trio_argoagent.testing import workers
from trio_argoagent.testing.campaign import Job, Outcome, Tally
from trio_argoagent.testing.plan import Options
from trio_argoagent.testing.shrink import Shrunk

VIOLATED: Final = 1
TOLD: Final = 3
"""Violations that are told in full; of the others the seeds."""
TOLD_RULES: Final = 5
"""Lines on what a seed violated."""
PATIENCE: Final = 120.0
"""Seconds of real time that every seed has at least."""
SLOWNESS: Final = 0.2
"""Seconds of real time that it has besides for each virtual second of each agent: ten times what it takes."""
PROGRAM: Final = "trio-argoagent simulate"


@attrs.frozen
class Request:
    """What the options ask for.

    Attributes:
        options: that plans are drawn with.
        seeds: which.
        workers: how many processes.
        again: the command that runs one of the seeds again, but for the seed; or that replays the file.
        plan: as JSON; empty: drawn.
        trace: the file for every API write; empty: none.
        shrink: the first violation.
        as_json: the result on standard output, everything else on standard error.
    """

    options: Options
    seeds: range
    workers: int
    again: str
    plan: str = ""
    trace: str = ""
    shrink: bool = False
    as_json: bool = False

    @property
    def limit(self) -> float:
        """Seconds of real time for one seed."""
        return PATIENCE + SLOWNESS * self.options.seconds * self.options.agents

    def command(self, seed: int) -> str:
        """What to type to see that seed again."""
        return self.again if self.plan else f"{self.again} --seed {seed}"


class Campaign:
    """The seeds of a request, played and judged.

    Args:
        request: what to do.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._out: TextIO = sys.stderr if request.as_json else sys.stdout
        self._tally = Tally()
        self._violated: dict[int, Outcome] = {}
        """The first of them by seed, at most ``TOLD``."""
        self._shrunk: Shrunk[int] | None = None

    async def run(self) -> int:
        """Play every seed; returns the exit code.

        Raises:
            UserError: the trace cannot be written.
        """
        with ExitStack() as stack:
            parts = self._open_trace(stack)
            progress = stack.enter_context(_bar())
            try:
                await self._play(progress, parts)
                if self._request.shrink and self._violated:
                    await self._shrink(progress)
            finally:
                progress.stop()
                self._join_trace(parts)
                self._tell()
        return VIOLATED if self._tally.violated else 0

    async def _play(self, progress: Progress, parts: str) -> None:
        bar = progress.add_task("seeds", total=len(self._request.seeds))

        def done(outcome: Outcome) -> None:
            self._count(outcome)
            bad = len(self._tally.violated)
            progress.update(bar, advance=1, description=f"seeds, {bad} violated" if bad else "seeds")

        await workers.play_all(
            self._jobs(parts), workers=self._request.workers, limit=self._request.limit, done=done
        )

    def _count(self, outcome: Outcome) -> None:
        self._tally.add(outcome)
        if outcome.violation:
            self._violated[outcome.seed] = outcome
            for seed in sorted(self._violated)[TOLD:]:
                del self._violated[seed]

    def _jobs(self, parts: str) -> Iterator[Job]:
        for seed in self._request.seeds:
            trace = os.path.join(parts, str(seed)) if parts else ""
            yield Job(seed, self._request.options, self._request.plan, trace)

    async def _shrink(self, progress: Progress) -> None:
        first = min(self._violated)
        bar = progress.add_task("shrinking", total=None)

        def told(runs: int, left: int) -> None:
            progress.update(bar, description=f"shrinking seed {first}: {left} items left after {runs} runs")

        self._violated[first], self._shrunk = await workers.shrink(
            self._violated[first], limit=self._request.limit, told=told
        )

    # The trace: workers write a file for each seed; together they are one, in the order of the seeds.

    def _open_trace(self, stack: ExitStack) -> str:
        path = self._request.trace
        if not path:
            return ""
        try:
            Path(path).write_bytes(b"")
            folder = os.path.dirname(os.path.abspath(path))
            return stack.enter_context(tempfile.TemporaryDirectory(prefix=".simulate-", dir=folder))
        except OSError as exc:
            raise UserError(f"--trace: cannot write {path}: {exc.strerror}") from exc

    def _join_trace(self, parts: str) -> None:
        if not parts:
            return
        with open(self._request.trace, "wb") as whole:
            for name in sorted(os.listdir(parts), key=int):
                with open(os.path.join(parts, name), "rb") as part:
                    shutil.copyfileobj(part, whole)

    # What is said

    def _tell(self) -> None:
        result, violated = self._tally.result(), self._tally.violated
        for seed in sorted(self._violated):
            self._tell_violation(self._violated[seed])
        if len(violated) > len(self._violated):
            others = [str(seed) for seed in violated if seed not in self._violated]
            self._say(f"violated, too: seeds {', '.join(others)}")
        if result["seeds"] < len(self._request.seeds):
            self._say(f"interrupted after {result['seeds']} of {len(self._request.seeds)} seeds")
        elif self._request.as_json:
            click.echo(json.dumps(result))
            return
        befell = sum(result["faults"].values())
        self._say(
            f"{_counted(result['seeds'], 'seed')}, {result['virtual_hours']:g} virtual hours, "
            f"{_counted(result['steps'], 'step')}, "
            f"{_counted(befell, 'fault')}: {len(violated) or 'none'} violated"
        )
        self._say(f"trace {result['trace_blake2b']}")

    def _tell_violation(self, outcome: Outcome) -> None:
        self._say(f"seed {outcome.seed} is violated:")
        broken = outcome.violation.splitlines()
        for line in broken[:TOLD_RULES]:
            self._say(f"  {line}")
        if len(broken) > TOLD_RULES:
            self._say(f"  and {len(broken) - TOLD_RULES} more")
        again = self._request.command(outcome.seed)
        heading = "what led to it"
        if self._shrunk is not None and outcome.seed == min(self._violated):
            heading, again = self._save(outcome, self._shrunk, again)
        self._say(f"{heading}:")
        for line in outcome.timeline:
            self._say(f"  {line}")
        self._say(f"again: {again}\n")

    def _save(self, outcome: Outcome, shrunk: Shrunk[int], again: str) -> tuple[str, str]:
        """Keep the shrunk plan beside us: only a file can say which troubles were dropped."""
        left = f"{_counted(len(shrunk.items), 'item')} of the plan left after {_counted(shrunk.runs, 'run')}"
        heading = f"what led to it ({left}{'' if shrunk.minimal else ', maybe not the fewest'})"
        path = f"simulate-seed-{outcome.seed}.json"
        try:
            Path(path).write_text(outcome.plan, encoding="utf-8")
        except OSError as exc:
            self._say(f"cannot write {path}: {exc.strerror}; the whole plan it is")
            return heading, again
        return heading, f"{PROGRAM} --replay {path}"

    def _say(self, text: str) -> None:
        click.echo(text, file=self._out)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _bar() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal,
        redirect_stdout=False,
        redirect_stderr=False,
    )
