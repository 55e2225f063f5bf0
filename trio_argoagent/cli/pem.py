"""PEM files the user has named: which of them is wrong, and what to put there instead.

OpenSSL, which uses them in the end, only says that something is.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from trio_argoagent.cli.running import read_file
from trio_argoagent.errors import UserError


def read_authorities(path: str, option: str) -> bytes:
    """The content of a file of CA certificates.

    Raises:
        UserError: it cannot be read, or holds none.
    """
    pem = read_file(path, option)
    _certificates(pem, path, option)
    return pem


def read_identity(path: str, option: str, key_path: str, key_option: str) -> tuple[bytes, bytes]:
    """The contents of a certificate's file and of its key's.

    Raises:
        UserError: they cannot be read, or do not belong together.
    """
    pem, key_pem = read_file(path, option), read_file(key_path, key_option)
    leaf = _certificates(pem, path, option)[0]
    if leaf.public_key() != _public_key(key_pem, key_path, key_option):
        raise UserError(
            f"{key_option}: {key_path} is not the key of the certificate in {path} ({option}): give the two"
            " that were made together, and in a chain the leaf first"
        )
    return pem, key_pem


def _certificates(pem: bytes, path: str, option: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as exc:
        raise UserError(
            f"{option}: there is no readable certificate in {path}: give a PEM file (BEGIN CERTIFICATE)"
        ) from exc


def _public_key(pem: bytes, path: str, option: str) -> PublicKeyTypes:
    try:
        return load_pem_private_key(pem, password=None).public_key()
    except TypeError as exc:
        raise UserError(f"{option}: the key in {path} is encrypted: store it without a password") from exc
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise UserError(
            f"{option}: there is no readable private key in {path}: give a PEM file (BEGIN PRIVATE KEY)"
        ) from exc
