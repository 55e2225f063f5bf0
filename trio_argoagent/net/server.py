"""An HTTPS server: HTTP/2 or HTTP/1.1 as the peer likes, a task per connection and per request that may wait.

A bad peer costs its own connection, a failing handler its own request. Neither ends the server.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import attrs
import trio

from trio_argoagent.errors import LinkBroken, LocalProtocolError, RemoteProtocolError
from trio_argoagent.net.admission import Admission
from trio_argoagent.net.contexts import Context, newest
from trio_argoagent.net.errors import BodyTooLarge, ConnectionBroken
from trio_argoagent.net.http import Exchange, Handler, Prompt, never
from trio_argoagent.net.http1 import serve_http1
from trio_argoagent.net.http2 import open_http2
from trio_argoagent.net.http2_postman import Postman, employed
from trio_argoagent.net.plaintext import Neighbours, meet
from trio_argoagent.net.protocol.limits import Limits
from trio_argoagent.net.sockets import hold_to_timeout
from trio_argoagent.net.tls import TlsStream, close_socket, peer_address

ErrorCallback = Callable[[Exception], None]
Blame = Callable[[bytes | None, str, RemoteProtocolError], None]
"""Told what a peer has done wrong after its handshake: its certificate (DER), its address, and what."""
Speaker = Callable[[trio.abc.Stream, Handler], Awaitable[None]]
"""Serves one connection, to its end; the requests on it are for the handler."""

_log = logging.getLogger("trio_argoagent.net")


def log_error(exc: Exception) -> None:
    """What happens to errors unless the caller says otherwise: peers' faults at debug, ours at error."""
    if isinstance(exc, LinkBroken | RemoteProtocolError):
        _log.debug("a peer failed: %s", exc)
    else:
        _log.error("a request handler failed", exc_info=exc)


def forgive(certificate: bytes | None, address: str, exc: RemoteProtocolError) -> None:
    """The one that lets it pass."""


