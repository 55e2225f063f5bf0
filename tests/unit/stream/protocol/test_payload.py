"""How the body of one record looks on the wire."""

import random
import tracemalloc
from contextlib import suppress

import msgspec
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from trio_argoagent.errors import LocalProtocolError, RemoteProtocolError
from trio_argoagent.stream.protocol.payload import (
    MAX_BODY,
    SHORT,
    Encoding,
    Packed,
    pack,
    pack_against,
    unpack,
)

PIECES = st.binary(min_size=1, max_size=20)
BODIES = st.binary(max_size=2000) | PIECES.map(lambda part: part * 300)
BASES = st.binary(min_size=SHORT + 1, max_size=2000) | PIECES.map(lambda part: part * 300)


def noise(size: int, seed: int = 1) -> bytes:
    """So many bytes that do not shrink."""
    return random.Random(seed).randbytes(size)


@given(BODIES, st.booleans())
def test_round_trip_never_longer(body: bytes, compress: bool) -> None:
    """What is packed is unpacked again, and is never longer than the body."""
    packed = pack(body, compress=compress)
    assert unpack(packed) == body
    assert len(packed.data) <= len(body)
    if not compress:
        assert packed == Packed(Encoding.PLAIN, body)


@given(BODIES, BASES)
def test_round_trip_against_another_body(body: bytes, base: bytes) -> None:
    """Whatever the two have in common."""
    packed = pack_against(body, base)
    assert packed.encoding is Encoding.PREFIX
    assert unpack(packed, base) == body


@given(BASES, BASES, BASES)
def test_another_base_is_noticed(body: bytes, base: bytes, other: bytes) -> None:
    """Against anything but its own base, a body is either unpacked all the same or refused: never another."""
    packed = pack_against(body, base)
    with suppress(RemoteProtocolError):
        assert unpack(packed, other) == body


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(b"a" * SHORT, Encoding.PLAIN), (b"a" * (SHORT + 1), Encoding.ZSTD), (noise(300), Encoding.PLAIN)],
    ids=["short", "long", "dense"],
)
def test_compressed_only_where_it_pays(body: bytes, encoding: Encoding) -> None:
    """Short bodies, and those that do not shrink, go as they are."""
    assert pack(body).encoding is encoding


@pytest.mark.parametrize("size", [300, 3_000, 40_000, 1_500_000, MAX_BODY])
def test_one_changed_field_costs_little(size: int) -> None:
    """However large the two are, and although nothing in them repeats."""
    base = noise(size)
    body = base[: size // 2] + b"changed" + base[size // 2 + 7 :]
    packed = pack_against(body, base)
    assert len(packed.data) < 40 + size // 2_000
    assert unpack(packed, base) == body


def status(revision: int, resources: int) -> bytes:
    """What Argo CD says of an Application with so many resources, 280 bytes each and hardly told apart."""
    told = [
        {
            "group": "apps",
            "health": {"message": "Deployment has minimum availability" + 60 * ".", "status": "Healthy"},
            "kind": "Deployment",
            "name": f"deployment-with-an-ordinary-name-{number:04}",
            "namespace": "shop-frontend-production",
            "status": "Synced",
            "version": "v1",
        }
        for number in range(resources)
    ]
    return msgspec.json.encode({"resources": told, "sync": {"revision": f"{revision:040x}"}})


@pytest.mark.parametrize("resources", [8, 140, 560, 2_400, 20_000])
def test_one_changed_field_among_many_like_ones(resources: int) -> None:
    """No more than a byte for each 10 KB, whatever the size."""
    base, body = status(1, resources), status(2, resources)
    packed = pack_against(body, base)
    assert len(packed.data) < 50 + len(body) // 10_000
    assert unpack(packed, base) == body


def zeros(size: int) -> bytes:
    """So many bytes, compressed."""
    return zstd.compress(bytes(size))


def unsized(body: bytes, end: bool = True, window_log: int = 10) -> bytes:
    """A frame that does not say how long its content is."""
    parameter = zstd.CompressionParameter
    options: dict[int, int] = {parameter.window_log: window_log, parameter.content_size_flag: 0}
    packer = zstd.ZstdCompressor(options=options)
    return packer.compress(body, packer.FLUSH_BLOCK) + (packer.flush() if end else b"")


def sized(size: int, blocks: bytes) -> bytes:
    """A frame that says so (RFC 8878, section 3.1.1.1), with a window as large, and these blocks."""
    return b"\x28\xb5\x2f\xfd" + b"\xa0" + size.to_bytes(4, "little") + blocks


def repeated(size: int, *, last: bool = True) -> bytes:
    """A block that makes so many bytes of one (section 3.1.1.2)."""
    return (size << 3 | 2 | last).to_bytes(3, "little") + b"x"


LIES = {
    "nothing": b"",
    "noise": b"abc",
    "no size": unsized(b"abc" * 200),
    "a huge window": unsized(bytes(range(256)) * 16, window_log=27),
    "too large": zeros(MAX_BODY + 1),
    "far too large": zeros(64 * 1024 * 1024),
    "cut off": zeros(100)[:-1],
    "two": zeros(100) + zeros(100),
    "something behind it": zeros(100) + b"x",
    "more than it says": sized(100, repeated(200)),
    "much more than it says": sized(100, repeated(100_000, last=False) * 500 + repeated(100_000)),
    "less than it says": sized(100, repeated(99)),
    "no end": sized(100, repeated(100, last=False)),
}


def test_the_frames_made_by_hand() -> None:
    """They are lies for the reason that they are named by, and not for another one."""
    assert unpack(Packed(Encoding.ZSTD, sized(100, repeated(100)))) == b"x" * 100


@pytest.mark.parametrize("encoding", [Encoding.ZSTD, Encoding.PREFIX])
@pytest.mark.parametrize("data", LIES.values(), ids=LIES)
def test_a_lie_is_refused(data: bytes, encoding: Encoding) -> None:
    """A body must be what its frame says, and say how much: nothing cut off, nothing behind it."""
    with pytest.raises(RemoteProtocolError, match="a body that"):
        unpack(Packed(encoding, data), noise(1000) if encoding is Encoding.PREFIX else b"")


@given(BASES, BASES, st.data())
def test_damage_is_refused_in_one_way(body: bytes, base: bytes, data: st.DataObject) -> None:
    """A damaged frame raises RemoteProtocolError, or its checksum says that it still is the body."""
    packed = pack_against(body, base)
    damaged = bytearray(packed.data)
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    for wrong in (bytes(damaged), bytes(damaged[: data.draw(st.integers(0, len(damaged)))])):
        with suppress(RemoteProtocolError):
            assert len(unpack(Packed(Encoding.PREFIX, wrong), base)) <= MAX_BODY


@pytest.mark.parametrize("lie", ["far too large", "much more than it says", "a huge window"])
def test_a_bomb_is_not_inflated(lie: str) -> None:
    """What is beyond the declared size, or beyond the bound, is never made."""
    tracemalloc.start()
    try:
        with pytest.raises(RemoteProtocolError):
            unpack(Packed(Encoding.ZSTD, LIES[lie]))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_the_largest_body() -> None:
    """The bound itself is allowed, however well it shrinks; one byte more is our own error."""
    body = b"{}" * (MAX_BODY // 2)
    assert unpack(pack(body)) == body
    with pytest.raises(LocalProtocolError, match=f"a body of {MAX_BODY + 1} bytes"):
        pack(body + b" ")


def test_a_body_is_not_shown() -> None:
    """It may be a secret."""
    assert "hunter2" not in repr(pack(b"hunter2"))
