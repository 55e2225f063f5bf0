"""How long does the simulator take for an hour of ten agents under every kind of trouble?

What is timed is what ``trio-argoagent simulate --agents 10 --apps 10 --hours 1`` plays for one seed, with the
agreement and the silence at its end.
"""

from __future__ import annotations

import time
from typing import Final

from trio_argoagent.bench.apart import Order, apart
from trio_argoagent.bench.figures import CPU, DRAWN, Sense, Values
from trio_argoagent.bench.questions import Goal, Question
from trio_argoagent.testing.plan import Options, draw_plan
from trio_argoagent.testing.trial import run_plan

AGENTS: Final = 10
APPS: Final = 10
"""Of each agent, at most."""


def play(order: Order) -> Values:
    """See ``apart``."""
    plan = draw_plan(order.turn + 1, Options(AGENTS, APPS, 60.0 * int(order.case)))
    began, cpu = time.perf_counter(), time.process_time()
    report = run_plan(plan)
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    return {
        "wall": ("s", wall),
        CPU: ("s", cpu),
        "pace": ("virtual s/s", report.seconds / wall),
        "steps": ("/s", report.steps / wall),
        "troubles": (DRAWN, float(report.faults.total())),
        "broken": ("rules", float(len(report.violations))),
    }


QUESTION: Final = Question(
    "hour",
    "virtual",
    "the simulator: ten agents under every kind of trouble",
    (60,),
    "virtual minutes",
    apart(__name__),
    quick_cases=(1,),
    rounds=1,
    goals=(
        Goal("seconds for an hour of ten agents", "ours", 60, "wall", Sense.AT_MOST, 120),
        Goal("rules broken", "ours", 60, "broken", Sense.AT_MOST, 0),
    ),
)
