"""A product with one rule out: a tombstone leaves the resources-finalizers where they are, so it prunes."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Final

import pytest

import trio_argoagent
from trio_argoagent.model.objects import Object
from trio_argoagent.sync import plan, steps
from trio_argoagent.testing.campaign import Job, Outcome, play
from trio_argoagent.testing.plan import Options

RULE: Final = "W1"
"""Which invariant that breaks."""
SHORT: Final = Options(agents=1, apps=1, seconds=12.0, faults=())
"""Enough for an Application to be synced and then to go."""
SEEDS: Final = range(1, 61)
"""One in eight or so deletes without cascade what was deployed."""
_CUSTOMIZE: Final = """
from trio_argoagent.sync import plan, steps


def remove(live):
    return steps.Delete(live.meta.uid, live.meta.resource_version, final=not live.finalizers)


plan._remove = remove
"""


@cache
def caught() -> Outcome:
    """What the first seed comes to that sees it, played in this process (so outside of Trio)."""

    def remove(live: Object) -> steps.Step:
        return steps.Delete(live.meta.uid, live.meta.resource_version, final=not live.finalizers)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "_remove", remove)
        outcomes = (play(Job(seed, SHORT)) for seed in SEEDS)
        return next(outcome for outcome in outcomes if outcome.rules[:1] == [RULE])


def break_workers(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Break it in every Python that this process starts."""
    (folder / "sitecustomize.py").write_text(_CUSTOMIZE)
    # They must run what this process runs: another installation would draw other seeds.
    here = Path(trio_argoagent.__file__).parents[1]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(folder), str(here))))
