"""What one stream still has to send: messages in, DATA frames out, joined or cut to fit."""

from __future__ import annotations

from collections import deque
from typing import Final

from trio_argoagent.net.protocol.turns import Lane

MOVED: Final = 16 * 1024
"""Bytes that must leave before a stalled stream counts as moving: a byte now and then is no progress."""


class Outbox:
    """A queue of bytes that forgets where one message ended and the next began.

    Attributes:
        size: bytes queued.
        ending: END_STREAM follows the last of them.
        ended: END_STREAM has been put into a frame.
        handed: the frame with END_STREAM has been handed to the socket.
        lane: where the stream stands when it has something to send.
        stalled: since when the peer's window keeps bytes from leaving, in seconds; None: it does not.
    """

    __slots__ = ("_chunks", "_moved", "ended", "ending", "handed", "lane", "size", "stalled")

    def __init__(self, lane: Lane) -> None:
        self._chunks: deque[bytes | memoryview] = deque()
        self._moved = 0
        self.lane = lane
        self.stalled: float | None = None
        self.size = 0
        self.ending = False
        self.ended = False
        self.handed = False

    def put(self, data: bytes) -> None:
        """Queue bytes."""
        if data:
            self._chunks.append(data)
            self.size += len(data)

    def take(self, most: int) -> bytes | memoryview:
        """The next bytes, at most ``most`` of them; a single piece is not copied."""
        chunks = self._chunks
        if self.size <= most:
            taken = chunks[0] if len(chunks) == 1 else b"".join(chunks)
            chunks.clear()
            self.size = 0
            return taken
        self.size -= most
        pieces: list[bytes | memoryview] = []
        while most:
            piece = chunks.popleft()
            if len(piece) > most:
                view = memoryview(piece)
                chunks.appendleft(view[most:])
                piece = view[:most]
            pieces.append(piece)
            most -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def stall(self, now: float) -> None:
        """The window is shut."""
        if self.stalled is None:
            self.stalled, self._moved = now, 0

    def moved(self, size: int) -> None:
        """Bytes have left after ``stall``."""
        self._moved += size
        if self._moved >= MOVED or not self.size:
            self.stalled = None

    def clear(self) -> None:
        """Forget what is queued: the stream has been reset."""
        self._chunks.clear()
        self.size = 0
        self.stalled = None
