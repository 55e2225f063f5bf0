"""Each question and each side once, in real processes, as small as can be. No figure is judged."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Final

import attrs
import pytest

from trio_argoagent.bench.answers import Answer
from trio_argoagent.bench.questions import Effort, Question, Side
from trio_argoagent.bench.runner import answer
from trio_argoagent.bench.stream import QUESTIONS, SIDES
from trio_argoagent.errors import UserError

TINY: Final = Effort(rounds=1, seconds=0.001, quick=False)
OTHERS: Final = ("bytes", "grpc.aio", "grpclib")
CASES: Final[Mapping[str, tuple[int, ...]]] = {
    "one-way": (200, 20480),
    "echo": (200,),
    "ping-pong": (200,),
    "many": (3,),
    "idle": (2, 5),
    "connect": (3,),
}


async def small(question: Question, *sides: Side, effort: Effort = TINY) -> Answer:
    """A question, a few messages or connections at a time."""
    cases = CASES[question.name]
    return await answer(attrs.evolve(question, cases=cases, sides=sides), effort, lambda text: None)


@pytest.mark.parametrize("name", QUESTIONS)
async def test_questions(name: str) -> None:
    """Every question gets its figures for every case, and every goal is about one of them."""
    question = QUESTIONS[name]
    found = await small(question, SIDES["messages" if name == "one-way" else "frames"])
    assert [row.case for row in found.rows] == list(CASES[name])
    assert all(len(figure.values) == 1 for row in found.rows for figure in row.figures.values())
    assert {goal.figure for goal in question.goals} <= set(found.rows[0].figures)
    named = {side.name for side in question.sides}
    assert {name for goal in question.goals for name in (goal.side, goal.peer or goal.side)} <= named
    assert {goal.case for goal in question.goals} <= set(question.cases)


def test_all_sides() -> None:
    """Each is in one of these tests."""
    assert set(SIDES) == {"messages", "frames", "tls-own", "tls-trio", *OTHERS}


@pytest.mark.parametrize(
    "name",
    # Said here: what a test that Trio runs says of its skipping is lost.
    [
        pytest.param(name, marks=pytest.mark.skipif(bool(why), reason=why))
        for name, why in ((name, SIDES[name].absent) for name in OTHERS)
    ],
)
async def test_sides(name: str) -> None:
    """The other sides can be measured, where they are installed."""
    found = await small(QUESTIONS["echo"], SIDES[name])
    assert [(row.side, row.case) for row in found.rows] == [(name, 200)]


async def test_rounds() -> None:
    """Each round gives a value, whoever begins."""
    sides = (SIDES["tls-own"], SIDES["tls-trio"])
    found = await small(QUESTIONS["ping-pong"], *sides, effort=attrs.evolve(TINY, rounds=2))
    assert [row.side for row in found.rows] == ["tls-own", "tls-trio"]
    assert {len(row.figures["p50"].values) for row in found.rows} == {2}


async def test_not_installed() -> None:
    """Who is not installed is left out and named."""
    side = Side("peer", "trio_argoagent.bench.none", "", package="no_such_package")
    found = await small(QUESTIONS["echo"], side)
    assert found.rows == ()
    assert found.absent == {"peer": "no_such_package is not installed"}


async def test_failing_server() -> None:
    """A process that fails is a one-line error with its last words."""
    with pytest.raises(UserError, match=r"^broken: the server does not start: .*no_such_module"):
        await small(QUESTIONS["echo"], Side("broken", "no_such_module", ""))


def test_peers_are_not_loaded() -> None:
    """The command imports no peer: each is imported by its own processes."""
    code = (
        "import sys, trio_argoagent.cli.bench, trio_argoagent.cli.bench_run\n"
        "print([name for name in ('grpc', 'grpclib', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
