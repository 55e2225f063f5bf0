"""``bench`` from the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from trio_argoagent.bench import catalogue
from trio_argoagent.bench.answers import Answer, Row
from trio_argoagent.bench.catalogue import FAMILIES, QUESTIONS
from trio_argoagent.bench.figures import Figure, Found
from trio_argoagent.bench.machine import describe
from trio_argoagent.bench.questions import Asked, Question
from trio_argoagent.bench.results import write
from trio_argoagent.errors import UserError

from .conftest import Run

ROW = Row("ours", 1, {"cost": Figure("us", (1.0,))})


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("latency",), "QUESTION: there is no 'latency': choose of stream, "),
        (("echoes", "latency", "echoes"), "QUESTION: there is no 'echoes' and no 'latency': choose of "),
        (("echo", "--side", "http3"), "--side: there is no 'http3': choose of messages, frames, "),
        (("echo", "--output", "/proc/none"), "--output: cannot write to /proc/none: "),
        (("--fast",), "No such option '--fast'"),
        (("compare", "/none.json", "/none.json"), "cannot read /none.json: No such file"),
        (("compare", "/none.json", "/none.json", "--threshold", "much"), "'--threshold'"),
        (("compare", "/none.json"), "Missing argument 'B'"),
    ],
)
def test_mistakes(run: Run, arguments: tuple[str, ...], hint: str) -> None:
    """One line, before anything is measured."""
    assert hint in run("bench", *arguments).line


def test_run(run: Run, tmp_path: Path) -> None:
    """A table for people, a page for their colleagues, and all figures for programs, which compare them."""
    said = run("bench", "ping-pong", "--quick", "--side", "tls-own", "--output", str(tmp_path))
    assert said.code == 0
    assert "ping-pong: there and back, one at a time" in said.out
    assert re.search(r"^ping-pong: answered in \d+ s$", said.out, re.MULTILINE)
    told = json.loads((tmp_path / "ping-pong.json").read_text())
    assert [(row["side"], row["case"]) for row in told["question"]["rows"]] == [("tls-own", 200)]
    assert "there and back" in (tmp_path / "report.html").read_text()
    assert f"{tmp_path}/report.html" in said.out

    same = run("bench", "compare", str(tmp_path), str(tmp_path / "ping-pong.json"))
    assert (same.code, same.out) == (0, "6 figures: 6 same\n")
    told["question"]["rows"][0]["figures"] = {"cpu": {"unit": "us", "values": [1, 1.1, 0.9]}}
    (tmp_path / "before.json").write_text(json.dumps(told))
    told["question"]["rows"][0]["figures"] = {"cpu": {"unit": "us", "values": [2, 2.1, 1.9]}}
    (tmp_path / "after.json").write_text(json.dumps(told))
    worse = run("bench", "compare", str(tmp_path / "before.json"), str(tmp_path / "after.json"))
    assert worse.code == 1
    assert worse.out.splitlines() == [
        "worse: ping-pong tls-own 200 cpu: 1 ±10% -> 2 ±5% us (2.00x)",
        "1 figures: 1 worse",
    ]
    better = run("bench", "compare", str(tmp_path / "after.json"), str(tmp_path / "before.json"))
    assert better.code == 0


async def broken(asked: Asked) -> Found:
    """A question that fails in a way that nobody has thought of."""
    raise ExceptionGroup("tasks", [ValueError("of all things"), UserError("no server")])


async def fine(asked: Asked) -> Found:
    """One that does not."""
    return [(case, {"cost": ("us", 1.0)}) for case in asked.cases]


def test_one_fails(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are asked all the same; what an earlier run has found of it is gone."""
    asks = {"odd": broken, "good": fine}
    asked = {name: Question(name, "f", "what", (1,), "n", ask) for name, ask in asks.items()}
    monkeypatch.setattr(catalogue, "QUESTIONS", asked)
    (tmp_path / "odd.json").write_text("{}")
    said = run("bench", "--output", str(tmp_path))
    assert said.code == 2
    assert "odd: no answer: it has failed: ValueError: of all things; no server\n" in said.out
    assert sorted(file.name for file in tmp_path.glob("[!.]*")) == ["good.json", "report.html"]
    assert "of all things" in (tmp_path / "report.html").read_text()


def test_missing_figures(run: Run, tmp_path: Path) -> None:
    """What the newer figures lack is named, and of two whole runs alike it counts."""
    for name in ("a", "b"):
        answer = Answer(Question(name, "f", "what", (1,), "n", fine), (ROW,), {})
        for folder in ("before", "after", "quick")[: 3 if name == "a" else 1]:
            (tmp_path / folder).mkdir(exist_ok=True)
            write(tmp_path / folder, answer, describe(), quick=folder == "quick")
    before, after, quick = (str(tmp_path / folder) for folder in ("before", "after", "quick"))
    said = run("bench", "compare", before, after)
    assert said.out.splitlines() == ["1 figures: 1 same", f"missing in {after}: b"]
    assert said.code == 1
    assert run("bench", "compare", before, f"{after}/a.json").code == 0
    said = run("bench", "compare", before, quick)
    assert said.out.splitlines() == [
        "1 figures: 1 same",
        f"missing in {quick}: b",
        "One of them is a quick look: coarse, and of fewer rounds.",
    ]
    assert said.code == 0


def test_other_machine(run: Run, tmp_path: Path) -> None:
    """All is three times slower there, the peer too: nothing is worse."""
    question, here = QUESTIONS["echo"], describe()
    for folder, ours, peer in (("before", 1.0, 4.0), ("slow", 3.0, 12.0), ("worse", 3.0, 4.0)):
        (tmp_path / folder).mkdir()
        costs = {"frames": ours, "grpc.aio": peer}
        rows = tuple(Row(side, 200, {"cpu": Figure("us", (cost,) * 3)}) for side, cost in costs.items())
        machine = here | {"cores": 1000 + (folder == "before")}
        write(tmp_path / folder, Answer(question, rows, {}), machine, quick=False)
    slow = run("bench", "compare", str(tmp_path / "before"), str(tmp_path / "slow"))
    assert slow.code == 0
    assert slow.out.splitlines() == [
        "differs, not judged: echo frames 200 cpu: 1 ±0% -> 3 ±0% us (3.00x)",
        "differs, not judged: echo grpc.aio 200 cpu: 4 ±0% -> 12 ±0% us (3.00x)",
        "3 figures: 2 differs, not judged, 1 same",
        "They were taken on different machines (cores): judged are counts, bytes and our CPU by peers'.",
    ]
    worse = run("bench", "compare", str(tmp_path / "before"), str(tmp_path / "worse"))
    assert worse.code == 1
    assert "worse: echo frames / grpc.aio 200 cpu: 0.25 ±0% -> 0.75 ±0% x (3.00x)" in worse.out.splitlines()


def test_questions(run: Run) -> None:
    """All of them are listed; a family's name is no question's."""
    said = run("bench", "questions").out
    assert all(f"{name} ({question.family}): " in said for name, question in QUESTIONS.items())
    assert not set(FAMILIES) & set(QUESTIONS)
    assert not {"run", "compare", "questions"} & {*FAMILIES, *QUESTIONS}
