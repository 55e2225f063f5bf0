"""One program's metrics, as whoever scrapes them gets them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import attrs

from trio_argoagent.runtime.metrics import machine, sheet
from trio_argoagent.runtime.metrics.rows import MAX_AGENTS, Program
from trio_argoagent.runtime.metrics.sheet import Sheet
from trio_argoagent.runtime.metrics.table import ROWS
from trio_argoagent.runtime.metrics.totals import Totals

Figures = Callable[[Sheet], Iterable[None]]
"""Writes what it knows on a sheet. It yields wherever it may be left for a while."""


@attrs.frozen
class Exposition:
    """See the module.

    Attributes:
        program: whose they are.
        figures: what they come from.
        most: agents that have series of their own.
        others: keeps the counters of the other agents.
        content_type: of it all.
    """

    program: Program
    figures: Sequence[Figures]
    most: int = MAX_AGENTS
    others: Totals = attrs.field(factory=Totals)
    content_type: str = sheet.CONTENT_TYPE

    def pieces(self) -> Iterator[bytes]:
        """All metrics as they are now, in pieces (some of them empty) with room for other tasks between."""
        page = Sheet(self.program, ROWS, self.most, self.others.note)
        for figures in self.figures:
            for _ in figures(page):
                yield b""
        if self.program is Program.PRINCIPAL:
            page.put(machine.UNNAMED_AGENTS, len(page.folded))
            self.others.keep(page.folded)
        yield from page.text()
