"""The agent's side of a link: TCP, TLS, and over HTTP/2 one ``POST /v1/link``.

With TLS 1.3 a client's handshake succeeds before the server has judged its certificate, so a link counts as
open only when the principal has answered 200.
"""

from __future__ import annotations

import abc
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import ClassVar, Final

import trio

from trio_argoagent.errors import LinkBroken, LinkRefused, Unreachable
from trio_argoagent.model.identity import Peer
from trio_argoagent.net.address import format_address
from trio_argoagent.net.apart import kept_apart
from trio_argoagent.net.client import Connect
from trio_argoagent.net.contexts import Context, newest
from trio_argoagent.net.errors import ConnectionBroken
from trio_argoagent.net.http import Headers
from trio_argoagent.net.http2 import Http2Connection, Http2Stream, open_http2
from trio_argoagent.net.protocol.limits import WIDE_WINDOW
from trio_argoagent.net.protocol.turns import Priority
from trio_argoagent.net.refusals import Ours
from trio_argoagent.net.sockets import hold_to_timeout
from trio_argoagent.net.tls import TlsStream, fingerprint
from trio_argoagent.stream.explain import NO_HTTP2, answered, explain
from trio_argoagent.stream.link import CONTENT_TYPE, LINK_PATH, FramedLink, Http2Link
from trio_argoagent.stream.protocol.messages import MAX_LINE

DIAL_TIMEOUT: Final = 10.0
"""Seconds for TCP and TLS, and as many again for the principal's answer."""

_PLAIN: Final = (
    "we speak without TLS (--insecure-plaintext): does the principal, too, and may it be reached from here"
    " (its --plaintext-from)?"
)


class TlsDialer(abc.ABC):
    """``ports.transport.Dialer`` over TLS, or without it inside a mesh.

    Args:
        host: name or address of the principal.
        port: its TCP port.
        context: trust in the principal and our own certificate, with the protocol in its ALPN list. None:
            there is no TLS; the mesh's proxies see to it.
        server_hostname: what its certificate must be for, when that is not ``host``.
        connect: makes the byte stream; a proxy's tunnel, for example, instead of TCP.
        ours: what is known here of both certificates, for the words about a handshake that has failed.
        headers: what each request says besides; names in lower case.

    Attributes:
        protocols: what ALPN may agree on.
        ours: as above.
    """

    protocols: ClassVar[tuple[str | None, ...]]

    def __init__(
        self,
        host: str,
        port: int,
        context: Context | None,
        *,
        server_hostname: str = "",
        connect: Connect = trio.open_tcp_stream,
        ours: Ours | None = None,
        headers: Headers = (),
    ) -> None:
        self._host = host
        self._port = port
        self._context = context
        self._name = server_hostname or host
        self._connect = connect
        self.ours = ours
        self.headers = headers
        self._where = format_address(host, port)

    @abc.abstractmethod
    def open(self, stream: trio.abc.Stream, peer: Peer) -> AbstractAsyncContextManager[FramedLink]:
        """A link over a byte stream that TLS has made, and which is owned from now on."""

    @asynccontextmanager
    async def dial(self) -> AsyncIterator[FramedLink]:
        """Open a link; leaving the context tears it down, connection and all.

        What the body raises leaves it as it is, not in a group.

        Raises:
            Unreachable: nobody is there.
            LinkBroken: whoever is there does not answer, or not for long enough.
            LinkRefused: TLS or the principal refuses us; the text says what to do.
        """
        stream = await self.reach()
        certificate = stream.peer_certificate if isinstance(stream, TlsStream) else None
        peer = Peer(self._host, fingerprint(certificate) if certificate else "", self._where)
        is_open = False
        try:
            async with self.open(stream, peer) as link:
                is_open = True
                yield link
        except LinkBroken as exc:
            if is_open or self._context is not None:
                raise
            raise LinkBroken(f"{exc}: {_PLAIN}") from exc

    async def reach(self) -> trio.abc.Stream:
        """A connection to the principal that has agreed on our protocol, where there is TLS to agree by.

        Raises:
            LinkError: as ``dial``.
        """
        transport = tls = None
        try:
            with trio.fail_after(DIAL_TIMEOUT):
                transport = await self._connect(self._host, self._port)
                hold_to_timeout(transport)
                if self._context is None:
                    return transport
                tls = TlsStream(transport, newest(self._context), server_hostname=self._name)
                try:
                    await tls.do_handshake()
                    if tls.alpn not in self.protocols:
                        reason, sentence = NO_HTTP2
                        raise LinkRefused(reason, f"{self._where}: {sentence}")
                except BaseException:
                    await trio.aclose_forcefully(tls)
                    raise
        except trio.TooSlowError as exc:
            if transport is None:
                raise Unreachable(f"{self._where}: no answer within {DIAL_TIMEOUT:g} s") from exc
            raise LinkBroken(f"{self._where}: no TLS connection within {DIAL_TIMEOUT:g} s") from exc
        except (ConnectionBroken, OSError, trio.BrokenResourceError) as exc:
            if tls is not None and not tls.bytes_received:
                # A load balancer without a principal behind it takes connections, and drops them.
                text = "it hung up before it said anything: is the principal running?"
                raise Unreachable(f"{self._where}: no link: {text}") from exc
            connected = transport is not None
            raise explain(
                exc, host=self._name, where=self._where, ours=self.ours, connected=connected
            ) from exc
        return tls


