"""A tunnel over whatever carries bytes both ways: ``ports.transport.Tunnel``.

What a stream of Trio promises (who may call what at once, what closing does to whoever waits, parts of a
given size) is kept here, once for all transports. A transport gives its ``Carrier``: an HTTP/2 stream is one
as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

import attrs
import trio

from trio_argoagent.errors import LinkBroken
from trio_argoagent.ports.transport import Tunnel

CLOSE_TIMEOUT: Final = 5.0
"""Seconds that ``aclose`` lets a peer take what was sent."""
PART: Final = 64 * 1024
"""Bytes that are queued at once; before each there must be room."""


class Carrier(Protocol):
    """Bytes both ways, with windows of its own. What waits or sends raises ``LinkBroken`` once it broke."""

    async def wait_room(self) -> None:
        """Return when a bounded number of bytes are queued and not yet sent."""

    def send_nowait(self, data: bytes) -> None:
        """Queue bytes."""

    def end(self) -> None:
        """The clean end of this direction, after what is queued. Safe at any time."""

    async def wait_sent(self) -> None:
        """Return when that end has left."""

    async def receive(self) -> bytes:
        """All that has arrived; empty after the peer's clean end. Taking it lets the peer send as much."""

    def reset(self) -> None:
        """Both directions end now, and the peer sees it broken. Safe at any time; whoever waits is woken."""


@attrs.define
class Tally:
    """What all tunnels of a link have carried.

    Attributes:
        opened: tunnels.
        sent: bytes.
        received: bytes.
    """

    opened: int = 0
    sent: int = 0
    received: int = 0


class CarriedTunnel(Tunnel):
    """See the module.

    Args:
        carrier: open in both directions; owned from now on.
        tally: counts what passes.
        gone: called once, when this end has been closed or aborted, or broken off with its link.

    Attributes:
        over: set then.
    """

    def __init__(self, carrier: Carrier, tally: Tally, gone: Callable[[CarriedTunnel], None]) -> None:
        self._carrier, self._tally, self._gone = carrier, tally, gone
        self._sending = self._receiving = self._ended = self._closed = False
        self._left = b""
        self.over = trio.Event()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """See ``trio.abc.SendStream``. Cancelled, it has sent some whole parts of ``PART`` bytes."""
        with self._sender():
            await trio.lowlevel.checkpoint()
            view = memoryview(data)
            for start in range(0, len(view), PART):
                await self._room()
                part = bytes(view[start : start + PART])
                self._carrier.send_nowait(part)
                self._tally.sent += len(part)
            self._check_open()

    async def wait_send_all_might_not_block(self) -> None:
        """See ``trio.abc.SendStream``."""
        with self._sender():
            await trio.lowlevel.checkpoint()
            await self._room()

    async def _room(self) -> None:
        self._check_open()
        await self._carrier.wait_room()
        self._check_open()

    async def send_eof(self) -> None:
        """See ``trio.abc.HalfCloseableStream``."""
        with self._guard("_sending", "sends"):
            await trio.lowlevel.checkpoint()
            self._ended = True
            self._carrier.end()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """See ``trio.abc.ReceiveStream``."""
        if max_bytes is not None and (not isinstance(max_bytes, int) or max_bytes < 1):
            kind = ValueError if isinstance(max_bytes, int) else TypeError
            raise kind(f"max_bytes must be a positive whole number, not {max_bytes!r}")
        with self._guard("_receiving", "receives"):
            await trio.lowlevel.checkpoint()
            data = self._left or await self._carrier.receive()
            if self._closed:
                raise trio.ClosedResourceError("this end of the tunnel was closed")
            taken, self._left = (data, b"") if max_bytes is None else (data[:max_bytes], data[max_bytes:])
            self._tally.received += len(taken)
            return taken

    async def aclose(self) -> None:
        """See ``Tunnel``."""
        if self._closed or self._sending:
            self.abort()
            await trio.lowlevel.checkpoint()
            return
        self._sending = True  # Nobody may begin to send meanwhile.
        try:
            await trio.lowlevel.checkpoint()
            self._carrier.end()
            with trio.move_on_after(CLOSE_TIMEOUT):
                await self._carrier.wait_sent()
        except LinkBroken:
            pass  # The peer is gone: that is what closing is for.
        finally:
            self.abort()

    def abort(self) -> None:
        """See ``Tunnel``."""
        self._left = b""
        if not self._closed:
            self._closed = True
            self._carrier.reset()
            self._let_go()

    def break_off(self) -> None:
        """The link has ended: whoever uses this end sees it broken. Not closed, which is its user's to do."""
        if not self._closed:
            self._carrier.reset()
            self._let_go()

    def _let_go(self) -> None:
        if not self.over.is_set():
            self.over.set()
            self._gone(self)

    @contextmanager
    def _sender(self) -> Iterator[None]:
        with self._guard("_sending", "sends"):
            if self._ended:
                raise trio.ClosedResourceError("this direction of the tunnel was ended")
            yield

    @contextmanager
    def _guard(self, flag: str, does: str) -> Iterator[None]:
        """One task at a time; and what breaks is told in the words of Trio."""
        self._check_open()
        if getattr(self, flag):
            raise trio.BusyResourceError(f"another task {does}")
        setattr(self, flag, True)
        try:
            yield
        except LinkBroken as exc:
            self._check_open()
            raise trio.BrokenResourceError(str(exc)) from exc
        finally:
            setattr(self, flag, False)

    def _check_open(self) -> None:
        if self._closed:
            raise trio.ClosedResourceError("this end of the tunnel was closed")
