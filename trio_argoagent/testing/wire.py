"""The same network, with the product's own HTTP/2 on every link (level 2 of the simulator).

A connection is two pipes of bytes with a bounded number of them on the way. What one end sends is cut
anywhere into parts, each with a delay of its own, so that the engine sees every boundary there can be; a peer
that does not read stops the sender. TLS alone is left out: it draws randomness that no seed reaches, and who
an agent is follows from the pipe it came by.

Instead of HTTP/2 it can be WebSockets, and agents may have to go through a proxy.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from itertools import pairwise
from typing import Any, Final

import attrs
import trio
from h2.errors import ErrorCodes

from trio_argoagent.errors import LinkBroken, Unreachable, UserError
from trio_argoagent.model.identity import Peer
from trio_argoagent.net.connect import tunnel
from trio_argoagent.net.errors import ConnectionBroken
from trio_argoagent.net.http import Exchange, Handler
from trio_argoagent.net.http2_stream import Http2Stream
from trio_argoagent.net.proxy import Proxy
from trio_argoagent.net.server import serve_http2
from trio_argoagent.ports.env import Random
from trio_argoagent.ports.transport import Dialer, Link, LinkStatistics, Listener, Tunnel
from trio_argoagent.stream.admission import Admission, by_certificate
from trio_argoagent.stream.dial import open_link
from trio_argoagent.stream.link import LINK_PATH
from trio_argoagent.stream.listen import LINK_LIMITS, accept_links
from trio_argoagent.stream.upgrade import alone
from trio_argoagent.stream.websocket_dial import open_websocket
from trio_argoagent.stream.websocket_listen import WebSocketAcceptor
from trio_argoagent.testing.conditions import Conditions, Tear
from trio_argoagent.testing.forwardproxy import ForwardProxy
from trio_argoagent.testing.pipes import End, Pipe

SOCKET: Final = 256 * 1024
"""Bytes on the way in one direction before ``send_all`` waits: what both kernels would hold."""
HEAD: Final = 13
"""Bytes: a cut within so many of them splits a frame's own head, or our frame's length behind it."""
CUTS: Final = (0, 0, 1, 1, 2, 3)
"""How often what is sent at once is cut; one of them is drawn."""


class ByteEnd(End, trio.abc.HalfCloseableStream):
    """One end of a connection.

    Attributes:
        peer_certificate: of the other end: no more than what the pipe proves, see ``Conditions.certificate``.
        stream: that carries the link, at the principal's end.
    """

    divisible = True

    def __init__(self, network: WireNetwork, agent: str, up: bool, inbound: Pipe, outbound: Pipe) -> None:
        super().__init__(network, agent, up, agent if up else network.principal, inbound, outbound)
        self.peer_certificate = network.principal.encode() if up else network.certificate(agent)
        self.stream: Http2Stream | None = None
        self._network = network
        self._closed = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes, as slowly as the peer reads them."""
        await trio.lowlevel.checkpoint()
        for part in self._network.cut_up(bytes(data)):
            await self.wait_less_queued(SOCKET)
            self._check()
            self._network.count(sent=len(part))
            self.put(part)

    async def wait_send_all_might_not_block(self) -> None:
        """See ``trio.abc.SendStream``."""
        await trio.lowlevel.checkpoint()
        await self.wait_less_queued(SOCKET)
        self._check()

    async def send_eof(self) -> None:
        """See ``trio.abc.HalfCloseableStream``."""
        await trio.lowlevel.checkpoint()
        self._check()
        self.put(None)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """What has arrived; empty at the peer's clean end."""
        await trio.lowlevel.checkpoint()
        if not await self.wait_arrival():
            self._check()
        pipe, taken, left = self._in, list[bytes](), max_bytes or SOCKET
        now = trio.current_time()
        while left and pipe.parts and pipe.parts[0][0] <= now:
            due, part = pipe.parts[0]
            if part is None:
                break
            pipe.parts.popleft()
            if len(part) > left:
                pipe.parts.appendleft((due, part[left:]))
            taken.append(part[:left])
            left -= len(taken[-1])
        received = b"".join(taken)
        pipe.queued -= len(received)
        pipe.wake()
        self._network.count(received=len(received))
        return received

    async def aclose(self) -> None:
        """The connection is over; the peer may still read what is on the way."""
        self._closed = True
        self.tear_down("the connection was closed on this side")
        await trio.lowlevel.checkpoint()

    def _check(self) -> None:
        if self._closed:
            raise trio.ClosedResourceError(self.broken)
        if self.broken:
            raise trio.BrokenResourceError(self.broken)


