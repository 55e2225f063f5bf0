"""Tables and JSON."""

from __future__ import annotations

import io

import attrs
import pytest
from rich.console import Console

from trio_argoagent.bench.answers import Answer, Row
from trio_argoagent.bench.figures import CPU, Figure, Sense
from trio_argoagent.bench.questions import Goal, Question, Side
from trio_argoagent.bench.report import WIDE, cell, screen, show, verdicts

from .conftest import unasked

GOAL = Goal("frames a second", "ours", 200, "rate", Sense.AT_LEAST, 500_000)
RELATIVE = Goal("CPU of grpc's", "ours", 200, CPU, Sense.AT_MOST, 0.1, "grpc")
SIDES = tuple(Side(name, "", "") for name in ("ours", "grpc", "other"))
QUESTION = Question("q", "family", "how fast", (200,), "B", unasked, SIDES, "ours", goals=(GOAL, RELATIVE))


def figures(rate: float, cpu: float) -> dict[str, Figure]:
    """Of one row."""
    return {"rate": Figure("/s", (rate, rate * 1.2, rate * 1.4)), CPU: Figure("us", (cpu,))}


ANSWER = Answer(
    QUESTION,
    (Row("ours", 200, figures(400_000, 1.25)), Row("grpc", 200, figures(20_000, 50.0))),
    {"other": "other is not installed"},
)


def shown(answer: Answer) -> list[str]:
    """On a wide screen without colours."""
    file = io.StringIO()
    show(answer, Console(file=file, width=200))
    return file.getvalue().splitlines()


def test_table() -> None:
    """A row for each side and case, who is missing and why, and the goals."""
    lines = shown(ANSWER)
    (units,) = [line for line in lines if "us" in line and "/s" in line]
    assert units.replace(" ", "") == "┃B┃side┃/s┃us┃ours┃"
    (ours,) = [line for line in lines if "│ ours" in line]
    assert ours.replace(" ", "") == "│200│ours│480,000±17%│1.25│1.00x│"
    (grpc,) = [line for line in lines if "│ grpc" in line]
    assert grpc.replace(" ", "").endswith("│50│40.00x│")
    assert "  other: other is not installed" in lines
    assert "  goal: frames a second: at least 500,000: 480,000, missed" in lines
    assert "  goal: CPU of grpc's: at most 0.1x: 0.025x, met" in lines


def narrow(width: int) -> list[str]:
    """The table of one-way's kind on a narrow screen: names of cases, client and server, and three rounds."""
    names = ("rate", "client", "server", CPU, "bulk")
    values = {name: Figure("us", (1_200_000.0, 1_250_000.0, 1_300_000.0)) for name in names}
    rows = tuple(Row(side, 20480, values) for side in ("messages", "grpc.aio"))
    sides = tuple(Side(row.side, "", "") for row in rows)
    answer = Answer(attrs.evolve(QUESTION, sides=sides, ours="messages"), rows, {})
    file = io.StringIO()
    show(answer, Console(file=file, width=width))
    return file.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_narrow(width: int) -> None:
    """Nothing is cut, and the case is always there; what has no room is named."""
    lines = narrow(width)
    assert "…" not in "\n".join(lines)
    table = [line for line in lines if line[:1] in ("│", "┃")]
    assert all(len(line) <= width for line in table)
    assert sum("20,480" in line and "grpc.aio" in line for line in table) == 1
    missing = [line for line in lines if "no room for" in line]
    few = ["  no room for: client, server"]
    wanted = {80: few, 100: few, 200: []}
    assert missing == wanted.get(width, ["  no room for: client, server, how far rounds lie apart"])


def test_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """No terminal, no narrow lines, unless the user says so."""
    monkeypatch.delenv("COLUMNS", raising=False)
    assert screen(io.StringIO()).width == WIDE
    monkeypatch.setenv("COLUMNS", "70")
    assert screen(io.StringIO()).width == 70


def test_nothing_measured() -> None:
    """Goals without figures say so."""
    assert verdicts(Answer(QUESTION, (), {}).verdicts) == [
        "goal: frames a second: at least 500,000: not measured",
        "goal: CPU of grpc's: at most 0.1x: not measured",
    ]


def test_cell() -> None:
    """Three figures that count; a single value has no spread; no figure, no text."""
    assert cell(Figure("us", (0.123456,))) == "0.123"
    assert cell(Figure("us", (1234.5,))) == "1,234"
    assert cell(None) == ""
