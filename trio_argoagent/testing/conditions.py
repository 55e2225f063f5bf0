"""What a network does to the connections of a fleet, whatever travels on them.

What a fault does to a connection it does at once; what it does to an agent (``cut``, ``refuse``, ``slow``,
``narrow``, ``expire``) holds for the connections it tries to open meanwhile, too. Every frame of every link
is counted, and can be looked at (``on_frame``).
"""

from __future__ import annotations

import abc
import contextlib
import enum
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any, Final, Generic, TypeVar

import trio

from trio_argoagent.errors import LinkBroken, Unreachable
from trio_argoagent.net.tls import fingerprint
from trio_argoagent.ports.env import Random
from trio_argoagent.ports.transport import Dialer, LinkStatistics, Listener
from trio_argoagent.runtime.freshness import Freshness
from trio_argoagent.stream.admission import Gate
from trio_argoagent.testing.pipes import Bottleneck, End

BACKLOG: Final = 10_000  # connections that wait to be accepted

EndT = TypeVar("EndT", bound=End)


class Tear(enum.Enum):
    """How ``Network.tear`` ends a connection; where links are frames in memory, all are one."""

    BREAK = "the connection breaks, for both sides"
    GOAWAY = "the principal's side says GOAWAY and hangs up"
    RESET = "the principal's side resets the link's stream"


