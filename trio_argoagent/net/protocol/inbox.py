"""Bytes that have arrived and wait for their reader, in about as much memory as they are."""

from __future__ import annotations

from typing import Final

JOINED: Final = 1024
"""Bytes; what arrives in smaller pieces is put together."""


class Inbox:
    """See the module. True while there is something in it."""

    __slots__ = ("_pieces",)

    def __init__(self) -> None:
        self._pieces: list[bytes | bytearray] = []

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def add(self, data: bytes) -> None:
        """Some, but not none, have arrived."""
        last = self._pieces[-1] if self._pieces else None
        if isinstance(last, bytearray) and len(last) < JOINED:
            last += data
        else:
            # Each piece costs memory of its own: a window full of single bytes would take it fifty times.
            self._pieces.append(data if len(data) >= JOINED else bytearray(data))

    def take(self) -> bytes:
        """All of it, joined; nothing is left."""
        pieces, self._pieces = self._pieces, []
        return pieces[0] if len(pieces) == 1 and isinstance(pieces[0], bytes) else b"".join(pieces)

    def clear(self) -> None:
        """Nobody will take it."""
        self._pieces = []
