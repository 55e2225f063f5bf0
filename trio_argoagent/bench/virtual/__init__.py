"""Questions about fleets in virtual time: one process each, deterministic, the rounds of different seeds.

faults     is an update lost, or stale, after each kind of trouble?
partition  how long until both sides agree again after a partition, and what does it take?
storm      how long until all agents are in step again that have lost their links at once?
scale      what do ever more agents cost in one process?
hour       how long does an hour under trouble take?
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trio_argoagent.bench.questions import Question
from trio_argoagent.bench.virtual import faults, hour, partition, scale, storm

FAMILY: Final = "virtual"
_ALL = (faults, partition, storm, scale, hour)
QUESTIONS: Final[Mapping[str, Question]] = {asked.QUESTION.name: asked.QUESTION for asked in _ALL}
"""By name."""
