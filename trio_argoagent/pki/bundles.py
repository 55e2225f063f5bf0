"""CA bundles: the roots that somebody trusts, several while one takes over from another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

import attrs
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

from trio_argoagent.errors import UserError
from trio_argoagent.pki import keys

MAX_ROOTS: Final = 16
"""Certificates in a bundle: two are there during a rotation, a few more where teams share a spoke."""


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of a certificate's DER, upper-case hexadecimal, as the blocklist has it."""
    return certificate.fingerprint(hashes.SHA256()).hex().upper()


@attrs.frozen
class Bundle:
    """Certificates of authorities, each once, in the order in which they were named.

    Attributes:
        roots: at most ``MAX_ROOTS``.
    """

    roots: tuple[x509.Certificate, ...] = ()

    @classmethod
    def of(cls, certificates: Iterable[x509.Certificate]) -> Bundle:
        """These, each once.

        Raises:
            UserError: they are too many.
        """
        roots = tuple(dict.fromkeys(certificates))
        if len(roots) > MAX_ROOTS:
            raise UserError(
                f"there are {len(roots)} CA certificates, at most {MAX_ROOTS} can be trusted at once"
            )
        return cls(roots)

    @classmethod
    def read(cls, pem: bytes) -> Bundle:
        """Those of a PEM file, at least one.

        Raises:
            UserError: there is none, one cannot be read or is no authority's, or they are too many.
        """
        found = cls.of(keys.load_certificates(pem))
        for each in found.roots:
            if not is_authority(each):
                name = each.subject.rfc4514_string()
                raise UserError(f"the certificate of {name} is no CA's: nobody can be certified by it")
        return found

    @property
    def pem(self) -> bytes:
        """As a file, or in a Secret."""
        return keys.certificate_pem(*self.roots)

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Of each, in their order."""
        return tuple(map(fingerprint, self.roots))

    @property
    def fingerprint(self) -> str:
        """Of all: two bundles have the same one if they hold the same roots, in whatever order."""
        return hashlib.sha256("\n".join(sorted(self.fingerprints)).encode()).hexdigest().upper()

    def merged(self, other: Bundle) -> Bundle:
        """These, then those of the other that are not among them.

        Raises:
            UserError: that would be too many.
        """
        return Bundle.of((*self.roots, *other.roots))

    def without(self, name: str) -> Bundle:
        """All but the one with this fingerprint."""
        return Bundle(tuple(each for each in self.roots if fingerprint(each) != name))

    def issuer_of(self, certificate: x509.Certificate) -> x509.Certificate | None:
        """The root that has signed a certificate; None: it is none of these.

        The signature decides: during a rotation two roots have one name.
        """
        return next((each for each in self.roots if issued_by(certificate, each)), None)


def issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Has this authority signed this certificate?"""
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def is_authority(certificate: x509.Certificate) -> bool:
    """Is it marked as one that may certify others?"""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, *keys.UNREADABLE):
        return False
