"""Tunnels as work in the background of a trial: all that goes in comes out, or both ends are told.

Each spoke has users who open tunnels to its ``echo``, each with a mind of its own: to end cleanly, to abort
amid the bytes, or not to read for a while. What they see is judged at once; that nothing of it stays open is
seen in the end, when as many tunnels as there may be must find room on every link.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import trio

from trio_argoagent.agent.targets import ECHO
from trio_argoagent.errors import LinkBroken, TunnelRefused
from trio_argoagent.ports.env import Random
from trio_argoagent.ports.transport import MAX_TUNNELS, Tunnel
from trio_argoagent.principal.tunnels import Tunnels
from trio_argoagent.testing.fleet import Fleet

PACE: Final = 2.0
"""Seconds on average between two tunnels to a spoke."""
MOST: Final = 400_000
"""Bytes that go in; more than all windows of a tunnel hold at level 1."""
STALL: Final = 10.0
"""Seconds that a user may leave what comes unread."""
PATIENCE: Final = 300.0
"""Seconds within which a tunnel is over, whatever befalls the fleet: silence on a link is noticed sooner."""
PIECE: Final = 50_000


class Diggers:
    """See the module.

    Args:
        fleet: which.
        chance: of what they do.
        violate: told what did not hold, a line each.
    """

    def __init__(self, fleet: Fleet, chance: Random, violate: Callable[[str], None]) -> None:
        self._fleet, self._chance, self._violate = fleet, chance, violate
        self._over = trio.Event()

    async def run(self, until: float) -> None:
        """Dig until that time of Trio's clock, and wait for what is still open."""
        async with trio.open_nursery() as nursery:
            while (at := trio.current_time() + self._chance.uniform(0, 2 * PACE)) < until:
                await trio.sleep_until(at)
                for agent in self._fleet.spokes:
                    nursery.start_soon(self._dig, agent, self._chance.random(), self._chance.random())
        self._over.set()

    async def fill(self) -> None:
        """When ``run`` is done: as many as there may be on each link, all at once.

        Sooner or later: a link that has fallen silent is noticed after a while.
        """
        await self._over.wait()
        for agent in self._fleet.spokes:
            until = trio.current_time() + PATIENCE
            while text := await self._fill(agent):
                if trio.current_time() >= until:
                    self._fail(agent, text)
                    break
                await trio.sleep(PACE)

    async def _fill(self, agent: str) -> str:
        """Open them; what was wrong, if anything was."""
        tunnels = self._way(agent)
        if tunnels is None:
            return "nobody is there to open one"
        all_open, failed, left = trio.Event(), list[str](), [MAX_TUNNELS]
        async with trio.open_nursery() as nursery:
            for _ in range(MAX_TUNNELS):
                nursery.start_soon(self._hold, tunnels, left, all_open, failed)
        return f"{len(failed)} of {MAX_TUNNELS} found no room: {failed[0]}" if failed else ""

    async def _hold(self, tunnels: Tunnels, left: list[int], all_open: trio.Event, failed: list[str]) -> None:
        try:
            async with tunnels.open(ECHO):
                left[0] -= 1
                if not left[0]:
                    all_open.set()
                with trio.move_on_after(PATIENCE):
                    await all_open.wait()
        except (TunnelRefused, LinkBroken, trio.BrokenResourceError) as exc:
            failed.append(str(exc))
            all_open.set()

    def _way(self, agent: str) -> Tunnels | None:
        principal = self._fleet.principal.instance
        peer = principal.peers.get(agent) if principal is not None else None
        return peer.tunnels if peer is not None else None

    async def _dig(self, agent: str, size: float, mind: float) -> None:
        tunnels = self._way(agent)
        if tunnels is None:
            return
        with trio.move_on_after(PATIENCE) as scope:
            try:
                async with tunnels.open(ECHO) as tunnel:
                    await self._use(agent, tunnel, bytes(range(256)) * (int(size * MOST) // 256), mind)
            except (TunnelRefused, LinkBroken, trio.BrokenResourceError):
                pass  # Told: that is all that is promised.
        if scope.cancelled_caught:
            self._fail(agent, f"one was not over within {PATIENCE:.0f} s, and nobody was told")

    async def _use(self, agent: str, tunnel: Tunnel, data: bytes, mind: float) -> None:
        broken: list[trio.BrokenResourceError] = []
        back = bytearray()

        async def say() -> None:
            try:
                for start in range(0, len(data), PIECE):
                    if mind < 0.2 and start > len(data) * mind * 5:
                        tunnel.abort()
                        return
                    await tunnel.send_all(data[start : start + PIECE])
                await tunnel.send_eof()
            except trio.BrokenResourceError as exc:
                broken.append(exc)

        aborted = False  # By ourselves.
        async with trio.open_nursery() as nursery:
            nursery.start_soon(say)
            if mind > 0.7:
                await trio.sleep((mind - 0.7) * STALL / 0.3)
            try:
                while piece := await tunnel.receive_some():
                    back += piece
            except trio.ClosedResourceError:
                aborted = True
            except trio.BrokenResourceError as exc:
                broken.append(exc)
        if aborted:
            return
        if not data.startswith(bytes(back)):
            self._fail(agent, f"what came back of {len(data)} bytes is something else")
        elif not broken and len(back) < len(data):
            self._fail(agent, f"{len(back)} of {len(data)} bytes came back, and then a clean end")

    def _fail(self, agent: str, text: str) -> None:
        self._violate(f"{trio.current_time():.3f} s: T1: tunnels to {agent}: {text}")
