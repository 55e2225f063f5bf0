"""Worker processes: as good as one process, and killed when they are of no use."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from trio_argoagent.testing import workers
from trio_argoagent.testing.campaign import Job, Outcome, play

from . import broken

pytestmark = pytest.mark.processes
LIMIT = 60.0
_FIRST_DIES: Final = """
import os
if not os.path.exists({flag!r}):
    open({flag!r}, "w").close()
    os._exit(7)
"""


async def play_all(jobs: list[Job], count: int, limit: float = LIMIT) -> dict[int, Outcome]:
    """Each job's outcome, by its seed."""
    found: dict[int, Outcome] = {}

    def done(outcome: Outcome) -> None:
        assert outcome.seed not in found
        found[outcome.seed] = outcome

    await workers.play_all(iter(jobs), workers=count, limit=limit, done=done)
    return found


JOBS: Final = [Job(seed, broken.SHORT) for seed in range(1, 5)]


@pytest.fixture(name="here", scope="module")
def played_here() -> dict[int, Outcome]:
    """What the jobs come to in this process."""
    return {job.seed: play(job) for job in JOBS}


@pytest.fixture
def caught() -> Outcome:
    """A violation by a broken product."""
    return broken.caught()


async def test_two_workers_say_what_one_process_says(here: dict[int, Outcome]) -> None:
    """Every job is played once, and where it is played does not matter."""
    assert await play_all(JOBS, 2) == here


async def test_a_seed_that_does_not_end_is_ended() -> None:
    """It counts as violated, its plan is kept, and the next seed gets another worker."""
    found = await play_all([Job(1, broken.SHORT), Job(2, broken.SHORT)], 1, limit=0.01)
    assert list(found) == [1, 2]
    for seed, outcome in found.items():
        assert outcome.violation == "worker: the process that ran this seed did not end within 0.01 s"
        assert outcome.plan == Job(seed, broken.SHORT).find_plan().to_json()


async def test_a_worker_that_dies_is_a_violation_and_replaced(
    here: dict[int, Outcome], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its seed says with which code; the others are played by another worker."""
    (tmp_path / "sitecustomize.py").write_text(_FIRST_DIES.format(flag=str(tmp_path / "flag")))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    dead, *others = (await play_all(JOBS, 1)).values()
    assert dead.violation == "worker: the process that ran this seed ended with code 7"
    assert dead.rules == ["worker"]
    assert others == list(here.values())[1:]


async def test_a_plan_is_shrunk_by_a_worker(
    caught: Outcome, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is left still breaks the rule that was broken, and each try is told."""
    broken.break_workers(monkeypatch, tmp_path)
    tries: list[tuple[int, int]] = []
    best, shrunk = await workers.shrink(caught, limit=LIMIT, told=lambda *each: tries.append(each))
    assert shrunk.minimal
    assert broken.RULE in best.rules
    assert Job(1, plan=best.plan).find_plan().items == tuple(
        Job(1, plan=caught.plan).find_plan().items[index] for index in shrunk.items
    )
    assert [runs for runs, _ in tries] == list(range(1, shrunk.runs + 1))
    assert tries[-1][1] == len(shrunk.items)
