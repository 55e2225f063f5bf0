"""Sums of counters over agents that come and go, and whose counters begin anew.

Prometheus takes each fall of a counter for a restart, and what it shows afterwards for new: a sum that falls
by one forgotten agent's share would look like a burst of all that the others have ever done.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence, Set
from typing import Any, Final

from trio_argoagent.model import latency
from trio_argoagent.runtime.metrics import feeds
from trio_argoagent.runtime.metrics.rows import Kind, Row
from trio_argoagent.runtime.metrics.sheet import Sheet
from trio_argoagent.sync.source import SourceStatistics

_SETTLED: Final = tuple(f"settled {number}" for number in range(len(latency.BOUNDS) + 1))
_SETTLED_TOTAL: Final = "settled total"


class Totals:
    """See the module. What happens to an agent between its last scrape and its end is not counted."""

    def __init__(self) -> None:
        self._last: dict[str, dict[Row | str, float]] = {}
        self._sums: dict[Row | str, float] = {}

    def note(self, agent: str, what: Row | str, value: float) -> float:
        """This agent's counter stands there now; returns ``sum``."""
        last = self._last.setdefault(agent, {})
        before = last.get(what, 0)
        last[what] = value
        found = self._sums[what] = self._sums.get(what, 0) + (value - before if value >= before else value)
        return found

    @property
    def agents(self) -> Set[str]:
        """Those of which anything is remembered."""
        return self._last.keys()

    def keep(self, agents: Collection[str]) -> None:
        """There are these now: one that is not among them begins anew if it comes again."""
        for agent in [agent for agent in self._last if agent not in agents]:
            del self._last[agent]

    def sum(self, what: Row | str) -> float:
        """Of all that were ever noted."""
        return self._sums.get(what, 0)

    def put(self, sheet: Sheet, *rows: Row) -> None:
        """What these rows say of all."""
        for row in rows:
            sheet.put(row, self.sum(row))


class Feeds:
    """What both programs tell of their links and feeds. Both have one of these, for all."""

    def __init__(self) -> None:
        self.totals = Totals()
        self._summed = tuple(row for group in _GROUPS for row in group if _is_summed(row))

    def tell(self, sheet: Sheet, rows: Iterable[Row], statistics: Any, agent: str) -> None:
        """What these rows say of one agent's statistics; what is told of all together is kept for ``put``."""
        for row in rows:
            value = getattr(statistics, row.field)
            if _is_summed(row):
                self.totals.note(agent, row, value)
            else:
                sheet.put(row, value, agent=agent)

    def source(self, sheet: Sheet, statistics: SourceStatistics, agent: str) -> None:
        """The feed that is sent."""
        self.tell(sheet, feeds.SOURCE, statistics, agent)
        for bucket, count in zip(_SETTLED, statistics.settled, strict=True):
            if count:
                self.totals.note(agent, bucket, count)
        self.totals.note(agent, _SETTLED_TOTAL, statistics.settled_total)

    def put(self, sheet: Sheet) -> None:
        """What is told of all together."""
        self.totals.put(sheet, *self._summed)
        counts: Sequence[int] = [int(self.totals.sum(bucket)) for bucket in _SETTLED]
        sheet.put_histogram(feeds.SETTLED, counts, self.totals.sum(_SETTLED_TOTAL))


_GROUPS: Final = (feeds.SOURCE, feeds.REPLICA, feeds.LINK, feeds.FREIGHT)


def _is_summed(row: Row) -> bool:
    return row.kind is Kind.COUNTER and not row.per_agent