class WireNetwork(Conditions[ByteEnd]):
    """See the module.

    Args:
        chance: of latencies, and of where bytes are cut.
        websocket: links are WebSockets.
        proxied: agents reach the principal through a proxy alone, which does CONNECT.
        latency: as for ``Conditions``.
    """

    def __init__(
        self,
        chance: Random,
        *,
        websocket: bool = False,
        proxied: bool = False,
        latency: tuple[float, float] = (0.001, 0.01),
    ) -> None:
        super().__init__(chance, latency=latency)
        self.websocket, self.proxied = websocket, proxied

    def dialer(self, name: str) -> Dialer:
        """See ``Conditions``."""
        return WireDialer(self, name)

    def listener(self) -> Listener:
        """See ``Conditions``."""
        return WireListener(self)

    def connect(self, agent: str) -> ByteEnd:
        """A new connection; returns the agent's end.

        Raises:
            LinkBroken: there is no way, or nobody listens.
        """
        mine, theirs = self._pair(agent)
        self.offer(mine, theirs)
        return mine

    async def reach(self, agent: str, nursery: trio.Nursery | None) -> trio.abc.Stream:
        """A new connection, as the agent has to make it.

        Args:
            agent: whose.
            nursery: where the proxy serves it; None where there is none.

        Raises:
            LinkBroken: there is no way, or nobody listens.
        """
        await trio.sleep(self.delay())
        await self.wait_awake(agent)
        if nursery is None:
            return self.connect(agent)

        async def connect(host: str, port: int) -> trio.abc.Stream:
            await trio.lowlevel.checkpoint()
            try:
                return self.connect(agent)
            except LinkBroken as exc:
                raise OSError(str(exc)) from exc

        async def leg(host: str, port: int) -> trio.abc.Stream:
            await trio.lowlevel.checkpoint()
            mine, theirs = self._pair(agent)
            mine.other, theirs.other = theirs, mine
            nursery.start_soon(ForwardProxy(connect).serve, theirs)
            return mine

        try:
            return await tunnel(Proxy("proxy", 3128), leg)(self.principal, 0)
        except OSError as exc:
            raise Unreachable(str(exc)) from exc  # A proxy that refuses nothing.

    def _pair(self, agent: str) -> tuple[ByteEnd, ByteEnd]:
        down, up = Pipe(), Pipe()
        return ByteEnd(self, agent, True, down, up), ByteEnd(self, agent, False, up, down)

    def cut_up(self, data: bytes) -> Iterator[bytes]:
        """What is sent at once, in parts: every second cut is where heads of frames are."""
        draw, places = self._chance.random, [0, len(data)]
        for number in range(CUTS[int(draw() * len(CUTS))]):
            within = min(len(data), HEAD) if number % 2 else len(data)
            places.append(int(draw() * within))
        places.sort()
        for start, end in pairwise(places):
            if start < end:
                yield data[start:end]

    def torn(self, end: ByteEnd, how: Tear) -> None:
        """See ``Conditions``; a goodbye is said by the connection itself, between two of its frames."""
        stream = end.stream
        if how is Tear.BREAK or stream is None:
            super().torn(end, how)
        elif how is Tear.GOAWAY:
            stream.connection.wire.stop(ConnectionBroken(how.value))
        else:
            stream.reset(ErrorCodes.INTERNAL_ERROR)

    def died(self, program: str) -> None:
        """The kernel ends the connections of a killed program; what they were to say is never said."""
        for ends in tuple(self._open.values()):
            for end in tuple(ends):
                if program == self.principal:
                    end.tear_down("the principal is dead")
                elif program == end.agent and end.other is not None:
                    end.other.tear_down("the agent is dead")

    def identify(self, certificate: bytes) -> str:
        """Whose connection it is.

        Raises:
            UserError: the agent is not to be let in.
        """
        agent = certificate.decode().partition("/")[0]
        refusal = self.refusal(agent)
        if refusal:
            raise UserError(refusal)
        return agent


