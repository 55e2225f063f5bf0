"""Certificate signing requests (PKCS #10, RFC 2986): a public key, and the proof of having the private one.

Nothing else in a request counts. Who the certificate will be for is known before a request is looked at, and
its subject and extensions are not read: a name that nobody reads cannot be forged.
"""

from __future__ import annotations

import enum
import hashlib
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from trio_argoagent.pki import keys

MAX_REQUEST: Final = 8 * 1024
"""Bytes (DER) of one that is read: what is longer has no key of ours in it."""
MAX_RSA_BITS: Final = 8192
"""Bits: a longer key would cost more to check than it is worth to anybody."""


class Flaw(enum.Enum):
    """Why there will be no certificate for a request; the values are for people."""

    UNREADABLE = "the certificate signing request cannot be read"
    WEAK = (
        "the key in the certificate signing request is too weak, or of a kind that is not taken: use ECDSA"
        f" P-256 or P-384, or RSA of {keys.RSA_BITS} to {MAX_RSA_BITS} bits"
    )
    UNPROVEN = "the certificate signing request is not signed with its own key"


def make(key: keys.PrivateKey, name: str) -> bytes:
    """A request (DER).

    Args:
        key: fresh, to be certified.
        name: for people who look at the request; whoever certifies it reads none.
    """
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name or "agent")])
    request = x509.CertificateSigningRequestBuilder(subject).sign(key, keys.digest_for(key))
    return request.public_bytes(Encoding.DER)


def judge(request: bytes) -> keys.PublicKey | Flaw:
    """The key to be certified, which the sender has, or what is wrong.

    Args:
        request: DER, from anybody.
    """
    if len(request) > MAX_REQUEST:
        return Flaw.UNREADABLE
    try:
        read = x509.load_der_x509_csr(request)
        key = read.public_key()
    except keys.UNREADABLE:
        return Flaw.UNREADABLE
    if not isinstance(key, keys.PublicKey) or not keys.strong(key) or _is_huge(key):
        return Flaw.WEAK
    try:
        proven = read.is_signature_valid
    except (ValueError, InvalidSignature, UnsupportedAlgorithm):
        proven = False
    return key if proven else Flaw.UNPROVEN


def key_hash(key: keys.PublicKey) -> str:
    """SHA-256 of a public key (SubjectPublicKeyInfo), hexadecimal: which key it was, for later."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def _is_huge(key: keys.PublicKey) -> bool:
    return isinstance(key, rsa.RSAPublicKey) and key.key_size > MAX_RSA_BITS
