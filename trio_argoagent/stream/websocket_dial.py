"""The agent's side of links over WebSockets, for where something in between breaks HTTP/2."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Final

import attrs
import trio
from trio_websocket import ConnectionRejected, WebSocketConnection

from trio_argoagent.errors import LinkBroken, LinkError, LinkRefused
from trio_argoagent.model.identity import Peer
from trio_argoagent.net.http import Headers
from trio_argoagent.net.http2_wire import CLOSE_TIMEOUT
from trio_argoagent.net.protocol.limits import CLIENT
from trio_argoagent.net.refusals import Ours
from trio_argoagent.stream.dial import DIAL_TIMEOUT, TlsDialer, seconds
from trio_argoagent.stream.explain import answered, explain
from trio_argoagent.stream.link import LINK_PATH, FramedLink, WebSocketLink
from trio_argoagent.stream.protocol.messages import MAX_LINE, Reason
from trio_argoagent.stream.upgrade import SUBPROTOCOL, Reading, alone, carry
from trio_argoagent.stream.webstream import WebSocketStream

Reach = Callable[[], Awaitable[trio.abc.Stream]]
"""Makes one more connection to the principal, as it was made for the link."""
_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3})\b")


class WebSocketDialer(TlsDialer):
    """``ports.transport.Dialer`` over WebSockets. Its context has ``http/1.1`` in its ALPN list, or none."""

    protocols = ("http/1.1", None)

    def open(self, stream: trio.abc.Stream, peer: Peer) -> AbstractAsyncContextManager[FramedLink]:
        """See ``open_websocket``."""
        return open_websocket(stream, peer, self.reach, self.ours, self.headers)


@asynccontextmanager
async def open_websocket(
    stream: trio.abc.Stream, peer: Peer, reach: Reach, ours: Ours | None = None, headers: Headers = ()
) -> AsyncIterator[WebSocketLink]:
    """A link over one byte stream, which is owned from now on: the upgrade, and then nothing else.

    What the body raises leaves it as it is, not in a group.

    Args:
        stream: connected, and after its TLS handshake.
        peer: the principal, as TLS has proven it.
        reach: makes the streams of tunnels.
        ours: as for ``TlsDialer``.
        headers: of each request, besides its own.

    Raises:
        LinkBroken: the principal does not answer, or not for long enough.
        LinkRefused: it refuses us; the text says what to do.
    """
    async with alone() as nursery:
        sockets = _Sockets(nursery, peer, reach, ours, headers)
        carrier = await sockets.open(stream, LINK_PATH)
        if carrier is None:
            raise _refused(404, "", 0.0, peer.address)
        link = WebSocketLink(carrier, peer, sockets.another)
        try:
            yield link
        finally:
            link.tunnels.end()
            carrier.reset()
            with trio.move_on_after(2 * CLOSE_TIMEOUT, shield=True):  # It takes one, and gives up by itself.
                await carrier.closed.wait()


@attrs.frozen
class _Sockets:
    """Those of one link: its own, and its tunnels'. They live in its nursery."""

    nursery: trio.Nursery
    peer: Peer
    reach: Reach
    ours: Ours | None
    headers: Headers

    async def another(self, path: str) -> WebSocketStream | None:
        """One more; None: there is nothing under that path."""
        return await self.open(await self.reach(), path)

    async def open(self, stream: trio.abc.Stream, path: str) -> WebSocketStream | None:
        """A WebSocket over that stream; None: there is nothing under that path."""
        carrier: WebSocketStream | None = await self.nursery.start(
            carry, stream, CLIENT.budget, partial(self._ask, path)
        )
        return carrier

    async def _ask(self, path: str, reading: Reading) -> WebSocketConnection | None:
        where = self.peer.address
        try:
            with trio.fail_after(DIAL_TIMEOUT):
                socket = await reading.ask(where, path, self.headers)
        except trio.TooSlowError as exc:
            raise LinkBroken(f"{where}: no answer within {DIAL_TIMEOUT:g} s") from exc
        if socket is None:
            if isinstance(reading.failure, ConnectionRejected) and reading.failure.status_code == 404:
                return None
            raise _refusal(reading, self.peer, self.ours)
        if socket.subprotocol != SUBPROTOCOL:
            raise LinkRefused(
                Reason.PROTOCOL,
                f"{where}: it takes WebSockets, but is no principal: check --server-address and"
                " --server-port",
            )
        return socket


def _refusal(reading: Reading, peer: Peer, ours: Ours | None) -> LinkError:
    """Why there is no WebSocket."""
    where, line, failure = peer.address, reading.line, reading.failure
    if isinstance(failure, ConnectionRejected):
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in failure.headers}
        text = (failure.body or b"")[:MAX_LINE].decode("utf-8", "replace")
        return _refused(failure.status_code, text, seconds(headers), where)
    if line.failure is not None:
        return explain(line.failure, host=peer.name, where=where, ours=ours)
    status = _STATUS.match(line.head)
    if status is not None and status[1] != b"101":
        return _refused(int(status[1]), "", 0.0, where)
    if line.ended and not line.head:
        return LinkBroken(f"{where}: the principal, or a proxy before it, hung up instead of an answer")
    return LinkRefused(
        Reason.PROTOCOL,
        f"{where}: what answers takes no WebSockets: check --server-address and --server-port, and that no"
        " proxy in between answers in the principal's place",
    )


def _refused(status: int, text: str, retry_after: float, where: str) -> LinkError:
    if 200 <= status < 300:
        return LinkRefused(
            Reason.PROTOCOL,
            f"{where}: {status} instead of an upgrade: a proxy in between does not pass WebSockets on, or"
            " this is no principal",
        )
    return answered(status, text, retry_after, where=where)
