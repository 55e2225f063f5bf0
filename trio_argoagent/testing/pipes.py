"""One direction of a connection in memory, and the two ends of it: what is on the way, and when it arrives.

The same for links of whole frames (``network``) and for streams of bytes (``wire``). What is sent arrives in
order, each part after a delay of its own. What a fault does to an end it does at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

import attrs
import trio


@attrs.define
class Pipe:
    """One direction.

    Attributes:
        parts: when each arrives, and its bytes; None is the clean end.
        queued: bytes on the way.
        last_due: when the last of them arrives.
        swallows: what is put in never arrives, and nobody is told.
        fuse: bytes that may still be sent before ``on_burnt`` is called; -1: any number.
        on_burnt: called when the fuse has burnt down.
        changed: set and replaced at each change.
    """

    parts: deque[tuple[float, bytes | None]] = attrs.field(factory=deque)
    queued: int = 0
    last_due: float = 0.0
    swallows: bool = False
    fuse: int = -1
    on_burnt: Callable[[], None] = attrs.field(default=lambda: None)
    changed: trio.Event = attrs.field(factory=trio.Event)

    def wake(self) -> None:
        """Something has changed."""
        self.changed.set()
        self.changed = trio.Event()


class Bottleneck:
    """A line that carries so many bytes a second, one after the other, whoever sends them.

    Args:
        rate: bytes per second.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._free = 0.0

    def lateness(self, size: int) -> float:
        """Seconds until so many more bytes, sent now, have passed."""
        now = trio.current_time()
        self._free = max(now, self._free) + size / self._rate
        return self._free - now


class Weather(Protocol):
    """What the ends of all connections ask their network."""

    def delay(self) -> float:
        """Seconds until what is sent now arrives."""

    def lateness(self, agent: str, up: bool, size: int) -> float:
        """Seconds that so many bytes of this agent, up or down, take longer than usual."""

    def paused_until(self, program: str) -> float:
        """When this program goes on; a time that is past: it is not paused."""

    async def wait_awake(self, program: str) -> None:
        """Return when this program is not paused; at once, without a checkpoint, if it is not."""


class End:
    """One end of a connection.

    Args:
        weather: of its network.
        agent: whose connection it is.
        up: what it sends travels to the principal.
        owner: the program at this end.
        inbound: what arrives here.
        outbound: what is sent from here.

    Attributes:
        divisible: what is sent may be cut anywhere.
        broken: why nothing more can be sent; empty: it can.
        other: the other end.
    """

    divisible = False

    def __init__(
        self, weather: Weather, agent: str, up: bool, owner: str, inbound: Pipe, outbound: Pipe
    ) -> None:
        self.agent, self.up, self.owner = agent, up, owner
        self.broken = ""
        self.other: End | None = None
        self._weather, self._in, self._out = weather, inbound, outbound

    def put(self, part: bytes | None) -> None:
        """Send something on its way; None: the clean end."""
        pipe = self._out
        if part is not None and pipe.fuse >= 0:
            part = self._burn(part)
            if part is None:
                return
        if pipe.swallows:
            return
        size = len(part or b"")
        leaves = max(trio.current_time(), self._weather.paused_until(self.owner))
        due = leaves + self._weather.delay() + self._weather.lateness(self.agent, self.up, size)
        pipe.last_due = max(pipe.last_due, due)
        pipe.parts.append((pipe.last_due, part))
        pipe.queued += size
        pipe.wake()

    def _burn(self, part: bytes) -> bytes | None:
        """What of it is still to be sent, now that the fuse burns; None: nothing, for this end is broken."""
        pipe = self._out
        if len(part) <= pipe.fuse:
            pipe.fuse -= len(part)
            return part
        head = pipe.fuse if self.divisible else 0
        pipe.fuse, burnt = -1, pipe.on_burnt
        if head:
            self.put(part[:head])
        burnt()
        return None if self.broken else part[head:]

    async def wait_arrival(self) -> bool:
        """Return when something has arrived; False: nothing will any more."""
        pipe = self._in
        while True:
            await self._weather.wait_awake(self.owner)
            if pipe.parts and pipe.parts[0][0] <= trio.current_time():
                return True
            if not pipe.parts and self.broken:
                return False
            changed = pipe.changed
            if not pipe.parts:
                await changed.wait()
                continue
            with trio.move_on_at(pipe.parts[0][0]):
                await changed.wait()

    async def wait_less_queued(self, most: int) -> None:
        """Return when fewer bytes than that are on their way from here, or this end is broken."""
        await self._weather.wait_awake(self.owner)
        while not self.broken and self._out.queued >= most:
            await self._out.changed.wait()

    def light_fuse(self, size: int, on_burnt: Callable[[], None]) -> None:
        """Once so many more bytes have left from here, call that; if it breaks this end, the rest is lost."""
        self._out.fuse, self._out.on_burnt = size, on_burnt

    def tear_down(self, why: str) -> None:
        """This end is gone; the other one learns of it once it has read what is on the way."""
        self.break_off(why, lose=True)
        if self.other is not None and not self._out.swallows:
            self.other.break_off("the peer is gone")

    def break_off(self, why: str, *, lose: bool = False) -> None:
        """From now on this end is broken; ``lose``: and so is what was on its way here."""
        self.broken = self.broken or why
        if lose:
            self._in.parts.clear()
        self._in.wake()
        self._out.wake()

    def swallow(self) -> None:
        """From now on what this end sends never arrives, and nobody is told."""
        self._out.swallows = True
