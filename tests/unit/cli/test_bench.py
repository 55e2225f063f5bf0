"""``bench`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trio_argoagent.bench.catalogue import FAMILIES, QUESTIONS

from .conftest import Run


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
    told = json.loads((tmp_path / "ping-pong.json").read_text())
    assert [(row["side"], row["case"]) for row in told["question"]["rows"]] == [("tls-own", 200)]
    assert "there and back" in (tmp_path / "report.html").read_text()
    assert f"{tmp_path}/report.html" in said.out

    same = run("bench", "compare", str(tmp_path), str(tmp_path / "ping-pong.json"))
    assert (same.code, same.out) == (0, "6 figures: 6 one round only\n")
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


def test_questions(run: Run) -> None:
    """All of them are listed; a family's name is no question's."""
    said = run("bench", "questions").out
    assert all(f"{name} ({question.family}): " in said for name, question in QUESTIONS.items())
    assert not set(FAMILIES) & set(QUESTIONS)
    assert not {"run", "compare", "questions"} & {*FAMILIES, *QUESTIONS}
