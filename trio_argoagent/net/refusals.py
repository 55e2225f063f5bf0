"""Why a handshake has failed: what is wrong with the peer's certificate, or what it has against ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs

from trio_argoagent.net.certificates import Facts, all_facts, timestamp
from trio_argoagent.net.errors import TlsFailed
from trio_argoagent.net.verdicts import Fault, described, found, suspected

ABOUT_CERTIFICATES: Final = frozenset(
    (
        "ACCESS_DENIED",
        "BAD_CERTIFICATE",
        "CERTIFICATE_EXPIRED",
        "CERTIFICATE_UNKNOWN",
        "DECRYPT_ERROR",
        "UNKNOWN_CA",
        "UNSUPPORTED_CERTIFICATE",
    )
)
"""The alerts by which a peer refuses a certificate (RFC 8446 section 6.2)."""


def _nothing() -> Sequence[Facts]:
    return ()


@attrs.frozen
class Ours:
    """What this side knows when a handshake has failed.

    Attributes:
        now: Unix time.
        purpose: that its own certificate is for: ``CLIENTS`` or ``SERVERS``.
        shown: its own certificate, with its chain; empty: it shows none.
        trusted: the CA certificates that it trusts.
    """

    now: Callable[[], float]
    purpose: str
    shown: Callable[[], Sequence[Facts]] = _nothing
    trusted: Callable[[], Sequence[Facts]] = _nothing


@attrs.frozen
class Verdict:
    """Why a peer's certificate was refused.

    Attributes:
        fault: what is wrong with it.
        clause: the same about ``it``, for people.
        certificate: the refused one, as far as it can be read. Nothing is proven by it.
    """

    fault: Fault
    clause: str
    certificate: Facts | None


def judged(failed: TlsFailed, ours: Ours | None, purpose: str, host: str = "") -> Verdict:
    """What is wrong with the certificate that was refused.

    Args:
        failed: with ``code`` other than 0.
        ours: this side; None: nothing is known of it.
        purpose: that the certificate was to be for: ``CLIENTS`` or ``SERVERS``.
        host: likewise, where it matters.
    """
    if ours is None:
        fault = found(failed.code, (), (), purpose)
        return Verdict(fault, f"it is {fault.value}", None)
    chain, roots = all_facts(failed.chain), ours.trusted()
    fault = found(failed.code, chain, roots, purpose)
    clause = described(fault, chain, roots, purpose=purpose, now=ours.now(), host=host, said=str(failed))
    return Verdict(fault, clause, chain[0] if chain else None)


def rejected(alert: str, ours: Ours | None) -> str:
    """What the peer may have against our certificate, as a clause about ``it``.

    The alert alone says little, and several causes share one. What is wrong with it here as well is said;
    else what the peer must see otherwise.

    Args:
        alert: its name in OpenSSL, such as ``UNKNOWN_CA``.
        ours: this side; None: nothing is known of it.
    """
    chain = ours.shown() if ours is not None else ()
    if ours is None or not chain:
        return "nothing is known of it here"
    now = ours.now()
    fault = suspected(chain, ours.trusted(), ours.purpose, now)
    if fault is not None and _fits(alert, fault):
        return described(fault, chain, ours.trusted(), purpose=ours.purpose, now=now)
    return _ELSE.get(alert, _unknown)(chain[0], now)


def _fits(alert: str, fault: Fault) -> bool:
    """Can this be what the alert means? (RFC 8446 section 6.2, as OpenSSL and Go choose among them.)"""
    return alert not in _MEANT or fault in _MEANT[alert]


_MEANT: Final[Mapping[str, tuple[Fault, ...]]] = {
    "BAD_CERTIFICATE": (Fault.NOT_YET, Fault.WEAK),
    "CERTIFICATE_EXPIRED": (Fault.EXPIRED, Fault.NOT_YET),
    "UNSUPPORTED_CERTIFICATE": (Fault.PURPOSE, Fault.IS_CA),
    "UNKNOWN_CA": (Fault.OTHER_CA, Fault.NO_ISSUER, Fault.SELF_SIGNED, Fault.IS_CA),
}


def _unknown(leaf: Facts, now: float) -> str:
    return f"nothing is wrong with it here ({leaf.subject} of {leaf.issuer})"


def _expired(leaf: Facts, now: float) -> str:
    return (
        f"it is good until {timestamp(leaf.not_after)}, and it is {timestamp(now)} here: compare the clocks,"
        " and see whether its CA's certificate has expired there"
    )


def _bad(leaf: Facts, now: float) -> str:
    return (
        f"it is good from {timestamp(leaf.not_before)} on, and it is {timestamp(now)} here: compare clocks;"
        f" else its key ({leaf.key}) or that of its CA is too weak there, or it is for another name"
    )


def _foreign(leaf: Facts, now: float) -> str:
    return f"it was issued by {leaf.issuer}, which is not trusted there, or not under that key"


def _unsupported(leaf: Facts, now: float) -> str:
    given = " and ".join(leaf.purposes) or "any purpose"
    return f"it is one for {given}: its key usage or its extended key usage is not taken there"


_ELSE: Final = {
    "CERTIFICATE_EXPIRED": _expired,
    "BAD_CERTIFICATE": _bad,
    "UNKNOWN_CA": _foreign,
    "UNSUPPORTED_CERTIFICATE": _unsupported,
}
