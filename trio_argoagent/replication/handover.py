"""The first two messages of a link, on either side."""

from __future__ import annotations

from collections import deque

from trio_argoagent.errors import LinkBroken, RemoteProtocolError
from trio_argoagent.ports.transport import Link
from trio_argoagent.stream.protocol import codec, handshake, messages
from trio_argoagent.stream.protocol.negotiation import Terms


class Greeting:
    """A link until the handshake is over: one message at a time. What came early is kept for the session."""

    def __init__(self, link: Link, role: handshake.Role) -> None:
        self.link = link
        self.conversation = handshake.Conversation(role)
        self.early: deque[bytes] = deque()
        self.terms = Terms()
        """What both sides have agreed on, once one has welcomed the other."""

    def say(self, message: messages.Message) -> None:
        """Send one message."""
        self.conversation.sent(message)
        self.link.send_nowait(codec.encode(message))

    async def hear(self) -> messages.Message:
        """The next message.

        Raises:
            LinkBroken: the link ended instead.
            RemoteProtocolError: it must not come now.
        """
        while True:
            while not self.early:
                frames = await self.link.receive()
                if not frames:
                    raise LinkBroken("the link ended during the handshake")
                self.early.extend(frames)
            message = codec.decode(self.early.popleft())
            if message is not None:
                self.conversation.received(message)
                return message


def expect_hello(message: messages.Message) -> messages.Hello:
    """The message as a hello.

    Raises:
        RemoteProtocolError: it is none.
    """
    if not isinstance(message, messages.Hello):
        raise RemoteProtocolError(f"the agent began with {type(message).__name__}, not with hello")
    return message
