"""Frames over one HTTP/2 stream: ``ports.transport.Link``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import trio

from trio_argoagent.errors import LinkBroken, LocalProtocolError
from trio_argoagent.model.identity import Peer
from trio_argoagent.net.http2 import Http2Stream
from trio_argoagent.ports.transport import LinkStatistics
from trio_argoagent.stream.protocol.framing import Framer, prefix

LINK_PATH: Final = "/v1/link"
"""What the agent asks for."""
CONTENT_TYPE: Final = ("content-type", "application/octet-stream")
"""Of both bodies: length-prefixed frames."""
CLOSE_TIMEOUT: Final = 5.0
"""Seconds that a clean end may take; a peer that takes nothing more is broken off."""
_JOINED: Final = 16 * 1024
"""Bytes; a longer frame is queued beside its length instead of being copied behind it."""


class Http2Link:
    """One link. The stream has its headers, both ways; whoever opened it also resets it.

    Args:
        stream: carries the frames and nothing else.
        peer: who is at its other end, as TLS has proven it.
    """

    def __init__(self, stream: Http2Stream, peer: Peer) -> None:
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

    def statistics(self) -> LinkStatistics:
        """What has crossed so far: bytes of the whole connection, TLS included."""
        carried = self._stream.connection.statistics()
        return LinkStatistics(
            carried.bytes_sent, carried.bytes_received, self._frames_sent, self._frames_received
        )
