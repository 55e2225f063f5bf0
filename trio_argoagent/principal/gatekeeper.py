"""Who stays outside whoever he is: somebody whose certificate is blocked on the hub.

Asked where a connection asks for a link, by the door once the agent has said hello, and before a certificate
is signed. What is blocked is kept up to date by ``revocation``; it stays in force while the hub's API server
is away.
"""

from __future__ import annotations

from typing import Final

from trio_argoagent.model.identity import Peer
from trio_argoagent.model.rulings import Auditor, Decision, about, unaudited
from trio_argoagent.stream.admission import Refusal
from trio_argoagent.stream.protocol.messages import Reason, Refuse

BLOCKED_RETRY: Final = 30.0
"""Seconds after which somebody whose certificate is blocked may ask again: a person has to act first."""
_STATUS: Final = 403


class Gatekeeper:
    """See the module.

    Args:
        audit: told whom it turns away before the door has heard of him.

    Attributes:
        blocked: fingerprints of certificates that count no more.
    """

    def __init__(self, audit: Auditor = unaudited) -> None:
        self._audit = audit
        self.blocked: frozenset[str] = frozenset()

    def refusal(self, peer: Peer) -> Refuse | None:
        """Why this one gets nothing, as the protocol says it; None: nothing stands against him."""
        if peer.fingerprint in self.blocked:
            return Refuse(Reason.REVOKED, blocked(peer), BLOCKED_RETRY)
        return None

    def __call__(self, peer: Peer) -> Refusal | None:
        """The same as HTTP says it: a ``stream.admission.Gate``."""
        answer = self.refusal(peer)
        if answer is None:
            return None
        self._audit(about(peer, Decision.REVOKED, "connection", answer.detail))
        return Refusal(_STATUS, answer.detail, answer.retry_after)


def blocked(peer: Peer) -> str:
    """What somebody is told whose certificate is blocked."""
    return (
        f"the certificate of {peer.name} ({peer.fingerprint}) is blocked on the hub: issue a new one, or see"
        " trio-argoagent ctl blocklist"
    )
