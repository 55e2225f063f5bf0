"""How the body of a record travels: plain, or compressed with zstd when that is smaller.

On the wire it is ``[encoding, size, data]`` with the size in plain bytes. The size is checked against
``MAX_BODY`` before anything is inflated, and nothing is inflated beyond it, so a bomb costs its sender more
than us.
"""

from __future__ import annotations

import enum
import sys
from typing import Final

from trio_argoagent.stream.protocol.shapes import Blob, Mismatch, Whole

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAX_BODY: Final = 8 * 1024 * 1024
"""Bytes of a body before compression. API servers take about 1.5 MiB (etcd), 3 MiB of JSON at most."""
MIN_COMPRESSED: Final = 256
"""Bytes; a body that is not longer is not worth compressing."""
_LEVEL: Final = 1
_WINDOW_LOG: Final = 23
"""log2 of ``MAX_BODY``: the largest window that a body of ours can ask for."""


class Encoding(enum.IntEnum):
    """How the data of a body is to be read."""

    PLAIN = 0
    ZSTD = 1


_SIZE = Whole(0, MAX_BODY)
_DATA = Blob(MAX_BODY)


class Body:
    """The shape of a record's body."""

    def read(self, value: object) -> bytes:
        """The plain body of ``[encoding, size, data]``."""
        if type(value) is not tuple or len(value) < 3:
            raise Mismatch("a list of 3 fields")
        encoding, size, data = value[:3]
        part = "encoding"
        try:
            if type(encoding) is not int or encoding not in (Encoding.PLAIN, Encoding.ZSTD):
                raise Mismatch("an encoding that we know")
            part = "size"
            size = _SIZE.read(size)
            part = "data"
            data = _DATA.read(data)
            plain = data if encoding == Encoding.PLAIN else _inflate(data, size)
            if len(plain) != size:
                raise Mismatch(f"{size} bytes")
        except Mismatch as exc:
            exc.path.append(part)
            raise
        return plain

    def write(self, value: bytes) -> object:
        """The shortest ``[encoding, size, data]`` of a plain body."""
        if len(_DATA.read(value)) > MIN_COMPRESSED:
            packed = zstd.compress(value, _LEVEL)
            if len(packed) < len(value):
                return (int(Encoding.ZSTD), len(value), packed)
        return (int(Encoding.PLAIN), len(value), value)


def _inflate(data: bytes, size: int) -> bytes:
    """What is in one zstd frame, never more than ``size`` bytes of it."""
    try:
        inflater = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG})
        # max_length 0 would give nothing and say nothing; one byte more than declared shows the lie.
        plain = inflater.decompress(data, max_length=size + 1)
    except zstd.ZstdError as exc:
        raise Mismatch("a zstd frame") from exc
    if not inflater.eof or inflater.unused_data:
        raise Mismatch(f"one zstd frame of {size} bytes")
    return plain
