"""Our end of one link: what is said, what is heard, and for how long we listen."""

from __future__ import annotations

from collections import deque
from typing import Final, TypeVar

import msgpack  # type: ignore[import-untyped]
import trio

from trio_argoagent.errors import LinkBroken, RemoteProtocolError
from trio_argoagent.ports.transport import Link
from trio_argoagent.stream.protocol import codec
from trio_argoagent.stream.protocol import messages as m

PATIENCE: Final = 10.0
"""Seconds in which whatever must be answered is answered."""

M = TypeVar("M", bound=m.Message)


class Fault(Exception):
    """The peer does not do what the protocol says; one line."""


class Talk:
    """Messages of one link, with a peer that may be wrong.

    Args:
        link: of any transport.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._frames: deque[bytes] = deque()

    def say(self, message: m.Message) -> None:
        """Send a message, whether it is one's turn or not."""
        self.say_frame(codec.encode(message))

    def say_plain(self, *values: object) -> None:
        """Send an array of these values, whether they are a message or not."""
        self.say_frame(msgpack.packb(values))

    def say_frame(self, frame: bytes) -> None:
        """Send any bytes as a frame.

        Raises:
            Fault: the peer has ended the link.
        """
        try:
            self._link.send_nowait(frame)
        except LinkBroken as exc:
            raise Fault(f"it has ended the link: {exc}") from exc

    async def hear(self, kind: type[M], within: float = PATIENCE) -> M:
        """The next message of this kind. Others are passed over, and pings are answered.

        Args:
            kind: of message.
            within: seconds.

        Raises:
            Fault: it does not come, or the link ends, or what comes is no message.
        """
        with trio.move_on_after(within):
            while (message := await self._next()) is not None:
                if isinstance(message, kind):
                    return message
                if isinstance(message, m.Ping):
                    self.say(m.Pong(message.token))
                if isinstance(message, m.Refuse | m.Goodbye):
                    raise Fault(f"expected {kind.__name__}, it said {message}")
            raise Fault(f"expected {kind.__name__}, it ended the link")
        raise Fault(f"expected {kind.__name__}, it said none for {within:g} s")

    async def still_there(self) -> None:
        """What was said before has not been taken amiss: a ping is answered with its token.

        Raises:
            Fault: it is not.
        """
        token = b"still there?"
        self.say(m.Ping(token))
        answer = await self.hear(m.Pong)
        if answer.token != token:
            raise Fault(f"a pong must return the ping's token, it returned {answer.token!r}")

    async def hear_end(self) -> None:
        """The peer ends the link, with or without a goodbye.

        Raises:
            Fault: it goes on.
        """
        with trio.move_on_after(PATIENCE):
            while await self._next() is not None:
                pass
            return
        raise Fault(f"it should have ended the link, and has not for {PATIENCE:g} s")

    async def _next(self) -> m.Message | None:
        """The next message that is not one to be ignored; None: the link has ended."""
        while True:
            try:
                while not self._frames:
                    frames = await self._link.receive()
                    if not frames:
                        return None
                    self._frames.extend(frames)
                message = codec.decode(self._frames.popleft())
            except LinkBroken:
                return None
            except RemoteProtocolError as exc:
                raise Fault(f"what it said is no message: {exc}") from exc
            if message is not None:
                return message
