"""What one scrape says: values by metric and labels, and the text that they make.

The text format 0.0.4, see https://prometheus.io/docs/instrumenting/exposition_formats/.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from itertools import accumulate, islice
from typing import Any, Final

from trio_argoagent.errors import LocalProtocolError
from trio_argoagent.runtime.metrics.rows import AGENT_NAME, MAX_AGENTS, OTHER, Kind, Label, Program, Row

Summed = Callable[[str, str, float], float]
"""Told that an agent's counter of that name stands there: what all that were told of it come to."""

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
CHUNK: Final = 512
"""Lines that are written at once, some 50 KiB: half a millisecond."""
_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Sheet:
    """See the module.

    Args:
        program: whose it is.
        rows: that it may have.
        most: agents that are named.
        summed: keeps the sums of counters of the others, which would fall when one of them gets a place among
            those that are named; None: they are added up.
    """

    def __init__(
        self, program: Program, rows: Iterable[Row], most: int = MAX_AGENTS, summed: Summed | None = None
    ) -> None:
        self._program, self._most, self._summed = program, most, summed
        # By the text of the labels: strings and numbers cost the garbage collector nothing, and tuples would.
        self._cells: dict[Row, dict[str, float]] = {row: {} for row in rows if program in row.programs}
        self._histograms: dict[Row, dict[str, tuple[Sequence[int], float]]] = {}
        self._agents: dict[str, str] = {}

    @property
    def folded(self) -> Set[str]:
        """The agents that are not named."""
        return {*islice(self._agents, self._most, None)}

    def put(self, row: Row, value: float, *labels: str, agent: str = "") -> None:
        """One value; what is there under the same labels already is put together with it.

        Args:
            row: of which metric.
            value: now.
            labels: values of the row's labels, in order.
            agent: whom it is about, where a principal tells it of each.

        Raises:
            LocalProtocolError: this program has no such metric, or it has other labels.
        """
        cells = self._cells.get(row)
        if cells is None or len(labels) != len(row.labels):
            raise LocalProtocolError(f"{row.name} is not told like that")
        pairs = [_pair(label, value) for label, value in zip(row.labels, labels, strict=True)]
        if row.per_agent and self._program is Program.PRINCIPAL:
            pairs.insert(0, self._named(agent))
        shown = f"{{{','.join(pairs)}}}" if pairs else ""
        before = cells.get(shown)
        if row.kind is Kind.COUNTER and self._summed is not None and pairs and pairs[0] == _OTHERS:
            cells[shown] = self._summed(agent, row.name + shown, value)
        else:
            cells[shown] = value if before is None else row.fold(before, value)

    def put_fields(self, rows: Iterable[Row], statistics: Any, *labels: str) -> None:
        """What these rows say of such statistics, each by its field."""
        for row in rows:
            self.put(row, getattr(statistics, row.field), *labels)

    def put_counts(self, row: Row, counts: Mapping[Any, int]) -> None:
        """Each value that the row's one label can have, those that were never counted as 0."""
        for value in row.labels[0].values:
            self.put(row, 0, value)
        for value, count in counts.items():
            self.put(row, count, str(value))

    def put_histogram(self, row: Row, counts: Sequence[int], total: float, *labels: str) -> None:
        """How many were in each bucket (the infinite one last), and the sum of all; once for each labels."""
        if row not in self._cells or len(counts) != len(row.bounds) + 1 or len(labels) != len(row.labels):
            raise LocalProtocolError(f"{row.name} has other buckets, or labels")
        pairs = [_pair(label, value) + "," for label, value in zip(row.labels, labels, strict=True)]
        self._histograms.setdefault(row, {})["".join(pairs)] = (counts, total)

    def _named(self, agent: str) -> str:
        name = self._agents.get(agent)
        if name is None:
            shown = agent if len(self._agents) < self._most else OTHER
            name = self._agents[agent] = _pair(AGENT_NAME, shown)
        return name

    def text(self) -> Iterator[bytes]:
        """The document, in pieces; metrics without any value are left out."""
        lines: list[str] = []
        for line in self._lines():
            lines.append(line)
            if len(lines) == CHUNK:
                yield "".join(lines).encode()
                lines.clear()
        yield "".join(lines).encode()

    def _lines(self) -> Iterator[str]:
        for row, cells in self._cells.items():
            histograms = self._histograms.get(row, {})
            if cells or histograms:
                yield f"# HELP {row.name} {row.help}\n"
                yield f"# TYPE {row.name} {row.kind}\n"
            for labels, (counts, total) in histograms.items():
                yield from _histogram(row, labels, counts, total)
            for labels, value in cells.items():
                yield f"{row.name}{labels} {_number(value)}\n"


def _histogram(row: Row, labels: str, counts: Sequence[int], total: float) -> Iterator[str]:
    shown = f"{{{labels[:-1]}}}" if labels else ""
    for bound, count in zip((*row.bounds, math.inf), accumulate(counts), strict=True):
        yield f'{row.name}_bucket{{{labels}le="{_number(bound)}"}} {count}\n'
    yield f"{row.name}_sum{shown} {_number(total)}\n"
    yield f"{row.name}_count{shown} {sum(counts)}\n"


def _pair(label: Label, value: str) -> str:
    return f'{label.name}="{label.shown(value).translate(_ESCAPES)}"'


_OTHERS: Final = _pair(AGENT_NAME, OTHER)


def _number(value: float) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    return repr(value)
