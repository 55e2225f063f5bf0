"""What Argo CD keeps in Redis about a cluster."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_argoagent.redis.protocol import argocache
from trio_argoagent.redis.protocol.argocache import ClusterInfo, Compression, Counts, State

TIME = "2026-05-04T03:02:01Z"
INFO = ClusterInfo(State.SUCCESSFUL, "all is well", TIME, Counts(3, 40, 1234, "1.33", TIME))
WRITTEN = {
    "connectionState": {"status": "Successful", "message": "all is well", "attemptedAt": TIME},
    "serverVersion": "1.33",
    "cacheInfo": {"resourcesCount": 1234, "apisCount": 40, "lastCacheSyncTime": TIME},
    "applicationsCount": 3,
}


def as_argocd(value: Any) -> bytes:
    """As Argo CD compresses: one line of JSON, flushed and never finished, so the trailer is missing."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(msgspec.json.encode(value) + b"\n") + packer.flush(zlib.Z_SYNC_FLUSH)


def test_keys() -> None:
    """The URL, without a slash at its end, the version of the cache, and how values are compressed."""
    server = "https://proxy:9090?agentName=east"
    assert argocache.key(server, Compression.GZIP) == f"cluster|info|{server}|1.8.3.gz"
    assert argocache.key("https://k/", Compression.NONE) == "cluster|info|https://k|1.8.3"


@pytest.mark.parametrize("compression", Compression)
def test_written_as_argocd_reads_it(compression: Compression) -> None:
    """The JSON of ClusterInfo, and equal values are equal bytes."""
    data = argocache.dump(INFO, compression)
    plain = gzip.decompress(data) if compression is Compression.GZIP else data
    assert msgspec.json.decode(plain) == WRITTEN
    assert argocache.dump(INFO, compression) == data
    assert argocache.load(data, compression) == INFO.counts


def test_unknown_counts_say_nothing() -> None:
    """Without counts there are none: Go reads a missing time as none, and an empty one as an error."""
    bare = ClusterInfo(State.FAILED, "", TIME)
    plain = msgspec.json.decode(argocache.dump(bare, Compression.NONE))
    assert plain["cacheInfo"] == {"resourcesCount": 0, "apisCount": 0}
    assert "serverVersion" not in plain


def test_read_as_argocd_writes_it() -> None:
    """Go leaves out what is empty and writes null for no time; apiVersions and more are not looked at."""
    written = WRITTEN | {"apiVersions": ["v1"] * 500, "connectionState": {"attemptedAt": None}}
    assert argocache.load(as_argocd(written), Compression.GZIP) == INFO.counts
    fresh = {"connectionState": {}, "cacheInfo": {"lastCacheSyncTime": None}, "applicationsCount": 0}
    assert argocache.load(as_argocd(fresh), Compression.GZIP) == Counts()


@pytest.mark.parametrize(
    "value",
    [
        b"", b"null", b"[]", b"{}", b"\xff", b'{"cacheInfo": {"apisCount": -1}}',
        b'{"cacheInfo": {"apisCount": 1e300}}',
        b'{"cacheInfo": {}, "serverVersion": "%s"}' % (b"1" * 65), gzip.compress(b"{}", mtime=0),
    ],
)  # fmt: skip
def test_what_is_no_cluster_info(value: bytes) -> None:
    """None, whoever has written it."""
    assert argocache.load(value, Compression.NONE) is None
    assert argocache.load(zlib.compress(value, wbits=31), Compression.GZIP) is None


def test_a_time_that_is_none() -> None:
    """It would break the reader of the whole: left out."""
    value = {"cacheInfo": {"apisCount": 2, "lastCacheSyncTime": "yesterday"}}
    assert argocache.load(as_argocd(value), Compression.GZIP) == Counts(0, 2)


def test_an_info_of_many_levels() -> None:
    """Whoever can write to that Redis writes no more than what is passed over."""
    deep = b"[" * 3_000 + b"]" * 3_000
    data = b'{"deep": ' + deep + b', "cacheInfo": {}, "applicationsCount": 3}'
    found = argocache.load(gzip.compress(data), Compression.GZIP)
    assert found is not None and found.applications == 3


def test_a_bomb() -> None:
    """A small value that would unpack to a large one is not unpacked."""
    bomb = gzip.compress(b'{"cacheInfo": {"apisCount": 2}}' + b" " * (2 * argocache.MAX_INFO))
    assert len(bomb) < 8192
    assert argocache.load(bomb, Compression.GZIP) is None


@given(st.binary(max_size=60))
def test_random_bytes_never_raise(data: bytes) -> None:
    """None or counts."""
    for compression in Compression:
        found = argocache.load(data, compression)
        assert found is None or isinstance(found, Counts)
