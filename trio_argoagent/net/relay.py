"""Two streams joined into one."""

from __future__ import annotations

from typing import Final

import trio

PIECE: Final = 64 * 1024
"""Bytes passed on at once: what the far side does not take is not read."""


async def relay(one: trio.abc.Stream, other: trio.abc.Stream) -> None:
    """Pass on bytes, and clean ends, both ways, until both sides have ended. The streams stay the caller's.

    An end is passed on where a stream can be ended in one direction.

    Raises:
        trio.BrokenResourceError: one of them broke: it is for the caller to break the other one.
    """
    broken: trio.BrokenResourceError | None = None
    async with trio.open_nursery() as nursery:

        async def carry(source: trio.abc.Stream, sink: trio.abc.Stream) -> None:
            nonlocal broken
            try:
                while data := await source.receive_some(PIECE):
                    await sink.send_all(data)
                if isinstance(sink, trio.abc.HalfCloseableStream):
                    await sink.send_eof()
            except trio.BrokenResourceError as exc:
                # Kept out of the nursery, which would wrap it in a group.
                broken = exc
                nursery.cancel_scope.cancel()

        nursery.start_soon(carry, one, other)
        nursery.start_soon(carry, other, one)
    if broken is not None:
        raise broken
