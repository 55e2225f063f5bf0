"""Plans of real processes: what a seed draws, and what files are refused."""

from __future__ import annotations

import attrs
import pytest

from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import Mode
from trio_argoagent.testing.plan import ACTIONS
from trio_argoagent.testing.processes.faults import FAULTS, STOP
from trio_argoagent.testing.processes.plan import Options, Plan, draw_plan


def test_a_seed_draws_the_same_plan_again() -> None:
    """And another seed another one; both survive a file."""
    plan = draw_plan(7, Options(seconds=60.0))
    assert draw_plan(7, Options(seconds=60.0)) == plan != draw_plan(8, Options(seconds=60.0))
    assert Plan.from_json(plan.to_json()) == plan
    assert [item.at for item in plan.items] == sorted(item.at for item in plan.items)


def test_every_fault_is_drawn_before_any_comes_again() -> None:
    """A run is short: one of a hundred troubles misses none of the kinds."""
    plan = draw_plan(1, Options(seconds=400.0))
    troubles = [item.kind for item in plan.items if item.kind in FAULTS]
    assert set(troubles[: len(FAULTS)]) == set(FAULTS)
    assert {item.kind for item in plan.items} == {*FAULTS, *ACTIONS}


def test_only_what_is_allowed_is_drawn() -> None:
    """Each fault alone; none at all; and a stop is as long as it must be."""
    for name in FAULTS:
        plan = draw_plan(1, Options(seconds=60.0, faults=(name,)))
        assert {item.kind for item in plan.items} - {*ACTIONS} == {name}
    drawn = draw_plan(1, Options(seconds=600.0, faults=("stop",)))
    stops = [item.lasts for item in drawn.items if item.kind == "stop"]
    assert min(stops) == STOP[0]
    assert max(stops) <= STOP[1]
    assert {item.kind for item in draw_plan(1, Options(faults=())).items} <= {*ACTIONS}


def test_both_modes_are_there() -> None:
    """Every second agent is autonomous, whatever the seed."""
    for seed in range(5):
        spokes = draw_plan(seed, Options(agents=3)).spokes
        assert [spoke.mode for spoke in spokes] == [Mode.MANAGED, Mode.AUTONOMOUS, Mode.MANAGED]
        assert [spoke.name for spoke in spokes] == ["m1", "a2", "m3"]


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_strikes_what_it_can(name: str) -> None:
    """A link or an agent is one agent's; a program may be the principal, too."""
    assert FAULTS[name].targets(["m1"]) in (["m1"], ["principal", "m1"], ["principal"])


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ('"seed"', "seed", "plan: line 3: Expecting property name"),
        ('"version": 1', '"version": 2', "plan: version: must be 1, not 2"),
        ('"agents": 2', '"agents": 0', "plan: options: agents: must be 1 to 50, not 0"),
        ('"seconds": 9.0', '"seconds": NaN', "plan: options: seconds: must be 0 to 86400, not nan"),
        ('"keepalive": 4.0', '"keepalive": true', "plan: options: keepalive: must be a number"),
        ('"faults": [', '"faults": ["flood", ', "plan: options: faults: there is no 'flood'"),
        ('"kind": "', '"kind": "x', "kind: there is no"),
        ('"target": "', '"target": "x', "target: must be one of"),
        ('"number": ', '"rank": 1, "number": ', "rank: there is no such field"),
    ],
)
def test_what_is_no_plan(old: str, new: str, hint: str) -> None:
    """One line that names the field or the line."""
    text = draw_plan(1, Options(seconds=9.0)).to_json()
    assert old in text
    with pytest.raises(UserError) as caught:
        Plan.from_json(text.replace(old, new, 1))
    assert hint in str(caught.value)


def test_options_are_bounded() -> None:
    """Whoever builds them."""
    bad = ({"agents": 51}, {"apps": 0}, {"seconds": -1.0}, {"keepalive": 0.5}, {"faults": ("flood",)})
    for options in bad:
        with pytest.raises(UserError):
            attrs.evolve(Options(), **options)
    assert attrs.evolve(Options(), seconds=0).seconds == 0
