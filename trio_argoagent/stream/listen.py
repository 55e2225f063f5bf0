"""The principal's side of links: an HTTPS server that knows one request, ``POST /v1/link``.

Who dials is what its certificate says; nothing that an agent says about itself is looked at here.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import attrs
import trio

from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import Peer, is_dns_label
from trio_argoagent.net.http import Exchange, Handler, Request
from trio_argoagent.net.protocol.limits import WIDE_WINDOW
from trio_argoagent.net.server import ErrorCallback, log_error, serve_https
from trio_argoagent.net.tls import common_name, fingerprint
from trio_argoagent.ports.transport import Link
from trio_argoagent.stream.link import CONTENT_TYPE, LINK_PATH, Http2Link

_TEXT = ("content-type", "text/plain; charset=utf-8")


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
    """What serves the one request there is, on any HTTP server.

    Args:
        handler: of a link; when it returns the link is closed, and when it raises reset.
        identify: as ``Http2Listener.identify``.
    """

    async def accept(exchange: Exchange) -> None:
        peer = _judge(exchange.request, identify)
        stream = exchange.stream
        if isinstance(peer, Peer) and stream is not None:
            # The end of the stream reaches the handler as the error of what it is waiting for, so that it
            # can tell a broken link from its own cancellation.
            stream.scope = None
            stream.widen(WIDE_WINDOW)
            await exchange.start(200, [CONTENT_TYPE])
            link = Http2Link(stream, peer)
            await handler(link)
            await link.close()
        else:
            status, text = peer if isinstance(peer, tuple) else (505, "a link needs HTTP/2")
            await exchange.respond(status, [_TEXT], text.encode())

    return accept


def _judge(request: Request, identify: Callable[[bytes], str]) -> Peer | tuple[int, str]:
    """Who asks for a link, or the status and the text of our no."""
    if (request.method, request.path) != ("POST", LINK_PATH):
        return 404, "there is nothing here"
    certificate = request.peer_certificate
    if certificate is None:
        return 401, "a link needs a client certificate"
    try:
        return Peer(identify(certificate), fingerprint(certificate))
    except UserError as exc:
        return 403, str(exc)


@attrs.frozen
class Http2Listener:
    """``ports.transport.Listener`` over HTTP/2.

    Attributes:
        listeners: bound sockets; closed when serving ends.
        context: our certificate and the CA of the agents, with ``h2`` in its ALPN list.
        identify: the agent's name by its verified certificate (DER); raises UserError if it names nobody.
        on_error: told of every link that failed, with what its handler raised; it must not raise.
    """

    listeners: Sequence[trio.SocketListener]
    context: ssl.SSLContext
    identify: Callable[[bytes], str] = name_of
    on_error: ErrorCallback = log_error

    async def serve(
        self,
        handler: Callable[[Link], Awaitable[None]],
        *,
        task_status: trio.TaskStatus[Any] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Accept links until cancelled; each is closed when its handler returns, and reset when it raises.

        A link that breaks does not cancel its handler: its methods raise ``LinkBroken``, as everywhere.
        """
        await serve_https(
            accept_links(handler, self.identify),
            self.listeners,
            self.context,
            on_error=self.on_error,
            task_status=task_status,
        )
