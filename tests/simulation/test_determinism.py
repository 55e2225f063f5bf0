"""A seed is a whole bug report: it replays to the last write, in every process."""

from __future__ import annotations

import contextlib
import gc
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
import trio
from trio._core import _run

from trio_argoagent.ports.env import Env
from trio_argoagent.testing.divergence import Step, first_divergence
from trio_argoagent.testing.fleet import PRINCIPAL, Fleet, SpokePlan, run_fleet
from trio_argoagent.testing.scheduling import COLLECTED, simulate, stream
from trio_argoagent.testing.steps import Recorder
from trio_argoagent.testing.trial import Options, draw_plan, run_plan, run_trial

LEVELS = (1, 2)
_PROGRAM = """
from tests.simulation.test_determinism import steps_of
for step in steps_of({level}):
    print(step.to_json())
"""


def steps_of(level: int) -> list[Step]:
    """Every step of a short trial with all faults."""
    recorder = Recorder()
    run_plan(draw_plan(7, Options(seconds=20.0, level=level)), recorder=recorder)
    return recorder.steps


def elsewhere(level: int, hash_seed: str) -> list[Step]:
    """The same in a process of its own, where strings hash otherwise."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(level=level)],
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    return [Step.from_json(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("level", LEVELS)
def test_a_seed_takes_the_same_steps_in_every_process(level: int) -> None:
    """Task by task, write by write, frame by frame; whatever the order of sets and of dicts of strings."""
    here = steps_of(level)
    assert len(here) > 5000
    assert len({step.node for step in here}) > 5
    for other in (steps_of(level), elsewhere(level, "1"), elsewhere(level, "2")):
        parted = first_divergence(here, other)
        assert parted is None, str(parted)


def test_another_seed_takes_another_course() -> None:
    """The digest would be of no use if it were always the same."""
    short = Options(seconds=20.0)
    assert run_trial(7, short).digest != run_trial(8, short).digest


class _Unseeded(Fleet):
    """A fleet of which one agent draws its jitter from the machine."""

    def _env(self, program: str, start: int) -> Env:
        env = super()._env(program, start)
        return attrs.evolve(env, random=random.SystemRandom()) if program == "west" else env


def _story(make: Callable[[int, list[SpokePlan]], Fleet]) -> list[Step]:
    """Two agents lose their links and dial again. Nobody has dialled in vain before, and so drawn a wait."""

    async def main() -> list[Step]:
        recorder = Recorder()
        async with run_fleet(make(1, [SpokePlan("east"), SpokePlan("west")]), start=False) as fleet:
            recorder.attach(fleet)
            trio.lowlevel.add_instrument(recorder)
            fleet.start(PRINCIPAL)
            await trio.sleep(5.0)
            fleet.start()
            await trio.sleep(5.0)
            for agent in fleet.agents:
                fleet.cut(agent)
            await trio.sleep(20.0)
            trio.lowlevel.remove_instrument(recorder)
        return recorder.steps

    return simulate(main, seed=1)


def test_a_draw_that_no_seed_reaches_is_found_and_named() -> None:
    """The first step that differs is one of the agent that drew, after the cut; both texts are shown."""
    assert first_divergence(_story(Fleet), _story(Fleet)) is None
    parted = first_divergence(_story(_Unseeded), _story(_Unseeded))
    assert parted is not None
    assert parted.first is not None and parted.second is not None
    assert "west" in (parted.first.node, parted.second.node)
    assert min(parted.first.at, parted.second.at) >= 10.0
    text = str(parted)
    assert f"step {parted.number:,} is the first that differs" in text
    assert f"first:  {parted.first}" in text
    assert f"second: {parted.second}" in text


def test_the_scheduler_is_seeded_for_one_run_only() -> None:
    """Trio's own switches are put back, also after a failure."""
    before = _run._ALLOW_DETERMINISTIC_SCHEDULING, _run._r

    async def main() -> None:
        assert _run._ALLOW_DETERMINISTIC_SCHEDULING
        raise ValueError("on purpose")

    with contextlib.suppress(ValueError):
        simulate(main, seed=1)
    assert (_run._ALLOW_DETERMINISTIC_SCHEDULING, _run._r) == before


def test_garbage_is_looked_for_seldom_in_one_run_only() -> None:
    """A fleet's objects live as long as it does; the interpreter's own setting is put back."""
    before = gc.get_threshold()

    async def main() -> tuple[int, int, int]:
        return gc.get_threshold()

    assert simulate(main, seed=1) == COLLECTED
    assert gc.get_threshold() == before


def test_the_seed_orders_the_tasks_that_are_ready_together() -> None:
    """Other seeds try other interleavings, and each seed always the same one."""

    async def main() -> tuple[int, ...]:
        order: list[int] = []

        async def note(number: int) -> None:
            for _ in range(3):
                await trio.lowlevel.checkpoint()
                order.append(number)

        async with trio.open_nursery() as nursery:
            for number in range(4):
                nursery.start_soon(note, number)
        return tuple(order)

    orders = [simulate(main, seed=seed) for seed in range(8)]
    assert orders == [simulate(main, seed=seed) for seed in range(8)]
    assert len(dict.fromkeys(orders)) > 1


def test_an_hour_passes_in_no_time() -> None:
    """Nothing waits for the wall clock."""

    async def main() -> float:
        await trio.sleep(3600)
        return trio.current_time()

    assert simulate(main, seed=1) == 3600.0


def test_streams_do_not_disturb_each_other() -> None:
    """What one purpose draws is the same whether or not another one draws."""
    alone = [stream(1, "network").random() for _ in range(3)]
    other, beside = stream(1, "faults"), []
    for _ in range(3):
        other.random()
        beside.append(stream(1, "network").random())
    assert alone == beside
