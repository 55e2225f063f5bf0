"""A network in memory: the ``Transport`` port with latency, cuts, half-open links, refusals and pauses.

Frames of one link arrive in order, each after a delay of its own. What a fault does to a link it does at
once; what it does to an agent (``cut``, ``refuse``, ``slow``, ``expire``) holds for the links it tries to
open meanwhile, too.
Every frame is counted, and can be looked at (``on_frame``).
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import attrs
import trio

from trio_argoagent.errors import LinkBroken, LinkRefused, LocalProtocolError
from trio_argoagent.model.identity import Peer
from trio_argoagent.ports.env import Random
from trio_argoagent.ports.transport import MAX_FRAME, Link, LinkStatistics

WINDOW: Final = 256 * 1024  # bytes on the way in one direction before wait_room waits
BACKLOG: Final = 10_000  # links that wait to be accepted
FRAME_HEAD: Final = 4  # bytes of a frame's length on a real wire


@attrs.define
class _Pipe:
    """One direction of one link."""

    frames: deque[tuple[float, bytes | None]] = attrs.field(factory=deque)
    """When each arrives; None is the clean end."""
    queued: int = 0
    last_due: float = 0.0
    swallows: bool = False
    changed: trio.Event = attrs.field(factory=trio.Event)

    def wake(self) -> None:
        self.changed.set()
        self.changed = trio.Event()


class MemoryLink:
    """One end of a link: ``ports.transport.Link``."""

    def __init__(self, network: Network, peer: Peer, agent: str, inbound: _Pipe, outbound: _Pipe) -> None:
        self.peer = peer
        self.agent = agent
        self.owner = agent if peer.name == network.principal else network.principal
        """The program at this end."""
        self.broken = ""
        self.other: MemoryLink | None = None
        self._network, self._in, self._out = network, inbound, outbound
        self._ended = False
        self._statistics = LinkStatistics()

    async def wait_room(self) -> None:
        """See ``Link``."""
        await trio.lowlevel.checkpoint()
        await self._network.wait_awake(self.owner)
        while not self.broken and self._out.queued >= WINDOW:
            await self._out.changed.wait()
        self._check()

    def send_nowait(self, frame: bytes) -> None:
        """See ``Link``."""
        self._check()
        if not 0 < len(frame) <= MAX_FRAME:
            raise LocalProtocolError(f"a frame of {len(frame)} bytes")
        size = len(frame) + FRAME_HEAD
        self._count(LinkStatistics(bytes_sent=size, frames_sent=1))
        self._network.note(self, frame)
        if not self._out.swallows:
            self._put(frame)

    def _put(self, frame: bytes | None) -> None:
        pipe = self._out
        leaves = max(trio.current_time(), self._network.paused_until(self.owner))
        due = leaves + self._network.delay() + self._network.lateness(self, len(frame or b""))
        pipe.last_due = max(pipe.last_due, due)
        pipe.frames.append((pipe.last_due, frame))
        pipe.queued += len(frame or b"")
        pipe.wake()

    async def receive(self) -> Sequence[bytes]:
        """See ``Link``."""
        await trio.lowlevel.checkpoint()
        pipe = self._in
        while True:
            await self._network.wait_awake(self.owner)
            now = trio.current_time()
            if pipe.frames and pipe.frames[0][0] <= now:
                return self._take(now)
            if not pipe.frames and self.broken:
                raise LinkBroken(self.broken)
            changed = pipe.changed
            with trio.move_on_at(pipe.frames[0][0] if pipe.frames else float("inf")):
                await changed.wait()

    def _take(self, now: float) -> Sequence[bytes]:
        """All that has arrived; an empty sequence at the clean end, however often it is asked for."""
        pipe, taken = self._in, []
        while pipe.frames and pipe.frames[0][0] <= now and pipe.frames[0][1] is not None:
            frame = pipe.frames.popleft()[1]
            assert frame is not None
            pipe.queued -= len(frame)
            taken.append(frame)
            self._count(LinkStatistics(bytes_received=len(frame) + FRAME_HEAD, frames_received=1))
        pipe.wake()
        return taken

    async def close(self) -> None:
        """See ``Link``."""
        await trio.lowlevel.checkpoint()
        if not self.broken and not self._ended and not self._out.swallows:
            self._put(None)
        self._ended = True

    def statistics(self) -> LinkStatistics:
        """See ``Link``."""
        return self._statistics

    def tear_down(self, why: str) -> None:
        """This end is gone; the other one learns of it once it has read what is on the way."""
        self.break_off(why, lose=True)
        if self.other is not None and not self._out.swallows:
            self.other.break_off("the peer is gone")

    def break_off(self, why: str, *, lose: bool = False) -> None:
        """From now on this end is broken; ``lose``: and so is what was on its way here."""
        self.broken = self.broken or why
        if lose:
            self._in.frames.clear()
        self._in.wake()
        self._out.wake()

    def swallow(self) -> None:
        """From now on what this end sends never arrives, and nobody is told."""
        self._out.swallows = True

    def _check(self) -> None:
        if self.broken:
            raise LinkBroken(self.broken)
        if self._ended:
            raise LinkBroken("the link is closed")

    def _count(self, more: LinkStatistics) -> None:
        self._statistics = self._statistics.plus(more)
        self._network.total = self._network.total.plus(more)


class Network:
    """One network with one principal.

    Args:
        chance: of latencies.
        latency: seconds one way, the least and the most.
        principal: what agents see as their peer's name.
    """

    def __init__(
        self, chance: Random, *, latency: tuple[float, float] = (0.001, 0.01), principal: str = "principal"
    ) -> None:
        self.latency = latency
        self.total = LinkStatistics()
        self.failures: list[Exception] = []
        """What handlers raised that is neither a broken link nor a broken protocol: bugs."""
        self.on_frame: Callable[[str, bool, bytes], None] | None = None
        """Called with each frame sent: the agent, whether it travels up, and its bytes."""
        self.shape: Callable[[str, bool, int], float] | None = None
        """By how many seconds more a frame is late: of which agent, does it travel up, of how many bytes."""
        self.principal = principal
        self._chance = chance
        self._cut: dict[str, None] = {}
        self._refused: dict[str, str] = {}
        self._expired: dict[str, None] = {}
        self._slow: dict[str, float] = {}
        self._paused: dict[str, float] = {}
        self._open: dict[str, list[MemoryLink]] = {}
        self._arrivals: trio.MemorySendChannel[MemoryLink] | None = None

    def dialer(self, name: str) -> MemoryDialer:
        """The way of one agent to the principal."""
        return MemoryDialer(self, name)

    def listener(self) -> MemoryListener:
        """Where the principal lets agents in: one at a time serves."""
        return MemoryListener(self)

    def statistics(self) -> LinkStatistics:
        """What all ends have sent and received so far."""
        return self.total

    def links(self, agent: str) -> int:
        """How many links of this agent are open at the principal."""
        return len(self._open.get(agent, ()))

    def cut(self, agent: str) -> None:
        """Break this agent's links and let it open none until ``heal``. What was on the way is lost."""
        self._cut[agent] = None
        self._break(agent, "the network is cut")

    def _break(self, agent: str, why: str) -> None:
        for end in tuple(self._open.get(agent, ())):
            for each in (end, end.other):
                if each is not None:
                    each.break_off(why, lose=True)

    def half_open(self, agent: str, *, up: bool = True, down: bool = True) -> None:
        """What this agent's present links carry vanishes, and neither side is told."""
        for end in self._open.get(agent, ()):
            if down:
                end.swallow()
            if up and end.other is not None:
                end.other.swallow()

    def refuse(self, agent: str, detail: str = "the certificate is revoked") -> None:
        """Let this agent open no link until ``heal``, and tell it so."""
        self._refused[agent] = detail

    def heal(self, agent: str) -> None:
        """End what ``cut``, ``refuse`` and ``slow`` do to this agent."""
        self._cut.pop(agent, None)
        self._refused.pop(agent, None)
        self._slow.pop(agent, None)

    def slow(self, agent: str, seconds: float) -> None:
        """Until ``heal``, each frame of this agent, either way, is under way for so much longer."""
        self._slow[agent] = seconds

    def expire(self, agent: str) -> None:
        """Until ``renew``, no link accepts this agent's certificate; what it has open ends now."""
        self._expired[agent] = None
        self._break(agent, "the certificate has expired")

    def renew(self, agent: str) -> None:
        """Give this agent a certificate that is valid."""
        self._expired.pop(agent, None)

    def pause(self, program: str, seconds: float) -> None:
        """For so long this program (an agent, or the principal) sends nothing and hears nothing."""
        self._paused[program] = max(self.paused_until(program), trio.current_time() + seconds)

    # For dialers, listeners and links

    def delay(self) -> float:
        """Seconds until what is sent now arrives."""
        return self._chance.uniform(*self.latency)

    def lateness(self, link: MemoryLink, size: int) -> float:
        """Seconds that a frame of this size takes longer than others (``shape``)."""
        slow = self._slow.get(link.agent, 0.0)
        if self.shape is None:
            return slow
        return slow + self.shape(link.agent, link.peer.name == self.principal, size)

    def paused_until(self, program: str) -> float:
        """When this program's pause ends, on Trio's clock; 0: it was never paused."""
        return self._paused.get(program, 0.0)

    async def wait_awake(self, program: str) -> None:
        """Return when this program is not paused; at once, without a checkpoint, if it is not."""
        while self.paused_until(program) > trio.current_time():  # noqa: ASYNC110 (it may grow meanwhile)
            await trio.sleep_until(self.paused_until(program))

    def note(self, link: MemoryLink, frame: bytes) -> None:
        """A frame was sent."""
        if self.on_frame is not None:
            self.on_frame(link.agent, link.peer.name == self.principal, frame)

    def connect(self, agent: str) -> MemoryLink:
        """A new link; returns the agent's end.

        Raises:
            LinkBroken: there is no way, or nobody listens.
            LinkRefused: see ``refuse`` and ``expire``.
        """
        if agent in self._expired:
            raise LinkRefused("identity", "the certificate has expired")
        if agent in self._refused:
            raise LinkRefused("identity", self._refused[agent])
        if agent in self._cut or self._arrivals is None:
            raise LinkBroken("nobody answers")
        down, up = _Pipe(), _Pipe()
        mine = MemoryLink(self, Peer(self.principal), agent, down, up)
        theirs = MemoryLink(self, Peer(agent, address=f"{agent}:0"), agent, up, down)
        mine.other, theirs.other = theirs, mine
        try:
            self._arrivals.send_nowait(theirs)
        except trio.WouldBlock as exc:
            raise LinkBroken("the backlog is full") from exc
        return mine

    @contextlib.contextmanager
    def accepting(self) -> Iterator[trio.MemoryReceiveChannel[MemoryLink]]:
        """While the context is open, links arrive in the channel it gives."""
        if self._arrivals is not None:
            raise LocalProtocolError("two principals serve one network")
        self._arrivals, arriving = trio.open_memory_channel[MemoryLink](BACKLOG)
        try:
            yield arriving
        finally:
            self._arrivals = None
            arriving.close()

    @contextlib.contextmanager
    def holding(self, link: MemoryLink) -> Iterator[None]:
        """While the context is open, the link counts as open."""
        ends = self._open.setdefault(link.agent, [])
        ends.append(link)
        try:
            yield
        finally:
            ends.remove(link)
            link.tear_down("the link is closed")


