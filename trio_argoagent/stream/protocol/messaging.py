"""A two-way stream of bytes in WebSocket messages: what HTTP/2 gives to each of its streams, without HTTP/2.

A WebSocket has neither an end for one direction alone (after its own Close nobody may speak: RFC 6455 section
5.5.1) nor windows: a reader who does not read stops everything, pings and Close included. So there are three
kinds of message:

    binary         bytes of the stream, ``MESSAGE`` at most; where one message ends means nothing
    binary, empty  this side has ended; it goes on listening
    text           a decimal number: so many bytes were taken, so many more may be sent

Each side may send ``WINDOW`` bytes ahead of what was taken, so whoever reads the socket always may read on.
"""

from __future__ import annotations

from typing import Final

from trio_argoagent.errors import LocalProtocolError, RemoteProtocolError

MESSAGE: Final = 64 * 1024
"""Bytes of one message."""
WINDOW: Final = 1024 * 1024
"""Bytes sent ahead of the reader: 21 MB/s at a round trip of 50 ms."""
GRANT: Final = WINDOW // 2
"""Bytes taken before the peer hears of them."""
_DIGITS: Final = len(str(WINDOW))


class Messages:
    """One side of such a stream.

    Attributes:
        ended: the peer has ended its side.
        ending: our own side has been ended.
        end_taken: that end has been taken by ``next_message``.
    """

    def __init__(self) -> None:
        self.ended = False
        self.ending = False
        self.end_taken = False
        self._queue = bytearray()
        self._may_send = self._may_come = WINDOW
        self._owed = 0

    @property
    def queued(self) -> int:
        """Bytes that wait to be sent."""
        return len(self._queue)

    def put(self, data: bytes) -> None:
        """Queue bytes.

        Raises:
            LocalProtocolError: after ``end``.
        """
        if self.ending:
            raise LocalProtocolError("bytes after the end of a stream")
        self._queue += data

    def end(self) -> None:
        """Nothing follows."""
        self.ending = True

    def next_message(self) -> bytes | str | None:
        """What is to be sent next; None: nothing now. Each answer is given once."""
        if self._owed >= GRANT:
            owed, self._owed = self._owed, 0
            self._may_come += owed
            return str(owed)
        if self._queue:
            size = min(len(self._queue), self._may_send, MESSAGE)
            self._may_send -= size
            taken = bytes(self._queue[:size])
            del self._queue[:size]  # Python moves where it begins, not what is left.
            return taken or None
        if self.ending and not self.end_taken:
            self.end_taken = True
            return b""
        return None

    def receive(self, message: bytes | str) -> bytes:
        """The bytes of the stream that a message brings; empty if it brings none.

        Raises:
            RemoteProtocolError: the peer may not say that, or not now.
        """
        if isinstance(message, str):
            self._may_send += self._grant(message)
            return b""
        if self.ended:
            raise RemoteProtocolError("a WebSocket message after the end of its stream")
        self.ended = not message
        self._may_come -= len(message)
        if self._may_come < 0:
            raise RemoteProtocolError(f"more than {WINDOW} bytes ahead of the reader of a WebSocket")
        return message

    def taken(self, size: int) -> None:
        """So many of the bytes that came have been taken by the application."""
        if not self.ended:
            self._owed += size

    def _grant(self, text: str) -> int:
        size = int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else 0
        # A smaller one, or one for what was never sent, would let a peer keep us busy with nothing.
        if not GRANT <= size <= WINDOW - self._may_send:
            raise RemoteProtocolError(f"a WebSocket's peer grants {text[:20]!r} bytes")
        return size
