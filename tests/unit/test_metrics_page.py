"""docs/metrics.md tells the table of metrics, and what has become of argocd-agent's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from trio_argoagent.runtime.metrics.rows import MAX_AGENTS, OURS, Kind, Program, Row
from trio_argoagent.runtime.metrics.table import ROWS

PAGE: Final = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
OF: Final = {Program.PRINCIPAL: "principal", Program.AGENT: "agent", Program.BOTH: "both"}


def line(row: Row) -> str:
    """A row as the page shows it."""
    labels = [f"`{label.name}`" for label in row.labels]
    if row.per_agent:
        labels.insert(0, "`agent_name` (principal)")
    text = row.help.replace("|", "&#124;").replace("<", "&lt;")
    return f"| `{row.name}` | {row.kind} | {OF[row.programs]} | {', '.join(labels) or '—'} | {text} |"


def test_the_page_shows_the_table() -> None:
    """Row by row: what is missing here is to be copied there."""
    section = PAGE.split("## All metrics\n")[1].split("\n## ")[0].strip().splitlines()
    assert section[2:] == [line(row) for row in ROWS]


def test_every_name_on_the_page_is_a_metric() -> None:
    """Of ours; argocd-agent's are in a table of their own."""
    names = {row.name for row in ROWS}
    mentioned = {*re.findall(rf"`({OURS}\w+)`", PAGE)}
    assert mentioned <= names


def test_what_has_argocd_agent_s_name_is_in_the_comparison() -> None:
    """Each, and it says that it is the same."""
    section = PAGE.split("## argocd-agent's metrics\n")[1].split("\n## ")[0]
    same = " ".join(row.split("|")[1] for row in section.splitlines() if "| the same" in row)
    theirs = [row.name for row in ROWS if row.peer and not row.name.startswith("process_")]
    assert [name for name in theirs if f"`{name}`" not in same] == []


def test_figures_of_the_page() -> None:
    """The bound, and the series of one agent."""
    assert f"those of the first {MAX_AGENTS:,}" in PAGE
    each = sum(
        row.per_agent for row in ROWS if Program.PRINCIPAL in row.programs and row.kind is not Kind.HISTOGRAM
    )
    assert f"An agent has {each} series" in PAGE
