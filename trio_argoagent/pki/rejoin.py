"""The way back of an agent whose certificate expired while it was off.

TLS takes no expired certificate, so the agent shows its last one inside the request, and signs the new
request with the last key: it is still the one that was certified. Whoever records the message and says it
again gets a certificate for the key in that request, which he does not have: nothing to him.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from trio_argoagent.pki import keys

_DOMAIN: Final = b"trio-argoagent/re-join/1\0"
"""No signature of this kind can be taken for one that the key has made for something else."""
MAX_CERTIFICATE: Final = 8 * 1024
"""Bytes (DER) of a last certificate that is read."""


class Verdict(enum.Enum):
    """What somebody who shows a last certificate gets."""

    GRANTED = "granted"
    FOREIGN = "foreign"
    """It cannot be read, is no client's, or comes from no authority of ours."""
    UNPROVEN = "unproven"
    """The request is not signed with its key."""
    EARLY = "early"
    """It is not valid yet: a clock is wrong."""
    LATE = "late"
    """It expired too long ago."""


def sign(key: keys.PrivateKey, request: bytes) -> bytes:
    """The proof of having the last key.

    Args:
        key: of the last certificate.
        request: for the new one (DER).
    """
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(_DOMAIN + request, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(_DOMAIN + request, ec.ECDSA(hashes.SHA256()))


def judge(
    certificate: bytes,
    signature: bytes,
    request: bytes,
    *,
    authorities: Sequence[x509.Certificate],
    window: float,
    now: float,
) -> Verdict:
    """May whoever shows this have a new certificate in the same name?

    Args:
        certificate: the last one (DER), from anybody.
        signature: of the request, by its key.
        request: DER.
        authorities: those that have certified agents; one of them directly.
        window: seconds after the expiry in which that is good.
        now: Unix time.
    """
    if len(certificate) > MAX_CERTIFICATE:
        return Verdict.FOREIGN
    try:
        last = x509.load_der_x509_certificate(certificate)
        key, ours = last.public_key(), _is_clients(last) and any(_issued(last, each) for each in authorities)
    except keys.UNREADABLE:
        return Verdict.FOREIGN
    if not ours or not isinstance(key, keys.PublicKey) or not keys.strong(key):
        return Verdict.FOREIGN
    if not _signed(key, signature, request):
        return Verdict.UNPROVEN
    if now < last.not_valid_before_utc.timestamp():
        return Verdict.EARLY
    return Verdict.LATE if now > last.not_valid_after_utc.timestamp() + window else Verdict.GRANTED


def _is_clients(certificate: x509.Certificate) -> bool:
    extensions = certificate.extensions
    try:
        if extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
    except x509.ExtensionNotFound:
        pass
    try:
        purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True  # Good for anything, as TLS takes it.
    return ExtendedKeyUsageOID.CLIENT_AUTH in purposes


def _issued(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _signed(key: keys.PublicKey, signature: bytes, request: bytes) -> bool:
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, _DOMAIN + request, padding.PKCS1v15(), hashes.SHA256())
        else:
            key.verify(signature, _DOMAIN + request, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
