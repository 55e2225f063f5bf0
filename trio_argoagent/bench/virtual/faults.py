"""Is an update lost, or stale, after each kind of trouble? What the simulator plays, one kind at a time.

``WORK`` seconds of users' work and of that trouble alone befall two agents; then all is calm. Once both sides
have agreed and nothing moves any more, the oracle and the monitors judge (see ``testing.trial``): ``lost``
counts objects whose change has never come to the other side and requests that nobody started or answered,
``stale`` what is there and not as its owner has it, ``broken`` every other rule that did not hold. Each kind
is played for several seeds; where nothing was troubled, or nothing changed, it has not been measured.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import attrs

from trio_argoagent.bench.apart import CORES, Order, apart
from trio_argoagent.bench.figures import DRAWN, Found, Sense, Values
from trio_argoagent.bench.questions import Asked, Goal, Question
from trio_argoagent.testing.chaos import WIRE_FAULTS
from trio_argoagent.testing.plan import Options, draw_plan
from trio_argoagent.testing.trial import AGREEMENT, Report, run_plan

LEVEL: Final = 2
"""Links are HTTP/2 over bytes: some troubles exist only there."""
WORK: Final = 40.0
"""Virtual seconds."""
SEEDS: Final = 3
QUICK_SEEDS: Final = 1
"""Of each kind."""
IN_ALL: Final = "in all"
"""The case that sums up the others."""
WORST: Final = "agree"
"""The figure of which the worst counts; the others are summed."""
_LOST: Final = re.compile(r"\bL1: .* has no copy$|\bL3\b")
_STALE: Final = re.compile(r"\bL1: ")


def judged(reports: Sequence[Report]) -> Values:
    """What several trials have shown together; only what was done, where that cannot show anything."""
    changes = sum(report.actions.total() for report in reports)
    troubles = sum(report.faults.total() for report in reports)
    drawn = {"changes": (DRAWN, float(changes)), "troubles": (DRAWN, float(troubles))}
    if not changes or not troubles:
        return drawn
    broken = [line for report in reports for line in report.violations]
    lost = sum(_LOST.search(line) is not None for line in broken)
    stale = sum(_STALE.search(line) is not None and _LOST.search(line) is None for line in broken)
    agreed = [AGREEMENT if report.agreed_after < 0 else report.agreed_after for report in reports]
    return {
        "lost": ("", float(lost)),
        "stale": ("", float(stale)),
        "broken": ("rules", float(len(broken) - lost - stale)),
        WORST: ("virtual s", max(agreed)),
        **drawn,
    }


def play(order: Order) -> Values:
    """See ``apart``."""
    options = Options(level=LEVEL, seconds=WORK, faults=(str(order.case),))
    seeds, first = QUICK_SEEDS if order.quick else SEEDS, 1 + order.turn * SEEDS
    return judged([run_plan(draw_plan(seed, options)) for seed in range(first, first + seeds)])


def in_all(found: Found) -> Values:
    """The worst of one figure, and the sums of the others: of those that every kind has."""
    of: dict[str, tuple[str, list[float]]] = {}
    for _, values in found:
        for name, (unit, value) in values.items():
            of.setdefault(name, (unit, []))[1].append(value)
    return {
        name: (unit, (max if name == WORST else sum)(values))
        for name, (unit, values) in of.items()
        if len(values) == len(found)
    }


async def ask(asked: Asked) -> Found:
    """Each kind, as many at a time as there are processors; then all of them."""
    kinds = tuple(case for case in asked.cases if case != IN_ALL)
    found = await apart(__name__, CORES)(attrs.evolve(asked, cases=kinds))
    return [*found, (IN_ALL, in_all(found))]


QUESTION: Final = Question(
    "faults",
    "virtual",
    "updates lost or stale after each kind of trouble, and how long until both sides agree",
    (*WIRE_FAULTS, IN_ALL),
    "trouble",
    ask,
    quick_cases=("cut", "half-open", "lost-answer", "late-write", "gone-410", "crash", "torn", IN_ALL),
    rounds=1,
    goals=(
        Goal("lost updates", "ours", IN_ALL, "lost", Sense.AT_MOST, 0),
        Goal("stale objects", "ours", IN_ALL, "stale", Sense.AT_MOST, 0),
        Goal("other rules broken", "ours", IN_ALL, "broken", Sense.AT_MOST, 0),
    ),
)
