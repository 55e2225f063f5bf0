"""TLS material as values: what is read from files and Secrets, what it says, and what is wrong with it.

All of it is named as a Secret names it (``tls.crt``, ``tls.key``, ``ca.crt``), wherever it comes from.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Final

import attrs

from trio_argoagent.errors import UserError
from trio_argoagent.net.certificates import Facts, all_facts, pem_blocks
from trio_argoagent.net.contexts import client_context, server_context

CERTIFICATE: Final = "tls.crt"
KEY: Final = "tls.key"
CA: Final = "ca.crt"


@attrs.frozen
class Part:
    """One piece.

    Attributes:
        option: by which the user names it.
        where: a file's path, or which entry of which Secret.
        content: PEM.
    """

    option: str
    where: str
    content: bytes = attrs.field(repr=False)


Parts = Mapping[str, Part]


@attrs.frozen
class Trust:
    """CA certificates.

    Attributes:
        pem: all of them.
        roots: what each says.
    """

    pem: bytes = attrs.field(repr=False)
    roots: tuple[Facts, ...]

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Of each, SHA-256 in upper-case hexadecimal."""
        return tuple(root.fingerprint for root in self.roots)

    def holds(self, anchor: str) -> bool:
        """Is this CA (``Facts.anchor``) among them?"""
        return any(root.anchor == anchor for root in self.roots)


@attrs.frozen
class Identity:
    """A certificate with its chain, and its key.

    Attributes:
        certificate: PEM, leaf first.
        key: PEM.
        chain: what each certificate says.
    """

    certificate: bytes = attrs.field(repr=False)
    key: bytes = attrs.field(repr=False)
    chain: tuple[Facts, ...]

    @property
    def not_after(self) -> float:
        """When the first of the chain expires (Unix time)."""
        return min(each.not_after for each in self.chain)


def read_trust(parts: Parts) -> Trust:
    """The CA certificates of a bundle: ``ca.crt``, or where there is none ``tls.crt``.

    Raises:
        UserError: there is none that can be read, or none of them is a CA's.
    """
    part = parts.get(CA) or parts.get(CERTIFICATE)
    if part is None:
        raise UserError(_missing(parts, CA))
    shown, roots = _certificates(part)
    if not any(root.is_ca or root.is_self_signed for root in roots):
        raise UserError(f"{part.option}: the certificate in {part.where} is not a CA's ({roots[0].subject})")
    pem = "".join(map(ssl.DER_cert_to_PEM_cert, shown)).encode()  # Without what is written between them.
    try:
        client_context(ca=pem, certificate=None, key=None, alpn=())
    except UserError as exc:
        raise UserError(f"{part.option}: {part.where} cannot be used: {exc}") from exc
    return Trust(pem, roots)


def read_identity(parts: Parts) -> Identity:
    """The certificate and the key.

    Raises:
        UserError: one of them is not there or cannot be read, or they do not belong together.
    """
    for name in (CERTIFICATE, KEY):
        if name not in parts:
            raise UserError(_missing(parts, name))
    certificate, key = parts[CERTIFICATE], parts[KEY]
    shown, chain = _certificates(certificate)
    _check_key(shown[0], certificate, key)
    leaf, private = certificate.content, key.content
    try:
        server_context(certificate=leaf, key=private, client_ca=None, require_client=False, alpn=())
    except UserError as exc:
        weak = f"its key ({chain[0].key}) is too weak" if "TOO_SMALL" in str(exc) else str(exc)
        raise UserError(f"{certificate.option}: {certificate.where} cannot be used: {weak}") from exc
    return Identity(leaf, private, chain)


def _certificates(part: Part) -> tuple[tuple[bytes, ...], tuple[Facts, ...]]:
    try:
        shown = pem_blocks(part.content)
    except ValueError:
        shown = ()
    chain = all_facts(shown)
    if not chain or len(chain) != len(shown):
        what = f"there is no readable certificate in {part.where}"
        raise UserError(f"{part.option}: {what}: give a PEM file (BEGIN CERTIFICATE)")
    return shown, chain


def _check_key(leaf: bytes, certificate: Part, key: Part) -> None:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    head, what = f"{key.option}: ", f"in {key.where}"
    try:
        public = load_pem_private_key(key.content, password=None).public_key()
    except TypeError as exc:
        raise UserError(f"{head}the key {what} is encrypted: store it without a password") from exc
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise UserError(
            f"{head}there is no readable private key {what}: give a PEM file (BEGIN PRIVATE KEY)"
        ) from exc
    if x509.load_der_x509_certificate(leaf).public_key() != public:
        raise UserError(
            f"{head}{key.where} is not the key of the certificate in {certificate.where}"
            f" ({certificate.option}): give the two that were made together, and in a chain the leaf first"
        )


def _missing(parts: Parts, name: str) -> str:
    some = next(iter(parts.values()), None)
    return f"{some.option}: there is no {name} beside {some.where}" if some else f"there is no {name} in it"
