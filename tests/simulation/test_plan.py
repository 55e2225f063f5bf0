"""A plan is a value: drawn alike each time, saved and read back, cut without shifting what is left."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest

from trio_argoagent.errors import UserError
from trio_argoagent.testing.trial import FAULTS, Moment, Options, Plan, draw_plan, run_plan

SHORT = Options(seconds=15.0)


def test_a_seed_draws_the_same_plan_each_time_and_another_seed_another() -> None:
    """Nothing but the seed and the options decides."""
    assert draw_plan(5) == draw_plan(5)
    assert draw_plan(5) != draw_plan(6)
    assert draw_plan(5, SHORT) != draw_plan(5)


def test_only_the_faults_that_were_asked_for_are_drawn() -> None:
    """Each is switched on by its name; none at all is possible, too."""
    options = Options(faults=("cut", "crash"))
    kinds = {item.kind for item in draw_plan(1, options).items} & set(FAULTS)
    assert kinds <= {"cut", "crash"}
    assert not {item.kind for item in draw_plan(1, Options(faults=())).items} & set(FAULTS)


@pytest.mark.parametrize("seed", range(5))
def test_a_plan_survives_its_file(seed: int) -> None:
    """What is written is read back equal, and one item stands on one line."""
    plan = draw_plan(seed, SHORT)
    text = plan.to_json()
    assert Plan.from_json(text) == plan
    assert sum('"number"' in line for line in text.splitlines()) == len(plan.items)


def test_a_plan_without_items_survives_its_file() -> None:
    """An empty list is a list."""
    plan = attrs.evolve(draw_plan(1, SHORT), items=())
    assert Plan.from_json(plan.to_json()) == plan


def test_a_saved_plan_takes_the_same_course() -> None:
    """A replay writes the same history as the run it was saved from."""
    plan = draw_plan(4, SHORT)
    assert run_plan(plan) == run_plan(Plan.from_json(plan.to_json()))


def test_dropping_one_item_leaves_the_others_as_they_are() -> None:
    """What happens before the dropped item's time happens alike, write by write."""
    plan = draw_plan(4, SHORT)
    dropped = plan.items[len(plan.items) // 2]
    rest = attrs.evolve(plan, items=tuple(item for item in plan.items if item is not dropped))
    stories: list[list[tuple[float, str]]] = []
    for each in (plan, rest):
        moments: list[Moment] = []
        run_plan(each, trace=moments.append)
        stories.append([(m.at, m.text) for m in moments if m.at < dropped.at])
    assert stories[0] == stories[1]
    assert len(stories[0]) > 10


def _changed(path: tuple[Any, ...], value: Any) -> str:
    """A plan's file with one value changed; ``None``: taken away."""
    top = json.loads(draw_plan(1, SHORT).to_json())
    inner = top
    for step in path[:-1]:
        inner = inner[step]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return json.dumps(top)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("version",), 2, "plan: version: must be 1"),
        (("seed",), "x", "plan: seed: must be a whole number"),
        (("seed",), True, "plan: seed: must be a whole number"),
        (("colour",), 1, "plan: colour: there is no such field"),
        (("items",), None, "plan: items: is missing"),
        (("spokes",), [], "plan: spokes: must be at least one"),
        (("spokes", 0, "mode"), "x", r"plan: spokes\[0\]: mode: must be one of"),
        (("options", "faults"), ["cat"], "plan: options: faults: there is no 'cat'; known are cut"),
        (("options", "agents"), 0, "plan: options: agents: must be at least 1"),
        (("items", 1, "kind"), "cat", r"plan: items\[1\]: kind: there is no 'cat'"),
        (("items", 1, "target"), "cat", r"plan: items\[1\]: target: must be one of"),
        (("items", 1, "strength"), 2, r"plan: items\[1\]: strength: is out of bounds"),
        (("items", 1, "at"), "soon", r"plan: items\[1\]: at: must be a number"),
        (("items", 1), 7, r"plan: items\[1\]: must be an object"),
    ],
)
def test_a_wrong_field_is_named(path: tuple[Any, ...], value: Any, words: str) -> None:
    """Whoever has edited a plan is told where it went wrong."""
    with pytest.raises(UserError, match=words):
        Plan.from_json(_changed(path, value))


def test_two_items_of_one_number_are_refused() -> None:
    """They would draw from one stream."""
    rows = json.loads(draw_plan(1, SHORT).to_json())["items"]
    with pytest.raises(UserError, match="each must have another number"):
        Plan.from_json(_changed(("items",), [rows[0], rows[0]]))


def test_a_line_that_is_not_json_is_named() -> None:
    """By its number."""
    lines = draw_plan(1, SHORT).to_json().splitlines()
    lines[6] = "{"
    with pytest.raises(UserError, match="plan: line"):
        Plan.from_json("\n".join(lines))


@pytest.mark.parametrize("seconds", [-1.0, float("-inf")])
def test_impossible_options_are_refused(seconds: float) -> None:
    """One line says which."""
    with pytest.raises(UserError, match="seconds: must be at least 0"):
        Options(seconds=seconds)
