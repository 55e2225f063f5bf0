"""Private keys, and PEM.

P-256 by default: its handshake costs half of RSA's. What others have made is taken too where it is as
strong: P-384, and RSA from 3072 bits. Ed25519 is refused, because not every verifier takes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from trio_argoagent.errors import UserError

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

RSA_BITS: Final = 3072
"""Bits of the smallest RSA key that is taken."""
SERIAL_SIZE: Final = 20
"""Bytes of a serial number, at most (RFC 5280, section 4.1.2.2)."""


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh P-256 key. Its entropy is OpenSSL's own: a key must never follow from a seed."""
    return ec.generate_private_key(ec.SECP256R1())


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
        raise UserError(f"the private key must be ECDSA P-256 or P-384, or RSA of {RSA_BITS} bits or more")
    return key


def load_certificates(pem: bytes) -> Sequence[x509.Certificate]:
    """All certificates of a PEM file, in their order, at least one.

    Raises:
        UserError: there is none, or one cannot be read.
    """
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as exc:
        raise UserError("the certificate is no PEM that can be read") from exc


def strong(key: object) -> bool:
    """Is this public key of a kind and size that is taken?"""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1)
    return isinstance(key, rsa.RSAPublicKey) and key.key_size >= RSA_BITS


def digest_for(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384:
    """The hash to sign with, as strong as the key."""
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP384R1):
        return hashes.SHA384()
    return hashes.SHA256()
