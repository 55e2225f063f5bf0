"""The frames of a WebSocket, counted where their bytes arrive (RFC 6455, section 5.2).

The library between us and the bytes answers every ping, keeps every fragment and tells nobody of either. So
what a peer may make it do for nothing is counted before it sees a byte. Everything else that the standard
forbids is the library's to find.
"""

from __future__ import annotations

import enum
import struct
from typing import Final

from h2.exceptions import DenialOfServiceError

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.net.protocol.budgets import Budget, Charge, Meter
from trio_argoagent.stream.protocol.messaging import MESSAGE

PIECES: Final = 256
"""Frames of one message: a proxy may cut one anew (section 5.4), but not into crumbs."""
_LONG: Final = {126: struct.Struct(">H"), 127: struct.Struct(">Q")}
"""By what stands for the length in the second byte: where it stands instead."""
_MASK: Final = 4
"""Bytes of a masking key."""


class Kind(enum.IntEnum):
    """The opcodes that are looked at."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class Heads:
    """One direction of one WebSocket. Bytes may be split anywhere; payloads are passed over.

    Args:
        budget: PINGs are charged to ``pings``; fragments without a byte, and answers to pings that we never
            send, to ``glitches``.

    Attributes:
        closing: a Close has come.
    """

    def __init__(self, budget: Budget) -> None:
        self.closing = False
        self._meter = Meter(budget)
        self._head = bytearray()
        self._skip = 0
        self._pieces = self._size = 0

    def feed(self, data: bytes, now: float) -> None:
        """Count the frames that begin in these bytes.

        Args:
            data: as they came, after the upgrade.
            now: seconds on any clock that does not go back.

        Raises:
            RemoteProtocolError: too many of them do nothing, or a message is too long or cut too small.
        """
        at = 0
        try:
            while at < len(data):
                if self._skip:
                    step = min(self._skip, len(data) - at)
                    self._skip -= step
                else:
                    step = min(_missing(self._head), len(data) - at)
                    self._head += data[at : at + step]
                    if not _missing(self._head):
                        self._count(now)
                at += step
        except DenialOfServiceError as exc:
            raise RemoteProtocolError(f"WebSocket: {exc}") from exc

    def _count(self, now: float) -> None:
        """A head is complete."""
        final, kind, self._skip = bool(self._head[0] & 0x80), self._head[0] & 0x0F, _length(self._head)
        self._head.clear()
        if kind == Kind.PING:
            self._meter.charge(Charge.PING, now)
        elif kind == Kind.PONG:
            self._meter.charge(Charge.GLITCH, now)
        elif kind == Kind.CLOSE:
            self.closing = True
        elif kind <= Kind.BINARY:
            self._piece(final, now)

    def _piece(self, final: bool, now: float) -> None:
        if not final and not self._skip:
            self._meter.charge(Charge.GLITCH, now)
        self._pieces += 1
        self._size += self._skip
        if self._size > MESSAGE:
            raise RemoteProtocolError(f"a WebSocket message of more than {MESSAGE} bytes")
        if self._pieces > PIECES:
            raise RemoteProtocolError(f"a WebSocket message in more than {PIECES} pieces")
        if final:
            self._pieces = self._size = 0


def _missing(head: bytearray) -> int:
    """Bytes that are still to come, as far as what is there tells."""
    if len(head) < 2:
        return 2 - len(head)
    masked, length = head[1] & 0x80, head[1] & 0x7F
    more = _LONG[length].size if length in _LONG else 0
    return 2 + more + (_MASK if masked else 0) - len(head)


def _length(head: bytearray) -> int:
    """Bytes of payload that a complete head announces."""
    length = head[1] & 0x7F
    return int(_LONG[length].unpack_from(head, 2)[0]) if length in _LONG else length
