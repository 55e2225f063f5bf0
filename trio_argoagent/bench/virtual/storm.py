"""How long until every agent is in step again, when all of them lose their links at once?

One process in virtual time, frames in memory: the seconds tell what waits, spreads and turns cost; the CPU
time is that of the whole simulated fleet. One Application of each agent changes meanwhile where it is owned,
so that the links have something to compare. The network is gone for some seconds, then for minutes, and then
the principal is: all over one fleet.
"""

from __future__ import annotations

from typing import Final

from trio_argoagent.bench.apart import CORES, Order, apart
from trio_argoagent.bench.figures import CPU, Sense, Values
from trio_argoagent.bench.questions import Goal, Growth, Question
from trio_argoagent.runtime.backoff import CAP
from trio_argoagent.testing.storms import CUT, RESTART, storms

APPS: Final = 1
"""Of each agent."""
AWAY: Final = 3.0
"""Seconds that nobody can dial."""
LONG: Final = 120.0
"""Seconds after which all wait as long as they ever do."""
STORMS: Final = {"cut": (CUT, AWAY), "long cut": (CUT, LONG), "restart": (RESTART, AWAY)}
"""What happens to the fleet, one after the other, and for how long."""
MARGIN: Final = 5.0
"""Seconds beyond the longest wait of an agent."""


def play(order: Order) -> Values:
    """See ``apart``."""
    agents = int(order.case)
    blown = storms(agents, APPS, *STORMS.values(), seed=order.turn + 1)
    named = dict(zip(STORMS, blown, strict=True))
    return {
        **{name: ("virtual s", storm.seconds) for name, storm in named.items()},
        "longest": ("virtual s", max(storm.longest for storm in blown)),
        "comparing": ("links", float(max(storm.comparing for storm in blown))),
        "hellos": ("an agent", max(storm.hellos for storm in blown) / agents),
        **{f"steps, {name}": ("an agent", storm.steps / agents) for name, storm in named.items()},
        CPU: ("ms an agent", 1000 * sum(storm.cpu for storm in blown) / agents),
    }


QUESTION: Final = Question(
    "storm",
    "virtual",
    "all agents dial again at once; until both sides of every link are proven to agree",
    (10, 100, 1000),
    "agents",
    apart(__name__, CORES),
    quick_cases=(10, 20),
    rounds=1,
    goals=(
        Goal(f"seconds after a cut of {AWAY:g} s", "ours", 1000, "cut", Sense.AT_MOST, 10),
        Goal(f"seconds after a cut of {LONG:g} s", "ours", 1000, "long cut", Sense.AT_MOST, CAP + MARGIN),
        Goal(f"seconds after {AWAY:g} s without the principal", "ours", 1000, "restart", Sense.AT_MOST, 10),
    ),
    growth=tuple(Growth(f"steps of each agent, {name}", f"steps, {name}", 0.1) for name in STORMS),
)
