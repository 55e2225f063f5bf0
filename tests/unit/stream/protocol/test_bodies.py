"""How the body of a record travels."""

import tracemalloc
from typing import Any

import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.stream.protocol.bodies import MAX_BODY, MIN_COMPRESSED, Body, Encoding
from trio_argoagent.stream.protocol.shapes import Mismatch

SHAPE = Body()


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=2000) | st.binary(max_size=9).map(lambda part: part * 300))
def test_round_trip_never_longer(body: bytes) -> None:
    """What is written is read back, and the data is never longer than the body."""
    wire: Any = SHAPE.write(body)
    assert SHAPE.read(wire) == body
    assert len(wire[2]) <= len(body)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"a" * MIN_COMPRESSED, Encoding.PLAIN),
        (b"a" * (MIN_COMPRESSED + 1), Encoding.ZSTD),
        (bytes(i * i * 31 % 251 ^ i % 256 for i in range(300)), Encoding.PLAIN),
    ],
    ids=["short", "long", "dense"],
)
def test_compressed_only_where_it_pays(body: bytes, encoding: Encoding) -> None:
    """Short bodies, and those that do not shrink, go plain."""
    wire: Any = SHAPE.write(body)
    assert wire[0] == encoding


def packed(size: int, fill: bytes = b"\0") -> bytes:
    """So many bytes, compressed."""
    return zstd.compress(fill * size)


@pytest.mark.parametrize(
    ("wire", "path"),
    [
        ((2, 1, b"a"), "encoding"),
        ((True, 1, b"a"), "encoding"),
        ((0, 2, b"a"), "data"),
        ((0, 0, b"a"), "data"),
        ((1, 1, b"a"), "data"),
        ((1, 99, packed(100)), "data"),
        ((1, 101, packed(100)), "data"),
        ((1, 0, packed(100)), "data"),
        ((1, 100, packed(100)[:-1]), "data"),
        ((1, 100, packed(100) + packed(100)), "data"),
        ((1, 100, packed(100) + b"x"), "data"),
        ((1, MAX_BODY + 1, packed(MAX_BODY + 1)), "size"),
        ((1, MAX_BODY, packed(64 * 1024 * 1024)), "data"),
        ((1, -1, b""), "size"),
        ((1, 1), ""),
        ([1, 1, b""], ""),
    ],
)
def test_a_lie_is_refused(wire: Any, path: str) -> None:
    """A body must be what its encoding and size say: no bomb, nothing cut off, nothing behind it."""
    with pytest.raises(Mismatch) as caught:
        SHAPE.read(wire)
    assert str(caught.value).startswith(f"{path}: expected")


def test_a_frame_without_its_end_is_refused() -> None:
    """All the bytes are there, but not the end that would vouch for them."""
    body = bytes(range(256)) * 4
    packer = zstd.ZstdCompressor()
    with pytest.raises(Mismatch, match="one zstd frame of 1024 bytes"):
        SHAPE.read((1, len(body), packer.compress(body, packer.FLUSH_BLOCK)))


def test_a_bomb_is_not_inflated() -> None:
    """What is behind the declared size is never made."""
    bomb = packed(64 * 1024 * 1024)
    tracemalloc.start()
    try:
        with pytest.raises(Mismatch):
            SHAPE.read((1, 1000, bomb))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_a_large_window_is_refused() -> None:
    """A frame that asks for more memory than the largest body is not inflated."""
    parameter = zstd.CompressionParameter
    body = bytes(range(256)) * 16
    options: dict[int, int] = {parameter.window_log: 27, parameter.content_size_flag: 0}
    packer = zstd.ZstdCompressor(options=options)
    wide = packer.compress(body, packer.FLUSH_BLOCK) + packer.flush()
    with pytest.raises(Mismatch, match="a zstd frame"):
        SHAPE.read((1, len(body), wide))


def test_the_largest_body() -> None:
    """The bound itself is allowed, one byte more is not."""
    body = b"{}" * (MAX_BODY // 2)
    assert SHAPE.read(SHAPE.write(body)) == body
    with pytest.raises(Mismatch):
        SHAPE.write(body + b" ")
