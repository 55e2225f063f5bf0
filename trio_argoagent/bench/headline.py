"""The few figures that stand for all: in the README, and kept for each release."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from trio_argoagent.bench.machine import DIRTY, PACKAGE
from trio_argoagent.bench.report import number
from trio_argoagent.bench.results import FORM, JOINT, Key, Result
from trio_argoagent.errors import UserError

BAR: Final = 20
"""Blocks of the longest bar."""


@attrs.frozen
class Line:
    """One of them.

    Attributes:
        text: what it is, for people.
        key: question, side, case and figure.
        goal: what it should be; empty: there is none.
        peer: the side that it is shown beside; empty: none.
    """

    text: str
    key: Key
    goal: str = ""
    peer: str = ""

    @property
    def beside(self) -> Key:
        """The peer's figure."""
        question, _, case, figure = self.key
        return question, self.peer, case, figure


LINES: Final = (
    Line("hub edit of 4 KB until it stands on the spoke, p50", ("propagation", "ours", "0", "p50"), "5 ms"),
    Line("the same, p99", ("propagation", "ours", "0", "p99"), "25 ms"),
    Line("status changes a second", ("status-rate", "ours", "8", "rate"), "400", "alone"),
    Line("edits a second, hub to spoke", ("spec-rate", "ours", "500", "rate"), "", "alone"),
    Line("one changed field of a 40 KB Application", ("status-bytes", "revision", "140", "wire"), "400 B"),
    Line(
        "a cut, 1,000 Applications, none changed, TLS handshake aside",
        ("reconnect", "ours", "0", "compared"),
        "1,024 B",
    ),
    Line("hub restart, 10 agents: all proven consistent", ("hub-restart", "ours", "10", "proven"), "2 s"),
    Line("the same: writes", ("hub-restart", "ours", "10", "writes"), "0"),
    Line("agent without Applications", ("agent-cost", "ours", "0", "rss"), "55 MiB"),
    Line("agent with 1,000 Applications of 40 KB", ("agent-cost", "ours", "1000", "rss"), "90 MiB"),
    Line("CPU of a 200 B message one way", ("one-way", "frames", "200", "cpu"), "", "grpc.aio"),
    Line("CPU of an echo, 500 connections", ("many", "frames", "500", "cpu"), "", "grpc.aio"),
)
"""In the order of the table."""


def kept(result: Result, version: str) -> dict[str, Any]:
    """What is kept of a run for a release.

    Args:
        result: of the run.
        version: of the release.

    Raises:
        UserError: a headline figure was not measured, it was a quick look, or not of this release.
    """
    if result.quick:
        raise UserError("this was a quick look: a release is measured without --quick")
    _refuse_other(result.machine, version)
    keys = [key for line in LINES for key in (line.key, line.beside) if key in result.figures]
    missing = [" ".join(line.key) for line in LINES if line.key not in result.figures]
    if missing:
        raise UserError(f"not measured: {'; '.join(missing)}: measure these, too")
    figures = {JOINT.join(key): result.figures[key].as_json() for key in dict.fromkeys(keys)}
    return {
        "form": FORM,
        "version": version,
        "quick": False,
        "machine": dict(result.machine),
        "figures": figures,
    }


def _refuse_other(machine: Mapping[str, Any], version: str) -> None:
    """What was measured must be what is released, as far as it can be known."""
    revision, measured = machine.get("revision", ""), machine["versions"].get(PACKAGE, version)
    if revision.endswith(DIRTY):
        raise UserError(f"{revision}: measured with changes not committed: commit, and measure again")
    if measured != version:
        raise UserError(f"measured was {measured}: give that version, or measure {version}")


def table(history: Mapping[str, Any]) -> str:
    """The README's, in Markdown: figures, goals, and the plot of what has a peer.

    Args:
        history: as ``kept`` makes it.
    """
    figures, machine = history["figures"], history["machine"]
    lines = ["| what | found | goal |", "|---|---|---|"]
    bars = []
    for line in LINES:
        mine, other = figures[JOINT.join(line.key)], figures.get(JOINT.join(line.beside))
        lines.append(f"| {line.text} | {_value(mine)}{_beside(line, other)} | {line.goal} |")
        if line.peer and other:
            bars += _bars(line, mine, other)
    python = machine["versions"]["python"]
    told = f"{machine['cpu']}, {machine['cores']} cores, Python {python}, loopback"
    revision = machine.get("revision")
    which = f"{history['version']} ({revision})" if revision else history["version"]
    return "\n".join([*lines, "", *bars, f"Release {which}; {told}."])


def _value(figure: Mapping[str, Any]) -> str:
    apart = f" ±{figure['spread'] / 2:.0%}" if figure["n"] > 1 else ""
    return f"{number(figure['median'])} {figure['unit']}".rstrip() + apart


def _beside(line: Line, other: Mapping[str, Any] | None) -> str:
    return f" ({line.peer}: {_value(other)})" if line.peer and other else ""


def _bars(line: Line, mine: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Both as bars, the longer one whole."""
    most = max(mine["median"], other["median"]) or 1.0
    named = (("ours", mine), (line.peer, other))
    wide = max(len(name) for name, _ in named)
    drawn = [
        f"  {name:{wide}}  {'#' * max(1, round(BAR * each['median'] / most)):{BAR}}  {_value(each)}"
        for name, each in named
    ]
    return ["```", line.text, *drawn, "```", ""]


def load(path: Path) -> dict[str, Any]:
    """What was kept of a release."""
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found
