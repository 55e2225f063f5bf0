"""A seed is a whole bug report: it replays to the last write, in every process."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys

import trio
from trio._core import _run

from trio_argoagent.testing.scheduling import simulate, stream
from trio_argoagent.testing.trial import Options, run_trial

SHORT = Options(seconds=20.0)
_PROGRAM = """
from trio_argoagent.testing.trial import Options, run_trial
print(run_trial(7, Options(seconds=20.0)).digest)
"""


def test_the_same_seed_takes_the_same_course_twice() -> None:
    """Every write on every cluster is equal: who, when, what."""
    assert run_trial(7, SHORT) == run_trial(7, SHORT)


def test_another_seed_takes_another_course() -> None:
    """The digest would be of no use if it were always the same."""
    assert run_trial(7, SHORT).digest != run_trial(8, SHORT).digest


def test_the_order_of_sets_and_dicts_of_strings_does_not_matter() -> None:
    """Two processes with different hash seeds write the same history."""
    digests = []
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        digests.append(done.stdout.strip())
    assert len(digests[0]) == 64
    assert digests[0] == digests[1]


def test_the_scheduler_is_seeded_for_one_run_only() -> None:
    """Trio's own switches are put back, also after a failure."""
    before = _run._ALLOW_DETERMINISTIC_SCHEDULING, _run._r

    async def main() -> None:
        assert _run._ALLOW_DETERMINISTIC_SCHEDULING
        raise ValueError("on purpose")

    with contextlib.suppress(ValueError):
        simulate(main, seed=1)
    assert (_run._ALLOW_DETERMINISTIC_SCHEDULING, _run._r) == before


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
