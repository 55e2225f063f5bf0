"""A way to the peer: an ordered, reliable, two-way stream of frames between one agent and the principal.

Implementations: HTTP/2 over TLS (``stream``), and in memory (``testing.network``). A frame here is the bytes
of one encoded message, without its length: framing on the wire is the transport's business.

Beside its frames a link carries **tunnels**: two-way streams of plain bytes that the principal asks for, with
a message on the link, and the agent opens, for nothing ever dials the agent. Each has windows of its own, so
one that nobody reads delays neither the link nor another one.
"""

from __future__ import annotations

import abc
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Final, Protocol

import attrs
import trio

from trio_argoagent.model.identity import Peer

MAX_FRAME: Final = 2 * 1024 * 1024
"""Bytes of one frame. A longer one, either way, is a protocol error.

The longest list of the longest entries fits; what is larger travels in several frames.
"""
MAX_TUNNELS: Final = 64
"""Tunnels of one link at once, awaited ones included. A peer can make us hold a window (256 KiB) for each."""
TUNNEL_ID: Final = 16
"""Bytes of a tunnel's id, which nobody can guess; it is written in hexadecimal digits."""


@attrs.frozen
class LinkStatistics:
    """What has crossed a link so far, both ways, as the transport counts it (its own overhead included).

    The bytes of tunnels are what their users have sent and received.
    """

    bytes_sent: int = 0
    bytes_received: int = 0
    frames_sent: int = 0
    frames_received: int = 0
    tunnels: int = 0
    tunnel_bytes_sent: int = 0
    tunnel_bytes_received: int = 0

    def plus(self, other: LinkStatistics) -> LinkStatistics:
        """Both together."""
        pairs = zip(attrs.astuple(self), attrs.astuple(other), strict=True)
        return LinkStatistics(*(mine + theirs for mine, theirs in pairs))


class Tunnel(trio.abc.HalfCloseableStream):
    """A two-way stream of bytes beside a link, which it does not outlive.

    As every stream of Trio: one task sends and one receives; ``send_eof`` ends one direction, and a clean end
    is the only one that ``receive_some`` returns as empty bytes. Anything else (the peer's ``abort``, the end
    of the link) raises ``trio.BrokenResourceError``, after what had arrived before. A peer that does not read
    stops the sender, with a bounded number of bytes on their way.

    ``aclose`` ends it cleanly and lets what was sent arrive, within seconds. It is an ``abort`` when it is
    cancelled, or another task is sending. So is leaving the ``async with`` by an exception.
    """

    @abc.abstractmethod
    def abort(self) -> None:
        """End it now, both ways; the peer sees it broken. Safe at any time, never waits."""

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self.abort()  # Half of the data must not look like all of it.
        await self.aclose()


class Link(Protocol):
    """One link. One task receives and one task sends; both may run at once.

    Every method raises ``LinkBroken`` once the link is gone.
    """

    @property
    def peer(self) -> Peer:
        """Who is at the other end."""

    async def wait_room(self) -> None:
        """Return when at least one frame may be sent without queueing more than a bounded number of bytes.

        Waiting first and choosing afterwards is what makes a link carry newest values only.
        """

    def send_nowait(self, frame: bytes) -> None:
        """Queue one frame; never blocks. Call it after ``wait_room``, or for small control frames."""

    async def receive(self) -> Sequence[bytes]:
        """All frames that have arrived, at least one; an empty sequence after the peer's clean end."""

    def retire(self) -> None:
        """Let nothing new be begun beside this link, on the connection that it shares; the link goes on.

        Where a link shares its connection with nothing there is nothing to do.
        """

    async def close(self) -> None:
        """End this side cleanly: what was queued is delivered, then the peer's ``receive`` returns empty."""

    def cut(self, why: str) -> None:
        """End the whole connection now, its tunnels too. What was queued may not arrive; it never waits."""

    async def open_tunnel(self, tunnel_id: str) -> Tunnel:
        """The agent's side: open the tunnel that the principal has asked for under this id.

        Raises:
            TunnelRefused: the principal does not wait for it (any more), or there are ``MAX_TUNNELS``.
        """

    async def accept_tunnel(self, tunnel_id: str, within: float) -> Tunnel:
        """The principal's side: wait until the agent opens this tunnel.

        It may do so once, on this link, and from the moment of this call, even before the caller has waited.

        Args:
            tunnel_id: fresh; ``TUNNEL_ID`` bytes from ``Env.entropy`` as hexadecimal digits.
            within: seconds.

        Raises:
            TunnelRefused: it has not been opened in time, or there are ``MAX_TUNNELS``.
        """

    def statistics(self) -> LinkStatistics:
        """What has crossed so far."""


class Dialer(Protocol):
    """The agent's side."""

    def dial(self) -> AbstractAsyncContextManager[Link]:
        """Open a link to the principal; leaving the context tears it down.

        Raises:
            Unreachable: nobody is there.
            LinkBroken: whoever is there does not answer.
            LinkRefused: TLS or the principal refuses us for good reason.
        """


class Listener(Protocol):
    """The principal's side."""

    async def serve(
        self,
        handler: Callable[[Link], Awaitable[None]],
        *,
        until: trio.Event | None = None,
        task_status: trio.TaskStatus[Any] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Accept links until cancelled; each is handled in a task of its own and closed when it returns.

        An exception of one handler ends that link only.

        Args:
            handler: of one link.
            until: once it is set nobody is accepted any more; the links that there are go on.
            task_status: started when agents may dial.
        """
