"""Frames over a stream of bytes, and tunnels beside it: ``ports.transport.Link``, twice.

Over HTTP/2 a tunnel is one more stream of the link's connection; over WebSockets it is a socket of its own.
"""

from __future__ import annotations

import abc
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final, Protocol

import trio

from trio_argoagent.errors import (
    LinkBroken,
    LinkError,
    LocalProtocolError,
    RemoteProtocolError,
    TunnelRefused,
)
from trio_argoagent.model.identity import Peer
from trio_argoagent.net.errors import ConnectionBroken
from trio_argoagent.net.http import Headers
from trio_argoagent.net.http2 import ConnectionStatistics, Http2Stream
from trio_argoagent.ports.transport import LinkStatistics, Tunnel
from trio_argoagent.stream.protocol.framing import Framer, prefix
from trio_argoagent.stream.protocol.reasons import NoTunnel
from trio_argoagent.stream.tunnel import Carrier
from trio_argoagent.stream.tunnels import Tunnels

LINK_PATH: Final = "/v1/link"
"""What the agent asks for."""
TUNNEL_PATH: Final = "/v1/tunnel/"
"""What it asks for to open a tunnel; the tunnel's id follows."""
CONTENT_TYPE: Final = ("content-type", "application/octet-stream")
"""Of both bodies: length-prefixed frames; in a tunnel, whatever its users say."""
CLOSE_TIMEOUT: Final = 5.0
"""Seconds that a clean end may take; a peer that takes nothing more is broken off."""
_JOINED: Final = 16 * 1024
"""Bytes; a longer frame is queued beside its length instead of being copied behind it."""


class FramedLink(abc.ABC):
    """One link. The stream of bytes has begun, both ways; whoever opened it also resets it.

    Args:
        carrier: carries the frames and nothing else.
        peer: who is at its other end, as TLS has proven it.

    Attributes:
        tunnels: of this link; whoever made the link ends them with it.
    """

    def __init__(self, carrier: Carrier, peer: Peer) -> None:
        self.tunnels = Tunnels()
        self._carrier = carrier
        self._peer = peer
        self._framer = Framer()
        self._frames_sent = 0
        self._frames_received = 0
        self._closed = False

    @property
    def peer(self) -> Peer:
        """Who is at the other end."""
        return self._peer

    def wait_room(self) -> Coroutine[Any, Any, None]:
        """Return when less than 256 KiB are queued."""
        # Not async itself: before each frame, a coroutine round another one would be felt.
        return self._carrier.wait_room()

    def send_nowait(self, frame: bytes) -> None:
        """Queue one frame.

        Raises:
            LocalProtocolError: it is empty or too long, or the link was closed on this side.
            LinkBroken: the link is gone.
        """
        if self._closed:
            raise LocalProtocolError("a frame after the end of the link")
        length = prefix(frame)
        if len(frame) <= _JOINED:
            self._carrier.send_nowait(length + frame)
        else:
            self._carrier.send_nowait(length)
            self._carrier.send_nowait(frame)
        self._frames_sent += 1

    async def receive(self) -> Sequence[bytes]:
        """All frames that have arrived, at least one; empty after the peer's clean end.

        Raises:
            RemoteProtocolError: the peer announces a frame that is too long.
            LinkBroken: the link is gone, or ended in the middle of a frame.
        """
        while data := await self._carrier.receive():
            if frames := self._framer.feed(data):
                self._frames_received += len(frames)
                return frames
        if self._framer.pending:
            raise LinkBroken("the peer ended the link in the middle of a frame")
        return ()

    @abc.abstractmethod
    def retire(self) -> None:
        """See ``Link``."""

    @abc.abstractmethod
    def cut(self, why: str) -> None:
        """See ``Link``."""

    async def close(self) -> None:
        """Deliver what was queued, then end this side. Bounded by ``CLOSE_TIMEOUT``.

        Raises:
            LinkBroken: the peer has gone, or has not taken it in time; the stream is reset then.
        """
        self._closed = True
        self._carrier.end()
        with trio.move_on_after(CLOSE_TIMEOUT) as scope:
            await self._carrier.wait_sent()
        if scope.cancelled_caught:
            self._carrier.reset()
            raise LinkBroken(f"the peer has not taken the last frames within {CLOSE_TIMEOUT:g} s")

    async def open_tunnel(self, tunnel_id: str) -> Tunnel:
        """See ``Link``."""
        with self.tunnels.opening():
            carrier = await self._open_carrier(TUNNEL_PATH + tunnel_id)
        if carrier is None:
            text = "the principal does not wait for this tunnel (any more)"
            raise TunnelRefused(NoTunnel.NOT_AWAITED, text)
        return self.tunnels.add(carrier)

    @abc.abstractmethod
    async def _open_carrier(self, path: str) -> Carrier | None:
        """Ask the principal for that path; None: it says no.

        Raises:
            TunnelRefused: it takes nothing more.
            LinkBroken: the link is gone.
        """

    async def accept_tunnel(self, tunnel_id: str, within: float) -> Tunnel:
        """See ``Link``; ``listen`` serves what the agent opens."""
        return await self.tunnels.accept(tunnel_id, within)

    def statistics(self) -> LinkStatistics:
        """What has crossed so far: bytes of the whole connection, TLS included."""
        carried = self._carried()
        link = LinkStatistics(
            carried.bytes_sent, carried.bytes_received, self._frames_sent, self._frames_received
        )
        return self.tunnels.counted(link)

    @abc.abstractmethod
    def _carried(self) -> ConnectionStatistics:
        """What the connection under the carrier has carried."""


