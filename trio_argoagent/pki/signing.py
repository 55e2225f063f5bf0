"""The key that argocd-agent's principal signs its tokens with: RSA, as RS512 wants it.

Our own links know no such tokens. It is kept for whoever goes back to argocd-agent, or runs both.
"""

from __future__ import annotations

import hashlib
from typing import Final

import attrs
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from trio_argoagent.errors import UserError

BITS: Final = 4096
"""Of a new one, as argocd-agentctl makes it."""
_EXPONENT: Final = 65537


@attrs.frozen
class SigningKey:
    """What there is to say of such a key without showing it.

    Attributes:
        bits: its size.
        sha256: over its public half (SubjectPublicKeyInfo, DER), lower-case hexadecimal.
    """

    bits: int
    sha256: str


def new_signing_key() -> bytes:
    """A fresh one as PKCS#8 PEM. Takes seconds."""
    key = rsa.generate_private_key(_EXPONENT, BITS)
    return key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def read_signing_key(pem: bytes) -> SigningKey:
    """What this one is.

    Raises:
        UserError: it cannot be read, or is no RSA key.
    """
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm) as exc:
        raise UserError("it is no PEM of a private key that can be read without a password") from exc
    if not isinstance(key, rsa.RSAPrivateKey):
        raise UserError("it is no RSA key, and tokens are signed with RS512")
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return SigningKey(key.key_size, hashlib.sha256(public).hexdigest())
