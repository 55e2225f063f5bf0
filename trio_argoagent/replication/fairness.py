"""Whose write comes next, when many agents share one API server. Pure: deficit round-robin.

Source: Shreedhar and Varghese, Efficient Fair Queuing Using Deficit Round Robin, SIGCOMM 1995. Each agent
with writes waiting has its turn in a ring. With each turn it may spend ``QUANTUM`` more, and what it saves
because its next write is dearer it keeps until it has none waiting. So an agent that floods the hub with
large statuses and one that sends a small one now and then get equal shares, a lone agent gets everything, and
a choice costs the same with ten agents as with a thousand.

The queue must be here and not in the API server, which serves in order of arrival: hence few ``SLOTS``.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import attrs

SLOTS: Final = 16
"""Writes under way at once, of all agents together. At 5 ms each that is 3,000 a second, more than an API
server does; at 15 ms of its CPU each, the queue inside it that a quiet agent must sit out is 0.1 s.

Rejected: fewer, or a limit that follows latency down. Beside a flood 7 of the 9 ms that a quiet agent waits
longer are queues of the event loop, 2 the server's: 8 slots change nothing, 4 take a fifth off its specs and
nothing off its statuses, and 2 cost 8 to 28 % of all that gets through. Nor can latency tell a queue from a
webhook that is slow for some writes."""
WRITE: Final = 8 * 1024
"""What a write costs whatever its size, in bytes of its body: most of an API server's work does not grow."""
QUANTUM: Final = 32 * 1024
"""What an agent may spend in one turn, in the same coin."""
DEAREST: Final = 8 * QUANTUM
"""What a write costs at most: else one of the largest would need very many turns."""


@attrs.frozen(eq=False)
class Ticket:
    """One write that waits, or is under way.

    Attributes:
        agent: whose it is.
        cost: in bytes.
    """

    agent: str
    cost: int


@attrs.define
class _Line:
    """What one agent has waiting, first come first."""

    tickets: deque[Ticket] = attrs.field(factory=deque)
    savings: int = 0
    is_served: bool = False
    """Has it been given its quantum for the turn it is having?"""


@attrs.frozen
class FairnessStatistics:
    """What is going on.

    Attributes:
        running: writes under way.
        waiting: writes that wait.
        agents: agents with writes waiting.
        admitted: writes so far.
        delayed: those of them that had to wait.
        paced: those that waited because their agent had written too much in a second.
    """

    running: int
    waiting: int
    agents: int
    admitted: int
    delayed: int
    paced: int = 0


class Fairness:
    """See the module. Who asks bounds how much may wait: each worker has one write at a time.

    Args:
        slots: writes under way at once.
    """

    def __init__(self, slots: int = SLOTS) -> None:
        self._free = slots
        self._lines: dict[str, _Line] = {}
        self._ring: deque[str] = deque()  # the agents of _lines; the first is having its turn
        self._running = self._waiting = self._admitted = self._delayed = 0

    def ask(self, agent: str, size: int) -> tuple[Ticket, bool]:
        """An agent wants to write.

        Args:
            agent: which.
            size: of the body, in bytes.

        Returns:
            Its ticket, and whether it may go at once; else ``admit`` names it one day, or it is withdrawn.
        """
        ticket = Ticket(agent, min(WRITE + size, DEAREST))
        if self._free and not self._waiting:
            self._start()
            return ticket, True
        if agent not in self._lines:
            self._lines[agent] = _Line()
            self._ring.append(agent)
        self._lines[agent].tickets.append(ticket)
        self._waiting += 1
        self._delayed += 1
        return ticket, False

    def withdraw(self, ticket: Ticket) -> bool:
        """It need not be done any more. False: it was not waiting."""
        line = self._lines.get(ticket.agent)
        if line is None or ticket not in line.tickets:
            return False
        line.tickets.remove(ticket)
        self._waiting -= 1
        if not line.tickets:
            self._leave(ticket.agent)
        return True

    def done(self) -> None:
        """A write that was admitted has ended."""
        self._running -= 1
        self._free += 1

    def admit(self) -> list[Ticket]:
        """The writes that may go now, in order."""
        admitted: list[Ticket] = []
        while self._free and self._ring:
            agent = self._ring[0]
            line = self._lines[agent]
            if not line.is_served:
                line.is_served = True
                line.savings += QUANTUM
            if line.tickets[0].cost > line.savings:
                line.is_served = False
                self._ring.rotate(-1)
                continue
            ticket = line.tickets.popleft()
            line.savings -= ticket.cost
            self._waiting -= 1
            self._start()
            admitted.append(ticket)
            if not line.tickets:
                self._leave(agent)
        return admitted

    def _start(self) -> None:
        self._free -= 1
        self._running += 1
        self._admitted += 1

    def _leave(self, agent: str) -> None:
        """Who has nothing waiting has no turns, and takes no savings along."""
        del self._lines[agent]
        self._ring.remove(agent)

    def statistics(self) -> FairnessStatistics:
        """Counters."""
        return FairnessStatistics(
            self._running, self._waiting, len(self._lines), self._admitted, self._delayed
        )
