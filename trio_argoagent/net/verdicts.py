"""What is wrong with a certificate, in words: one table for both sides of a handshake.

The side that verifies gets OpenSSL's code and the chain as far as it goes; the other one gets an alert, which
says little, but knows its own certificate. Each can so say more than OpenSSL does.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Final

from trio_argoagent.net.certificates import CLIENTS, SERVERS, Facts, timestamp

MAX_ROOTS: Final = 5
"""Names of roots that are listed."""
_FOR: Final = {CLIENTS: "clients", SERVERS: "servers"}


class Fault(enum.Enum):
    """What can be wrong."""

    EXPIRED = "expired"
    NOT_YET = "not valid yet"
    PURPOSE = "for something else"
    IS_CA = "a CA's own"
    SELF_SIGNED = "signed by itself"
    OTHER_CA = "of a CA that is not trusted"
    NAMESAKE = "of a CA with the name of a trusted one"
    NO_ISSUER = "of an unknown issuer"
    TOO_LONG = "of too long a chain"
    WEAK = "too weak"
    NAME = "for other names"
    OTHER = "not to be verified"


_CODES: Final[Mapping[int, Fault]] = {
    2: Fault.NO_ISSUER,
    9: Fault.NOT_YET,
    10: Fault.EXPIRED,
    18: Fault.SELF_SIGNED,
    19: Fault.OTHER_CA,
    20: Fault.NO_ISSUER,
    21: Fault.NO_ISSUER,
    22: Fault.TOO_LONG,
    25: Fault.TOO_LONG,
    26: Fault.PURPOSE,
    27: Fault.OTHER_CA,
    62: Fault.NAME,
    64: Fault.NAME,
    66: Fault.WEAK,
    67: Fault.WEAK,
    68: Fault.WEAK,
}
"""X509_V_ERR_* (openssl/x509_vfy.h)."""


def found(code: int, chain: Sequence[Facts], roots: Sequence[Facts], purpose: str) -> Fault:
    """What OpenSSL has found wrong with a peer's certificate.

    Args:
        code: ``SSLCertVerificationError.verify_code``.
        chain: the peer's, leaf first.
        roots: that are trusted.
        purpose: that it was to be for.
    """
    fault = _CODES.get(code, Fault.OTHER)
    if fault is Fault.PURPOSE and chain and chain[0].is_ca and chain[0].serves(purpose):
        return Fault.IS_CA
    if fault in (Fault.NO_ISSUER, Fault.OTHER_CA) and chain and _namesake(chain[-1], roots):
        return Fault.NAMESAKE
    return fault


def suspected(chain: Sequence[Facts], roots: Sequence[Facts], purpose: str, now: float) -> Fault | None:
    """What is wrong with our own certificate, as far as can be told without the peer; None: nothing.

    Args:
        chain: what we show, leaf first.
        roots: that we trust; the peer may trust others.
        purpose: that we show it for.
        now: Unix time.
    """
    if not chain:
        return None
    leaf, last = chain[0], chain[-1]
    anchors = {root.subject for root in roots}
    checks = (
        (Fault.EXPIRED, any(each.not_after < now for each in chain)),
        (Fault.NOT_YET, any(each.not_before > now for each in chain)),
        (Fault.IS_CA, leaf.is_ca),
        (Fault.PURPOSE, not leaf.serves(purpose)),
        (Fault.SELF_SIGNED, leaf.is_self_signed),
        (Fault.WEAK, any(_is_weak(each) for each in chain)),
        (Fault.OTHER_CA, last.is_self_signed and last.subject not in anchors),
        (Fault.NO_ISSUER, bool(roots) and not last.is_self_signed and last.issuer not in anchors),
    )
    return next((fault for fault, holds in checks if holds), None)


def described(
    fault: Fault,
    chain: Sequence[Facts],
    roots: Sequence[Facts],
    *,
    purpose: str,
    now: float,
    host: str = "",
    said: str = "",
) -> str:
    """The fault as a clause about ``it``, a certificate.

    Args:
        fault: what is wrong.
        chain: leaf first; may be empty.
        roots: that are trusted where this is said.
        purpose: that it was to be for.
        now: Unix time where this is said.
        host: that it was to be for.
        said: OpenSSL's own words.
    """
    if not chain:
        return f"it is {fault.value}"
    return _CLAUSES[fault](chain, roots, purpose, now, host) or said or f"it is {fault.value}"


def _expired(chain: Sequence[Facts], roots: Sequence[Facts], purpose: str, now: float, host: str) -> str:
    which = next((each for each in chain if each.not_after < now), chain[0])
    subject = _which(which, chain)
    return f"{subject} expired at {timestamp(which.not_after)}, and it is {timestamp(now)} here"


def _not_yet(chain: Sequence[Facts], roots: Sequence[Facts], purpose: str, now: float, host: str) -> str:
    which = next((each for each in chain if each.not_before > now), chain[0])
    return (
        f"{_which(which, chain)} is valid from {timestamp(which.not_before)} on, and it is {timestamp(now)}"
        " here: compare the clocks"
    )


def _purpose(chain: Sequence[Facts], roots: Sequence[Facts], purpose: str, now: float, host: str) -> str:
    given = " and ".join(_FOR.get(each, each) for each in chain[0].purposes) or "other uses"
    return f"it is one for {given}, not for {_FOR[purpose]}: its extended key usage must have {purpose}"


def _is_ca(chain: Sequence[Facts], roots: Sequence[Facts], purpose: str, now: float, host: str) -> str:
    return f"it is a CA's own certificate ({chain[0].subject}), not one that a CA has issued"


def _self_signed(chain: Sequence[Facts], roots: Sequence[Facts], purpose: str, now: float, host: str) -> str:
    return "it is signed by itself and by no CA"


def _other_ca(chain: Sequence[Facts], roots: Sequence[Facts], purpose: str, now: float, host: str) -> str:
    return f"it comes from the CA {chain[-1].subject}, and here is trusted: {_listed(roots)}"


def _namesakes(chain: Sequence[Facts], roots: Sequence[Facts], purpose: str, now: float, host: str) -> str:
    name = chain[-1].issuer
    return f"its CA has the name of the one trusted here ({name}) but another key: one of them was made anew"


def _no_issuer(chain: Sequence[Facts], roots: Sequence[Facts], purpose: str, now: float, host: str) -> str:
    return (
        f"it was issued by {chain[-1].issuer}, and here is trusted: {_listed(roots)}; that is another CA,"
        " or an intermediate one whose certificate is missing behind the leaf"
    )


def _too_long(chain: Sequence[Facts], roots: Sequence[Facts], purpose: str, now: float, host: str) -> str:
    between = len(chain) - 2
    return f"its chain is too long: its CA allows fewer than the {between} intermediate certificates between"


def _weak(chain: Sequence[Facts], roots: Sequence[Facts], purpose: str, now: float, host: str) -> str:
    which = next((each for each in chain if _is_weak(each)), chain[0])
    return f"{_which(which, chain)} has a key or a signature that is too weak ({which.key})"


def _name(chain: Sequence[Facts], roots: Sequence[Facts], purpose: str, now: float, host: str) -> str:
    hosts = ", ".join(chain[0].hosts[:MAX_ROOTS])
    return f"it is for {hosts or 'no host at all'}, not for {host}"


def _other(chain: Sequence[Facts], roots: Sequence[Facts], purpose: str, now: float, host: str) -> str:
    return ""


_CLAUSES: Final = {
    Fault.EXPIRED: _expired,
    Fault.NOT_YET: _not_yet,
    Fault.PURPOSE: _purpose,
    Fault.IS_CA: _is_ca,
    Fault.SELF_SIGNED: _self_signed,
    Fault.OTHER_CA: _other_ca,
    Fault.NAMESAKE: _namesakes,
    Fault.NO_ISSUER: _no_issuer,
    Fault.TOO_LONG: _too_long,
    Fault.WEAK: _weak,
    Fault.NAME: _name,
    Fault.OTHER: _other,
}


def _which(certificate: Facts, chain: Sequence[Facts]) -> str:
    return "it" if certificate is chain[0] else f"the certificate of its CA {certificate.subject}"


def _listed(roots: Sequence[Facts]) -> str:
    more = ", ..." if len(roots) > MAX_ROOTS else ""
    return ", ".join(root.subject for root in roots[:MAX_ROOTS]) + more or "no CA"


def _namesake(last: Facts, roots: Sequence[Facts]) -> bool:
    return any(root.subject == last.issuer and root.anchor != last.anchor for root in roots)


def _is_weak(certificate: Facts) -> bool:
    kind, _, size = certificate.key.partition(" ")
    return kind == "RSA" and size.isdigit() and int(size) < 2048
