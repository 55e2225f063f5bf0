"""Who may speak to us without TLS: a mesh's proxy, which has done TLS in our place."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final

import attrs
import trio

from trio_argoagent.errors import RemoteProtocolError, UserError
from trio_argoagent.net.errors import ConnectionBroken
from trio_argoagent.net.peeked import Peeked

_HTTP2: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""A client's preface (RFC 9113, section 3.4)."""
_TLS: Final = b"\x16\x03"
"""A record with a handshake (RFC 8446, section 5.1)."""
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@attrs.frozen
class Neighbours:
    """Addresses that may connect: this machine's (a sidecar shares its pod's), and those of these networks.

    From this machine is what comes from a loopback address, or from the very address that it connects to: the
    kernel takes neither from the network.
    """

    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Neighbours:
        """Networks, or single addresses, as people write them.

        Raises:
            UserError: one is neither.
        """
        networks: list[Network] = []
        for text in texts:
            try:
                networks.append(ipaddress.ip_network(text))
            except ValueError as exc:
                raise UserError(f"{text!r} is no network: write it like 10.1.2.0/24 ({exc})") from exc
        return cls(tuple(networks))

    def may(self, peer: str, here: str) -> bool:
        """May this peer connect to this address of ours?

        Args:
            peer: its IP address; what is none may not.
            here: ours, that it has connected to.
        """
        try:
            address, ours = _address(peer), _address(here)
        except ValueError:
            return False
        if address.is_loopback or address == ours:
            return True
        return any(address in network for network in self.networks if network.version == address.version)


async def meet(transport: trio.SocketStream, neighbours: Neighbours) -> tuple[Peeked, bool]:
    """The stream of somebody who has connected without TLS, and whether he begins with HTTP/2.

    Raises:
        RemoteProtocolError: he may not, or begins with TLS.
        trio.BrokenResourceError: he is gone.
    """
    try:
        peer, here = transport.socket.getpeername()[0], transport.socket.getsockname()[0]
    except OSError as exc:
        raise ConnectionBroken("the peer is gone before it has said anything") from exc
    if not neighbours.may(peer, here):
        raise RemoteProtocolError(f"{peer} may not connect without TLS (--plaintext-from)")
    stream = Peeked(transport)
    if await stream.begins_with(_TLS):
        raise RemoteProtocolError(f"{peer} begins with TLS, and there is none here (--insecure-plaintext)")
    return stream, await stream.begins_with(_HTTP2)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address; one of IPv4 that came over a socket of IPv6 is itself. Without its zone."""
    address = ipaddress.ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address