@attrs.frozen
class MemoryDialer:
    """``ports.transport.Dialer`` of one agent."""

    network: Network
    name: str

    def dial(self) -> AbstractAsyncContextManager[Link]:
        """See ``Dialer``."""
        return self._dial()

    @contextlib.asynccontextmanager
    async def _dial(self) -> AsyncIterator[Link]:
        await trio.sleep(self.network.delay())
        await self.network.wait_awake(self.name)
        link = self.network.connect(self.name)
        try:
            yield link
        finally:
            link.tear_down("the link is closed")


@attrs.frozen
class MemoryListener:
    """``ports.transport.Listener`` of the principal."""

    network: Network

    async def serve(
        self,
        handler: Callable[[Link], Awaitable[None]],
        *,
        task_status: trio.TaskStatus[Any] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """See ``Listener``."""
        with self.network.accepting() as arriving:
            async with trio.open_nursery() as nursery:
                task_status.started()
                async for link in arriving:
                    nursery.start_soon(self._serve_one, handler, link)

    async def _serve_one(self, handler: Callable[[Link], Awaitable[None]], link: MemoryLink) -> None:
        with self.network.holding(link):
            try:
                await handler(link)
                await link.close()
            except Exception as exc:
                # It ends this link only; a simulation must not overlook it all the same.
                self.network.failures.append(exc)
