"""``bench`` from the command line."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import pytest
import trio
from rich.console import Console
from rich.progress import Progress

from trio_argoagent.bench import catalogue
from trio_argoagent.bench.answers import Answer, Row
from trio_argoagent.bench.catalogue import FAMILIES, QUESTIONS
from trio_argoagent.bench.figures import Figure, Found
from trio_argoagent.bench.machine import describe
from trio_argoagent.bench.questions import OURS, Asked, NotHere, Question, Side
from trio_argoagent.bench.results import write
from trio_argoagent.cli import bench_run
from trio_argoagent.errors import UserError

from .conftest import Run

ROW = Row("ours", 1, {"cost": Figure("us", (1.0,))})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """For figures; matplotlib keeps things of its own in the home."""
    made = tmp_path / "figures"
    made.mkdir()
    return made


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("latency",), "QUESTION: there is no 'latency': choose of stream, "),
        (("echoes", "latency", "echoes"), "QUESTION: there is no 'echoes' and no 'latency': choose of "),
        (("echo", "--side", "http3"), "--side: there is no 'http3': choose of messages, frames, "),
        (("echo", "--output", "/proc/none"), "--output: cannot write to /proc/none: "),
        (("echo", "--output", ""), "--output: give a folder"),
        (("hour", "ping-pong", "--side", "tls-own"), "--side: hour has no tls-own: it has ours"),
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


def test_one_fails(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are asked all the same; what an earlier run has found of it is gone."""
    asks = {"odd": broken, "good": fine}
    asked = {name: Question(name, "f", "what", (1,), "n", ask) for name, ask in asks.items()}
    monkeypatch.setattr(catalogue, "QUESTIONS", asked)
    write(folder, Answer(asked["odd"], (ROW,), {}), describe(), quick=False)
    said = run("bench", "--output", str(folder))
    assert said.code == 2
    assert "odd: no answer: it has failed: ValueError: of all things; no server\n" in said.out
    assert sorted(file.name for file in folder.iterdir()) == ["good.json", "report.html"]
    assert "of all things" in (folder / "report.html").read_text()


def ask_these(monkeypatch: pytest.MonkeyPatch, *questions: Question) -> None:
    """Nothing else is in the catalogue."""
    monkeypatch.setattr(catalogue, "QUESTIONS", {each.name: each for each in questions})
    monkeypatch.setattr(catalogue, "FAMILIES", tuple({each.family for each in questions}))


@pytest.mark.parametrize("name", ["good.json", "report.html"])
@pytest.mark.parametrize("content", [None, '{"mine": 1}', "<title>mine</title>"])
def test_what_is_not_ours_stays(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: str | None
) -> None:
    """It is named before anything is measured."""
    ask_these(monkeypatch, Question("good", "f", "what", (1,), "n", broken))
    file = folder / name
    if content is None:
        os.mkfifo(file)
    else:
        file.write_text(content)
    line = run("bench", "--output", str(folder)).line
    assert line == f"--output: bench has not written {file}, and would: choose another folder"
    assert [each.name for each in folder.iterdir()] == [name]
    assert content is None or file.read_text() == content


def test_what_is_ours_is_replaced(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By every run; so is what has nothing in it; other files are nobody's business."""
    ask_these(monkeypatch, Question("good", "f", "what", (1,), "n", fine))
    (folder / "report.html").touch()
    (folder / "mine.json").write_text("{}")
    assert [run("bench", "--output", str(folder)).code for _ in range(2)] == [0, 0]
    assert sorted(each.name for each in folder.iterdir()) == ["good.json", "mine.json", "report.html"]


def test_not_here(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What this machine lacks is told; it is a mistake only of who has named it."""

    async def lacking(asked: Asked) -> Found:
        raise NotHere("nothing counts")

    missing = Side("peer", "", "", package="no_such_package")
    ask_these(
        monkeypatch,
        Question("odd", "odds", "what", (1,), "n", lacking),
        Question("good", "f", "what", (1,), "n", fine, (OURS, missing)),
    )
    said = run("bench", "--output", str(tmp_path))
    assert said.code == 0
    assert "odd: no answer: nothing counts\n" in said.out
    assert "peer: no_such_package is not installed\n" in said.out
    assert [run("bench", "--output", str(tmp_path), name).code for name in ("odd", "odds", "f")] == [2, 2, 0]
    line = run("bench", "--output", str(tmp_path), "--side", "peer").line
    assert line == "--side: peer: no_such_package is not installed"


def test_a_broken_peer(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our figures are kept all the same; something has failed."""

    async def fragile(asked: Asked) -> Found:
        return await (fine if asked.side is OURS else broken)(asked)

    ask_these(monkeypatch, Question("q", "f", "what", (1,), "n", fragile, (OURS, Side("peer", "", ""))))
    said = run("bench", "--output", str(tmp_path))
    assert said.code == 2
    assert "peer: it has failed: ValueError: of all things; no server\n" in said.out
    told = json.loads((tmp_path / "q.json").read_text())["question"]
    assert [row["side"] for row in told["rows"]] == ["ours"]
    assert told["failed"] == ["peer"]


def test_interrupted(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has been answered is on the page already; one line says so."""

    async def interrupting(asked: Asked) -> Found:
        os.kill(os.getpid(), signal.SIGINT)
        await trio.sleep_forever()
        return []

    asks = {"good": fine, "odd": interrupting, "late": fine}
    ask_these(monkeypatch, *(Question(name, "f", f"of {name}", (1,), "n", ask) for name, ask in asks.items()))
    said = run("bench", "--output", str(folder))
    page = folder / "report.html"
    assert (said.code, said.err) == (130, f"interrupted: 1 of 3 questions are answered: {page}\n")
    assert "of good" in page.read_text()
    assert sorted(each.name for each in folder.iterdir()) == ["good.json", "report.html"]


def test_a_full_disk(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be kept is shown, and said not to be kept."""
    ask_these(monkeypatch, Question("good", "f", "what", (1,), "n", fine))
    (folder / ".good.json.partial").symlink_to("/dev/full")
    said = run("bench", "--output", str(folder))
    assert said.code == 2
    assert f"good: not kept: cannot write {folder}/good.json: No space left on device\n" in said.out
    assert "good: answered in 0 s\n" in said.out
    assert [each.name for each in folder.iterdir()] == ["report.html"]


def test_progress(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A round that has only begun is not done; what has failed is skipped."""
    bars, seen = list[Progress](), list[float]()

    def progress(console: Console) -> Progress:
        bars.append(Progress(console=console, auto_refresh=False))
        return bars[0]

    async def looking(asked: Asked) -> Found:
        seen.append(bars[0].tasks[0].completed)
        return await fine(asked) if asked.side is OURS else await broken(asked)

    monkeypatch.setattr(bench_run, "_progress", progress)
    sides = (OURS, Side("peer", "", ""))
    ask_these(monkeypatch, *(Question(name, "f", "what", (1,), "n", looking, sides) for name in "ab"))
    run("bench", "--output", str(tmp_path))
    assert seen == [0, 1, 2, 3, 6, 7, 8, 9]


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
