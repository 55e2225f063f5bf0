"""A network in memory: the ``Transport`` port with latency, cuts, half-open links, refusals and pauses.

Whole frames travel, each after a delay of its own. What can befall them is in ``conditions``; ``wire`` is the
same network with a real HTTP/2 connection for each link.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Final

import attrs
import trio

from trio_argoagent.errors import LinkBroken, LinkRefused, LocalProtocolError, TunnelRefused
from trio_argoagent.model.identity import Peer
from trio_argoagent.ports.transport import MAX_FRAME, Link, LinkStatistics, Tunnel
from trio_argoagent.stream.explain import answered
from trio_argoagent.stream.protocol.reasons import NoTunnel
from trio_argoagent.stream.protocol.tunnels import Verdict
from trio_argoagent.stream.tunnels import Tunnels
from trio_argoagent.testing.conditions import Conditions
from trio_argoagent.testing.pipes import End, Pipe
from trio_argoagent.testing.tunnels import MemoryCarrier

WINDOW: Final = 256 * 1024  # bytes on the way in one direction before wait_room waits
FRAME_HEAD: Final = 4  # bytes of a frame's length on a real wire


class MemoryLink(End):
    """One end of a link: ``ports.transport.Link``."""

    def __init__(self, network: Network, peer: Peer, agent: str, inbound: Pipe, outbound: Pipe) -> None:
        up = peer.name == network.principal
        super().__init__(network, agent, up, agent if up else network.principal, inbound, outbound)
        self.peer = peer
        self._network = network
        self._ended = False
        self._tunnels = Tunnels()
        self._carriers: dict[End, None] = {}
        self._sent = self._received = self._frames_sent = self._frames_received = 0

    async def wait_room(self) -> None:
        """See ``Link``."""
        await trio.lowlevel.checkpoint()
        await self.wait_less_queued(WINDOW)
        self._check()

    def send_nowait(self, frame: bytes) -> None:
        """See ``Link``."""
        self._check()
        if not 0 < len(frame) <= MAX_FRAME:
            raise LocalProtocolError(f"a frame of {len(frame)} bytes")
        self._frames_sent += 1
        self._sent += len(frame) + FRAME_HEAD
        self._network.count(sent=len(frame) + FRAME_HEAD, frames_sent=1)
        self._network.note(self.agent, self.up, frame)
        self.put(frame)

    async def receive(self) -> Sequence[bytes]:
        """See ``Link``."""
        await trio.lowlevel.checkpoint()
        if not await self.wait_arrival():
            raise LinkBroken(self.broken)
        return self._take()

    def _take(self) -> Sequence[bytes]:
        """All that has arrived; an empty sequence at the clean end, however often it is asked for."""
        pipe, taken, now, size = self._in, list[bytes](), trio.current_time(), 0
        while pipe.parts and pipe.parts[0][0] <= now:
            frame = pipe.parts[0][1]
            if frame is None:
                break
            pipe.parts.popleft()
            size += len(frame)
            taken.append(frame)
        for frame in taken:
            self._network.arrived(self.agent, not self.up, frame)
        if taken:
            pipe.queued -= size
            size += FRAME_HEAD * len(taken)
            self._received += size
            self._frames_received += len(taken)
            self._network.count(received=size, frames_received=len(taken))
            pipe.wake()
        return taken

    def retire(self) -> None:
        """See ``Link``."""

    def cut(self, why: str) -> None:
        """See ``Link``."""
        self.tear_down(why)

    async def close(self) -> None:
        """See ``Link``."""
        await trio.lowlevel.checkpoint()
        if not self.broken and not self._ended:
            self.put(None)
        self._ended = True

    async def open_tunnel(self, tunnel_id: str) -> Tunnel:
        """See ``Link``. The principal's part of it is done here, as late as it would be there."""
        self._check()
        with self._tunnels.opening():
            mine, theirs, link = self._carry()
            try:
                mine.put(tunnel_id.encode())
                await theirs.receive_part()
                match link._tunnels.claim(tunnel_id):
                    case Verdict.GRANTED:
                        theirs.put(tunnel_id.encode())
                        link._tunnels.arrive(tunnel_id, theirs)
                    case Verdict.UNKNOWN:
                        theirs.put(None)
                    case Verdict.ABUSE:
                        link.tear_down("it opens tunnels that nobody has asked for")
                granted = await mine.receive_part()
            except BaseException:
                mine.reset()
                theirs.reset()
                raise
        if granted:
            return self._tunnels.add(mine)
        mine.reset()
        theirs.reset()
        raise TunnelRefused(NoTunnel.NOT_AWAITED, "the principal does not wait for this tunnel (any more)")

    def _carry(self) -> tuple[MemoryCarrier, MemoryCarrier, MemoryLink]:
        """Two ends of what may become a tunnel, and the other end of the link."""
        link = self.other
        assert isinstance(link, MemoryLink)
        down, up = Pipe(swallows=link._out.swallows), Pipe(swallows=self._out.swallows)
        mine = MemoryCarrier(self._network, self, down, up, self._forget)
        theirs = MemoryCarrier(self._network, link, up, down, link._forget)
        mine.other, theirs.other = theirs, mine
        self._carriers[mine] = link._carriers[theirs] = None
        return mine, theirs, link

    def _forget(self, carrier: End) -> None:
        self._carriers.pop(carrier, None)

    async def accept_tunnel(self, tunnel_id: str, within: float) -> Tunnel:
        """See ``Link``."""
        self._check()
        return await self._tunnels.accept(tunnel_id, within)

    def end_tunnels(self) -> None:
        """The link is over at this end, and so are its tunnels."""
        self._tunnels.end()

    def break_off(self, why: str, *, lose: bool = False) -> None:
        """See ``End``: its tunnels break with it."""
        super().break_off(why, lose=lose)
        for carrier in self._carriers:
            carrier.break_off(why, lose=lose)

    def swallow(self) -> None:
        """See ``End``: so do its tunnels."""
        super().swallow()
        for carrier in self._carriers:
            carrier.swallow()

    def statistics(self) -> LinkStatistics:
        """See ``Link``."""
        link = LinkStatistics(self._sent, self._received, self._frames_sent, self._frames_received)
        return self._tunnels.counted(link)

    def _check(self) -> None:
        if self.broken:
            raise LinkBroken(self.broken)
        if self._ended:
            raise LinkBroken("the link is closed")


