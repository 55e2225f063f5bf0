"""What was decided about somebody, as far as security is concerned: values for the audit log.

They are here so that whoever decides can say so, in whichever layer; ``runtime.audit`` writes them down.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

import attrs

from trio_argoagent.model.identity import Peer


class Decision(enum.StrEnum):
    """What was decided. docs/audit.md says who decides it, and on what."""

    ADMITTED = "admitted"
    """The agent has its link."""
    REFUSED = "refused"
    """What was asked for is not granted; where none of the others below says more."""
    MODE_REFUSED = "mode-refused"
    """The agent calls itself managed or autonomous, and is pinned to the other."""
    REVOKED = "revoked"
    """The certificate is on the blocklist, or the agent was taken off the hub: what it has ends."""
    BANNED = "banned"
    """Nothing is granted for a while, after misbehaviour."""
    STRUCK = "struck"
    """Misbehaviour, counted towards a ban."""
    SCOPE_VIOLATION = "scope-violation"
    """The agent spoke of what is not its own."""
    REGISTERED = "registered"
    """The hub has a cluster secret for this agent from now on."""
    PINNED = "pinned"
    """The agent is this mode, namespace and cluster from now on."""
    HELD = "held"
    """Deletions wait for a person."""
    CONFIRMED = "confirmed"
    """A person has said that they shall be carried out."""
    ENROLLED = "enrolled"
    """A first certificate was signed, by a one-time token."""
    RENEWED = "renewed"
    """A certificate was signed, by the one before it."""
    REJOINED = "rejoined"
    """A certificate was signed, by the key of one that had expired."""


@attrs.frozen
class Ruling:
    """One decision.

    Attributes:
        decision: what it was.
        asked: what was asked for, in a word or a few: ``link``, ``enrolment``, ``write AppProject/default``.
            A name that somebody only claims belongs here.
        reason: why, in one line; empty where the decision says it all. Never a secret.
        agent: whom it is about, as proven; empty: nobody has proven who he is.
        fingerprint: SHA-256 of the certificate, upper-case hexadecimal; empty: none was shown.
        address: ``host:port`` it came from; empty: it came over no connection, or it is not known.
    """

    decision: Decision
    asked: str
    reason: str = ""
    agent: str = ""
    fingerprint: str = ""
    address: str = ""


Auditor = Callable[[Ruling], None]
"""Told of every ruling, at once; it must not raise."""


def unaudited(ruling: Ruling) -> None:
    """The auditor that looks away."""


def about(peer: Peer, decision: Decision, asked: str, reason: str = "") -> Ruling:
    """A ruling on somebody who has proven who he is."""
    return Ruling(decision, asked, reason, peer.name, peer.fingerprint, peer.address)
