"""The agent's side of tunnels, on one link: opens what the principal asks for, or says why not.

Each tunnel is a task in the link's nursery. What goes wrong in one is its own end and is told; the link, and
every other tunnel, go on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

import trio

from trio_argoagent.agent.targets import OpenTunnel, Target
from trio_argoagent.errors import LinkError, RemoteProtocolError, TunnelRefused
from trio_argoagent.ports.transport import MAX_TUNNELS, Link, Tunnel
from trio_argoagent.stream.protocol import messages
from trio_argoagent.stream.protocol.reasons import NoTunnel

MAX_UNSAID: Final = 4 * MAX_TUNNELS
"""Refusals that wait to be said. A principal that asks for more, and does not listen, ends its link."""


class Tunnels:
    """See the module; ``replication.session.Tunnelling``.

    Args:
        targets: what a tunnel may lead to, by name.
        able: have both sides agreed on tunnels?
        report: told what fails: name, text, level.
    """

    def __init__(
        self, targets: Mapping[str, Target], able: bool, report: Callable[[str, str, str], None]
    ) -> None:
        self._targets, self._able, self._report = targets, able, report
        self._unsaid: deque[messages.Decline] = deque()
        self._tasks = 0
        self._wake: Callable[[], None] = lambda: None
        self._asked, self._work = trio.open_memory_channel[messages.Open](MAX_TUNNELS)

    async def run(self, link: Link, wake: Callable[[], None]) -> None:
        """See ``Tunnelling``."""
        self._wake = wake
        async with trio.open_nursery() as nursery:
            async for asked in self._work:
                nursery.start_soon(self._serve, link, asked)

    def next(self) -> messages.Decline | None:
        """See ``Tunnelling``."""
        return self._unsaid.popleft() if self._unsaid else None

    def hear(self, message: messages.Open | messages.Decline) -> None:
        """See ``Tunnelling``."""
        if not self._able or isinstance(message, messages.Decline):
            raise RemoteProtocolError(f"{type(message).__name__}: this was not agreed on")
        if self._tasks >= MAX_TUNNELS:
            text = f"it serves {MAX_TUNNELS} tunnels already: wait until one ends"
            self._decline(message.tunnel_id, TunnelRefused(NoTunnel.TOO_MANY, text))
            return
        self._tasks += 1
        self._asked.send_nowait(message)

    def _decline(self, tunnel_id: str, refusal: TunnelRefused) -> None:
        if len(self._unsaid) >= MAX_UNSAID:
            raise RemoteProtocolError("the principal asks for tunnels and does not hear that it gets none")
        self._unsaid.append(messages.Decline(tunnel_id, NoTunnel(refusal.reason), refusal.detail))
        self._wake()

    async def _serve(self, link: Link, asked: messages.Open) -> None:
        """One tunnel to its end."""
        with trio.CancelScope(deadline=trio.current_time() + asked.within) as scope:

            async def open_tunnel() -> Tunnel:
                tunnel = await link.open_tunnel(asked.tunnel_id)
                scope.deadline = float("inf")
                return tunnel

            try:
                await self._lead(asked, open_tunnel)
            except TunnelRefused as exc:
                self._decline(asked.tunnel_id, exc)
            except (trio.BrokenResourceError, LinkError):
                pass  # Whoever wanted it has left, or the link has: its reader tells of that.
            except Exception as exc:
                self._report("tunnel-failed", f"a tunnel to {asked.target}: {exc!r}", "error")
            finally:
                self._tasks -= 1
        if scope.cancelled_caught:
            text = f"{asked.target} was not reached within {asked.within:g} s"
            self._decline(asked.tunnel_id, TunnelRefused(NoTunnel.TIMEOUT, text))

    async def _lead(self, asked: messages.Open, open_tunnel: OpenTunnel) -> None:
        target = self._targets.get(asked.target)
        if target is None:
            known = ", ".join(self._targets)
            raise TunnelRefused(NoTunnel.UNKNOWN_TARGET, f"it has no {asked.target}, only: {known}")
        await target(dict(asked.metadata), open_tunnel)
