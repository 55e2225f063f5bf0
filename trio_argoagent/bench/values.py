"""What a benchmark asks, and what came of it."""

from __future__ import annotations

import enum
import statistics
from collections.abc import Mapping
from typing import Any, Final

import attrs

CPU: Final = "cpu"
"""The figure that sides are compared by: microseconds of CPU a message, or milliseconds a connection, of both
processes together."""


class Sense(enum.Enum):
    """Which way a goal looks."""

    AT_LEAST = "at least"
    AT_MOST = "at most"


@attrs.frozen
class Figure:
    """One quantity, measured in several rounds.

    Attributes:
        unit: as it is shown.
        values: one a round, in the order they were taken; at least one.
    """

    unit: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """What it is, most likely."""
        return statistics.median(self.values)

    @property
    def spread(self) -> float:
        """From the least to the greatest, as a share of the median; 0 for a single value."""
        middle = self.median
        return (max(self.values) - min(self.values)) / abs(middle) if middle else 0.0

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "unit": self.unit,
            "n": len(self.values),
            "median": self.median,
            "spread": round(self.spread, 4),
            "values": list(self.values),
        }


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
    case: int
    figure: str
    sense: Sense
    bound: float
    peer: str = ""

    def judge(self, rows: Mapping[tuple[str, int], Row]) -> Verdict:
        """Has it been reached?"""
        value = _median(rows.get((self.side, self.case)), self.figure)
        if value is not None and self.peer:
            base = _median(rows.get((self.peer, self.case)), self.figure)
            value = value / base if base else None
        return Verdict(self, value)


@attrs.frozen
class Verdict:
    """What became of a goal.

    Attributes:
        goal: which.
        value: the figure, or its multiple of the peer's; None: it was not measured.
    """

    goal: Goal
    value: float | None

    @property
    def met(self) -> bool | None:
        """None: not known."""
        if self.value is None:
            return None
        if self.goal.sense is Sense.AT_LEAST:
            return self.value >= self.goal.bound
        return self.value <= self.goal.bound

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "goal": self.goal.text,
            "sense": self.goal.sense.value,
            "bound": self.goal.bound,
            "value": self.value,
            "met": self.met,
        }


@attrs.frozen
class Question:
    """Something to be measured.

    Attributes:
        name: on the command line.
        what: one line: what is measured.
        load: the name of what is done, in ``loads``.
        cases: bytes of a message, or how many connections.
        quick_cases: the same for a quick look.
        case_unit: what the cases count.
        sides: names, in the order of the table.
        ours: the side that the others are compared with.
        goals: what should come out.
    """

    name: str
    what: str
    load: str
    cases: tuple[int, ...]
    case_unit: str
    sides: tuple[str, ...]
    ours: str
    quick_cases: tuple[int, ...] = ()
    goals: tuple[Goal, ...] = ()


@attrs.frozen
class Row:
    """What one side has shown in one case.

    Attributes:
        side: its name.
        case: which.
        figures: by name, in the order of the columns.
    """

    side: str
    case: int
    figures: Mapping[str, Figure]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        figures = {name: figure.as_json() for name, figure in self.figures.items()}
        return {"side": self.side, "case": self.case, "figures": figures}


def _median(row: Row | None, name: str) -> float | None:
    """Of that figure, where there is one."""
    figure = row.figures.get(name) if row is not None else None
    return None if figure is None else figure.median


@attrs.frozen
class Answer:
    """What came of a question.

    Attributes:
        question: which.
        rows: in the order of the table.
        absent: sides that could not be measured, and why.
    """

    question: Question
    rows: tuple[Row, ...]
    absent: Mapping[str, str]

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What became of its goals."""
        rows = {(row.side, row.case): row for row in self.rows}
        return tuple(goal.judge(rows) for goal in self.question.goals)

    def ratio(self, row: Row) -> float | None:
        """The CPU of this row as a multiple of ours in the same case; None where that is not known."""
        ours = next((r for r in self.rows if (r.side, r.case) == (self.question.ours, row.case)), None)
        cpu, base = _median(row, CPU), _median(ours, CPU)
        return cpu / base if cpu is not None and base else None

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "name": self.question.name,
            "what": self.question.what,
            "case_unit": self.question.case_unit,
            "compared_with": self.question.ours,
            "rows": [row.as_json() | {"cpu_ratio": self.ratio(row)} for row in self.rows],
            "absent": dict(self.absent),
            "goals": [verdict.as_json() for verdict in self.verdicts],
        }
