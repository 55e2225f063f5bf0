"""How long until every agent is in step again, when all of them lose their links at once?

One process in virtual time, frames in memory: the seconds tell what waits, spreads and turns cost; the CPU
time is that of the whole simulated fleet. One Application of each agent changes meanwhile where it is owned,
so that the links have something to compare. The network is gone for some seconds, then for minutes, and then
the principal is: all over one fleet.
"""

from __future__ import annotations

import time
from typing import Final

import attrs
import trio

from trio_argoagent.bench.apart import CORES, Order, apart
from trio_argoagent.bench.figures import CPU, Sense, Values
from trio_argoagent.bench.questions import Goal, Growth, Question
from trio_argoagent.bench.virtual.scale import create, spokes
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.runtime.backoff import CAP
from trio_argoagent.runtime.events import Event
from trio_argoagent.stream.protocol import codec, messages
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, Fleet, open_fleet
from trio_argoagent.testing.proofs import wait_proven
from trio_argoagent.testing.scheduling import simulate, steps_taken


@attrs.frozen
class Storm:
    """What it took, from the moment when agents could dial again.

    Attributes:
        seconds: until both sides of every link were proven to agree.
        longest: seconds between one agent's hello and its welcome.
        overtaken: welcomes that came before that of an agent which had asked earlier.
        comparing: links at once that had been welcomed and did not know yet what the agent held.
        hellos: how many were said.
        steps: of all tasks.
        cpu: seconds, of all programs and clusters together.
    """

    seconds: float
    longest: float
    overtaken: int
    comparing: int
    hellos: int
    steps: int
    cpu: float


class Watch:
    """Looks at every frame that arrives, and at what is reported."""

    def __init__(self, fleet: Fleet) -> None:
        self.hellos = self.most = self.overtaken = 0
        self.longest = 0.0
        self._asked: dict[str, float] = {}
        self._comparing: dict[str, None] = {}
        self.proofs: dict[tuple[str, str], float] = {}
        """When it was proven last that a side holds all, by the program that told it and the agent."""
        fleet.network.on_arrival = self._arrived
        fleet.observers.append(self.observe)

    def observe(self, program: str, event: Event) -> None:
        """Told what the programs report."""
        if event.name == "in-step":
            self.proofs[program, event.agent] = trio.current_time()

    def _arrived(self, agent: str, up: bool, frame: bytes) -> None:
        message = codec.decode(frame)
        if isinstance(message, messages.Hello):
            self.hellos += 1
            self._asked[agent] = trio.current_time()
        elif isinstance(message, messages.Welcome):
            asked = self._asked.pop(agent)
            self.longest = max(self.longest, trio.current_time() - asked)
            self.overtaken += sum(other < asked - SLACK for other in self._asked.values())
        elif isinstance(message, messages.Buckets) and not up:
            self._comparing[agent] = None
            self.most = max(self.most, len(self._comparing))
        elif isinstance(message, messages.Leaf) and up and message.last:
            self._comparing.pop(agent, None)

    def proven(self, since: float) -> int:
        """How many proofs there were since then: two of each agent are all."""
        return sum(at >= since for at in self.proofs.values())


SLACK: Final = 0.05
"""Seconds: what travels at the same time arrives in any order."""


async def edit(fleet: Fleet, name: str) -> None:
    """Change one Application of each agent where it is owned."""
    for spoke in fleet.spokes.values():
        change = MergePatch({"spec": {"source": {"targetRevision": name}}})
        if spoke.plan.mode is Mode.AUTONOMOUS:
            await fleet.spoke_as(spoke.name, "user").patch(APPLICATIONS, NAMESPACE, "app-0", change)
        else:
            await fleet.hub_as("user").patch(APPLICATIONS, spoke.name, "app-0", change)


CUT, RESTART = "a cut of every link", "a restart of the principal"
REST: Final = 65.0
"""Seconds between two storms: links that have lived for a minute are dialled anew without delay."""


def storms(
    agents: int,
    apps: int,
    *kinds: tuple[str, float],
    latency: tuple[float, float] = (0.001, 0.01),
    seed: int = 1,
) -> list[Storm]:
    """One storm after the other, over one fleet.

    Args:
        agents: how many.
        apps: of each.
        kinds: ``CUT`` or ``RESTART``, and seconds that nobody can dial, in their order.
        latency: seconds one way, the least and the most.
        seed: of everything that is drawn.
    """

    async def main() -> list[Storm]:
        async with open_fleet(spokes(agents), seed=seed, start=False) as fleet:
            fleet.start(PRINCIPAL, *fleet.spokes)
            await create(fleet, apps)
            await wait_proven(fleet)
            fleet.network.latency = latency
            return [await blow(fleet, away, kind) for kind, away in kinds]

    return simulate(main, seed=seed)


async def blow(fleet: Fleet, away: float, kind: str) -> Storm:
    """One storm, after a rest."""
    await trio.sleep(REST)
    await lose(fleet, away, kind)
    watch, began, cpu, steps = Watch(fleet), trio.current_time(), time.process_time(), steps_taken()
    regain(fleet, kind)
    await fleet.until(lambda: watch.proven(began) == 2 * len(fleet.spokes), 300.0)
    fleet.observers.remove(watch.observe)
    steps, cpu = steps_taken() - steps, time.process_time() - cpu
    fleet.assert_consistent()
    return Storm(
        seconds=max(watch.proofs.values()) - began,
        longest=watch.longest,
        overtaken=watch.overtaken,
        comparing=watch.most,
        hellos=watch.hellos,
        steps=steps,
        cpu=cpu,
    )


async def lose(fleet: Fleet, away: float, kind: str) -> None:
    """Every link breaks at once, and something changes while they are down."""
    if kind == RESTART:
        fleet.kill(PRINCIPAL)
    else:
        for agent in fleet.spokes:
            fleet.cut(agent)
    await edit(fleet, f"{kind[2:9]}-{trio.current_time():.0f}".replace(" ", "-"))
    await trio.sleep(away)


def regain(fleet: Fleet, kind: str) -> None:
    """Agents can dial again."""
    if kind == RESTART:
        fleet.start(PRINCIPAL)
    else:
        for agent in fleet.spokes:
            fleet.heal(agent)


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
