"""What a certificate says, and what is wrong with it.

Certificates that argocd-agent has made are used as they are: OpenSSL takes them unless it is asked to be
strict (serial number 1 for all, leaves that may sign others). Here they are findings.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import attrs
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from trio_argoagent.errors import UserError
from trio_argoagent.pki import bundles, keys, names

E = TypeVar("E", bound=x509.ExtensionType)
DAY: Final = 86_400.0
CA_NOTICE: Final = 60 * DAY
"""Seconds before its end in which a root is a finding: all leaves must be renewed until then."""
GUESSABLE_BITS: Final = 63
"""A serial number of fewer bits was counted, not drawn (CA/Browser Forum baseline requirements, 7.1)."""
_PURPOSES: Final = {
    ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
    ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
}


class Role(enum.Enum):
    """What a certificate is meant for."""

    AUTHORITY = "authority"
    SERVER = "server"
    CLIENT = "client"


@attrs.frozen
class Findings:
    """One certificate.

    Attributes:
        subject: RFC 4514.
        issuer: likewise.
        serial: upper-case hexadecimal.
        dns: DNS names it is for.
        ips: addresses it is for.
        uris: URIs it is for.
        usages: ``serverAuth``, ``clientAuth``, or the OID of another; empty: any.
        key_type: see ``keys.described``.
        key_bits: likewise.
        not_before: Unix time.
        not_after: Unix time.
        fingerprint: SHA-256, upper-case hexadecimal.
        problems: what is wrong, one line each; empty: nothing.
    """

    subject: str
    issuer: str
    serial: str
    dns: tuple[str, ...]
    ips: tuple[str, ...]
    uris: tuple[str, ...]
    usages: tuple[str, ...]
    key_type: str
    key_bits: int
    not_before: float
    not_after: float
    fingerprint: str
    problems: tuple[str, ...]


def inspect(certificate: x509.Certificate, role: Role, now: float) -> Findings:
    """Look at a certificate.

    Args:
        certificate: anybody's.
        role: what it is meant for.
        now: Unix time.
    """
    alternatives = _readable(certificate, x509.SubjectAlternativeName)
    usages = _readable(certificate, x509.ExtendedKeyUsage)
    key_type, bits = keys.described(_key(certificate))
    return Findings(
        certificate.subject.rfc4514_string(),
        certificate.issuer.rfc4514_string(),
        f"{certificate.serial_number:X}",
        tuple(alternatives.get_values_for_type(x509.DNSName)) if alternatives else (),
        tuple(map(str, alternatives.get_values_for_type(x509.IPAddress))) if alternatives else (),
        tuple(alternatives.get_values_for_type(x509.UniformResourceIdentifier)) if alternatives else (),
        tuple(_PURPOSES.get(each, each.dotted_string) for each in usages) if usages else (),
        key_type,
        bits,
        certificate.not_valid_before_utc.timestamp(),
        certificate.not_valid_after_utc.timestamp(),
        bundles.fingerprint(certificate),
        tuple(_problems(certificate, role, now)),
    )


def moment(when: float) -> str:
    """A time for people and programs: RFC 3339, UTC."""
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _problems(certificate: x509.Certificate, role: Role, now: float) -> Iterator[str]:
    yield from _ill_timed(certificate, role, now)
    if certificate.serial_number.bit_length() < GUESSABLE_BITS:
        yield f"its serial number {certificate.serial_number} is counted, not random: revoke by fingerprint"
    if not keys.strong(_key(certificate)):
        yield "its key is weak, or of a kind that not everybody takes"
    if isinstance(certificate.signature_hash_algorithm, hashes.MD5 | hashes.SHA1):
        yield f"it is signed with {certificate.signature_hash_algorithm.name}, which can be forged"
    if not certificate.subject:
        yield "it has no subject"
    try:
        list(certificate.extensions)
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as exc:
        yield f"its extensions cannot be read: {exc}"
        return
    yield from _ill_authority(certificate) if role is Role.AUTHORITY else _ill_leaf(certificate, role)


def _ill_timed(certificate: x509.Certificate, role: Role, now: float) -> Iterator[str]:
    first = certificate.not_valid_before_utc.timestamp()
    last = certificate.not_valid_after_utc.timestamp()
    if now < first:
        yield f"it is not valid before {moment(first)}: is a clock wrong?"
    if now > last:
        yield f"it expired at {moment(last)}"
    elif role is Role.AUTHORITY and now > last - CA_NOTICE:
        days = int((last - now) // DAY)
        yield f"it expires in {days} days: rotate the CA (trio-argoagent ctl pki rotate-ca)"


def _ill_authority(certificate: x509.Certificate) -> Iterator[str]:
    basic = _extension(certificate, x509.BasicConstraints)
    usage = _extension(certificate, x509.KeyUsage)
    if basic is None or not basic.value.ca:
        yield "it is no CA's certificate"
    elif not basic.critical:
        yield "its basic constraints are not critical (RFC 5280, 4.2.1.9)"
    if usage is None or not usage.value.key_cert_sign:
        yield "its key usage does not allow it to sign certificates (RFC 5280, 4.2.1.3)"
    if _extension(certificate, x509.SubjectKeyIdentifier) is None:
        yield "it has no subject key identifier (RFC 5280, 4.2.1.2)"


def _ill_leaf(certificate: x509.Certificate, role: Role) -> Iterator[str]:
    if bundles.is_authority(certificate):
        yield "it is a CA's certificate, and would certify others"
    usage = _extension(certificate, x509.KeyUsage)
    if usage is not None and usage.value.key_cert_sign and not bundles.is_authority(certificate):
        yield "its key usage allows it to sign certificates, though it is no CA's (RFC 5280, 4.2.1.3)"
    if _extension(certificate, x509.AuthorityKeyIdentifier) is None:
        yield "it has no authority key identifier (RFC 5280, 4.2.1.1)"
    purposes = _extension(certificate, x509.ExtendedKeyUsage)
    needed = ExtendedKeyUsageOID.SERVER_AUTH if role is Role.SERVER else ExtendedKeyUsageOID.CLIENT_AUTH
    if purposes is None:
        yield "it has no extended key usage: it is good for anything"
    elif needed not in purposes.value:
        yield f"it is not for {_PURPOSES[needed]}, so TLS refuses it as a {role.value}'s"
    if role is Role.SERVER and _extension(certificate, x509.SubjectAlternativeName) is None:
        yield "it names no host (no subject alternative names), so TLS refuses it"
    if role is Role.CLIENT:
        try:
            names.agent_name(certificate)
        except UserError as exc:
            yield str(exc)


def _extension(certificate: x509.Certificate, kind: type[E]) -> x509.Extension[E] | None:
    try:
        return certificate.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None


def _readable(certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        found = _extension(certificate, kind)
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return None
    return found.value if found is not None else None


def _key(certificate: x509.Certificate) -> Any:
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
