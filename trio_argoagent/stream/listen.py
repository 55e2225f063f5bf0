"""The principal's side of links: an HTTPS server that knows ``POST /v1/link`` and ``POST /v1/tunnel/<id>``.

Who dials is what its certificate says; nothing that an agent says about itself is looked at here. One
connection carries one link, and its tunnels: the ids that a link awaits mean nothing on another connection.
Whoever does not speak HTTP/2 may have WebSockets of the same paths, where they are allowed.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import attrs
import trio

from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import Peer, is_dns_label
from trio_argoagent.net.http import Exchange, Handler, Request
from trio_argoagent.net.http1 import serve_http1
from trio_argoagent.net.http2 import Http2Connection, Http2Stream
from trio_argoagent.net.protocol.limits import PRINCIPAL, WIDE_WINDOW
from trio_argoagent.net.protocol.turns import Priority
from trio_argoagent.net.server import ErrorCallback, Speaker, log_error, serve_https
from trio_argoagent.net.tls import common_name
from trio_argoagent.ports.transport import MAX_TUNNELS, Link
from trio_argoagent.stream.admission import ABUSE, NO_WEBSOCKETS, NOTHING, Refusal, admit
from trio_argoagent.stream.link import CONTENT_TYPE, LINK_PATH, TUNNEL_PATH, Http2Link
from trio_argoagent.stream.protocol.tunnels import Verdict
from trio_argoagent.stream.websocket_listen import WebSocketAcceptor

_TEXT = ("content-type", "text/plain; charset=utf-8")


LINK_LIMITS: Final = attrs.evolve(PRINCIPAL, streams=MAX_TUNNELS + 8)
"""A link, its tunnels, and some whose end is on its way."""


def name_of(certificate: bytes) -> str:
    """The agent's name by the common name of its certificate (DER) alone.

    Raises:
        UserError: it is no agent's name.
    """
    name = common_name(certificate)
    if not is_dns_label(name):
        raise UserError("the common name of your certificate is not an agent's name")
    return name


def accept_links(handler: Callable[[Link], Awaitable[None]], identify: Callable[[bytes], str]) -> Handler:
    """What serves links and their tunnels, on any HTTP server.

    Args:
        handler: of a link; when it returns the link is closed, and when it raises reset.
        identify: as ``Http2Listener.identify``.
    """
    return _Acceptor(handler, identify).accept


@attrs.frozen
class _Acceptor:
    """See ``accept_links``; the links that are open, by their connections."""

    handler: Callable[[Link], Awaitable[None]]
    identify: Callable[[bytes], str]
    links: dict[Http2Connection, Http2Link] = attrs.field(factory=dict)

    async def accept(self, exchange: Exchange) -> None:
        """Serve one request."""
        request, stream = exchange.request, exchange.stream
        if request.method == "POST" and request.path.startswith(TUNNEL_PATH) and stream is not None:
            await self._tunnel(exchange, stream, request.path.removeprefix(TUNNEL_PATH))
            return
        peer = _judge(request, self.identify)
        if isinstance(peer, Peer) and stream is not None and stream.connection not in self.links:
            await self._link(exchange, stream, peer)
            return
        status, text = (409, "this connection has a link already") if stream else (505, "a link needs HTTP/2")
        if isinstance(peer, tuple):
            status, text = peer
        await exchange.respond(status, [_TEXT], text.encode())

    async def _link(self, exchange: Exchange, stream: Http2Stream, peer: Peer) -> None:
        # The end of the stream reaches the handler as the error of what it is waiting for, so that it can
        # tell a broken link from its own cancellation.
        stream.scope = None
        stream.widen(WIDE_WINDOW)
        stream.prefer(Priority.FIRST)
        link = self.links[stream.connection] = Http2Link(stream, peer)
        try:
            await exchange.start(200, [CONTENT_TYPE])
            try:
                await self.handler(link)
            finally:
                link.tunnels.end()
            await link.close()
        finally:
            del self.links[stream.connection]

    async def _tunnel(self, exchange: Exchange, stream: Http2Stream, tunnel_id: str) -> None:
        link = self.links.get(stream.connection)
        verdict = link.tunnels.claim(tunnel_id) if link is not None else Verdict.UNKNOWN
        if link is None or verdict is not Verdict.GRANTED:
            # The same answer as for whatever else is not there: who guesses learns nothing.
            status, text = NOTHING
            await exchange.respond(status, [_TEXT], text.encode())
            if verdict is Verdict.ABUSE:
                stream.connection.cut(ABUSE)
            return
        stream.scope = None
        await exchange.start(200, [CONTENT_TYPE])
        tunnel = link.tunnels.arrive(tunnel_id, stream)
        try:
            await tunnel.over.wait()
        finally:
            tunnel.break_off()


def _judge(request: Request, identify: Callable[[bytes], str]) -> Peer | Refusal:
    """Who asks for a link, or our no."""
    if request.header("upgrade").lower() == "websocket":
        return NO_WEBSOCKETS
    if (request.method, request.path) != ("POST", LINK_PATH):
        return NOTHING
    return admit(request.peer_certificate, identify)


@attrs.frozen
class Http2Listener:
    """``ports.transport.Listener`` over HTTP/2, and over WebSockets where they are allowed.

    Attributes:
        listeners: bound sockets; closed when serving ends.
        context: our certificate and the CA of the agents, with ``h2`` in its ALPN list, and ``http/1.1``
            for WebSockets.
        identify: the agent's name by its verified certificate (DER); raises UserError if it names nobody.
        on_error: told of every link that failed, with what its handler raised; it must not raise.
        websocket: may agents that do not speak HTTP/2 have WebSockets?
    """

    listeners: Sequence[trio.SocketListener]
    context: ssl.SSLContext
    identify: Callable[[bytes], str] = name_of
    on_error: ErrorCallback = log_error
    websocket: bool = False

    async def serve(
        self,
        handler: Callable[[Link], Awaitable[None]],
        *,
        until: trio.Event | None = None,
        task_status: trio.TaskStatus[Any] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Accept links until cancelled; each is closed when its handler returns, and reset when it raises.

        A link that breaks does not cancel its handler: its methods raise ``LinkBroken``, as everywhere. Once
        ``until`` is set the sockets are closed, and who dials is told at once that nobody is there.
        """
        await serve_https(
            accept_links(handler, self.identify),
            self.listeners,
            self.context,
            limits=LINK_LIMITS,
            on_error=self.on_error,
            otherwise=self._websockets(handler) if self.websocket else serve_http1,
            until=until,
            task_status=task_status,
        )

    def _websockets(self, handler: Callable[[Link], Awaitable[None]]) -> Speaker:
        acceptor = WebSocketAcceptor(handler, self.identify)

        async def serve(stream: trio.abc.Stream, _: Handler) -> None:
            await acceptor.serve(stream)

        return serve
