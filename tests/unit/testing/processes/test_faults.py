"""The table of troubles: each does what it says while it lasts, and undoes it, however it ends."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.errors import LinkBroken
from trio_argoagent.runtime.world import real_env
from trio_argoagent.testing.fleet import PRINCIPAL
from trio_argoagent.testing.processes.faults import FAULTS, Aim
from trio_argoagent.testing.processes.fleet import Fleet
from trio_argoagent.testing.processes.plan import Options, draw_plan
from trio_argoagent.testing.processes.program import Program
from trio_argoagent.testing.processes.proxy import Passage
from trio_argoagent.testing.processes.toxics import Toxic
from trio_argoagent.testing.stage import Item

NAMES = (PRINCIPAL, "m1", "a2")
HEALTHY = (Toxic(), False)
NEEDS_A_PROCESS = ("disk-full", "fd-limit")
"""What it does is done to a process that runs: see tests/interop."""


async def nowhere() -> trio.abc.Stream:
    """Nobody dials here."""
    raise LinkBroken("nobody is there")


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """A fleet of which nothing runs."""
    fleet = Fleet(1, draw_plan(1, Options()).spokes, real_env(), tmp_path, tmp_path)
    fleet.links = {name: Passage(nowhere, Random(1)) for name in NAMES[1:]}
    fleet.apis = {name: Passage(nowhere, Random(1)) for name in NAMES}
    for name in NAMES:
        (tmp_path / name).write_text("log")
        fleet.programs[name] = Program(name, (), {}, tmp_path / name)
    return fleet


def condition(fleet: Fleet) -> list[object]:
    """What is wrong with each part of it."""
    passages = [each.troubles for each in (*fleet.links.values(), *fleet.apis.values())]
    return [*passages, *(each.troubles for each in fleet.programs.values())]


WRONG: dict[str, Callable[[Fleet], bool]] = {
    "cut": lambda fleet: fleet.links["m1"].troubles == (Toxic(), True),
    "reset": lambda fleet: True,
    "refuse": lambda fleet: fleet.links["m1"].troubles == (Toxic(), True),
    "half-open": lambda fleet: fleet.links["m1"].troubles[0] == Toxic(mute_up=True, mute_down=True),
    "one-way": lambda fleet: fleet.links["m1"].troubles[0] == Toxic(mute_down=True),
    "latency": lambda fleet: 0 < fleet.links["m1"].troubles[0].latency <= 1.05,
    "slow": lambda fleet: 2048 <= fleet.links["m1"].troubles[0].rate <= 32768,
    "slice": lambda fleet: 0 < fleet.links["m1"].troubles[0].piece <= 41,
    "corrupt": lambda fleet: 0 < fleet.links["m1"].troubles[0].flips < 1,
    "api-cut": lambda fleet: fleet.apis["principal"].troubles == (Toxic(), True),
    "api-slow": lambda fleet: fleet.apis["principal"].troubles[0].latency > 0,
    "api-half-open": lambda fleet: fleet.apis["principal"].troubles[0].mute_up,
    "api-corrupt": lambda fleet: fleet.apis["principal"].troubles[0].flips > 0,
    "kill": lambda fleet: fleet.programs[PRINCIPAL].troubles[0] == 1,
    "stop": lambda fleet: fleet.programs[PRINCIPAL].troubles[1] == 1,
    "memory-limit": lambda fleet: resource.RLIMIT_AS in fleet.programs["m1"].troubles[2],
}


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in NEEDS_A_PROCESS])
async def test_a_fault_does_what_it_says_and_undoes_it(
    fleet: Fleet, name: str, autojump_clock: MockClock
) -> None:
    """Wherever it is drawn to strike, at its usual strength; also when it is ended early."""
    fault, healthy = FAULTS[name], condition(fleet)
    target = PRINCIPAL if fault.aim is Aim.PROGRAM else "m1"
    assert target in fault.targets(NAMES[1:])
    for cancelled in (False, True):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fault.make, fleet, Item(1, 0.0, name, target, 10.0, 0.5))
            await trio.sleep(5.0)
            assert WRONG[name](fleet)
            if cancelled:
                nursery.cancel_scope.cancel()
        assert condition(fleet) == healthy


def test_every_fault_is_looked_at() -> None:
    """None is missing above."""
    assert {*WRONG, *NEEDS_A_PROCESS} == {*FAULTS}
