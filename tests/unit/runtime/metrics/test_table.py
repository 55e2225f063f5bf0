"""The table of metrics: what Prometheus' own linter (promtool check metrics) would say of it, and bounds."""

from __future__ import annotations

import re

import attrs
import pytest

from trio_argoagent.kube.informer import InformerStatistics
from trio_argoagent.ports.transport import LinkStatistics
from trio_argoagent.replication.fairness import FairnessStatistics
from trio_argoagent.runtime.metrics import feeds, machine
from trio_argoagent.runtime.metrics.rows import OURS, Kind, Label, Row
from trio_argoagent.runtime.metrics.table import ROWS
from trio_argoagent.stream.protocol.freight import FreightStatistics
from trio_argoagent.sync.flow import FlowStatistics
from trio_argoagent.sync.replica import ReplicaStatistics
from trio_argoagent.sync.source import SourceStatistics

MINE = [row for row in ROWS if row.name.startswith(OURS)]
ABBREVIATIONS = (
    "ms",
    "sec",
    "secs",
    "msec",
    "milliseconds",
    "minutes",
    "hours",
    "kb",
    "mb",
    "kib",
    "mib",
    "percent",
)
RESERVED = ("_count", "_sum", "_bucket", "_created", "_info")
GROUPS = [
    (feeds.SOURCE, SourceStatistics, {"phase", "settled", "settled_total"}),
    (feeds.REPLICA, ReplicaStatistics, set()),
    (feeds.LINK, LinkStatistics, set()),
    (feeds.FREIGHT, FreightStatistics, set()),
    (feeds.FLOW, FlowStatistics, {"cosmetic"}),
    (machine.INFORMER, InformerStatistics, {"bookmarks", "last_error"}),
    (machine.WRITES, FairnessStatistics, set()),
]
"""Rows, the statistics that they are read from, and the fields that no metric tells."""


def test_names_are_told_apart() -> None:
    """Each is there once, whoever has given it."""
    names = [row.name for row in ROWS]
    assert len(names) == len({*names})


@pytest.mark.parametrize("row", MINE, ids=lambda row: row.name)
def test_our_names_are_as_they_should_be(row: Row) -> None:
    """Snake case, counters and only they end in _total, base units, and no type in the name."""
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", row.name)
    assert row.name.endswith("_total") == (row.kind is Kind.COUNTER)
    assert not row.name.endswith(RESERVED)
    words = row.name.split("_")
    assert not {*words} & {*ABBREVIATIONS, "gauge", "counter", "histogram"}
    if row.kind is Kind.HISTOGRAM:
        assert row.name.endswith("_seconds") and list(row.bounds) == sorted({*row.bounds})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_says_what_it_is(row: Row) -> None:
    """In one line that ends as a sentence."""
    assert row.help and row.help.endswith(".") and "\n" not in row.help and "\\" not in row.help


@pytest.mark.parametrize(
    "label", {label.name: label for row in ROWS for label in row.labels}.values(), ids=str
)
def test_labels_are_bounded(label: Label) -> None:
    """By a list of values, or by what is said in words; the text format's own names are left alone."""
    assert bool(label.values) != bool(label.open)
    assert re.fullmatch(r"[a-z_]+", label.name) and label.name not in ("le", "quantile", "job", "instance")


@pytest.mark.parametrize(
    ("rows", "statistics", "untold"), GROUPS, ids=lambda each: getattr(each, "__name__", "")
)
def test_every_count_has_its_metric(rows: tuple[Row, ...], statistics: type, untold: set[str]) -> None:
    """What a slice counts is told, or is named here."""
    fields = {field.name for field in attrs.fields(statistics)}
    told = [row.field for row in rows]
    assert sorted([*told, *untold]) == sorted(fields)


class Fold:
    """Counts how often it is hashed."""

    hashed = 0

    def __hash__(self) -> int:
        self.hashed += 1
        return 1

    def __call__(self, one: float, other: float) -> float:
        """See ``Row.fold``."""
        return one


def test_a_row_is_hashed_once() -> None:
    """It is looked up for each value of each scrape."""
    fold = Fold()
    row = attrs.evolve(feeds.SOURCE[0], fold=fold)
    assert {row: 1}[row] == 1 and fold.hashed == 1
