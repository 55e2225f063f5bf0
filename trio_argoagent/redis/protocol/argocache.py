"""What Argo CD keeps in Redis about a cluster, as its own programs read and write it.

The key is ``cluster|info|<server URL>|<version of the cache>``, with ``.gz`` behind it when values are
compressed, and the value is the JSON of ClusterInfo (util/cache/appstate/cache.go, util/cache/redis.go,
pkg/apis/application/v1alpha1/types.go of argoproj/argo-cd). The application-controller writes it every ten
seconds and it lives for ten minutes; where there is none, the UI shows a cluster as Unknown.
"""

from __future__ import annotations

import enum
import gzip
import re
import zlib
from typing import Annotated, Any, Final

import attrs
import msgspec

from trio_argoagent.model import nesting

CACHE_VERSION: Final = "1.8.3"
"""``CacheVersion`` of Argo CD 2.x and 3.x (common/common.go)."""
LIFETIME: Final = 600
"""Seconds that a ClusterInfo lives (``clusterInfoCacheExpiration``)."""
MAX_INFO: Final = 1024 * 1024
"""Bytes of a ClusterInfo, uncompressed: names of API versions are its largest part. A longer one is none."""
MAX_COUNT: Final = 2**53
MAX_TEXT: Final = 64
"""Characters of a version or a time."""
TIME: Final = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z")
"""RFC 3339 as Kubernetes writes it."""
IN_CLUSTER: Final = "https://kubernetes.default.svc"
"""The server URL under which an Argo CD knows the cluster that it runs in."""
_GZIP: Final = 31
"""``wbits`` of zlib for a gzip header. Argo CD only flushes: the trailer is missing."""


class Compression(enum.StrEnum):
    """``--redis-compress`` of Argo CD: reader and writer must agree, for it is part of the key."""

    GZIP = "gzip"
    NONE = "none"


class State(enum.StrEnum):
    """``ConnectionStatus`` of Argo CD."""

    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    UNKNOWN = "Unknown"


@attrs.frozen
class Counts:
    """What Argo CD has counted on a cluster.

    Attributes:
        applications: that deploy there.
        apis: kinds of objects that it watches.
        resources: objects that it has seen.
        version: of the Kubernetes API; empty: not known.
        synced: when its cache was built (RFC 3339); empty: not known.
    """

    applications: int = 0
    apis: int = 0
    resources: int = 0
    version: str = ""
    synced: str = ""


@attrs.frozen
class ClusterInfo:
    """What the UI shows of a cluster.

    Attributes:
        state: of the connection.
        message: for people.
        attempted: since when it is so (RFC 3339).
        counts: what is there.
    """

    state: State
    message: str
    attempted: str
    counts: Counts = Counts()


def key(server: str, compression: Compression) -> str:
    """Where the info of the cluster with this URL lies. Argo CD drops a slash at the URL's end."""
    suffix = ".gz" if compression is Compression.GZIP else ""
    return f"cluster|info|{server.rstrip('/')}|{CACHE_VERSION}{suffix}"


def dump(info: ClusterInfo, compression: Compression) -> bytes:
    """The value to be stored."""
    cache: dict[str, Any] = {"resourcesCount": info.counts.resources, "apisCount": info.counts.apis}
    if info.counts.synced:
        cache["lastCacheSyncTime"] = info.counts.synced
    value: dict[str, Any] = {
        "connectionState": {
            "status": str(info.state),
            "message": info.message,
            "attemptedAt": info.attempted,
        },
        "cacheInfo": cache,
        "applicationsCount": info.counts.applications,
    }
    if info.counts.version:
        value["serverVersion"] = info.counts.version
    data = msgspec.json.encode(value)
    # No time in the header: equal values are equal bytes.
    return gzip.compress(data, mtime=0) if compression is Compression.GZIP else data


def load(data: bytes, compression: Compression) -> Counts | None:
    """What the application-controller has counted; None: this is no ClusterInfo.

    Whoever can write to the spoke's Redis can write anything here: what cannot be is taken for nothing.
    """
    try:
        value = nesting.decode(msgspec.json.Decoder(_Info), _plain(data, compression))
    except (msgspec.DecodeError, zlib.error, ValueError):
        return None
    cache = value.cache
    # A time that Argo CD could not read would take the whole info with it.
    synced = cache.synced if cache.synced and TIME.fullmatch(cache.synced) else ""
    return Counts(value.applications, cache.apis, cache.resources, value.version, synced)


def _plain(data: bytes, compression: Compression) -> bytes:
    if compression is Compression.NONE:
        return data
    inflater = zlib.decompressobj(_GZIP)
    plain = inflater.decompress(data, MAX_INFO)
    if inflater.unconsumed_tail:
        raise ValueError("a ClusterInfo of more than a mebibyte")
    return plain


_Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]
_Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]


# The names are those of Argo CD's JSON. Go leaves out what is empty.
class _Cache(
    msgspec.Struct,
    rename={"resources": "resourcesCount", "apis": "apisCount", "synced": "lastCacheSyncTime"},
):
    resources: _Count = 0
    apis: _Count = 0
    synced: _Text | None = None


_NAMES: Final = {
    "cache": "cacheInfo",
    "applications": "applicationsCount",
    "version": "serverVersion",
}


class _Info(msgspec.Struct, rename=_NAMES):
    cache: _Cache
    applications: _Count = 0
    version: _Text = ""
