"""Bytes cut into frames, header blocks put together, both within bounds."""

from __future__ import annotations

from typing import Any

from h2.exceptions import DenialOfServiceError
from h2.frame_buffer import FrameBuffer
from hyperframe.frame import ContinuationFrame, DataFrame, Frame

from trio_argoagent.net.protocol import limits


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
