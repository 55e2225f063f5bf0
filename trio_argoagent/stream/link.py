"""Frames over one HTTP/2 stream, and tunnels beside it on its connection: ``ports.transport.Link``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import trio

from trio_argoagent.errors import LinkBroken, LocalProtocolError, TunnelRefused
from trio_argoagent.model.identity import Peer
from trio_argoagent.net.errors import ConnectionBroken
from trio_argoagent.net.http2 import Http2Stream
from trio_argoagent.ports.transport import LinkStatistics, Tunnel
from trio_argoagent.stream.protocol.framing import Framer, prefix
from trio_argoagent.stream.protocol.messages import NoTunnel
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


class Http2Link:
    """One link. The stream has its headers, both ways; whoever opened it also resets it.

    Args:
        stream: carries the frames and nothing else.
        peer: who is at its other end, as TLS has proven it.

    Attributes:
        tunnels: of this link; whoever made the link ends them with it.
    """

    def __init__(self, stream: Http2Stream, peer: Peer) -> None:
        self.tunnels = Tunnels()
        self._stream = stream
        self._peer = peer
        self._framer = Framer()
        self._frames_sent = 0
        self._frames_received = 0
        self._closed = False

    @property
    def peer(self) -> Peer:
        """Who is at the other end."""
        return self._peer

    async def wait_room(self) -> None:
        """Return when less than 256 KiB are queued."""
        await self._stream.wait_room()

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
            self._stream.send_nowait(length + frame)
        else:
            self._stream.send_nowait(length)
            self._stream.send_nowait(frame)
        self._frames_sent += 1

    async def receive(self) -> Sequence[bytes]:
        """All frames that have arrived, at least one; empty after the peer's clean end.

        Raises:
            RemoteProtocolError: the peer announces a frame that is too long.
            LinkBroken: the link is gone, or ended in the middle of a frame.
        """
        while data := await self._stream.receive():
            if frames := self._framer.feed(data):
                self._frames_received += len(frames)
                return frames
        if self._framer.pending:
            raise LinkBroken("the peer ended the link in the middle of a frame")
        return ()

    async def close(self) -> None:
        """Deliver what was queued, then end this side. Bounded by ``CLOSE_TIMEOUT``.

        Raises:
            LinkBroken: the peer has gone, or has not taken it in time; the stream is reset then.
        """
        self._closed = True
        self._stream.end()
        with trio.move_on_after(CLOSE_TIMEOUT) as scope:
            await self._stream.wait_sent()
        if scope.cancelled_caught:
            self._stream.reset()
            raise LinkBroken(f"the peer has not taken the last frames within {CLOSE_TIMEOUT:g} s")

    async def open_tunnel(self, tunnel_id: str) -> Tunnel:
        """See ``Link``: one more stream of the same connection."""
        with self.tunnels.opening():
            connection = self._stream.connection
            try:
                stream = await connection.open_stream("POST", TUNNEL_PATH + tunnel_id, [CONTENT_TYPE])
                try:
                    status, _ = await stream.response()
                except BaseException:
                    stream.reset()
                    raise
            except ConnectionBroken as exc:
                if not connection.is_open:
                    raise
                raise TunnelRefused(NoTunnel.NOT_AWAITED, f"the principal takes none: {exc}") from exc
        if status == 200:
            return self.tunnels.add(stream)
        stream.reset()
        raise TunnelRefused(NoTunnel.NOT_AWAITED, "the principal does not wait for this tunnel (any more)")

    async def accept_tunnel(self, tunnel_id: str, within: float) -> Tunnel:
        """See ``Link``; ``listen`` serves what the agent opens."""
        return await self.tunnels.accept(tunnel_id, within)

    def statistics(self) -> LinkStatistics:
        """What has crossed so far: bytes of the whole connection, TLS included."""
        carried = self._stream.connection.statistics()
        link = LinkStatistics(
            carried.bytes_sent, carried.bytes_received, self._frames_sent, self._frames_received
        )
        return self.tunnels.counted(link)
