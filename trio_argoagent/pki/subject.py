"""What a certificate says of its owner, as text for expressions that were written for argocd-agent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from trio_argoagent.errors import UserError
from trio_argoagent.pki import keys

_KEYWORDS: Final[Mapping[x509.ObjectIdentifier, str]] = {
    NameOID.COUNTRY_NAME: "C",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
    NameOID.LOCALITY_NAME: "L",
    NameOID.STREET_ADDRESS: "STREET",
    NameOID.POSTAL_CODE: "POSTALCODE",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.COMMON_NAME: "CN",
    NameOID.SERIAL_NUMBER: "SERIALNUMBER",
}
"""In Go's order (``pkix.Name.ToRDNSequence``), which its text reverses."""
_SINGLE: Final = (NameOID.COMMON_NAME, NameOID.SERIAL_NUMBER)
"""Of these Go knows the last one only."""


def read(certificate: bytes) -> x509.Certificate:
    """A certificate by its DER.

    Raises:
        UserError: it cannot be read.
    """
    try:
        found = x509.load_der_x509_certificate(certificate)
        _ = found.subject, found.extensions  # Read when they are asked for.
    except keys.UNREADABLE as exc:
        raise UserError("the certificate cannot be read") from exc
    return found


def subject_text(certificate: x509.Certificate) -> str:
    """The subject as Go prints it: by kinds of attributes, whatever their order in the certificate.

    (``crypto/x509/pkix``, ``Name.String``; the escapes are RFC 2253's, so an ``=`` within a value has none.)
    """
    known: dict[x509.ObjectIdentifier, list[str]] = {oid: [] for oid in _KEYWORDS}
    others: list[str] = []
    for attribute in certificate.subject:
        value = attribute.value if isinstance(attribute.value, str) else attribute.value.hex()
        if attribute.oid not in known:
            others.append(f"{attribute.oid.dotted_string}=#{_der(value).hex()}")
        elif attribute.oid in _SINGLE:
            known[attribute.oid] = [value] if value else []
        else:
            known[attribute.oid].append(value)
    parts = ["+".join(f"{_KEYWORDS[oid]}={_escaped(v)}" for v in values) for oid, values in known.items()]
    return ",".join(reversed([*others, *filter(None, parts)]))


def common_names(certificate: x509.Certificate) -> list[str]:
    """The subject's common names; one that is no text is empty."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return [each.value if isinstance(each.value, str) else "" for each in found]


def uris(certificate: x509.Certificate) -> list[str]:
    """The URIs among its alternative names: a SPIFFE ID is one."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.UniformResourceIdentifier)


def _escaped(value: str) -> str:
    return "".join(f"\\{char}" if _special(value, place) else char for place, char in enumerate(value))


def _special(value: str, place: int) -> bool:
    match value[place]:
        case " ":
            return place in (0, len(value) - 1)
        case "#":
            return place == 0
        case char:
            return char in ',+"\\<>;'


def _der(value: str) -> bytes:
    """A string as Go encodes it (``encoding/asn1``): PrintableString where it can be one, else UTF8String."""
    printable = value.isascii() and all(char.isalnum() or char in " '()+,-./:=?" for char in value)
    tag, data = 0x13 if printable else 0x0C, value.encode()
    size = len(data)
    length = size.to_bytes((size.bit_length() + 7) // 8) if size > 0x7F else b""
    return bytes([tag, 0x80 | len(length) if length else size]) + length + data