class _CountedLink:
    """A link of which every frame is counted and shown."""

    def __init__(self, link: Link, network: WireNetwork, agent: str, up: bool) -> None:
        self._link, self._network, self._agent, self._up = link, network, agent, up
        self._owner = agent if up else network.principal

    @property
    def peer(self) -> Peer:
        return self._link.peer

    async def wait_room(self) -> None:
        await self._network.wait_awake(self._owner)
        await self._link.wait_room()

    def send_nowait(self, frame: bytes) -> None:
        self._link.send_nowait(frame)
        self._network.count(frames_sent=1)
        self._network.note(self._agent, self._up, frame)

    async def receive(self) -> Sequence[bytes]:
        frames = await self._link.receive()
        self._network.count(frames_received=len(frames))
        for frame in frames:
            self._network.arrived(self._agent, not self._up, frame)
        return frames

    def retire(self) -> None:
        self._link.retire()

    def cut(self, why: str) -> None:
        self._link.cut(why)

    async def close(self) -> None:
        await self._link.close()

    async def open_tunnel(self, tunnel_id: str) -> Tunnel:
        return await self._link.open_tunnel(tunnel_id)

    async def accept_tunnel(self, tunnel_id: str, within: float) -> Tunnel:
        return await self._link.accept_tunnel(tunnel_id, within)

    def statistics(self) -> LinkStatistics:
        return self._link.statistics()


@attrs.frozen
class WireDialer:
    """``ports.transport.Dialer`` of one agent."""

    network: WireNetwork
    name: str

    def dial(self) -> AbstractAsyncContextManager[Link]:
        """See ``Dialer``."""
        return self._dial()

    @contextlib.asynccontextmanager
    async def _dial(self) -> AsyncIterator[Link]:
        network = self.network
        principal = Peer(network.principal, address=f"{network.principal}:0")
        # A nursery takes steps of the scheduler, which would move every seed of those that need none.
        async with alone() if network.proxied else contextlib.nullcontext() as nursery:
            reach = partial(network.reach, self.name, nursery)
            end = await reach()
            opened: AbstractAsyncContextManager[Link] = (
                open_websocket(end, principal, reach) if network.websocket else open_link(end, principal)
            )
            async with opened as link:
                yield _CountedLink(link, network, self.name, True)


@attrs.frozen
class WireListener:
    """``ports.transport.Listener`` of the principal."""

    network: WireNetwork

    async def serve(
        self,
        handler: Callable[[Link], Awaitable[None]],
        *,
        until: trio.Event | None = None,
        task_status: trio.TaskStatus[Any] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """See ``Listener``."""

        async def handle(link: Link) -> None:
            await handler(_CountedLink(link, self.network, link.peer.name, False))

        admission = Admission(by_certificate(self.network.identify), self.network.gate)
        accept = accept_links(handle, admission)
        sockets = WebSocketAcceptor(handle, admission)
        async with trio.open_nursery() as nursery:
            one = partial(self._serve_one, accept)
            serve = partial(self._serve_socket, sockets) if self.network.websocket else one
            await self.network.accept_each(nursery, serve, until, task_status)

    async def _serve_socket(self, sockets: WebSocketAcceptor, end: ByteEnd) -> None:
        with self.network.holding(end):
            try:
                await sockets.serve(end)
            except Exception as exc:
                self._judge(exc)

    async def _serve_one(self, accept: Handler, end: ByteEnd) -> None:
        async def accept_here(exchange: Exchange) -> None:
            if exchange.request.path == LINK_PATH:
                end.stream = exchange.stream
            await accept(exchange)

        with self.network.holding(end):
            await serve_http2(accept_here, end, limits=LINK_LIMITS, on_error=self._judge)

    def _judge(self, exc: Exception) -> None:
        # A connection that breaks is the weather; nothing here spoils bytes, so nonsense is a bug.
        if not isinstance(exc, LinkBroken):
            self.network.failures.append(exc)
