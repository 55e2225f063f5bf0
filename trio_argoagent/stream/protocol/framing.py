"""Frames in a stream of bytes: four bytes of length, big endian, then that many bytes.

The length is checked as soon as its four bytes are there, so a peer cannot make us wait for, or keep, more
than one frame of ``MAX_FRAME``. An empty frame is an error: no message is empty.
"""

from __future__ import annotations

from typing import Final

from trio_argoagent.errors import LocalProtocolError, RemoteProtocolError
from trio_argoagent.ports.transport import MAX_FRAME

PREFIX: Final = 4
"""Bytes of the length."""


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

    What is incomplete waits in one growing buffer; complete frames are cut off in one pass and the rest moved
    to the front once per call, so the work is linear in the bytes, however they are split.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that these bytes complete, in order.

        Raises:
            RemoteProtocolError: a length is out of bounds. Frames before it in ``data`` are
                lost with the link, and every later call raises the same.
        """
        buffer = self._buffer
        buffer += data
        frames: list[bytes] = []
        start, end = 0, len(buffer)
        with memoryview(buffer) as view:
            while end - start >= PREFIX:
                size = int.from_bytes(view[start : start + PREFIX])
                if not 0 < size <= MAX_FRAME:
                    raise RemoteProtocolError(f"a frame of {size} bytes; at most {MAX_FRAME} are allowed")
                stop = start + PREFIX + size
                if stop > end:
                    break
                frames.append(bytes(view[start + PREFIX : stop]))
                start = stop
        del buffer[:start]
        return frames

    @property
    def pending(self) -> int:
        """Bytes of the incomplete frame: not 0 at the end of the stream means that it was cut off."""
        return len(self._buffer)
