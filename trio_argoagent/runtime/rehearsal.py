"""What a peer would have against our certificate: asked by a handshake in memory, with OpenSSL on both ends.

So nothing is judged by rules of our own: what passes, passes with the peer, as far as its trust is known.
"""

from __future__ import annotations

import ssl
from typing import Final

import attrs

from trio_argoagent.net.certificates import SERVERS
from trio_argoagent.net.contexts import client_context, server_context
from trio_argoagent.net.verdicts import Fault, described, found
from trio_argoagent.runtime.tlsvalues import Identity, Trust

STEPS: Final = 8
"""Rounds of the handshake; TLS 1.3 takes two."""


@attrs.frozen
class Doubt:
    """Something that is wrong with material which can be used."""

    fault: Fault
    text: str


def doubts_of(identity: Identity, purpose: str, trust: Trust | None, now: float) -> tuple[Doubt, ...]:
    """What is wrong with a certificate.

    Args:
        identity: to be shown.
        purpose: ``CLIENTS`` or ``SERVERS``.
        trust: that the peer is taken to have; None: nothing is known of it.
        now: Unix time, for the words; OpenSSL takes the system's.
    """
    faults = [Fault.IS_CA] if identity.chain[0].is_ca else []  # OpenSSL takes it; nobody should.
    roots = trust.roots if trust is not None else ()
    refusal = _refusal(identity, purpose, None)
    if refusal is None and trust is not None:
        refusal = _refusal(identity, purpose, trust)
    if refusal is not None:
        faults.append(found(getattr(refusal, "verify_code", 0), identity.chain, roots, purpose))
    said = f"OpenSSL cannot use it: {refusal.reason or refusal}" if refusal is not None else ""
    return tuple(
        Doubt(fault, described(fault, identity.chain, roots, purpose=purpose, now=now, said=said))
        for fault in dict.fromkeys(faults)
    )


def doubts_of_trust(trust: Trust, now: float) -> tuple[Doubt, ...]:
    """What is wrong with CA certificates: nothing, as long as one of them is valid.

    Args:
        trust: the bundle.
        now: Unix time.
    """
    if all(root.not_after < now for root in trust.roots):
        return (Doubt(Fault.EXPIRED, described(Fault.EXPIRED, trust.roots, (), purpose="", now=now)),)
    if all(root.not_before > now for root in trust.roots):
        return (Doubt(Fault.NOT_YET, described(Fault.NOT_YET, trust.roots, (), purpose="", now=now)),)
    return ()


def _refusal(identity: Identity, purpose: str, trust: Trust | None) -> ssl.SSLError | None:
    """Why there is no handshake with a peer; without a trust one that trusts this very certificate."""
    ca = trust.pem if trust is not None else identity.certificate
    serving, certificate, key = purpose == SERVERS, identity.certificate, identity.key
    wanted = None if serving else ca
    listening = server_context(
        certificate=certificate, key=key, client_ca=wanted, require_client=not serving, alpn=()
    )
    if serving:
        dialling = client_context(ca=ca, certificate=None, key=None, alpn=())
        dialling.check_hostname = False  # Which names peers use is not known here.
    else:
        dialling = client_context(ca=None, certificate=certificate, key=key, alpn=(), verify=False)
    if trust is None:
        (dialling if serving else listening).verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return _shake(listening, dialling)


def _shake(listening: ssl.SSLContext, dialling: ssl.SSLContext) -> ssl.SSLError | None:
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (dialling.wrap_bio(down, up), listening.wrap_bio(up, down, server_side=True))
    for _ in range(STEPS):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError as exc:
                return exc
    return None
