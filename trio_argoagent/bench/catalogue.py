"""All questions by name, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from trio_argoagent.bench import counts, fleet, kube, stream, virtual
from trio_argoagent.bench.questions import Question
from trio_argoagent.errors import UserError

_ALL: Final = (stream, fleet, kube, virtual, counts)
QUESTIONS: Final[Mapping[str, Question]] = {
    question.name: question for family in _ALL for question in family.QUESTIONS.values()
}
FAMILIES: Final = tuple(dict.fromkeys(question.family for question in QUESTIONS.values()))
"""Names that stand for all questions of a kind."""


def choose(names: Sequence[str]) -> list[Question]:
    """The questions of these names or families, each once; without any: all.

    Raises:
        UserError: there is none of such a name.
    """
    unknown = [repr(each) for each in dict.fromkeys(names) if each not in QUESTIONS and each not in FAMILIES]
    if unknown:
        every = ", ".join([*FAMILIES, *QUESTIONS])
        raise UserError(f"QUESTION: there is no {' and no '.join(unknown)}: choose of {every}")
    return [each for each in QUESTIONS.values() if not names or each.name in names or each.family in names]


def with_sides(names: Sequence[str], sides: Sequence[str]) -> list[Question]:
    """Those of the questions of these names that have one of these sides; all where none is named.

    Raises:
        UserError: there is none of such a name, none of them has such a side, one of the names stands for
            none that has, or a side is not installed.
    """
    questions = choose(names)
    known = {side.name: side for question in questions for side in question.sides}
    for name in sides:
        if name not in known:
            raise UserError(f"--side: there is no {name!r}: choose of {', '.join(known)}")
        if known[name].absent:
            raise UserError(f"--side: {name}: {known[name].absent}")
    for name in names if sides else ():
        if not any(_has(each, sides) for each in choose([name])):
            theirs = dict.fromkeys(side.name for each in choose([name]) for side in each.sides)
            raise UserError(f"--side: {name} has no {' and no '.join(sides)}: it has {', '.join(theirs)}")
    return [each for each in questions if not sides or _has(each, sides)]


def _has(question: Question, sides: Sequence[str]) -> bool:
    return any(side.name in sides for side in question.sides)
