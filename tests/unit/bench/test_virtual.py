"""Each question in virtual time once, as small as can be, and what the processes do that measure them."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import attrs
import pytest
import trio
import trio.testing

from trio_argoagent.bench import apart
from trio_argoagent.bench.apart import Order, Play
from trio_argoagent.bench.figures import Case
from trio_argoagent.bench.questions import OURS, QUICK, Asked
from trio_argoagent.bench.runner import answer
from trio_argoagent.bench.virtual import QUESTIONS, faults, hour, partition
from trio_argoagent.errors import UserError
from trio_argoagent.testing.trial import AGREEMENT, Report

CASES: Final[Mapping[str, Case]] = {"faults": "cut", "partition": 1, "storm": 2, "scale": 2, "hour": 1}


@pytest.mark.parametrize("name", QUESTIONS)
def test_questions(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question gets figures, and every goal and growth is about one of them."""
    monkeypatch.setattr(hour, "AGENTS", 1)
    question = QUESTIONS[name]
    play: Play = importlib.import_module(f"trio_argoagent.bench.virtual.{name}").play
    found = play(Order(question.sides[-1].name, CASES[name], 0, quick=True))
    asked = {each.figure for each in (*question.goals, *question.growth)} - {"of one"}  # Of several cases.
    assert asked <= set(found)
    assert {goal.case for goal in question.goals} <= set(question.cases)
    sides = {each.name for each in question.sides}
    assert {question.ours, *(each.side for each in (*question.goals, *question.growth))} <= sides


async def test_a_process_answers() -> None:
    """As the runner asks: every case has its figures, and so has the one that sums up the others."""
    cases = ("reset", faults.IN_ALL)
    small = attrs.evolve(QUESTIONS["faults"], quick_cases=cases)
    with trio.fail_after(120):
        found = await answer(small, QUICK, lambda text: None)
    assert [row.case for row in found.rows] == list(cases)
    assert found.rows[0].figures["changes"].median > 0
    assert found.rows[1].figures == found.rows[0].figures
    assert [verdict.met for verdict in found.verdicts] == [True, True, True]


def test_partition() -> None:
    """Only what was edited travels, and the rounds draw different times to dial."""
    one, other = (partition.play(Order("1", 1, turn, quick=True)) for turn in (0, 1))
    assert one["records"] == other["records"] == ("", 1.0)
    assert one["linked"] != other["linked"]
    assert partition.play(Order("1", 1, 0, quick=True)) == one


def report(agreed_after: float, *violations: str) -> Report:
    """A trial of three changes and two cuts."""
    return Report(
        1, agreed_after, 300.0, 1000, 50, 0, 0, Counter(edit=3), Counter(cut=2), Counter(), violations, ""
    )


def test_judged() -> None:
    """What has no copy and a request that went are lost, what differs is stale, the rest is broken."""
    bad = report(
        -1.0,
        "361.0 s: L1: m1: Application app0: has no copy",
        "361.0 s: L1: m1: Application app1: spec of the copy differ",
        "361.0 s: L1: requests are still on their way",
        "12.0 s: L3: hub: a request was removed instead of stamped",
        "12.0 s: I7: m1: the agent starts x once more",
    )
    found = {name: value for name, (_, value) in faults.judged([report(4.0), bad]).items()}
    assert found == {"lost": 2, "stale": 2, "broken": 1, "agree": AGREEMENT, "changes": 6, "troubles": 4}
    clean = faults.judged([report(4.0)])
    both = faults.in_all([("cut", faults.judged([bad])), ("crash", clean)])
    assert {name: value for name, (_, value) in both.items()} == found


@pytest.mark.parametrize(
    "nothing", [attrs.evolve(report(4.0), actions=Counter()), attrs.evolve(report(4.0), faults=Counter())]
)
def test_nothing_to_judge(nothing: Report) -> None:
    """A kind that has troubled nobody is not free of losses, and neither are all kinds together."""
    calm = faults.judged([nothing])
    assert set(calm) == {"changes", "troubles"}
    assert set(faults.in_all([("cut", faults.judged([report(4.0)])), ("crash", calm)])) == set(calm)


def test_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind is played for several, and no round plays those of another."""
    drawn: list[int] = []
    monkeypatch.setattr(faults, "draw_plan", lambda seed, options: drawn.append(seed))
    monkeypatch.setattr(faults, "run_plan", lambda plan: report(4.0))
    for turn in range(2):
        found = faults.play(Order("ours", "cut", turn, quick=False))
        assert found["troubles"] == ("drawn", 2.0 * faults.SEEDS)
    assert len(set(drawn)) == len(drawn) == 2 * faults.SEEDS >= 6


async def test_cases_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more at a time than allowed; what comes back is in the order of the cases."""
    running = most = 0

    async def told(module: str, *arguments: str) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await trio.testing.wait_all_tasks_blocked()
        running -= 1
        return {"order": ("", arguments[1])}

    monkeypatch.setattr(apart, "told", told)
    asked = Asked(OURS, (3, 1, 2), QUICK, 4)
    found = await apart.apart("some.module", 2)(asked)
    assert [case for case, _ in found] == [3, 1, 2]
    assert found[0][1]["order"][1] == '{"side": "ours", "case": 3, "turn": 4, "quick": true}'
    assert most == 2


async def test_failure_apart() -> None:
    """A process that fails is told of by its last word, in one line."""
    asked = Asked(OURS, (1,), QUICK, 0)
    why = "ended with code 1: ModuleNotFoundError: No module named 'nowhere'"
    with pytest.RaisesGroup(pytest.RaisesExc(UserError, match=why)):
        await apart.apart("nowhere")(asked)
