"""The principal's side of links: an HTTPS server that knows ``POST /v1/link`` and ``POST /v1/tunnel/<id>``.

Who dials is what ``stream.admission`` says, once for each connection; nothing that an agent says about itself
is looked at here. One connection carries one link, and its tunnels: the ids that a link awaits mean nothing
on another connection.
Whoever does not speak HTTP/2 may have WebSockets of the same paths, where they are allowed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

import attrs
import trio

from trio_argoagent.model.identity import Peer
from trio_argoagent.net.admission import Visitors
from trio_argoagent.net.contexts import Context
from trio_argoagent.net.errors import ConnectionBroken
from trio_argoagent.net.http import Exchange, Handler, Request
from trio_argoagent.net.http1 import serve_http1
from trio_argoagent.net.http2 import Http2Connection, Http2Stream
from trio_argoagent.net.http2_wire import CLOSE_TIMEOUT
from trio_argoagent.net.peeked import Peeked
from trio_argoagent.net.plaintext import Neighbours
from trio_argoagent.net.protocol.limits import PRINCIPAL, WIDE_WINDOW
from trio_argoagent.net.protocol.turns import Priority
from trio_argoagent.net.server import ErrorCallback, Speaker, log_error, serve_https
from trio_argoagent.ports.transport import MAX_TUNNELS, Link
from trio_argoagent.stream.admission import (
    ABUSE,
    ANOTHER,
    CROWDED,
    NO_HTTP2,
    NO_WEBSOCKETS,
    NOTHING,
    SECOND_LINK,
    TWO_AGENTS,
    VISITORS,
    Admission,
    Refusal,
    Shown,
    same,
)
from trio_argoagent.stream.link import CONTENT_TYPE, LINK_PATH, TUNNEL_PATH, Http2Link
from trio_argoagent.stream.protocol.tunnels import Verdict
from trio_argoagent.stream.websocket_listen import REQUEST_TIMEOUT, WebSocketAcceptor

NO_ROUTES: Final[Mapping[tuple[str, str], Handler]] = {}
LINK_LIMITS: Final = attrs.evolve(PRINCIPAL, streams=MAX_TUNNELS + 8)
"""A link, its tunnels, and some whose end is on its way."""


def accept_links(
    handler: Callable[[Link], Awaitable[None]],
    admission: Admission,
    routes: Mapping[tuple[str, str], Handler] = NO_ROUTES,
) -> Handler:
    """What serves links and their tunnels, on any HTTP server.

    Args:
        handler: of a link; when it returns the link is closed, and when it raises reset.
        admission: who may have one.
        routes: see ``Http2Listener``.
    """
    return _Acceptor(handler, admission, routes).accept


@attrs.frozen
class _Acceptor:
    """See ``accept_links``; whose connections there are, and the links that are open."""

    handler: Callable[[Link], Awaitable[None]]
    admission: Admission
    routes: Mapping[tuple[str, str], Handler]
    owners: WeakKeyDictionary[Http2Connection, Peer] = attrs.field(factory=WeakKeyDictionary)
    links: dict[Http2Connection, Http2Link] = attrs.field(factory=dict)
    visitors: WeakKeyDictionary[Http2Connection, None] = attrs.field(factory=WeakKeyDictionary)

    async def accept(self, exchange: Exchange) -> None:
        """Serve one request."""
        request, stream = exchange.request, exchange.stream
        if stream is not None:
            self._visit(stream.connection)
        route = self.routes.get((request.method, request.path))
        if route is not None:
            await self._route(exchange, route)
            return
        asked = self._judge(request, stream)
        if asked is ANOTHER and stream is not None:
            try:
                await exchange.respond(asked.status, asked.headers, asked.text.encode())
                with trio.move_on_after(CLOSE_TIMEOUT):
                    await stream.wait_sent()
            finally:
                stream.connection.cut(TWO_AGENTS)
        elif isinstance(asked, Refusal):
            await exchange.respond(asked.status, asked.headers, asked.text.encode())
        elif stream is None:
            await exchange.respond(NO_HTTP2.status, NO_HTTP2.headers, NO_HTTP2.text.encode())
        elif request.path == LINK_PATH:
            await self._link(exchange, stream, asked)
        else:
            await self._tunnel(exchange, stream, request.path.removeprefix(TUNNEL_PATH))

    async def _route(self, exchange: Exchange, route: Handler) -> None:
        request = exchange.request
        no = self.admission.turns_away(Shown(request.peer_certificate, (), request.peer_address))
        if no is None:
            await route(exchange)
        else:
            await exchange.respond(no.status, no.headers, no.text.encode())

    def _visit(self, connection: Http2Connection) -> None:
        """Remember who is here without a link, in the order in which they came."""
        if connection in self.links or connection in self.visitors:
            return
        self.visitors[connection] = None
        if len(self.visitors) <= VISITORS:
            return
        for each in list(self.visitors):
            if each in self.links or not each.is_open:
                del self.visitors[each]
        if len(self.visitors) > VISITORS:
            next(iter(self.visitors)).abandon(CROWDED)

    def _judge(self, request: Request, stream: Http2Stream | None) -> Peer | Refusal:
        """Who asks for a link or a tunnel, or our no."""
        connection = stream.connection if stream is not None else None
        tunnel = request.path.startswith(TUNNEL_PATH)
        if request.header("upgrade").lower() == "websocket":
            return NO_WEBSOCKETS
        if request.method != "POST" or not (request.path == LINK_PATH or tunnel):
            return NOTHING
        if tunnel and connection not in self.links:
            # The same answer as for whatever else is not there: who guesses learns nothing.
            return NOTHING
        shown = Shown(
            request.peer_certificate, request.headers, request.peer_address, request.peer_standing
        )
        peer = self.admission.admit(shown)
        if connection is None or isinstance(peer, Refusal):
            return peer
        if not same(self.owners.setdefault(connection, peer), peer):
            self.admission.refused(shown, ANOTHER)
            return ANOTHER
        return peer if tunnel or connection not in self.links else SECOND_LINK

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
        link = self.links[stream.connection]
        verdict = link.tunnels.claim(tunnel_id)
        if verdict is not Verdict.GRANTED:
            await exchange.respond(NOTHING.status, NOTHING.headers, NOTHING.text.encode())
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


@attrs.frozen
class Http2Listener:
    """``ports.transport.Listener`` over HTTP/2, and over WebSockets where they are allowed.

    Attributes:
        listeners: bound sockets; closed when serving ends.
        context: our certificate and the CA of the agents, with ``h2`` in its ALPN list, and ``http/1.1``
            for WebSockets. Or who may connect without TLS.
        admission: who may have a link.
        on_error: told of every link that failed, with what its handler raised; it must not raise.
        websocket: may agents that do not speak HTTP/2 have WebSockets?
        routes: what else there is, by method and path, for whoever has got through the handshake.
    """

    listeners: Sequence[trio.SocketListener]
    context: Context | Neighbours
    admission: Admission
    on_error: ErrorCallback = log_error
    websocket: bool = False
    routes: Mapping[tuple[str, str], Handler] = NO_ROUTES

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
            accept_links(handler, self.admission, self.routes),
            self.listeners,
            self.context,
            limits=LINK_LIMITS,
            on_error=self.on_error,
            otherwise=self._otherwise(handler),
            blame=self.admission.blame,
            until=until,
            task_status=task_status,
        )

    def _otherwise(self, handler: Callable[[Link], Awaitable[None]]) -> Speaker:
        """Whoever does not speak HTTP/2: until he has a link he is one of a bounded number."""
        visitors = Visitors(VISITORS, CROWDED)
        acceptor = WebSocketAcceptor(handler, self.admission, visitors)
        plain = [f"GET {path} ".encode() for method, path in self.routes if method == "GET"]

        async def serve(stream: trio.abc.Stream, handle: Handler) -> None:
            if self.websocket:
                stream = Peeked(stream)
                with visitors.visit():
                    upgrade = await _asks(stream, plain)
                if upgrade:
                    await acceptor.serve(stream)
                    return
            with visitors.visit():
                await serve_http1(stream, handle)

        return serve


async def _asks(stream: Peeked, plain: Sequence[bytes]) -> bool:
    """May this be a request for a WebSocket: a GET of what is nothing else?

    Args:
        stream: nothing of it has been read.
        plain: how requests begin that are none.

    Raises:
        ConnectionBroken: nothing is asked for.
    """
    try:
        with trio.fail_after(REQUEST_TIMEOUT):
            if not await stream.begins_with(b"GET "):
                return False
            return not any([await stream.begins_with(each) for each in plain])
    except trio.TooSlowError as exc:
        raise ConnectionBroken(f"no request within {REQUEST_TIMEOUT:g} s") from exc
