"""Asks one question: the sides take turns, round after round, and the figures are put together."""

from __future__ import annotations

import resource
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import trio

from trio_argoagent.bench.answers import Answer, Row
from trio_argoagent.bench.figures import Case, Figure
from trio_argoagent.bench.questions import Asked, Effort, Question
from trio_argoagent.errors import UserError, leaves
from trio_argoagent.testing import trial

LIMIT: Final = 600.0
"""Seconds for one round of one side: what takes longer has got stuck."""
CAUSES: Final = 3
"""Exceptions of a group that are told."""


async def answer(
    question: Question,
    effort: Effort,
    progress: Callable[[str], None],
    *,
    sides: Sequence[str] = (),
) -> Answer:
    """Measure one question.

    Args:
        question: which.
        effort: how much.
        progress: told what is measured next, for people, once a round of each side.
        sides: names of those that take part; none: as the effort says.

    Raises:
        UserError: it cannot be measured here, or something that it needs failed; the text says why.
        Exception: whatever else its measuring fails with; see ``why``.
    """
    _allow_files(question, effort)
    asked = question.taking(effort, sides)
    present = [side for side in asked if not side.absent]
    taken: dict[tuple[str, Case], dict[str, list[tuple[str, float]]]] = {}
    rounds = rounds_of(question, effort)
    for turn in range(rounds):
        # Who begins changes, so that whatever drifts on this machine drifts for all of them.
        shift = turn % len(present) if present else 0
        for side in [*present[shift:], *present[:shift]]:
            progress(f"{question.name}: {side.name}, round {turn + 1} of {rounds}")
            with trio.move_on_after(LIMIT) as scope:
                found = await question.ask(Asked(side, question.chosen(effort), effort, turn))
            if scope.cancelled_caught:
                raise UserError(f"{question.name}: {side.name}: no figures after {LIMIT:.0f} s: given up")
            for case, values in found:
                figures = taken.setdefault((side.name, case), {})
                for name, value in values.items():
                    figures.setdefault(name, []).append(value)
    rows = [
        Row(side.name, case, _figures(taken[side.name, case]))
        for case in question.chosen(effort)
        for side in present
        if (side.name, case) in taken
    ]
    return Answer(question, tuple(rows), {side.name: side.absent for side in asked if side.absent})


def _allow_files(question: Question, effort: Effort) -> None:
    """Raise this process' own limit of open files, which its children inherit, as far as it needs to be.

    Raises:
        UserError: the hard limit is below that.
    """
    needed = question.descriptors(effort)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise UserError(
            f"{question.name}: needs {needed:,} open files, and {hard:,} are allowed:"
            f" raise the hard limit (ulimit -Hn)"
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def rounds_of(question: Question, effort: Effort) -> int:
    """How many there are of each side."""
    return min(question.rounds or effort.rounds, effort.rounds)


def why(exc: BaseException) -> str:
    """What has kept a question from being answered, in one line: of a group, the first causes."""
    causes = list(leaves(exc))
    told = [" ".join(_cause(each).split()) for each in causes[:CAUSES]]
    more = [f"and {len(causes) - CAUSES} more"] if len(causes) > CAUSES else []
    return "; ".join([*dict.fromkeys(told), *more])


def _cause(exc: BaseException) -> str:
    if isinstance(exc, UserError):
        return str(exc)
    if isinstance(exc, trio.TooSlowError):
        return "what was waited for has not come"
    return next(trial.told(exc))


def _figures(taken: Mapping[str, Sequence[tuple[str, float]]]) -> dict[str, Figure]:
    return {name: Figure(values[0][0], tuple(value for _, value in values)) for name, values in taken.items()}
