"""From a host and a port to a byte stream that is ready for HTTP."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable

import trio

from trio_argoagent.net.address import format_address
from trio_argoagent.net.errors import ConnectionBroken, TlsFailed
from trio_argoagent.net.sockets import hold_to_timeout
from trio_argoagent.net.tls import TlsStream

Connect = Callable[[str, int], Awaitable[trio.abc.Stream]]
"""Host and port to a byte stream; raises OSError when nobody answers."""


async def open_transport(
    connect: Connect, host: str, port: int, context: ssl.SSLContext | None, server_hostname: str
) -> trio.abc.Stream:
    """A byte stream that is ready for what TLS has agreed on, if it has: see ``TlsStream.alpn``.

    Raises:
        TlsFailed: TLS came to no agreement.
        ConnectionBroken: nobody answers.
    """
    where = format_address(host, port)
    try:
        stream = await connect(host, port)
    except OSError as exc:
        raise ConnectionBroken(f"cannot connect to {where}: {exc}", sent=False) from exc
    hold_to_timeout(stream)
    if context is None:
        return stream
    tls = TlsStream(stream, context, server_hostname=server_hostname)
    try:
        await tls.do_handshake()
    except trio.BrokenResourceError as exc:
        await trio.aclose_forcefully(tls)
        raise TlsFailed(f"{where} hung up during the TLS handshake") from exc
    except BaseException:
        await trio.aclose_forcefully(tls)
        raise
    return tls
