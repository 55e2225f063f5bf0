"""``bench`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Run


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("latency",), "QUESTION: there is no 'latency': choose of one-way, echo, "),
        (("echo", "--side", "http3"), "--side: there is no 'http3': choose of messages, frames, "),
        (("echo", "--json", "/no/such/folder/file"), "--json: cannot write /no/such/folder/file: No such"),
        (("--fast",), "No such option '--fast'"),
    ],
)
def test_mistakes(run: Run, arguments: tuple[str, ...], hint: str) -> None:
    """One line, before anything is measured."""
    assert hint in run("bench", "stream", *arguments).line


def test_run(run: Run, tmp_path: Path) -> None:
    """A table for people, and all figures for programs."""
    file = tmp_path / "figures.json"
    said = run("bench", "stream", "ping-pong", "--quick", "--side", "tls-own", "--json", str(file))
    assert said.code == 0
    assert "ping-pong: there and back, one at a time" in said.out
    (question,) = json.loads(file.read_text())["questions"]
    assert [(row["side"], row["case"]) for row in question["rows"]] == [("tls-own", 200)]