class Network(Conditions[MemoryLink]):
    """One network with one principal: whole frames are what travels (level 1 of the simulator)."""

    def dialer(self, name: str) -> MemoryDialer:
        """See ``Conditions``."""
        return MemoryDialer(self, name)

    def listener(self) -> MemoryListener:
        """See ``Conditions``."""
        return MemoryListener(self)

    def connect(self, agent: str) -> MemoryLink:
        """A new link; returns the agent's end.

        Raises:
            LinkBroken: there is no way, or nobody listens.
            LinkRefused: see ``refuse`` and ``expire``.
        """
        refusal = self.refusal(agent)
        if refusal:
            raise LinkRefused("identity", refusal)
        who = Peer(agent, self.fingerprint(agent), f"{agent}:0")
        said = self.gate(who)
        if said is not None:
            raise answered(said.status, said.text, said.retry_after, where=self.principal)
        down, up = Pipe(), Pipe()
        mine = MemoryLink(self, Peer(self.principal), agent, down, up)
        theirs = MemoryLink(self, who, agent, up, down)
        self.offer(mine, theirs)
        return mine


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
            link.end_tunnels()
            link.tear_down("the link is closed")


@attrs.frozen
class MemoryListener:
    """``ports.transport.Listener`` of the principal."""

    network: Network

    async def serve(
        self,
        handler: Callable[[Link], Awaitable[None]],
        *,
        until: trio.Event | None = None,
        task_status: trio.TaskStatus[Any] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """See ``Listener``."""
        async with trio.open_nursery() as nursery:
            serve = partial(self._serve_one, handler)
            await self.network.accept_each(nursery, serve, until, task_status)

    async def _serve_one(self, handler: Callable[[Link], Awaitable[None]], link: MemoryLink) -> None:
        with self.network.holding(link):
            try:
                try:
                    await handler(link)
                finally:
                    link.end_tunnels()
                await link.close()
            except Exception as exc:
                # It ends this link only; a simulation must not overlook it all the same.
                self.network.failures.append(exc)
