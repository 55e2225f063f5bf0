"""Who stays outside, whoever he is: somebody whose certificate is blocked on the hub, or who has misbehaved.

Asked where a connection asks for a link, by the door once the agent has said hello, and before a certificate
is signed. What is blocked is kept up to date by ``revocation``; it stays in force while the hub's API server
is away. Who misbehaves has a strike against what he has proven, name and certificate, so that nobody can have
anybody else banned. Whoever has proven nothing has them against the address that he comes from; they stand in
the way of nobody who shows a certificate, though he comes from there as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import trio

from trio_argoagent.model.identity import Peer
from trio_argoagent.model.rulings import Auditor, Decision, about, unaudited
from trio_argoagent.principal.bans import Bans
from trio_argoagent.principal.blocklist import NOTHING
from trio_argoagent.principal.rates import source
from trio_argoagent.stream.admission import Refusal
from trio_argoagent.stream.protocol.messages import Reason, Refuse

BLOCKED_RETRY: Final = 30.0
"""Seconds after which somebody whose certificate is blocked may ask again: a person has to act first."""
_AS_HTTP: Final = {Reason.REVOKED: (403, Decision.REVOKED), Reason.BANNED: (429, Decision.BANNED)}


class Gatekeeper:
    """See the module.

    Args:
        audit: told of strikes and bans, and whom it turns away before the door has heard of him.
        bans: see below.

    Attributes:
        bans: does misbehaviour lead to one? Strikes are told in any case.
        blocked: whose certificates count no more.
        on_ban: told who has just been banned, with what his link shall be told.
    """

    def __init__(self, audit: Auditor = unaudited, *, bans: bool = True) -> None:
        self._audit, self.bans = audit, bans
        self.blocked = NOTHING
        self.on_ban: Callable[[Peer, str], None] = lambda who, text: None
        self._agents, self._sources = Bans(), Bans()

    def refusal(self, peer: Peer) -> Refuse | None:
        """Why this one gets nothing, as the protocol says it; None: nothing stands against him."""
        if self.blocked.names(peer):
            return Refuse(Reason.REVOKED, blocked(peer), BLOCKED_RETRY)
        left = self.banned(peer)
        return Refuse(Reason.BANNED, banned(peer, left), left) if left else None

    def __call__(self, peer: Peer) -> Refusal | None:
        """The same as HTTP says it: a ``stream.admission.Gate``. Without a name: somebody unknown."""
        answer = self.refusal(peer)
        if answer is None:
            return None
        status, decision = _AS_HTTP[answer.reason]
        self._audit(about(peer, decision, "connection", answer.detail))
        return Refusal(status, answer.detail, answer.retry_after)

    def strike(self, peer: Peer, why: str) -> None:
        """He has misbehaved: a ``stream.admission.Strike``. It may have been once too often."""
        bans, who = self._of(peer)
        self._audit(about(peer, Decision.STRUCK, "connection", why))
        seconds = bans.strike(who, trio.current_time()) if self.bans else 0.0
        if seconds:
            text = banned(peer, seconds)
            self._audit(about(peer, Decision.BANNED, "connection", text))
            self.on_ban(peer, text)

    def banned(self, peer: Peer) -> float:
        """Whole seconds for which he is; 0: he is not."""
        bans, who = self._of(peer)
        return float(math.ceil(bans.left(who, trio.current_time())))

    def outside(self) -> dict[str, int]:
        """The agents that are banned now, and for how many seconds yet."""
        found = self._agents.outside(trio.current_time())
        return {who.partition(" ")[0]: math.ceil(left) for who, left in found.items()}

    def _of(self, peer: Peer) -> tuple[Bans, str]:
        if peer.name:
            return self._agents, f"{peer.name} {peer.fingerprint}"
        return self._sources, source(peer.address)


def blocked(peer: Peer) -> str:
    """What somebody is told whose certificate is blocked."""
    shown = f" ({peer.fingerprint})" if peer.fingerprint else ""
    return (
        f"the certificate of {peer.name}{shown} is blocked on the hub: issue a new one, or see"
        " trio-argoagent ctl blocklist"
    )


def banned(peer: Peer, seconds: float) -> str:
    """What somebody is told who has misbehaved too often."""
    who = peer.name or source(peer.address) or "you"
    return f"{who} has broken the protocol too often, and is let in again in {math.ceil(seconds)} s"