class Http2Dialer(TlsDialer):
    """The same over HTTP/2."""

    protocols = ("h2",)

    def open(self, stream: trio.abc.Stream, peer: Peer) -> AbstractAsyncContextManager[FramedLink]:
        """See ``open_link``."""
        return open_link(stream, peer, self.ours, self.headers)


@asynccontextmanager
async def open_link(
    stream: trio.abc.Stream, peer: Peer, ours: Ours | None = None, headers: Headers = ()
) -> AsyncIterator[Http2Link]:
    """A link over one byte stream, which is owned from now on: HTTP/2, and the one request.

    What the body raises leaves it as it is, not in a group.

    Args:
        stream: connected, and after its TLS handshake.
        peer: the principal, as TLS has proven it.
        ours: as for ``TlsDialer``.
        headers: of each request, besides its own.

    Raises:
        LinkBroken: the principal does not answer, or not for long enough.
        LinkRefused: it refuses us; the text says what to do.
    """
    with kept_apart() as kept:
        async with open_http2(stream, client=True, authority=peer.address) as connection:
            with kept.body():
                link = Http2Link(await _ask(connection, peer, ours, headers), peer, headers)
                try:
                    yield link
                finally:
                    link.tunnels.end()


async def _ask(
    connection: Http2Connection, peer: Peer, ours: Ours | None, more: Headers
) -> Http2Stream:
    """The stream that carries the link, accepted by the principal."""
    where = peer.address
    try:
        with trio.fail_after(DIAL_TIMEOUT):
            await connection.wait_ready()
            stream = await connection.open_stream(
                "POST", LINK_PATH, [CONTENT_TYPE, *more], window=WIDE_WINDOW, priority=Priority.FIRST
            )
            status, headers = await stream.response()
            if status != 200:
                text = (await stream.receive())[:MAX_LINE].decode("utf-8", "replace")
                raise answered(status, text, seconds(dict(headers)), where=where)
    except trio.TooSlowError as exc:
        raise LinkBroken(f"{where}: no answer within {DIAL_TIMEOUT:g} s") from exc
    except ConnectionBroken as exc:
        raise explain(exc, host=peer.name, where=where, ours=ours) from exc
    return stream


def seconds(headers: dict[str, str]) -> float:
    """The header retry-after, where it is a number of seconds (RFC 9110, section 10.2.3)."""
    text = headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0.0
