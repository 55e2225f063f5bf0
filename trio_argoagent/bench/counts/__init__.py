"""What pieces of work take, counted in instructions.

instructions  the question
counters      perf and valgrind
worker        the process that is counted
messages, link, reading, serving, fleet
              the pieces: each module has ``WORK``
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trio_argoagent.bench.counts import instructions
from trio_argoagent.bench.questions import Question

FAMILY: Final = "counts"
QUESTIONS: Final[Mapping[str, Question]] = {instructions.QUESTION.name: instructions.QUESTION}
"""By name."""
