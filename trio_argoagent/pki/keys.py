"""Private keys, and PEM.

P-256 by default: its handshake costs half of RSA's. What is as strong is taken too: P-384, P-521, and RSA
from 3072 bits. Ed25519 is refused, because not every verifier takes it.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from trio_argoagent.errors import UserError

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


class Algorithm(enum.StrEnum):
    """Kinds of keys, by argocd-agentctl's names."""

    RSA = "rsa"
    P256 = "ecdsa-p256"
    P384 = "ecdsa-p384"
    P521 = "ecdsa-p521"
    ED25519 = "ed25519"


RSA_BITS: Final = 3072
"""Bits of the smallest RSA key that is taken."""
RSA_SIZES: Final = (3072, 4096)
"""Bits of RSA keys that are made; the last one where nobody says."""
_CURVES: Final[dict[str, type[ec.EllipticCurve]]] = {
    Algorithm.P256: ec.SECP256R1,
    Algorithm.P384: ec.SECP384R1,
    Algorithm.P521: ec.SECP521R1,
}
_DIGESTS: Final[dict[str, type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512]]] = {
    "secp256r1": hashes.SHA256,
    "secp384r1": hashes.SHA384,
    "secp521r1": hashes.SHA512,
}
UNREADABLE: Final = (
    ValueError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What reading a certificate or a request raises that a stranger has made."""
SERIAL_SIZE: Final = 20
"""Bytes of a serial number, at most (RFC 5280, section 4.1.2.2)."""


def new_key(algorithm: str = Algorithm.P256, size: int = 0) -> PrivateKey:
    """A fresh key. Its entropy is OpenSSL's own: a key must never follow from a seed.

    Args:
        algorithm: one of ``Algorithm``.
        size: bits of an RSA key; 0: as many as are usual. Means nothing to the others.

    Raises:
        UserError: there are no keys of that kind or size, or they are not taken here.
    """
    check_choice(algorithm, size)
    if algorithm == Algorithm.RSA:
        return rsa.generate_private_key(65537, size or RSA_SIZES[-1])
    return ec.generate_private_key(_CURVES[algorithm]())


def check_choice(algorithm: str, size: int) -> None:
    """Raises UserError unless ``new_key`` makes such keys; costs nothing."""
    if algorithm == Algorithm.ED25519:
        raise UserError(
            "ed25519 is not taken here, because not every verifier of certificates takes it (the one of"
            " Python's cryptography forbids it): use ecdsa-p256"
        )
    if algorithm not in tuple(Algorithm):
        raise UserError(f"{algorithm!r} is no kind of key: use {', '.join((Algorithm.RSA, *_CURVES))}")
    if algorithm == Algorithm.RSA and size and size not in RSA_SIZES:
        raise UserError(
            f"RSA keys of {size} bits are not made: fewer than {RSA_BITS} are not taken here, being weaker"
            f" than P-256; use {' or '.join(map(str, RSA_SIZES))}"
        )


def serial_number(entropy: bytes) -> int:
    """A positive serial number.

    Args:
        entropy: ``SERIAL_SIZE`` unpredictable bytes.
    """
    if len(entropy) != SERIAL_SIZE:
        raise ValueError(f"a serial number takes {SERIAL_SIZE} bytes")
    # One bit less: the encoding is signed. Never 0, which is no serial number.
    return int.from_bytes(entropy) >> 1 or 1


def key_pem(key: PrivateKey) -> bytes:
    """PKCS#8, not encrypted: it goes into a Kubernetes Secret."""
    return key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def certificate_pem(*certificates: x509.Certificate) -> bytes:
    """PEM of certificates, one after the other."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def load_key(pem: bytes) -> PrivateKey:
    """The private key of a PEM file.

    Raises:
        UserError: it is none, it is encrypted, or it is of a kind or size that is not taken.
    """
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except TypeError as exc:
        raise UserError("the private key is encrypted: store it without a password") from exc
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise UserError("the private key is no PEM that can be read") from exc
    if not isinstance(key, PrivateKey) or not strong(key.public_key()):
        raise UserError(
            f"the private key must be ECDSA P-256, P-384 or P-521, or RSA of {RSA_BITS} bits or more"
        )
    return key


def load_certificates(pem: bytes) -> Sequence[x509.Certificate]:
    """All certificates of a PEM file, in their order, at least one.

    Raises:
        UserError: there is none, or one cannot be read.
    """
    try:
        return x509.load_pem_x509_certificates(pem)
    except UNREADABLE as exc:
        raise UserError("the certificate is no PEM that can be read") from exc


def strong(key: object) -> bool:
    """Is this public key of a kind and size that is taken?"""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.curve.name in _DIGESTS
    return isinstance(key, rsa.RSAPublicKey) and key.key_size >= RSA_BITS


def described(key: object) -> tuple[str, int]:
    """Of any public key: its kind, as argocd-agentctl names it, and its bits."""
    if isinstance(key, rsa.RSAPublicKey):
        return "RSA", key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "ECDSA", key.key_size
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "Ed25519", 256
    return type(key).__name__, 0


def digest_for(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512:
    """The hash to sign with, as strong as the key."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return _DIGESTS[key.curve.name]()
    return hashes.SHA256()
