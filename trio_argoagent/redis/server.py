"""Where a Redis is, and who we are to it."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable

import attrs
import trio

from trio_argoagent.net.address import format_address
from trio_argoagent.net.dialling import open_transport
from trio_argoagent.redis.protocol.argocache import Compression


@attrs.frozen
class RedisServer:
    """One Redis.

    Attributes:
        where: its address, for people.
        connect: opens a byte stream to it; raises OSError or ConnectionBroken when there is none.
        username: of its access list; empty: the default user.
        password: empty: none is asked for.
        database: its number.
        compression: of Argo CD's values, as all of Argo CD's programs there have it.
    """

    where: str
    connect: Callable[[], Awaitable[trio.abc.Stream]] = attrs.field(repr=False)
    username: str = ""
    password: str = attrs.field(default="", repr=False)
    database: int = 0
    compression: Compression = Compression.GZIP


def over_tcp(
    host: str,
    port: int,
    context: Callable[[], ssl.SSLContext] | None = None,
    *,
    username: str = "",
    password: str = "",
    compression: Compression = Compression.GZIP,
) -> RedisServer:
    """A Redis on the network.

    Args:
        host: name or address.
        port: TCP.
        context: for TLS, asked at each connection; None: plain.
        username: see ``RedisServer``.
        password: see ``RedisServer``.
        compression: see ``RedisServer``.
    """

    async def connect() -> trio.abc.Stream:
        tls = context() if context is not None else None
        return await open_transport(trio.open_tcp_stream, host, port, tls, host)

    return RedisServer(format_address(host, port), connect, username, password, compression=compression)
