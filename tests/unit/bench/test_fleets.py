"""Each question about whole fleets once, as small as can be. No figure is judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs
import pytest

from trio_argoagent.bench.figures import Case
from trio_argoagent.bench.fleet import QUESTIONS, flooder, rates, reconnect, rig
from trio_argoagent.bench.questions import QUICK, Side
from trio_argoagent.bench.runner import answer
from trio_argoagent.testing.fleet import SpokePlan
from trio_argoagent.testing.processes import fleet as processes

CASES: Final[Mapping[str, tuple[Case, ...]]] = {
    "propagation": (50,),
    "status-rate": (2,),
    "spec-rate": (10,),
    "status-bytes": (2,),
    "reconnect": (0, 2),
    "hub-restart": (2,),
    "join": (2,),
    "agent-cost": (0, 2),
    "hub-cost": (1, 2),
    "fairness": (0, 20, "full"),
}


@pytest.mark.parametrize(
    ("name", "side"),
    [
        pytest.param(name, side, id=f"{name}, {side.name}")
        for name, asked in QUESTIONS.items()
        for side in asked.sides
    ],
)
async def test_questions(name: str, side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question gets figures for every case, and every goal and growth is about one of them."""
    # What is quiet for so long will stay so where nothing but the test changes anything.
    monkeypatch.setattr(processes, "QUIET", 0.3)
    monkeypatch.setattr(rig, "PATIENCE", 120.0)
    for module, value in (("rates", rates.FLYING), ("fairness", 3), ("reconnect", 3), ("restart", 3)):
        monkeypatch.setattr(f"trio_argoagent.bench.fleet.{module}.APPS", value)
    monkeypatch.setattr("trio_argoagent.bench.fleet.reconnect.QUICK_APPS", 3)
    question = QUESTIONS[name]
    small = attrs.evolve(question, cases=CASES[name], quick_cases=CASES[name], sides=(side,), quick_sides=())
    found = await answer(small, QUICK, lambda text: None)
    # Among no Applications none has changed.
    assert [row.case for row in found.rows] == [n for n in CASES[name] if n or side is not reconnect.AMONG]
    asked = {each.figure for each in (*question.goals, *question.growth)}
    if side.name == question.ours:
        assert asked <= {figure for row in found.rows for figure in row.figures}
    assert {goal.case for goal in question.goals} <= set(question.cases)
    sides = {each.name for each in question.sides}
    assert {name for goal in question.goals for name in (goal.side, goal.peer or goal.side)} <= sides
    assert {growth.side for growth in question.growth} <= sides


async def test_a_flooder_changes_as_often_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """One status after the other, from a process of its own."""
    monkeypatch.setattr(processes, "QUIET", 0.3)
    async with rig.open_rig([SpokePlan("quiet")], counted=False) as fleet:
        arrivals = rig.Arrivals(fleet.hub)
        async with flooder.open_flooder(fleet, "flooder", 2, 1) as process:
            assert process.stdin is not None
            await process.stdin.send_all(3 * flooder.CHANGE)
            await arrivals.wait("flooder", 0, 4)
            await arrivals.wait("flooder", 1, 3)
            assert not await fleet.wait_settled(rig.PATIENCE)
