"""Where two runs part: the first step that differs, and what it was in each.

Steps are those of ``steps`` (every step of every task, and what it did), or the writes that
``simulate --trace`` has kept. Runs of one seed must never differ; when they do, what differs first is where
something that no seed reaches came in.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any, Final

import attrs

from trio_argoagent.errors import UserError
from trio_argoagent.testing.snapshot import changes

LEAD: Final = 3
"""Steps before the one that differs that are shown."""
MAX_CHANGES: Final = 5
"""Fields that differ, of one step, that are shown."""


@attrs.frozen
class Step:
    """Something that happened in a run.

    Attributes:
        at: virtual seconds from the beginning.
        node: where: a program, or a cluster.
        what: the task that made a step, or the effect that it had.
        detail: of an effect: what it is about, as JSON or as text.
    """

    at: float
    node: str
    what: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.at:.6f} s {self.node}: {self.what}"

    def to_json(self) -> str:
        """One line."""
        return json.dumps(attrs.astuple(self))

    @classmethod
    def from_json(cls, line: str) -> Step:
        """What ``to_json`` has written."""
        return cls(*json.loads(line))


@attrs.frozen
class Divergence:
    """The first step in which two runs differ.

    Attributes:
        number: of the step, from 1.
        first: what it was in the first run; None: that run had ended.
        second: likewise.
        lead: the steps just before it, which are the same in both.
    """

    number: int
    first: Step | None
    second: Step | None
    lead: tuple[Step, ...]

    def __str__(self) -> str:
        before = [f"  same:   {step}" for step in self.lead]
        here = [f"  first:  {_ended(self.first)}", f"  second: {_ended(self.second)}"]
        fields = [f"          {change}" for change in self._fields()]
        return "\n".join((f"step {self.number:,} is the first that differs:", *before, *here, *fields))

    def _fields(self) -> list[str]:
        if self.first is None or self.second is None or self.first.detail == self.second.detail:
            return []
        found = list(changes(_parsed(self.first.detail), _parsed(self.second.detail)))
        more = len(found) - MAX_CHANGES
        return [*found[:MAX_CHANGES], *([f"and {more} more"] if more > 0 else [])]


def _ended(step: Step | None) -> str:
    return "it has ended" if step is None else str(step)


def _parsed(detail: str) -> Any:
    try:
        return json.loads(detail)
    except ValueError:
        return detail


def first_divergence(trace_a: Iterable[Step], trace_b: Iterable[Step]) -> Divergence | None:
    """The first step in which two runs differ; None: they are the same to their ends.

    Args:
        trace_a: of the first run, in order; read only as far as the runs agree.
        trace_b: likewise of the second.
    """
    lead: deque[Step] = deque(maxlen=LEAD)
    for number, (first, second) in enumerate(zip_longest(trace_a, trace_b), 1):
        if first != second:
            return Divergence(number, first, second, tuple(lead))
        lead.append(first)
    return None


def read_writes(lines: Iterable[bytes], name: str) -> Iterator[Step]:
    """The writes that ``simulate --trace`` has kept.

    Args:
        lines: of the file.
        name: of the file, for errors.

    Raises:
        UserError: a line is none of such a file; names it.
    """
    for number, line in enumerate(lines, 1):
        try:
            write = json.loads(line)
            what = (
                f"{write['actor']}: {write['verb']} {write['resource']} {write['namespace']}/{write['name']}"
            )
            step = Step(float(write["at"]), str(write["cluster"]), what, line.decode())
        except (ValueError, KeyError, TypeError) as exc:
            raise UserError(f"--compare: {name}, line {number}: this is no line of a trace") from exc
        yield step