class Http2Link(FramedLink):
    """A link over one stream of an HTTP/2 connection, whose other streams are its tunnels.

    Args:
        stream: has its headers, both ways.
        peer: as TLS has proven it.
        headers: of each request for a tunnel, besides its own.
    """

    def __init__(self, stream: Http2Stream, peer: Peer, headers: Headers = ()) -> None:
        super().__init__(stream, peer)
        self._connection = stream.connection
        self._headers = headers

    async def _open_carrier(self, path: str) -> Http2Stream | None:
        try:
            stream = await self._connection.open_stream("POST", path, [CONTENT_TYPE, *self._headers])
            try:
                status, _ = await stream.response()
            except BaseException:
                stream.reset()
                raise
        except ConnectionBroken as exc:
            if self._connection.error is not None:
                raise
            raise TunnelRefused(NoTunnel.NOT_AWAITED, f"the principal takes none: {exc}") from exc
        if status == 200:
            return stream
        stream.reset()
        return None

    def retire(self) -> None:
        """Say that nothing new is to be begun on the connection; it ends after the last of its streams."""
        self._connection.retire()

    def cut(self, why: str) -> None:
        """See ``Link``."""
        self._connection.abandon(why)

    def _carried(self) -> ConnectionStatistics:
        return self._connection.statistics()


class Socket(Carrier, Protocol):
    """A carrier that has a connection for itself.

    Attributes:
        error: how it broke, if it has.
    """

    error: ConnectionBroken | None

    def break_off(self, error: ConnectionBroken) -> None:
        """It is over for that reason."""

    def abandon(self, error: ConnectionBroken) -> None:
        """The same, without a word to the peer."""

    def statistics(self) -> ConnectionStatistics:
        """What the connection has carried."""


class WebSocketLink(FramedLink):
    """A link over a socket of its own, and each tunnel over another one.

    Args:
        socket: that carries the frames.
        peer: as TLS has proven it.
        another: dials one more, for a path; None: the principal says no. Only an agent has it.
    """

    def __init__(
        self, socket: Socket, peer: Peer, another: Callable[[str], Awaitable[Socket | None]] | None = None
    ) -> None:
        super().__init__(socket, peer)
        self._socket = socket
        self._another = another

    def retire(self) -> None:
        """See ``Link``: nothing else is on its socket."""

    def cut(self, why: str) -> None:
        """See ``Link``."""
        self._socket.abandon(ConnectionBroken(f"the connection was ended: {why}"))

    def expel(self, why: str) -> None:
        """The same, because the peer has broken the rules."""
        error = ConnectionBroken(f"the connection was ended: {why}")
        error.__cause__ = RemoteProtocolError(why)
        self._socket.break_off(error)

    async def _open_carrier(self, path: str) -> Socket | None:
        if self._another is None:
            raise LocalProtocolError("only an agent opens tunnels")
        try:
            carrier = await self._another(path)
        except LinkError as exc:
            if self._socket.error is None:
                raise TunnelRefused(NoTunnel.NOT_AWAITED, f"the principal takes none: {exc}") from exc
            carrier = None
        if carrier is None and self._socket.error is not None:
            # A tunnel that did open ends with the link; whoever got a no should learn that there is none.
            raise LinkBroken(f"the link has ended: {self._socket.error}") from self._socket.error
        return carrier

    def _carried(self) -> ConnectionStatistics:
        return self._socket.statistics()
