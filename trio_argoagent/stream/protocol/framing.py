"""Frames in a stream of bytes: four bytes of length, big endian, then that many bytes.

The length is checked as soon as its four bytes are there, so a peer cannot make us wait for, or keep, more
than one frame of ``MAX_FRAME``. An empty frame is an error: no message is empty.
"""

from __future__ import annotations

import struct
from typing import Final

from trio_argoagent.errors import LocalProtocolError, RemoteProtocolError
from trio_argoagent.ports.transport import MAX_FRAME

PREFIX: Final = 4
"""Bytes of the length."""
_LENGTH: Final = struct.Struct(">I").unpack_from


def prefix(frame: bytes) -> bytes:
    """The length that goes before a frame.

    Raises:
        LocalProtocolError: it is empty or too long to be sent.
    """
    if not 0 < len(frame) <= MAX_FRAME:
        raise LocalProtocolError(f"a frame of {len(frame)} bytes cannot be sent")
    return len(frame).to_bytes(PREFIX)


class Framer:
    """Cuts arriving bytes into frames.

    Frames that arrive whole are cut out of what has arrived. One that does not waits in a growing buffer for
    its own bytes alone, so the work is linear in the bytes, however they are split.
    """

    def __init__(self) -> None:
        self._begun = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that these bytes complete, in order.

        Raises:
            RemoteProtocolError: a length is out of bounds. Frames before it in ``data`` are
                lost with the link, and every later call raises the same.
        """
        frames: list[bytes] = []
        start, end = 0, len(data)
        if self._begun:
            start = self._complete(data, frames)
        while end - start >= PREFIX:
            (size,) = _LENGTH(data, start)
            if not 0 < size <= MAX_FRAME:
                self._begun += data[start:]
                raise _too_long(size)
            stop = start + PREFIX + size
            if stop > end:
                break
            frames.append(data[start + PREFIX : stop])
            start = stop
        if start < end:
            self._begun += memoryview(data)[start:]
        return frames

    def _complete(self, data: bytes, frames: list[bytes]) -> int:
        """Add to what has begun; how many of the bytes belong to it."""
        begun = self._begun
        taken = max(0, PREFIX - len(begun))
        begun += data[:taken]
        if len(begun) < PREFIX:
            return taken
        (size,) = _LENGTH(begun)
        if not 0 < size <= MAX_FRAME:
            raise _too_long(size)
        missing: int = PREFIX + size - len(begun)
        begun += memoryview(data)[taken : taken + missing]
        if len(begun) == PREFIX + size:
            frames.append(bytes(memoryview(begun)[PREFIX:]))
            self._begun = bytearray()
        return min(taken + missing, len(data))

    @property
    def pending(self) -> int:
        """Bytes of the incomplete frame: not 0 at the end of the stream means that it was cut off."""
        return len(self._begun)


def _too_long(size: int) -> RemoteProtocolError:
    return RemoteProtocolError(f"a frame of {size} bytes; at most {MAX_FRAME} are allowed")
