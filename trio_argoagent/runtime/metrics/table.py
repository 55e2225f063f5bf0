"""All metrics of both programs, as data. docs/metrics.md is tested against it.

A row with a ``field`` is read from the statistics that its group is named for. Names that begin with
``trio_argoagent_`` are ours; the others are argocd-agent's, client-go's and Prometheus' own, and
mean the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trio_argoagent.runtime.metrics import feeds, machine
from trio_argoagent.runtime.metrics.rows import Row


def _rows() -> Iterator[Row]:
    for module in (feeds, machine):
        for value in vars(module).values():
            if isinstance(value, Row):
                yield value
            elif isinstance(value, tuple):
                yield from (each for each in value if isinstance(each, Row))


ROWS: Final = tuple(_rows())
"""In the order in which they are written down."""
