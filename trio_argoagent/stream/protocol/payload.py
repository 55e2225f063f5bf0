"""How the body of one record looks on the wire: as it is, compressed, or compressed against an earlier one.

A compressed body is one zstd frame (RFC 8878) that says its own size. That size is read from the frame's head
and compared with ``MAX_BODY`` before anything is inflated, and nothing is inflated beyond it: so a bomb costs
its sender more than us, and how well something compresses does not matter.

With a prefix, the frame may refer to another body as if that had just been read: of 40 KB in which one field
has changed some 30 bytes are left. The frame ends with a checksum of what it stands for (32 bits of XXH64, a
few microseconds), so a wrong prefix is noticed here. The record's own digest could not tell: it is opaque to
whoever receives it, and does not cover all of a status's body.
"""

from __future__ import annotations

import enum
import sys
from typing import Final

import attrs

from trio_argoagent.errors import LocalProtocolError, RemoteProtocolError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAX_BODY: Final = 8 * 1024 * 1024
"""Bytes of a body before compression. API servers take about 1.5 MiB (etcd), 3 MiB of JSON at most."""
SHORT: Final = 256
"""Bytes; a body that is not longer goes as it is, and is no prefix of another one."""
_LEVEL: Final = 1
"""What level 3 gains on JSON is a few per cent, for more than twice the time."""
_LEAST_WINDOW_LOG: Final = 10
"""zstd's own."""
_MOST_PLACES_LOG: Final = 20
"""log2 of the places of a prefix that can be found again, 4 bytes each."""
_WINDOW_LOG: Final = 23
"""log2 of ``MAX_BODY``: the largest window that a body of ours can ask for. A prefix is beside it."""

_PARAMETER = zstd.CompressionParameter


class Encoding(enum.IntEnum):
    """How the data of a body is to be read."""

    PLAIN = 0
    ZSTD = 1
    PREFIX = 2
    """A zstd frame that refers to another body."""


@attrs.frozen
class Packed:
    """A body as it travels, and as it is kept."""

    encoding: Encoding
    data: bytes = attrs.field(repr=lambda data: f"<{len(data)} bytes>")


def pack(body: bytes, *, compress: bool = True) -> Packed:
    """The shortest form of a body by itself.

    Raises:
        LocalProtocolError: it is longer than ``MAX_BODY``.
    """
    if len(body) > MAX_BODY:
        raise LocalProtocolError(f"a body of {len(body)} bytes; at most {MAX_BODY} can be sent")
    if compress and len(body) > SHORT:
        data = _compressor().compress(body, zstd.ZstdCompressor.FLUSH_FRAME)
        if len(data) < len(body):
            return Packed(Encoding.ZSTD, data)
    return Packed(Encoding.PLAIN, body)


def pack_against(body: bytes, base: bytes) -> Packed:
    """A body as what it differs by from another one; neither is longer than ``MAX_BODY``."""
    return Packed(
        Encoding.PREFIX,
        _compressor(base, len(body)).compress(body, zstd.ZstdCompressor.FLUSH_FRAME),
    )


def _compressor(base: bytes = b"", size: int = 0) -> zstd.ZstdCompressor:
    options: dict[int, int] = {_PARAMETER.compression_level: _LEVEL, _PARAMETER.checksum_flag: 1}
    if not base:
        return zstd.ZstdCompressor(options=options)
    # By itself level 1 looks back 512 KiB, and finds so few places of a prefix again that from 100 KB on it
    # takes a like one nearby. Rejected: zstd's matching over long distances, which is slower and finds less.
    window = max(_LEAST_WINDOW_LOG, (len(base) + size).bit_length())
    options |= {_PARAMETER.window_log: window, _PARAMETER.hash_log: min(window - 2, _MOST_PLACES_LOG)}
    return zstd.ZstdCompressor(options=options, zstd_dict=zstd.ZstdDict(base, is_raw=True).as_prefix)


def unpack(packed: Packed, base: bytes = b"") -> bytes:
    """The body again.

    Args:
        packed: what came from the other side.
        base: the body that it refers to, if it does.

    Raises:
        RemoteProtocolError: it is nothing that ``pack`` or ``pack_against`` makes.
    """
    if packed.encoding is Encoding.PLAIN:
        return packed.data
    try:
        size = zstd.get_frame_info(packed.data).decompressed_size
        if size is None or size > MAX_BODY:
            raise RemoteProtocolError(f"a body that says it has {size} bytes; at most {MAX_BODY} are taken")
        prefix = zstd.ZstdDict(base, is_raw=True).as_prefix if base else None
        options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _WINDOW_LOG}
        inflater = zstd.ZstdDecompressor(zstd_dict=prefix, options=options)
        # max_length 0 would give nothing and say nothing; one byte more than declared shows the lie.
        body = inflater.decompress(packed.data, max_length=size + 1)
    except zstd.ZstdError as exc:
        raise RemoteProtocolError("a body that is no zstd frame, or not one against this prefix") from exc
    if not inflater.eof or inflater.unused_data or len(body) != size:
        raise RemoteProtocolError(f"a body that is not one whole zstd frame of {size} bytes")
    return body
