"""How many instructions do the pieces of work take that the programs' costs consist of?

Counts hardly depend on what else the machine is doing: they show what times do not. Each piece is done n
times, and 2n times: the difference is n of them, and what it takes to begin cancels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from trio_argoagent.bench.counts.counters import Job, usable
from trio_argoagent.bench.figures import Found
from trio_argoagent.bench.questions import Asked, Question

EACH: Final = "each"
"""The figure."""


@attrs.frozen
class Piece:
    """A piece of work.

    Attributes:
        module: of this package, whose ``WORK`` does it.
        count: how often it is done, at the least.
    """

    module: str
    count: int


PIECES: Final[Mapping[str, Piece]] = {
    "frame of 200 B": Piece("link", 2000),
    "frame of 20 KiB": Piece("link", 50),
    "message": Piece("messages", 200),
    "object": Piece("reading", 50),
    "read": Piece("serving", 100),
    "write": Piece("serving", 100),
    "status change": Piece("fleet", 10),
    "edit": Piece("fleet", 10),
    "virtual second": Piece("fleet", 3),
}
"""By case."""


async def ask(asked: Asked) -> Found:
    """See ``Ask``."""
    counter = await usable()
    sizes = {case: PIECES[str(case)].count * counter.times for case in asked.cases}
    jobs = [_job(str(case), times * size) for case, size in sizes.items() for times in (1, 2)]
    counted = await counter.count(jobs)
    pairs = zip(sizes.items(), counted[::2], counted[1::2], strict=True)
    return [(case, {EACH: (counter.unit, (twice - once) / size)}) for (case, size), once, twice in pairs]


def _job(case: str, count: int) -> Job:
    return f"{__package__}.{PIECES[case].module}", case, count


QUESTION: Final = Question(
    "instructions",
    "counts",
    "instructions of pieces of work, in one process each and without a network",
    tuple(PIECES),
    "piece",
    ask,
    quick_cases=("message",),
    rounds=1,
)
