"""A way to the peer: an ordered, reliable, two-way stream of frames between one agent and the principal.

Implementations: HTTP/2 over TLS (``stream``), and in memory (``testing.network``). A frame here is the bytes
of one encoded message, without its length: framing on the wire is the transport's business.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Protocol

import attrs
import trio

from trio_argoagent.model.identity import Peer

MAX_FRAME: Final = 16 * 1024 * 1024
"""Bytes of one frame. A longer one, either way, is a protocol error."""


@attrs.frozen
class LinkStatistics:
    """What has crossed a link so far, both ways, as the transport counts it (its own overhead included)."""

    bytes_sent: int = 0
    bytes_received: int = 0
    frames_sent: int = 0
    frames_received: int = 0

    def plus(self, other: LinkStatistics) -> LinkStatistics:
        """Both together."""
        return LinkStatistics(
            self.bytes_sent + other.bytes_sent,
            self.bytes_received + other.bytes_received,
            self.frames_sent + other.frames_sent,
            self.frames_received + other.frames_received,
        )


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

    async def close(self) -> None:
        """End this side cleanly: what was queued is delivered, then the peer's ``receive`` returns empty."""

    def statistics(self) -> LinkStatistics:
        """What has crossed so far."""


class Dialer(Protocol):
    """The agent's side."""

    def dial(self) -> AbstractAsyncContextManager[Link]:
        """Open a link to the principal; leaving the context tears it down.

        Raises:
            LinkBroken: nobody answers.
            LinkRefused: TLS or the principal refuses us for good reason.
        """


class Listener(Protocol):
    """The principal's side."""

    async def serve(
        self,
        handler: Callable[[Link], Awaitable[None]],
        *,
        task_status: trio.TaskStatus[Any] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Accept links until cancelled; each is handled in a task of its own and closed when it returns.

        An exception of one handler ends that link only.
        """