class Conditions(abc.ABC, Generic[EndT]):
    """See the module.

    Args:
        chance: of latencies.
        latency: seconds one way, the least and the most.
        principal: what agents see as their peer's name.
    """

    def __init__(
        self, chance: Random, *, latency: tuple[float, float] = (0.001, 0.01), principal: str = "principal"
    ) -> None:
        self.latency = latency
        self.failures: list[Exception] = []
        """What handlers raised that is neither a broken link nor a broken protocol: bugs."""
        self.on_frame: Callable[[str, bool, bytes], None] | None = None
        """Called with each frame sent: the agent, whether it travels up, and its bytes."""
        self.on_arrival: Callable[[str, bool, bytes], None] | None = None
        """Likewise with each frame received."""
        self.shape: Callable[[str, bool, int], float] | None = None
        """By how many seconds more a frame is late: of which agent, does it travel up, of how many bytes."""
        self.principal = principal
        self.gate: Gate = lambda peer: None
        """Whom the principal turns away whatever they say."""
        self._chance = chance
        self._cut: dict[str, None] = {}
        self._refused: dict[str, str] = {}
        self._expired: dict[str, str] = {}
        self._renewals: dict[str, int] = {}
        self._slow: dict[str, float] = {}
        self._narrow: dict[tuple[str, bool], Bottleneck] = {}
        self._paused: dict[str, float] = {}
        self._open: dict[str, list[EndT]] = {}
        self._arrivals: trio.MemorySendChannel[EndT] | None = None
        self._carried = [0, 0, 0, 0]

    @abc.abstractmethod
    def dialer(self, name: str) -> Dialer:
        """The way of one agent to the principal."""

    @abc.abstractmethod
    def listener(self) -> Listener:
        """Where the principal lets agents in: one at a time serves."""

    def freshness(self, program: str) -> Freshness | None:
        """The TLS material that this program's connections are made with; None: there is no TLS."""
        return None

    @property
    def total(self) -> LinkStatistics:
        """What all ends have sent and received so far."""
        return LinkStatistics(*self._carried)

    def statistics(self) -> LinkStatistics:
        """Another word for ``total``."""
        return self.total

    def links(self, agent: str) -> int:
        """How many links of this agent are open at the principal."""
        return len(self._open.get(agent, ()))

    def cut(self, agent: str) -> None:
        """Break this agent's links and let it open none until ``heal``. What was on the way is lost."""
        self._cut[agent] = None
        self._break(agent, "the network is cut")

    def _break(self, agent: str, why: str, *, lose: bool = True) -> None:
        for end in tuple(self._open.get(agent, ())):
            for each in (end, end.other):
                if each is not None:
                    each.break_off(why, lose=lose)

    def half_open(self, agent: str, *, up: bool = True, down: bool = True) -> None:
        """What this agent's present links carry vanishes, and neither side is told."""
        for end in self._open.get(agent, ()):
            if down:
                end.swallow()
            if up and end.other is not None:
                end.other.swallow()

    def tear(self, agent: str, after: int, how: Tear = Tear.BREAK) -> None:
        """End this agent's present connections in the middle of what they carry.

        Args:
            agent: whose.
            after: bytes that the principal still sends. Whole frames, where frames are what travels.
            how: what ends it.
        """
        for end in tuple(self._open.get(agent, ())):
            end.light_fuse(after, partial(self.torn, end, how))

    def torn(self, end: EndT, how: Tear) -> None:
        """A fuse has burnt down at the principal's end. What is on the way still arrives."""
        self._break(end.agent, f"{how.value}, in the middle of what it carries", lose=False)

    def died(self, program: str) -> None:
        """This program was killed: nothing of it is left that could say goodbye."""

    def refuse(self, agent: str, detail: str = "the certificate is revoked") -> None:
        """Let this agent open no link until ``heal``, and tell it so."""
        self._refused[agent] = detail

    def heal(self, agent: str) -> None:
        """End what ``cut``, ``refuse``, ``slow`` and ``narrow`` do to this agent."""
        self._cut.pop(agent, None)
        self._refused.pop(agent, None)
        self._slow.pop(agent, None)
        for up in (True, False):
            self._narrow.pop((agent, up), None)

    def slow(self, agent: str, seconds: float) -> None:
        """Until ``heal``, each frame of this agent, either way, is under way for so much longer."""
        self._slow[agent] = seconds

    def narrow(self, agent: str, *, up: float = 0.0, down: float = 0.0) -> None:
        """Until ``heal``, all links of this agent together carry no more than that.

        What does not pass at once waits; a sender waits once so much is on its way.

        Args:
            agent: whose.
            up: bytes a second to the principal; 0: as many as there are.
            down: likewise from it.
        """
        for direction, rate in ((True, up), (False, down)):
            if rate:
                self._narrow[agent, direction] = Bottleneck(rate)

    def expire(self, agent: str, why: str = "the certificate has expired") -> None:
        """Until ``renew``, no link accepts this agent's certificate; what it has open ends now."""
        self._expired[agent] = why
        self._break(agent, why)

    def renew(self, agent: str) -> None:
        """Give this agent a certificate that is valid."""
        self._expired.pop(agent, None)
        self._renewals[agent] = self._renewals.get(agent, 0) + 1

    def certificate(self, agent: str) -> bytes:
        """The one that this agent has now: no more than a name, and which of its certificates it is."""
        return f"{agent}/{self._renewals.get(agent, 0)}".encode()

    def fingerprint(self, agent: str) -> str:
        """That of the certificate, as the principal sees it."""
        return fingerprint(self.certificate(agent))

    def pause(self, program: str, seconds: float) -> None:
        """For so long this program (an agent, or the principal) sends nothing and hears nothing."""
        self._paused[program] = max(self.paused_until(program), trio.current_time() + seconds)

    # For dialers, listeners and links

    def delay(self) -> float:
        """Seconds until what is sent now arrives."""
        return self._chance.uniform(*self.latency)

    def lateness(self, agent: str, up: bool, size: int) -> float:
        """Seconds that so many bytes of this agent, up or down, take longer than usual (``shape``)."""
        slow, narrow = self._slow.get(agent, 0.0), self._narrow.get((agent, up))
        if narrow is not None:
            slow += narrow.lateness(size)
        return slow if self.shape is None else slow + self.shape(agent, up, size)

    def paused_until(self, program: str) -> float:
        """When this program's pause ends, on Trio's clock; 0: it was never paused."""
        return self._paused.get(program, 0.0)

    async def wait_awake(self, program: str) -> None:
        """Return when this program is not paused; at once, without a checkpoint, if it is not."""
        while self.paused_until(program) > trio.current_time():  # noqa: ASYNC110 (it may grow meanwhile)
            await trio.sleep_until(self.paused_until(program))

    def note(self, agent: str, up: bool, frame: bytes) -> None:
        """A frame was sent."""
        if self.on_frame is not None:
            self.on_frame(agent, up, frame)

    def arrived(self, agent: str, up: bool, frame: bytes) -> None:
        """A frame was received."""
        if self.on_arrival is not None:
            self.on_arrival(agent, up, frame)

    def count(
        self, *, sent: int = 0, received: int = 0, frames_sent: int = 0, frames_received: int = 0
    ) -> None:
        """Some end has carried so much more."""
        carried = self._carried
        carried[0] += sent
        carried[1] += received
        carried[2] += frames_sent
        carried[3] += frames_received

    def refusal(self, agent: str) -> str:
        """Why the principal does not let this agent in; empty: it does."""
        return self._expired.get(agent) or self._refused.get(agent, "")

    def offer(self, mine: EndT, theirs: EndT) -> None:
        """Let the principal have its end of a new connection.

        Raises:
            Unreachable: there is no way, or nobody listens.
            LinkBroken: too many wait to be let in.
        """
        if mine.agent in self._cut or self._arrivals is None:
            raise Unreachable("nobody answers")
        mine.other, theirs.other = theirs, mine
        try:
            self._arrivals.send_nowait(theirs)
        except trio.WouldBlock as exc:
            raise LinkBroken("the backlog is full") from exc

    @contextlib.contextmanager
    def accepting(self) -> Iterator[trio.MemoryReceiveChannel[EndT]]:
        """While the context is open, the principal's ends arrive in the channel it gives.

        A later one takes over: what an earlier one has accepted stays with it.
        """
        mine, arriving = trio.open_memory_channel[EndT](BACKLOG)
        self._arrivals = mine
        try:
            yield arriving
        finally:
            if self._arrivals is mine:
                self._arrivals = None
            arriving.close()

    async def accept_each(
        self,
        nursery: trio.Nursery,
        serve: Callable[[EndT], Awaitable[None]],
        until: trio.Event | None,
        task_status: trio.TaskStatus[Any],
    ) -> None:
        """Serve each of the principal's ends in a task of its own, until ``until``; then nobody listens."""
        with trio.CancelScope() as scope, self.accepting() as arriving:
            if until is not None:
                nursery.start_soon(_cancel_at, until, scope)
            task_status.started()
            async for end in arriving:
                nursery.start_soon(serve, end)

    @contextlib.contextmanager
    def holding(self, end: EndT) -> Iterator[None]:
        """While the context is open, the connection counts as open."""
        ends = self._open.setdefault(end.agent, [])
        ends.append(end)
        try:
            yield
        finally:
            ends.remove(end)
            end.tear_down("the link is closed")


async def _cancel_at(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()
