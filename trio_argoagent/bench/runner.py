"""Asks one question: the sides take turns, round after round, and the figures are put together."""

from __future__ import annotations

import resource
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import trio

from trio_argoagent.bench.answers import Answer, Row, Taking
from trio_argoagent.bench.figures import Case, Figure
from trio_argoagent.bench.questions import OURS, Asked, Effort, NotHere, Question, Side
from trio_argoagent.errors import UserError, leaves
from trio_argoagent.ports.env import rfc3339
from trio_argoagent.runtime.world import real_env
from trio_argoagent.testing import trial

LIMIT: Final = 600.0
"""Seconds for one round of one side: what takes longer has got stuck."""
CAUSES: Final = 3
"""Exceptions of a group that are told."""

Taken = dict[tuple[str, Case], dict[str, list[tuple[str, float]]]]
"""By side and case, and by name: unit and value, one a round."""


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

    A side that fails, whatever it fails with, is not asked again: it is among those that are absent.

    Raises:
        NotHere: it cannot be measured here; the text says why.
        UserError: all sides have failed; the text says why.
    """
    _allow_files(question, effort)
    at, began = rfc3339(int(real_env().now())), trio.current_time()
    asked = question.taking(effort, sides)
    present = [side for side in asked if not side.absent]
    taken, failed = await _rounds(question, effort, progress, present)
    if failed and not taken:
        raise UserError("; ".join(map(_told, failed, failed.values())))
    rows = [
        Row(side.name, case, _figures(taken[side.name, case]))
        for case in question.chosen(effort)
        for side in present
        if (side.name, case) in taken
    ]
    absent = {side.name: side.absent for side in asked if side.absent} | failed
    taking = Taking(at, round(trio.current_time() - began, 1), rounds_of(question, effort))
    return Answer(question, tuple(rows), absent, tuple(failed), taking)


async def _rounds(
    question: Question, effort: Effort, progress: Callable[[str], None], present: Sequence[Side]
) -> tuple[Taken, dict[str, str]]:
    """What the sides have found, and why some have failed.

    Raises:
        NotHere: it cannot be measured here.
    """
    rounds, taken, failed = rounds_of(question, effort), Taken(), dict[str, str]()
    for turn in range(rounds):
        # Who begins changes, so that whatever drifts on this machine drifts for all of them.
        shift = turn % len(present) if present else 0
        for side in [*present[shift:], *present[:shift]]:
            if side.name not in failed:
                progress(f"{question.name}: {side.name}, round {turn + 1} of {rounds}")
                asked = Asked(side, question.chosen(effort), effort, turn)
                if reason := await _round(asked, question, taken):
                    failed[side.name] = reason
    return taken, failed


async def _round(asked: Asked, question: Question, taken: Taken) -> str:
    """Ask one side once, and keep what it has found; why there is nothing: empty, there is.

    Raises:
        NotHere: it cannot be measured here.
    """
    reason = ""
    try:
        with trio.move_on_after(LIMIT) as scope:
            for case, values in await question.ask(asked):
                figures = taken.setdefault((asked.side.name, case), {})
                for name, value in values.items():
                    figures.setdefault(name, []).append(value)
        if scope.cancelled_caught:
            reason = f"no figures after {LIMIT:.0f} s: given up"
    except* NotHere as group:
        raise NotHere(why(group)) from group
    except* Exception as group:
        reason = why(group).removeprefix(f"{asked.side.name}: ")
    return reason


def _allow_files(question: Question, effort: Effort) -> None:
    """Raise this process' own limit of open files, which its children inherit, as far as it needs to be.

    Raises:
        NotHere: the hard limit is below that.
    """
    needed = question.descriptors(effort)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise NotHere(
            f"needs {needed:,} open files, and {hard:,} are allowed: raise the hard limit (ulimit -Hn)"
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def rounds_of(question: Question, effort: Effort) -> int:
    """How many there are of each side."""
    return min(question.rounds or effort.rounds, effort.rounds)


def _told(side: str, reason: str) -> str:
    """Of whom it is told, where there are others."""
    return reason if side == OURS.name else f"{side}: {reason}"


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
