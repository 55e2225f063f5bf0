"""Each question about Kubernetes clients once, as small as can be. No figure is judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs
import pytest
import trio

from trio_argoagent.bench.figures import Case
from trio_argoagent.bench.kube import QUESTIONS, apiserver, idling, patching, side, watching
from trio_argoagent.bench.kube.side import Load, measured
from trio_argoagent.bench.questions import QUICK, Side
from trio_argoagent.bench.runner import answer
from trio_argoagent.errors import UserError

CASES: Final[Mapping[str, tuple[Case, ...]]] = {
    "kube-list": (3,),
    "kube-watch": (4,),
    "kube-patch": (2,),
    "kube-idle": (2,),
    # What is patched unwatched first must not be what is patched again: nothing would be committed.
    "apiserver": ("PATCH", apiserver.WATCHED_READ, apiserver.WATCHED_WRITE),
}


@pytest.mark.parametrize(
    ("name", "side_of"),
    [
        pytest.param(name, each, id=f"{name}, {each.name}", marks=pytest.mark.skipif(bool(why), reason=why))
        for name, asked in QUESTIONS.items()
        for each, why in ((each, each.absent) for each in asked.sides)
    ],
)
async def test_questions(name: str, side_of: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question gets figures for every case, and every goal and growth is about one of them."""
    for module, values in (
        (apiserver, {"QUICK_REQUESTS": 20}),
        (watching, {"OBJECTS": 2}),
        (patching, {"OBJECTS": 200, "QUICK_CHANGES": 4}),
        (idling, {"OBJECTS": 1}),
    ):
        for variable, value in values.items():
            monkeypatch.setattr(module, variable, value)
    question = QUESTIONS[name]
    small = attrs.evolve(question, quick_cases=CASES[name], sides=(side_of,), quick_sides=())
    with trio.fail_after(180):
        found = await answer(small, QUICK, lambda text: None)
    assert [row.case for row in found.rows] == list(CASES[name])
    asked = {each.figure for each in (*question.goals, *question.growth)}
    assert asked <= set(found.rows[0].figures)
    assert {goal.case for goal in question.goals} <= set(question.cases)
    sides = {each.name for each in question.sides}
    assert {name for goal in question.goals for name in (goal.side, goal.peer or goal.side)} <= sides
    assert {question.ours, *(growth.side for growth in question.growth)} <= sides


async def test_the_second_time_counts() -> None:
    """One is done first, then all, and all again under watch; of what only waits, memory is the figure."""
    asked: list[tuple[int, int]] = []

    async def work(load: Load) -> float | None:
        asked.append((load.run, load.count))
        await trio.lowlevel.checkpoint()
        return 12.0 if load.case else None

    found = await measured(work, Load("", "", 1, 7))
    assert asked == [(0, 1), (1, 7), (2, 7)]
    assert found["added"] == ("KiB each", 12.0)
    assert not {"cpu", "rate"} & set(found)
    assert list(await measured(work, Load("", "", 0, 7))) == ["cpu", "rate", "stall", "peak"]


async def test_a_server_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told of in one line."""
    monkeypatch.setattr(side, "_HERE", "trio_argoagent.errors")
    with pytest.raises(UserError, match=r"the API server did not start: .*has no attribute .main"):
        async with side.server(1):
            pass
