"""What came of a question: a row for each side and case, and what became of its goals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from trio_argoagent.bench.figures import CPU, Case, Figure, Sense
from trio_argoagent.bench.growth import Trend, fitted
from trio_argoagent.bench.questions import Goal, Growth, Question


@attrs.frozen
class Verdict:
    """What became of a goal.

    Attributes:
        goal: which.
        value: the figure, or its multiple of the peer's; None: it was not measured.
    """

    goal: Goal
    value: float | None

    @classmethod
    def of(cls, goal: Goal, rows: Mapping[tuple[str, Case], Row]) -> Verdict:
        """Has it been reached?"""
        value = _median(rows.get((goal.side, goal.case)), goal.figure)
        if value is not None and goal.peer:
            base = _median(rows.get((goal.peer, goal.case)), goal.figure)
            value = value / base if base else None
        return cls(goal, value)

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
class Row:
    """What one side has shown in one case.

    Attributes:
        side: its name.
        case: which.
        figures: by name, in the order of the columns.
    """

    side: str
    case: Case
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
class Taking:
    """When it was measured, and how much.

    Attributes:
        at: when it began, RFC 3339.
        seconds: how long it took.
        rounds: of each side, as they were asked for.
    """

    at: str
    seconds: float
    rounds: int


@attrs.frozen
class Answer:
    """What came of a question.

    Attributes:
        question: which.
        rows: in the order of the table; of a side that has failed, of the rounds before.
        absent: sides that could not be measured, and why.
        failed: those of them that are here, and did not get through.
        taking: None: nobody knows.
    """

    question: Question
    rows: tuple[Row, ...]
    absent: Mapping[str, str]
    failed: tuple[str, ...] = ()
    taking: Taking | None = None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What became of its goals."""
        rows = {(row.side, row.case): row for row in self.rows}
        return tuple(Verdict.of(goal, rows) for goal in self.question.goals)

    @property
    def trends(self) -> tuple[Trend, ...]:
        """How its costs grow."""
        return tuple(self._trend(each) for each in self.question.growth)

    def _trend(self, growth: Growth) -> Trend:
        found = self.series(growth.side, growth.figure)
        return Trend(growth, fitted(found), found[0][1].unit if found else "")

    def series(self, side: str, figure: str) -> tuple[tuple[Case, Figure], ...]:
        """One figure of one side over the cases that have it."""
        return tuple(
            (row.case, row.figures[figure]) for row in self.rows if row.side == side and figure in row.figures
        )

    def ratio(self, row: Row) -> float | None:
        """The CPU of this row as a multiple of ours in the same case; None where that is not known."""
        ours = next((r for r in self.rows if (r.side, r.case) == (self.question.ours, row.case)), None)
        cpu, base = _median(row, CPU), _median(ours, CPU)
        return cpu / base if cpu is not None and base else None

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "name": self.question.name,
            "family": self.question.family,
            "what": self.question.what,
            "case_unit": self.question.case_unit,
            "compared_with": self.question.ours,
            "rows": [row.as_json() | {"cpu_ratio": self.ratio(row)} for row in self.rows],
            "absent": dict(self.absent),
            "failed": list(self.failed),
            "taking": attrs.asdict(self.taking) if self.taking else None,
            "goals": [verdict.as_json() for verdict in self.verdicts],
            "growth": [trend.as_json() for trend in self.trends],
        }
