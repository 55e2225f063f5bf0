"""Where troubles happen: a fleet, and what is wrong with it at the moment.

Troubles overlap. Each one says what it wants (a network cut, a rule for calls, frames that come late) and
takes that back in the end; the stage holds all that is wanted at once against the fleet. So the end of one
cut never heals another one.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Final

import attrs
import trio

from trio_argoagent.testing.faults import Faults, FaultyCluster, Rule
from trio_argoagent.testing.fleet import PRINCIPAL, Fleet
from trio_argoagent.testing.scheduling import stream

NEVER: Final = 1e6
"""Seconds after which a frame arrives that the peer will never read."""
Lateness = Callable[[bool, int], float]
"""By how many seconds a frame is late: does it travel up, of how many bytes."""


@attrs.frozen
class Item:
    """One trouble, or one action of a user.

    Attributes:
        number: of its stream; unique in its plan.
        at: seconds from the beginning.
        kind: a name in ``chaos.FAULTS`` or ``plan.ACTIONS``.
        target: an agent's name, a program's, or a cluster's (an agent's name, or ``hub``).
        lasts: seconds; an action lasts as long as it takes.
        strength: 0 to 1: how bad it is, whatever that means for its kind.
    """

    number: int
    at: float
    kind: str
    target: str
    lasts: float = 0.0
    strength: float = 0.0


class Stage:
    """See the module.

    Args:
        fleet: whose programs have been started.
        nursery: of what troubles leave running.
    """

    def __init__(self, fleet: Fleet, nursery: trio.Nursery) -> None:
        self.fleet, self.nursery = fleet, nursery
        self.doubled: Counter[str] = Counter()
        """Agents of which two processes run, or did."""
        self._cut: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._expired: Counter[str] = Counter()
        self._down: Counter[str] = Counter()
        self._late: list[tuple[str, Lateness]] = []
        fleet.network.shape = self._lateness

    def chance(self, item: Item) -> Random:
        """The item's own stream."""
        return stream(self.fleet.seed, "item", item.number)

    # Calls

    def client(self, program: str) -> FaultyCluster:
        """How this program sees its cluster, with all that troubles need set up."""
        client = self.fleet.clients[program]
        agent = program.partition("/")[0]
        if program == PRINCIPAL:
            client.webhook = self.fleet.hub_as("webhook")
        else:
            client.webhook = self.fleet.spoke_as(agent, "webhook")
        client.life = lambda: self.fleet.programs[program].starts
        return client

    @contextlib.contextmanager
    def rule(self, program: str, faults: Faults, chance: Random) -> Iterator[None]:
        """While the context is open, this program's calls go wrong by these shares."""
        client, rule = self.client(program), Rule(faults, chance)
        client.add(rule)
        try:
            yield
        finally:
            client.remove(rule)

    # The network

    @contextlib.contextmanager
    def cut(self, agent: str) -> Iterator[None]:
        """While the context is open, this agent has no network."""
        with self._wanted(self._cut, agent):
            yield

    @contextlib.contextmanager
    def refused(self, agent: str) -> Iterator[None]:
        """While the context is open, this agent is turned away when it dials."""
        with self._wanted(self._refused, agent):
            yield

    @contextlib.contextmanager
    def expired(self, agent: str, why: str) -> Iterator[None]:
        """While the context is open, this agent has no certificate that the principal takes."""
        with self._wanted(self._expired, agent, why):
            yield

    @contextlib.contextmanager
    def _wanted(self, states: Counter[str], agent: str, why: str = "") -> Iterator[None]:
        states[agent] += 1
        self._settle(agent, why)
        try:
            yield
        finally:
            states[agent] -= 1
            self._settle(agent)

    def _settle(self, agent: str, why: str = "") -> None:
        network = self.fleet.network
        network.heal(agent)
        if self._cut[agent]:
            network.cut(agent)
        if self._refused[agent]:
            network.refuse(agent)
        if why:
            network.expire(agent, why)
        elif not self._expired[agent]:
            network.renew(agent)

    @contextlib.contextmanager
    def late(self, agent: str, lateness: Lateness) -> Iterator[None]:
        """While the context is open, this agent's frames come later than usual."""
        entry = (agent, lateness)
        self._late.append(entry)
        try:
            yield
        finally:
            self._late = [each for each in self._late if each is not entry]

    def _lateness(self, agent: str, up: bool, size: int) -> float:
        return sum(lateness(up, size) for whose, lateness in self._late if whose == agent)

    # Programs

    @contextlib.contextmanager
    def crashed(self, *programs: str) -> Iterator[None]:
        """Kill these programs; they start again when the context ends, unless another trouble forbids it."""
        for program in programs:
            self._down[program] += 1
            self.fleet.crash(program)
        try:
            yield
        finally:
            for program in programs:
                self._down[program] -= 1
                if not self._down[program]:
                    self.fleet.start(program)
