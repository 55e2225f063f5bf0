"""The principal's side of links over WebSockets: each link on a socket, and each tunnel on one more.

A socket for a tunnel belongs to the link of the agent that has dialled it, as ``stream.admission`` names it;
what another agent was asked for does not exist for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import attrs
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest

from trio_argoagent.errors import LinkBroken, RemoteProtocolError
from trio_argoagent.model.identity import Peer
from trio_argoagent.net.admission import Visitors
from trio_argoagent.net.certificates import unbound
from trio_argoagent.net.errors import ConnectionBroken
from trio_argoagent.net.linger import close_gently
from trio_argoagent.net.protocol.limits import PRINCIPAL
from trio_argoagent.net.tls import peer_address
from trio_argoagent.ports.transport import Link
from trio_argoagent.stream.admission import (
    ABUSE,
    CROWDED,
    NOTHING,
    VISITORS,
    Admission,
    Refusal,
    Shown,
)
from trio_argoagent.stream.link import LINK_PATH, TUNNEL_PATH, WebSocketLink
from trio_argoagent.stream.protocol.tunnels import Verdict
from trio_argoagent.stream.upgrade import SUBPROTOCOL, Reading, alone, carry
from trio_argoagent.stream.webstream import WebSocketStream

REQUEST_TIMEOUT: Final = 10.0
"""Seconds from the TLS handshake to the request for an upgrade, and as many to send our answer."""


@attrs.frozen
class _Granted:
    """A link, or a tunnel of one."""

    peer: Peer
    link: WebSocketLink | None = None
    tunnel: str = ""


@attrs.frozen
class WebSocketAcceptor:
    """Serves connections, as ``accept_links`` does requests.

    Attributes:
        handler: of a link; when it returns the link is closed, and when it raises broken off.
        admission: as for ``Http2Listener``.
        visitors: whom whoever has not been answered yet is one of.
    """

    handler: Callable[[Link], Awaitable[None]]
    admission: Admission
    visitors: Visitors = attrs.field(factory=lambda: Visitors(VISITORS, CROWDED))
    _links: dict[str, list[WebSocketLink]] = attrs.field(factory=dict, init=False)

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve one connection to its end.

        Args:
            stream: after its TLS handshake, with nothing received yet; owned from now on.

        Raises:
            RemoteProtocolError: the peer does not ask for a WebSocket, or breaks its rules.
            LinkBroken: it has gone.
        """
        granted: list[_Granted] = []
        async with alone() as nursery:
            answer = partial(self._answer, stream, granted)
            carrier: WebSocketStream | None = await nursery.start(carry, stream, PRINCIPAL.budget, answer)
            if carrier is None:
                return
            try:
                await self._use(granted[0], carrier)
            except LinkBroken as exc:
                if (fault := _fault(carrier)) is not None:
                    raise fault from exc
                raise
            carrier.reset()
            await carrier.closed.wait()
            if (fault := _fault(carrier)) is not None:
                raise fault

    async def _use(self, granted: _Granted, carrier: WebSocketStream) -> None:
        if granted.link is not None:
            tunnel = granted.link.tunnels.arrive(granted.tunnel, carrier)
            try:
                await tunnel.over.wait()
            finally:
                tunnel.break_off()
            return
        link = WebSocketLink(carrier, granted.peer)
        links = self._links.setdefault(granted.peer.name, [])
        links.append(link)
        try:
            await self.handler(link)
        finally:
            link.tunnels.end()
            links.remove(link)
            if not links:
                del self._links[granted.peer.name]
        await link.close()

    async def _answer(
        self, stream: trio.abc.Stream, granted: list[_Granted], reading: Reading
    ) -> WebSocketConnection | None:
        with self.visitors.visit():
            socket = await self._greet(stream, granted, reading)
        if socket is None:
            await close_gently(stream)
        return socket

    async def _greet(
        self, stream: trio.abc.Stream, granted: list[_Granted], reading: Reading
    ) -> WebSocketConnection | None:
        try:
            with trio.fail_after(REQUEST_TIMEOUT):
                request = await reading.request()
            if request is None:
                raise _no_request(reading)
            answer = self._judge(request, stream)
            with trio.fail_after(REQUEST_TIMEOUT):
                if isinstance(answer, _Granted):
                    granted.append(answer)
                    reading.line.upgraded = True
                    return await request.accept(subprotocol=SUBPROTOCOL)
                await request.reject(answer.status, extra_headers=_fields(answer), body=answer.text.encode())
        except trio.TooSlowError as exc:
            raise ConnectionBroken(f"no WebSocket within {REQUEST_TIMEOUT:g} s") from exc
        except ConnectionClosed as exc:
            raise ConnectionBroken("the peer hung up during the upgrade") from exc
        return None

    def _judge(self, request: WebSocketRequest, stream: trio.abc.Stream) -> _Granted | Refusal:
        """What is asked for, and by whom; or our no."""
        path = request.path
        if path != LINK_PATH and not path.startswith(TUNNEL_PATH):
            return NOTHING
        peer = self.admission.admit(_shown(request, stream))
        if isinstance(peer, Refusal):
            return peer
        if SUBPROTOCOL not in request.proposed_subprotocols:
            return Refusal(400, f"this is no WebSocket of the protocol {SUBPROTOCOL}")
        return _Granted(peer) if path == LINK_PATH else self._claim(peer, path.removeprefix(TUNNEL_PATH))

    def _claim(self, peer: Peer, tunnel_id: str) -> _Granted | Refusal:
        links = self._links.get(peer.name)
        if not links:
            return NOTHING
        # An agent has two of them while it moves from one to the other.
        link = next((each for each in links if each.tunnels.awaits(tunnel_id)), links[-1])
        verdict = link.tunnels.claim(tunnel_id)
        if verdict is Verdict.GRANTED:
            return _Granted(peer, link, tunnel_id)
        if verdict is Verdict.ABUSE:
            link.expel(ABUSE)
        # The same answer as for whatever else is not there: who guesses learns nothing.
        return NOTHING


def _no_request(reading: Reading) -> Exception:
    if reading.line.failure is not None or not reading.line.head:
        return ConnectionBroken("the peer hung up before it asked for anything")
    return RemoteProtocolError("a request that is none for a WebSocket")


def _shown(request: WebSocketRequest, stream: trio.abc.Stream) -> Shown:
    fields = ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in request.headers)
    certificate, lasts = getattr(stream, "peer_certificate", None), getattr(stream, "standing", unbound)
    return Shown(certificate, tuple(fields), peer_address(stream), lasts)


def _fault(carrier: WebSocketStream) -> RemoteProtocolError | None:
    """What the peer has done wrong, if that is how it ended."""
    cause = carrier.error.__cause__ if carrier.error is not None else None
    return cause if isinstance(cause, RemoteProtocolError) else None


def _fields(refusal: Refusal) -> list[tuple[bytes, bytes]]:
    fields = [*refusal.headers, ("connection", "close")]
    return [(name.encode(), value.encode()) for name, value in fields]
