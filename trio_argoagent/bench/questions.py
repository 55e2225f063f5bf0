"""What a benchmark asks: the cases, who takes part, what should come out, and how one round is measured."""

from __future__ import annotations

import importlib.util
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import attrs
import trio

from trio_argoagent.bench.figures import Case, Found, Sense, Values
from trio_argoagent.errors import UserError


@attrs.frozen
class Effort:
    """How much trouble to take.

    Attributes:
        rounds: of each side.
        seconds: of one case in one round, about, where that can be chosen.
        quick: take the cases for a quick look.
    """

    rounds: int
    seconds: float
    quick: bool


class NotHere(UserError):
    """This machine lacks what measuring it takes; the text says what."""


SPARE: Final = 200
"""Descriptors that any process has open, at the most, besides those for what a case counts."""
THOROUGH: Final = Effort(rounds=3, seconds=0.5, quick=False)
QUICK: Final = Effort(rounds=1, seconds=0.15, quick=True)


@attrs.frozen
class Side:
    """One of those that are compared.

    Attributes:
        name: on the command line and in the table.
        module: of this package; what it must have is told in ``channel``.
        what: one line about it.
        variant: which of the module's ways it is.
        package: what must be installed besides; empty: nothing.
    """

    name: str
    module: str
    what: str
    variant: str = ""
    package: str = ""

    @property
    def absent(self) -> str:
        """Why it cannot be measured here; empty: it can."""
        if not self.package or importlib.util.find_spec(self.package) is not None:
            return ""
        return f"{self.package} is not installed"


OURS: Final = Side("ours", "", "this project")
"""The only side of a question that has no peers."""


@attrs.frozen
class Asked:
    """One round of one side of a question.

    Attributes:
        side: whose turn it is.
        cases: in the order of the question.
        effort: how much of it.
        turn: counts the rounds from 0: what is drawn is drawn from it.
    """

    side: Side
    cases: tuple[Case, ...]
    effort: Effort
    turn: int


Ask = Callable[[Asked], Awaitable[Found]]
"""Measures one round.

Raises:
    NotHere: it cannot be done here; the text says why.
    UserError: something that it needs has failed; the text says why.
"""


def each(measure: Callable[[Case, Asked], Awaitable[Values]], at_once: int = 1) -> Ask:
    """Measures each case by itself.

    Args:
        measure: one case.
        at_once: how many may be measured at the same time: 1 unless no figure is about seconds. Then the
            last case, which is the greatest, begins first: it would be alone at the end.
    """

    async def ask(asked: Asked) -> Found:
        limiter, found = trio.CapacityLimiter(at_once), dict[Case, Values]()

        async def one(case: Case, *, task_status: trio.TaskStatus[None]) -> None:
            async with limiter:
                task_status.started()
                found[case] = await measure(case, asked)

        async with trio.open_nursery() as nursery:
            for case in asked.cases[::-1] if at_once > 1 else asked.cases:
                await nursery.start(one, case)
        return [(case, found[case]) for case in asked.cases]

    return ask


@attrs.frozen
class Growth:
    """How a figure grows with the cases.

    Attributes:
        text: one line for people.
        figure: its name, as ``n ** exponent``.
        most: that the exponent should be.
        side: whose.
    """

    text: str
    figure: str
    most: float
    side: str = OURS.name


@attrs.frozen
class Goal:
    """What should come out.

    Attributes:
        text: one line for people.
        side: whose figure.
        case: of which case.
        figure: its name.
        sense: which way.
        bound: how much.
        peer: the bound is a multiple of this side's figure of the same name; empty: it stands for itself.
    """

    text: str
    side: str
    case: Case
    figure: str
    sense: Sense
    bound: float
    peer: str = ""


@attrs.frozen
class Question:
    """Something to be measured.

    Attributes:
        name: on the command line.
        family: that it belongs to; on the command line it stands for all of them.
        what: one line: what is measured.
        cases: bytes of a message, or how many connections.
        case_unit: what the cases count.
        ask: measures one round of one side.
        sides: in the order of the table.
        ours: name of the side that the others are compared with.
        quick_cases: the cases for a quick look; none: the same.
        quick_sides: names of the sides for a quick look; none: all.
        goals: what should come out.
        growth: how figures should grow with the cases.
        rounds: of each side, at the most; 0: as the effort says.
        files: descriptors that a process holds open for each that a case counts, about.
    """

    name: str
    family: str
    what: str
    cases: tuple[Case, ...]
    case_unit: str
    ask: Ask = attrs.field(repr=False)
    sides: tuple[Side, ...] = (OURS,)
    ours: str = OURS.name
    quick_cases: tuple[Case, ...] = ()
    goals: tuple[Goal, ...] = ()
    growth: tuple[Growth, ...] = ()
    rounds: int = 0
    files: int = 0
    quick_sides: tuple[str, ...] = ()

    def chosen(self, effort: Effort) -> tuple[Case, ...]:
        """The cases that an effort takes."""
        return (effort.quick and self.quick_cases) or self.cases

    def descriptors(self, effort: Effort) -> int:
        """How many files a process of its greatest case has open, about."""
        counted = (case for case in self.chosen(effort) if isinstance(case, int))
        return SPARE + self.files * max(counted, default=0)

    def taking(self, effort: Effort, named: Sequence[str] = ()) -> tuple[Side, ...]:
        """The sides that take part.

        Args:
            effort: a quick look is at fewer.
            named: by the user, who is right; none: nobody is.
        """
        names = named or (self.quick_sides if effort.quick else ())
        return tuple(side for side in self.sides if not names or side.name in names)