async def serve_https(  # noqa: PLR0913 (who may come, what it may cost, and who is told)
    handler: Handler,
    listeners: Sequence[trio.SocketListener],
    context: Context | Neighbours,
    *,
    limits: Limits | None = None,
    on_error: ErrorCallback = log_error,
    otherwise: Speaker = serve_http1,
    blame: Blame = forgive,
    until: trio.Event | None = None,
    task_status: trio.TaskStatus[Any] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled.

    A handler that raises gives 500 (413 and 400 for the peer's own errors), or a reset when its answer had
    begun. A peer that goes away cancels its handlers.

    Args:
        handler: serves one request.
        listeners: bound sockets, closed at the end.
        context: from ``server_context``, or the newest one; its ALPN list decides what is spoken. Or who may
            connect without TLS; HTTP/2 is then what begins like it (RFC 9113, section 3.3).
        limits: what an HTTP/2 peer may have open and send ahead.
        on_error: told of each failing handler, and of each peer that failed its handshake or its protocol
            (``LinkBroken``, ``RemoteProtocolError``). It must not raise.
        otherwise: speaks with a peer that has not agreed on HTTP/2.
        blame: told, besides, whose fault it was, where it was a peer's; it must not raise.
        until: once it is set the listeners are closed; the connections that there are go on.
        task_status: started with the listeners.
    """
    task_status.started(list(listeners))
    accepting = trio.CancelScope()
    async with employed() as postman, trio.open_nursery() as connections:
        server = _Server(
            handler, context, limits or Limits(), on_error, Admission(), otherwise, blame, postman
        )
        if until is not None:
            connections.start_soon(_cancel_at, until, accepting)
        with accepting:
            await trio.serve_listeners(server.connection, list(listeners), handler_nursery=connections)


async def _cancel_at(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


async def serve_http(
    handler: Handler,
    listeners: Sequence[trio.SocketListener],
    *,
    on_error: ErrorCallback = log_error,
    task_status: trio.TaskStatus[Any] = trio.TASK_STATUS_IGNORED,
) -> None:
    """The same without TLS, HTTP/1.1 only: health and metrics."""
    server = _Server(handler, None, Limits(), on_error, Admission())
    task_status.started(list(listeners))
    await trio.serve_listeners(server.connection, list(listeners))


async def speak_http(
    handler: Handler, transport: trio.SocketStream, *, on_error: ErrorCallback = log_error
) -> None:
    """One connection of ``serve_http``, to its end, for whoever accepts them himself."""
    await _Server(handler, None, Limits(), on_error, Admission()).connection(transport)


async def serve_http2(
    handler: Handler,
    stream: trio.abc.Stream,
    *,
    limits: Limits | None = None,
    on_error: ErrorCallback = log_error,
    postman: Postman | None = None,
) -> None:
    """Serve HTTP/2 on one connection, to its end, as ``serve_https`` does after the TLS handshake.

    Args:
        handler: serves one request.
        stream: connected; owned from now on.
        limits: what the peer may have open and send ahead.
        on_error: as for ``serve_https``.
        postman: as for ``open_http2``.
    """
    guard = partial(_guard, handler, on_error)
    prompt = handler.is_prompt if isinstance(handler, Prompt) else never
    async with open_http2(
        stream, client=False, handler=guard, prompt=prompt, limits=limits or Limits(), postman=postman
    ) as connection:
        await connection.wait_closed()
        if connection.error and isinstance(connection.error.__cause__, RemoteProtocolError):
            on_error(connection.error.__cause__)


async def _guard(handler: Handler, on_error: ErrorCallback, exchange: Exchange) -> None:
    try:
        await handler(exchange)
        if not exchange.started and not (exchange.stream and exchange.stream.finished):
            raise LocalProtocolError(f"no answer to {exchange.request.method} {exchange.request.path}")
    except Exception as exc:
        scope = exchange.stream.scope if exchange.stream is not None else None
        if isinstance(exc, ConnectionBroken) and scope is not None and scope.cancel_called:
            raise  # It met its stream's end a moment before its cancellation, which is nobody's failure.
        on_error(exc)
        await _apologise(exchange, exc)


@attrs.frozen
class _Server:
    handler: Handler
    context: Context | Neighbours | None
    limits: Limits
    on_error: ErrorCallback
    admission: Admission
    otherwise: Speaker = serve_http1
    blame: Blame = forgive
    postman: Postman | None = None

    async def connection(self, transport: trio.SocketStream) -> None:
        """One connection, from its first byte to its last. Nothing but cancellation leaves it."""
        hold_to_timeout(transport)
        try:
            await self._speak(transport)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as exc:
            error = ConnectionBroken("the peer hung up during the handshake")
            error.__cause__ = exc
            self.on_error(error)
        except Exception as exc:
            self.on_error(exc)
        finally:
            if not close_socket(transport):
                await trio.aclose_forcefully(transport)

    async def _speak(self, transport: trio.SocketStream) -> None:
        stream, is_http2 = await self._begin(transport)
        # Where another process has done TLS in our place, the connection says nothing of who it was.
        tell = self._blaming(stream) if isinstance(stream, TlsStream) else self.on_error
        if is_http2:
            await serve_http2(self.handler, stream, limits=self.limits, on_error=tell, postman=self.postman)
            return
        try:
            await self.otherwise(stream, partial(_guard, self.handler, tell))
        except RemoteProtocolError as exc:
            tell(exc)

    def _blaming(self, tls: TlsStream) -> ErrorCallback:
        certificate, address = tls.peer_certificate, peer_address(tls)

        def tell(exc: Exception) -> None:
            self.on_error(exc)
            if isinstance(exc, RemoteProtocolError):
                self.blame(certificate, address, exc)

        return tell

    async def _begin(self, transport: trio.SocketStream) -> tuple[trio.abc.Stream, bool]:
        """What the requests come on, and whether it is HTTP/2."""
        if self.context is None:
            return transport, False
        if isinstance(self.context, Neighbours):
            with self.admission.handshake():
                return await meet(transport, self.context)
        tls = TlsStream(transport, newest(self.context), server_side=True)
        with self.admission.handshake():
            await tls.do_handshake(self.admission.steps)
        return tls, tls.alpn == "h2"


async def _apologise(exchange: Exchange, exc: Exception) -> None:
    if exchange.started:
        return  # What has begun cannot be taken back: it ends in a reset.
    status, text = 500, "internal error"
    if isinstance(exc, BodyTooLarge):
        status, text = 413, str(exc)
    elif isinstance(exc, RemoteProtocolError):
        status, text = 400, str(exc)
    # When the peer has gone nobody hears it; the error itself is reported.
    with suppress(ConnectionBroken):
        await exchange.respond(status, [("content-type", "text/plain")], f"{text}\n".encode())
