"""What befalls a fleet: seeded cuts, crashes and restarts, and API servers that forget.

``run`` makes trouble until it is cancelled; ``calm`` ends all of it. What single calls suffer is in
``faults``, what users do in ``workload``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Final

import trio

from trio_argoagent.errors import Unavailable
from trio_argoagent.testing.faults import NONE, Faults
from trio_argoagent.testing.fleet import PRINCIPAL, Fleet

SHORT: Final = 8.0
"""Seconds a cut or an outage lasts on average."""


class Chaos:
    """See the module.

    Args:
        fleet: whose.
        chance: what happens, to whom, and when.
        faults: of single calls, while it runs.
    """

    def __init__(self, fleet: Fleet, chance: Random, faults: Faults) -> None:
        self.done: Counter[str] = Counter()
        self._fleet, self._chance, self._faults = fleet, chance, faults
        # Each run leaves about a third of the troubles out: what one of them hides, another run shows.
        troubles: list[tuple[str, Callable[[], float]]] = [
            ("cut", self._cut),
            ("half-open", self._half_open),
            ("crash-agent", self._crash_agent),
            ("crash-principal", self._crash_principal),
            ("crash-controller", self._crash_controller),
            ("forget", self._forget),
            ("restart-server", self._restart_server),
        ]
        self._troubles = [trouble for trouble in troubles if chance.random() < 0.67] or troubles

    async def run(self, pace: float) -> None:
        """Make trouble every ``pace`` seconds on average, until cancelled."""
        self._fleet.set_faults(self._faults)
        async with trio.open_nursery() as nursery:
            while True:
                await trio.sleep(self._chance.expovariate(1 / pace))
                name, trouble = self._chance.choice(self._troubles)
                self.done[name] += 1
                nursery.start_soon(self._end, name, trouble())

    async def _end(self, name: str, after: float) -> None:
        await trio.sleep(after)
        if name in ("cut", "half-open"):
            for agent in self._fleet.spokes:
                if self._chance.random() < 0.7:
                    self._fleet.network.heal(agent)
        else:
            self._fleet.start()

    def calm(self) -> None:
        """End everything: the network is whole, every program runs, no call goes wrong."""
        self._fleet.set_faults(NONE)
        for agent in self._fleet.spokes:
            self._fleet.network.heal(agent)
        self._fleet.start()

    def _agent(self) -> str:
        return self._chance.choice(list(self._fleet.spokes))

    def _lasting(self) -> float:
        return self._chance.expovariate(1 / SHORT)

    def _cut(self) -> float:
        self._fleet.network.cut(self._agent())
        return self._lasting()

    def _half_open(self) -> float:
        up, down = self._chance.choice(((True, True), (True, False), (False, True)))
        self._fleet.network.half_open(self._agent(), up=up, down=down)
        return 0.0

    def _crash_agent(self) -> float:
        self._fleet.crash(self._agent())
        return self._lasting() if self._chance.random() < 0.5 else 0.0

    def _crash_principal(self) -> float:
        self._fleet.crash(PRINCIPAL)
        return self._lasting() if self._chance.random() < 0.5 else 0.0

    def _crash_controller(self) -> float:
        self._fleet.crash(self._chance.choice(list(self._fleet.controllers)))
        return self._lasting()

    def _forget(self) -> float:
        """A compaction: every watch must list again."""
        server = self._chance.choice([server for server, _ in self._fleet.clusters()])
        server.compact(server.rv)
        server.drop_watches(Unavailable("the simulated server restarts"))
        return 0.0

    def _restart_server(self) -> float:
        server = self._chance.choice([server for server, _ in self._fleet.clusters()])
        server.drop_watches()
        return 0.0
