"""What a tunnel may lead to on a spoke, by name.

A target is handed what was asked for and the means to open the tunnel. It looks first and opens then, so that
a refusal reaches whoever asked as a sentence, and not as a stream that ends.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final, Protocol

import trio

from trio_argoagent.errors import TunnelRefused, UserError
from trio_argoagent.net.address import format_address, parse_address
from trio_argoagent.net.dialling import Connect
from trio_argoagent.net.relay import relay
from trio_argoagent.ports.transport import Tunnel
from trio_argoagent.stream.protocol.reasons import NoTunnel

ECHO: Final = "echo"
"""Sends back what comes: does the way there and back work, and how fast?"""
TCP: Final = "tcp"
"""A byte pipe to the TCP address that ``ADDRESS`` names, if the agent's configuration allows it."""
ADDRESS: Final = "address"
"""``host:port``, in the metadata of ``TCP``."""

OpenTunnel = Callable[[], Awaitable[Tunnel]]


class Target(Protocol):
    """One thing that a tunnel may lead to."""

    async def __call__(self, metadata: Mapping[str, str], open_tunnel: OpenTunnel) -> None:
        """Serve one tunnel to its end.

        Raises:
            TunnelRefused: before ``open_tunnel`` was called: there will be none, and whoever asked is told.
            trio.BrokenResourceError: either end has gone.
        """


def make_targets(addresses: Iterable[str], connect: Connect = trio.open_tcp_stream) -> dict[str, Target]:
    """All that there are.

    Args:
        addresses: ``host:port`` each: where ``TCP`` may lead.
        connect: makes connections.

    Raises:
        UserError: an address is none.
    """
    return {ECHO: echo, TCP: _TcpTarget(addresses, connect)}


async def echo(metadata: Mapping[str, str], open_tunnel: OpenTunnel) -> None:
    """See ``ECHO``."""
    async with await open_tunnel() as tunnel:
        while data := await tunnel.receive_some():
            await tunnel.send_all(data)


class _TcpTarget:
    """See ``TCP``."""

    def __init__(self, addresses: Iterable[str], connect: Connect) -> None:
        self._allowed = frozenset(parse_address(address) for address in addresses)
        self._connect = connect

    async def __call__(self, metadata: Mapping[str, str], open_tunnel: OpenTunnel) -> None:
        """See ``Target``."""
        try:
            host, port = parse_address(metadata.get(ADDRESS, ""))
        except UserError as exc:
            raise TunnelRefused(NoTunnel.FORBIDDEN, str(exc)) from exc
        where = format_address(host, port)
        if (host, port) not in self._allowed:
            text = f"it may not open tunnels to {where}: add it to the agent's --tunnel-addresses"
            raise TunnelRefused(NoTunnel.FORBIDDEN, text)
        try:
            far = await self._connect(host, port)
        except OSError as exc:
            raise TunnelRefused(NoTunnel.UNREACHABLE, f"{where} cannot be reached from it: {exc}") from exc
        try:
            async with await open_tunnel() as tunnel:
                await relay(tunnel, far)
        finally:
            await trio.aclose_forcefully(far)
