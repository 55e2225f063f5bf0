"""How long certificates let a link live: they are looked at while it is up, not only when it begins.

An agent whose certificate has expired, or has lost its CA, is asked to go on over another connection, for
which it needs a better one; a minute later it is told goodbye. When the principal's own certificate changes
all agents are asked, spread over minutes: they go on with the new one long before the old one is over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import attrs
import trio

from trio_argoagent.model.identity import Peer
from trio_argoagent.model.rulings import Auditor, Decision, about
from trio_argoagent.net.certificates import timestamp
from trio_argoagent.ports.env import Env
from trio_argoagent.ports.transport import Link
from trio_argoagent.principal.door import Seat
from trio_argoagent.runtime.freshness import Freshness
from trio_argoagent.stream.protocol.messages import Goodbye, Reason

LOOK: Final = 10.0
"""Seconds between two looks at who has expired."""
GRACE: Final = 50.0
"""Seconds from there to the goodbye: with the look before it a minute at most."""
SPREAD: Final = 300.0
"""Seconds over which all agents are asked to dial again: a thousand of them are some three a second."""


@attrs.frozen(eq=False)
class Seated:
    """A live link: its seat, and what its peer has shown."""

    seat: Seat
    link: Link


class Tenure:
    """See the module.

    Args:
        seated: the live links, by agent.
        freshness: what TLS material is in use.
        env: time, and chance for the spread.
        report: told what happens: agent, name, text, level.
        audit: told whose link ends.
    """

    def __init__(
        self,
        seated: Callable[[], Mapping[str, Seated]],
        freshness: Freshness,
        env: Env,
        report: Callable[[str, str, str, str], None],
        audit: Auditor,
    ) -> None:
        self._seated, self._freshness, self._env = seated, freshness, env
        self._report, self._audit = report, audit
        self._parting: set[Seat] = set()  # Asked for, never walked through.

    async def run(self) -> None:
        """Look after all links until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._follow_trust, nursery)
            nursery.start_soon(self._follow_identity, nursery)
            while True:
                self._look(nursery)
                await trio.sleep(LOOK)

    async def _follow_trust(self, nursery: trio.Nursery) -> None:
        mark = self._freshness.mark
        while True:
            mark = await self._freshness.wait_changed(mark, identity=False)
            self._look(nursery)

    async def _follow_identity(self, nursery: trio.Nursery) -> None:
        mark = self._freshness.mark
        while True:
            mark = await self._freshness.wait_changed(mark, trust=False)
            there = self._seated()
            text = f"the principal's certificate is new: {len(there)} agents are asked to dial again"
            self._report("", "links-moving", f"{text} within {SPREAD:.0f} s", "info")
            for each in there.values():
                nursery.start_soon(self._ask, each.seat, self._env.random.uniform(0.0, SPREAD))

    async def _ask(self, seat: Seat, after: float) -> None:
        with trio.move_on_after(after):
            await seat.ended.wait()
            return
        seat.drain()

    def _look(self, nursery: trio.Nursery) -> None:
        """Begin to part with whoever's certificate counts no more."""
        for name, each in self._seated().items():
            why = self._outlived(each.link.peer)
            if why and each.seat not in self._parting:
                self._parting.add(each.seat)
                nursery.start_soon(self._part, name, each, Goodbye(Reason.IDENTITY, why))

    def _outlived(self, peer: Peer) -> str:
        """Why this certificate counts no more; empty: it does."""
        if peer.expires <= self._env.now():
            return f"its certificate expired at {timestamp(peer.expires)}"
        if not self._freshness.trusts(peer.anchor):
            return "the CA of its certificate is not trusted any more"
        return ""

    async def _part(self, name: str, each: Seated, goodbye: Goodbye) -> None:
        text = f"{goodbye.detail}: its link ends in {GRACE:.0f} s unless it has another one by then"
        self._report(name, "link-outlived", text, "warning")
        self._audit(about(each.link.peer, Decision.REFUSED, "link", goodbye.detail))
        seat = each.seat
        seat.drain()
        with trio.move_on_after(GRACE):
            await seat.ended.wait()
        if not seat.ended.is_set():
            if seat.session is not None:
                seat.session.leave(goodbye)
            else:
                seat.leave(goodbye)
            await seat.ended.wait()
        self._parting.discard(seat)
