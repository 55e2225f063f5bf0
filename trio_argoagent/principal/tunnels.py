"""The tunnels that the principal asks one agent for.

Asking is a message on the link, with an id that nobody can guess; the agent answers by opening the tunnel
under it, or by declining. What is asked for, or open, ends with the link.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import attrs
import trio

from trio_argoagent.errors import LinkBroken, RemoteProtocolError, TunnelRefused
from trio_argoagent.ports.transport import TUNNEL_ID, Link, Tunnel
from trio_argoagent.stream.protocol import codec, messages
from trio_argoagent.stream.protocol.reasons import NoTunnel

WITHIN: Final = 10.0
"""Seconds that an agent has to open a tunnel."""


@attrs.define(eq=False)
class _Asked:
    """One tunnel, from the moment that it is asked for.

    Attributes:
        scope: of whoever wants it.
        open: it is.
        refusal: why it will not be.
    """

    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    open: bool = False
    refusal: TunnelRefused | None = None


class Tunnels:
    """The way to one agent's targets, whichever link it has now.

    Args:
        agent: its name.

    Attributes:
        on_link: what its link does about them; None: it has no link.
    """

    def __init__(self, agent: str) -> None:
        self.on_link: LinkTunnels | None = None
        self._agent = agent

    def open(
        self, target: str, metadata: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[Tunnel]:
        """A tunnel to something on the spoke, while the context is open; left by an exception it is aborted.

        A link that ends breaks the tunnel, and cancels the body where it waits for something else.

        Args:
            target: by a name that the agent knows (``agent.targets``).
            metadata: what the target needs to know, at most ``messages.MAX_METADATA`` entries.

        Raises:
            TunnelRefused: there will be none, and why.
            LinkBroken: the link has ended.
        """
        if self.on_link is None:
            raise TunnelRefused(NoTunnel.NOT_CONNECTED, f"agent {self._agent} is not connected")
        return self.on_link.open(target, metadata or {})


class LinkTunnels:
    """Those of one link: ``replication.session.Tunnelling``.

    Args:
        link: to the agent.
        able: does the agent's version have tunnels?
        entropy: ids come from there.
    """

    def __init__(self, link: Link, able: bool, entropy: Callable[[int], bytes]) -> None:
        self._link, self._able, self._entropy = link, able, entropy
        self._asked: dict[str, _Asked] = {}
        self._unsaid: dict[str, messages.Open] = {}
        self._wake: Callable[[], None] = lambda: None
        self._retired = self._ended = False

    @asynccontextmanager
    async def open(self, target: str, metadata: Mapping[str, str]) -> AsyncIterator[Tunnel]:
        """See ``Tunnels.open``."""
        name = self._link.peer.name
        if not self._able:
            text = f"agent {name} is of a version without tunnels: upgrade it"
            raise TunnelRefused(NoTunnel.UNSUPPORTED, text)
        if self._retired:
            raise self._moving()
        tunnel_id, asked = self._entropy(TUNNEL_ID).hex(), _Asked()
        message = messages.Open(tunnel_id, target, tuple(metadata.items()), WITHIN)
        codec.encode(message)  # What cannot be said is the caller's mistake, and must not reach the writer.
        self._asked[tunnel_id] = asked
        self._unsaid[tunnel_id] = message
        self._wake()
        if self._ended:
            asked.scope.cancel()
        try:
            with asked.scope:
                # It is awaited before the writer has had its turn, and so before the agent can know of it.
                async with await self._link.accept_tunnel(tunnel_id, WITHIN) as tunnel:
                    asked.open = True
                    yield tunnel
        finally:
            del self._asked[tunnel_id]
            self._unsaid.pop(tunnel_id, None)
        if asked.scope.cancelled_caught:
            raise asked.refusal or LinkBroken(f"the link to agent {name} has ended")

    def _moving(self) -> TunnelRefused:
        text = f"agent {self._link.peer.name} goes on over another connection: ask again in a moment"
        return TunnelRefused(NoTunnel.NOT_CONNECTED, text)

    def retire(self) -> None:
        """The link is about to be left: open no more. Those that there are stay for as long as it does."""
        self._retired = True
        for tunnel_id in self._unsaid:
            self._asked[tunnel_id].refusal = self._moving()
            self._asked[tunnel_id].scope.cancel()
        self._unsaid.clear()

    async def run(self, link: Link, wake: Callable[[], None]) -> None:
        """See ``Tunnelling``: with the link ends whatever is done with its tunnels."""
        self._wake = wake
        try:
            await trio.sleep_forever()
        finally:
            self._ended = True
            for asked in self._asked.values():
                asked.scope.cancel()

    def next(self) -> messages.Open | None:
        """See ``Tunnelling``."""
        if not self._unsaid:
            return None
        return self._unsaid.pop(next(iter(self._unsaid)))

    def hear(self, message: messages.Open | messages.Decline) -> None:
        """See ``Tunnelling``. A refusal that comes too late, or of what is open, changes nothing."""
        if isinstance(message, messages.Open):
            raise RemoteProtocolError("an agent does not ask for tunnels")
        if not self._able:
            raise RemoteProtocolError("Decline: this was not agreed on")
        asked = self._asked.get(message.tunnel_id)
        if asked is not None and not asked.open:
            asked.refusal = TunnelRefused(message.reason, f"agent {self._link.peer.name}: {message.detail}")
            asked.scope.cancel()
