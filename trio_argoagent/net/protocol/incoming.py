"""Bytes cut into frames, header blocks put together, both within bounds."""

from __future__ import annotations

import struct
from typing import Any, Final

from h2.exceptions import DenialOfServiceError, FrameDataMissingError
from h2.frame_buffer import FrameBuffer
from hyperframe.frame import ContinuationFrame, DataFrame, Frame, SettingsFrame

from trio_argoagent.net.protocol import limits

HEADER: Final = struct.Struct(">HBBBL")
"""What stands before each body: length, high and low, type, flags, stream (RFC 9113 section 4.1)."""
END_STREAM: Final = 0x01
ACK: Final = 0x01
"""Flags, of DATA and of SETTINGS."""
_PADDED, _STREAM = 0x08, 0x7FFFFFFF


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

    def __next__(self) -> Frame:
        # The library waits for the whole of a frame that is too large, copies a body three times, and makes
        # a frame of each header that it looks at, also of one whose body is not here yet. DATA without
        # padding is what bulk consists of: it is copied once.
        data = self._data
        if len(data) < HEADER.size:
            raise StopIteration
        high, low, kind, flags, stream_id = HEADER.unpack_from(data)
        length = (high << 8) + low
        self._validate_frame_length(length)
        if kind == SettingsFrame.type and flags & ACK and length:
            raise FrameDataMissingError("an acknowledgement of SETTINGS with content")
        stream_id &= _STREAM
        if kind != DataFrame.type or flags & _PADDED or not stream_id or self._headers_buffer:
            return super().__next__()
        if len(data) < HEADER.size + length:
            raise StopIteration
        frame = DataFrame(stream_id)
        if flags & END_STREAM:
            frame.flags.add("END_STREAM")
        with memoryview(data) as view:
            frame.data = bytes(view[HEADER.size : HEADER.size + length])
        frame.body_len = length
        del data[: HEADER.size + length]
        return frame

    def _update_header_buffer(self, f: Frame | None) -> Frame | None:
        block: list[Any] = self._headers_buffer
        if not block and type(f) is DataFrame:
            return f  # most frames are, and this is all the library would do with them
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
