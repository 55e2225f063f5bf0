"""The tunnels of one end of a link: those that are open, and at the principal those that are awaited.

Every transport keeps one of these for each link and ends it with the link.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import attrs
import trio

from trio_argoagent.errors import LinkBroken, TunnelRefused
from trio_argoagent.ports.transport import MAX_TUNNELS, LinkStatistics, Tunnel
from trio_argoagent.stream.protocol.reasons import NoTunnel
from trio_argoagent.stream.protocol.tunnels import Awaited, Verdict
from trio_argoagent.stream.tunnel import CarriedTunnel, Carrier, Tally


@attrs.define(eq=False)
class _Arrival:
    came: trio.Event = attrs.field(factory=trio.Event)
    tunnel: Tunnel | None = None


class Tunnels:
    """See the module."""

    def __init__(self) -> None:
        self._awaited = Awaited()
        self._arrivals: dict[str, _Arrival] = {}
        self._open: dict[CarriedTunnel, None] = {}
        self._tally = Tally()
        self._opening = 0
        self._ended = False

    @contextmanager
    def opening(self) -> Iterator[None]:
        """One more is about to be open, or not.

        Raises:
            TunnelRefused: there are as many as there may be.
            LinkBroken: the link has ended.
        """
        if self._ended:
            raise LinkBroken("the link has ended")
        if len(self._open) + self._opening >= MAX_TUNNELS:
            text = f"this link has {MAX_TUNNELS} tunnels already: wait until one ends"
            raise TunnelRefused(NoTunnel.TOO_MANY, text)
        self._opening += 1
        try:
            yield
        finally:
            self._opening -= 1

    def add(self, carrier: Carrier) -> CarriedTunnel:
        """A tunnel over this carrier, which ends with the link at the latest."""
        tunnel = CarriedTunnel(carrier, self._tally, self._gone)
        if self._ended:
            tunnel.abort()
        else:
            self._tally.opened += 1
            self._open[tunnel] = None
        return tunnel

    def _gone(self, tunnel: CarriedTunnel) -> None:
        self._open.pop(tunnel, None)

    async def accept(self, tunnel_id: str, within: float) -> Tunnel:
        """See ``Link.accept_tunnel``."""
        with self.opening():
            return await self._await(tunnel_id, within)

    async def _await(self, tunnel_id: str, within: float) -> Tunnel:
        arrival = _Arrival()
        self._awaited.expect(tunnel_id, trio.current_time() + within)
        self._arrivals[tunnel_id] = arrival
        try:
            with trio.move_on_after(within):
                await arrival.came.wait()
        except BaseException:
            if arrival.tunnel is not None:
                arrival.tunnel.abort()  # It came, and whoever asked for it goes.
            raise
        finally:
            del self._arrivals[tunnel_id]
            self._awaited.withdraw(tunnel_id)
        if arrival.tunnel is not None:
            return arrival.tunnel
        if self._ended:
            raise LinkBroken("the link has ended")
        raise TunnelRefused(NoTunnel.TIMEOUT, f"the agent has not opened it within {within:g} s")

    def awaits(self, tunnel_id: str) -> bool:
        """Does anybody here wait for this tunnel?"""
        return tunnel_id in self._arrivals

    def claim(self, tunnel_id: str) -> Verdict:
        """The agent wants to open this tunnel. Granted: the next step is ``arrive``."""
        return self._awaited.claim(tunnel_id, trio.current_time())

    def arrive(self, tunnel_id: str, carrier: Carrier) -> CarriedTunnel:
        """The tunnel that was granted is open; whoever waits for it gets it."""
        tunnel = self.add(carrier)
        arrival = self._arrivals.get(tunnel_id)
        if arrival is None:
            tunnel.abort()
        else:
            arrival.tunnel = tunnel
            arrival.came.set()
        return tunnel

    def end(self) -> None:
        """The link is over, and so are its tunnels."""
        self._ended = True
        for tunnel in tuple(self._open):
            tunnel.break_off()
        for arrival in self._arrivals.values():
            arrival.came.set()

    def counted(self, link: LinkStatistics) -> LinkStatistics:
        """The link's figures with those of its tunnels."""
        tally = self._tally
        return attrs.evolve(
            link,
            tunnels=tally.opened,
            tunnel_bytes_sent=tally.sent,
            tunnel_bytes_received=tally.received,
        )
