"""Large fleets, and storms over them: every agent loses its link at once, and dials again.

Every fourth agent is autonomous. One Application of each agent changes during a storm where it is owned, so
that the links have something to compare. Seconds are virtual and tell what waits, spreads and turns cost; CPU
is that of the whole simulated fleet.
"""

from __future__ import annotations

import time
from typing import Final

import attrs
import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.runtime.events import Event
from trio_argoagent.stream.protocol import codec, messages
from trio_argoagent.testing.argocd.applications import application, automated
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, Fleet, SpokePlan, open_fleet
from trio_argoagent.testing.proofs import wait_proven
from trio_argoagent.testing.scheduling import simulate, steps_taken


def spokes(agents: int) -> list[SpokePlan]:
    """The fleet's spokes."""
    return [
        SpokePlan(f"agent-{number:04}", Mode.MANAGED if number % 4 else Mode.AUTONOMOUS)
        for number in range(agents)
    ]


async def create(fleet: Fleet, apps: int) -> None:
    """Create every Application where it is owned."""
    for name, spoke in fleet.spokes.items():
        autonomous = spoke.mapping.autonomous
        namespace, cluster = (NAMESPACE, name) if autonomous else (name, "hub")
        for number in range(apps):
            app = application(f"app-{number}", namespace=namespace, syncPolicy=automated())
            await fleet.apply(app, cluster)


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
