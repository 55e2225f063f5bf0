"""What becomes of an HTTP/2 connection when nothing arrives: one task that looks at the clock.

It sleeps until the next deadline and looks what has happened meanwhile, so frames need not touch any timer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import trio

from trio_argoagent.net.errors import ConnectionBroken

if TYPE_CHECKING:
    from trio_argoagent.net.http2_wire import Wire
    from trio_argoagent.net.protocol.engine import Engine
    from trio_argoagent.net.protocol.limits import Patience

LOOK: Final = 30.0
"""Seconds at most from one look at the streams to the next."""


class Streams(Protocol):
    """Whose streams they are. None of it waits."""

    def idle_since(self) -> float:
        """Since when there has been no stream; infinite while there is one."""

    def give_up(self, stream_id: int, error: ConnectionBroken) -> None:
        """The peer takes nothing on that stream: reset it."""


async def keep(wire: Wire, engine: Engine, streams: Streams, patience: Patience) -> None:
    """End the connection, or one of its streams, when the peer has been waited for long enough.

    It is cancelled with the connection, and returns when it has broken it off: what a connection that is to
    end still has to say is waited for no longer than anything else.

    Args:
        wire: what is ended.
        engine: says which streams the peer takes nothing on.
        streams: of that connection.
        patience: how long is enough.
    """
    with trio.move_on_after(patience.settings):
        await wire.settled.wait()
    if not wire.settled.is_set():
        wire.stop(ConnectionBroken(f"the peer has sent no HTTP/2 SETTINGS for {patience.settings:g} s"))
    asked: float | None = None
    while True:
        now = trio.current_time()
        if wire.sending is not None and now >= wire.sending + patience.send:
            wire.fail(ConnectionBroken(f"the peer has taken nothing for {patience.send:g} s"))
            return
        # What is begun after this look is not overdue before the next one.
        due = (now if wire.sending is None else wire.sending) + patience.send
        if wire.error is None:
            asked = _listen(wire, patience, asked, now)
            silent = wire.heard + patience.silence if asked is None else asked + patience.answer
            due = min(due, silent, _look(wire, engine, streams, patience, now))
        await trio.sleep_until(due)


def _listen(wire: Wire, patience: Patience, asked: float | None, now: float) -> float | None:
    """Ask a silent peer whether it is there: since when it has been asked, if it has not answered."""
    if asked is not None and wire.heard >= asked:
        asked = None
    if asked is None and now >= wire.heard + patience.silence:
        asked = now
        if patience.answer:
            wire.ping()
    if asked is not None and now >= asked + patience.answer:
        silence = patience.silence + patience.answer
        wire.fail(ConnectionBroken(f"the peer was silent for {silence:g} s"))
    return asked


def _look(wire: Wire, engine: Engine, streams: Streams, patience: Patience, now: float) -> float:
    """End a connection without streams, and streams whose bytes are not taken; when to look again."""
    if wire.error is None and now >= streams.idle_since() + patience.idle:
        wire.stop(ConnectionBroken(f"the peer has had no stream for {patience.idle:g} s"))
    for stream_id in engine.stalled(now - patience.stalled):
        text = f"the peer has taken nothing on stream {stream_id} for {patience.stalled:g} s"
        streams.give_up(stream_id, ConnectionBroken(text))
    return min(streams.idle_since() + patience.idle, now + min(LOOK, patience.stalled))
