"""Bytes cut into frames, header blocks put together, both within bounds."""

from __future__ import annotations

import struct
from typing import Any, Final

from h2.exceptions import DenialOfServiceError, FrameDataMissingError
from h2.frame_buffer import FrameBuffer
from hyperframe.frame import ContinuationFrame, Frame, SettingsFrame

from trio_argoagent.net.protocol import limits

HEADER: Final = struct.Struct(">HBBBL")
"""What stands before each body: length, high and low, type, flags, stream (RFC 9113 section 4.1)."""
END_STREAM: Final = 0x01
ACK: Final = 0x01
"""Flags, of DATA and of SETTINGS."""
_STREAM = 0x7FFFFFFF


class Frames(FrameBuffer):
    """The library's, which would keep 64 CONTINUATION frames of any size (CVE-2024-27316 and its family).

    Args:
        server: whether the client's preface comes first.
        block: bytes of one header block, as it is on the wire. Compressed it is no longer than the list it
            becomes, so a longer one would be refused later.
    """

    def __init__(self, *, server: bool, block: int) -> None:
        super().__init__(server)
        self._block = block
        self._kept = 0

    def head(self) -> tuple[int, int, int, int] | None:
        """Length, type, flags and stream of the next frame; None: not here, or within a header block."""
        data = self._data
        if len(data) < HEADER.size or self._headers_buffer:
            return None
        high, low, kind, flags, stream_id = HEADER.unpack_from(data)
        return (high << 8) + low, kind, flags, stream_id & _STREAM

    def peek(self, length: int) -> bytes | None:
        """The body of the next frame, which is not taken; None: it is not here as a whole."""
        stop = HEADER.size + length
        return bytes(self._data[HEADER.size : stop]) if len(self._data) >= stop else None

    def cut(self, length: int) -> bytes | None:
        """Take the next frame: its body, copied once; None: it is not here as a whole, or too long."""
        data, stop = self._data, HEADER.size + length
        if len(data) < stop or length > self.max_frame_size:
            return None
        with memoryview(data) as view:
            body = bytes(view[HEADER.size : stop])
        del data[:stop]
        return body

    def __next__(self) -> Frame:
        # The library waits for the whole of a frame that is too large, and makes a frame of each header that
        # it looks at, also of one whose body is not here yet.
        data = self._data
        if len(data) < HEADER.size:
            raise StopIteration
        high, low, kind, flags, _ = HEADER.unpack_from(data)
        length = (high << 8) + low
        self._validate_frame_length(length)
        if kind == SettingsFrame.type and flags & ACK and length:
            raise FrameDataMissingError("an acknowledgement of SETTINGS with content")
        if len(data) < HEADER.size + length:
            raise StopIteration
        return super().__next__()

    def _update_header_buffer(self, f: Frame | None) -> Frame | None:
        block: list[Any] = self._headers_buffer
        if block and isinstance(f, ContinuationFrame):
            self._kept += len(f.data)
            if len(block) > limits.CONTINUATIONS or self._kept > self._block:
                raise DenialOfServiceError(
                    f"a header block of more than {limits.CONTINUATIONS} CONTINUATION frames "
                    f"or {self._block} bytes"
                )
        result = super()._update_header_buffer(f)
        if len(block := self._headers_buffer) == 1:
            self._kept = len(block[0].data)
        return result
