"""What a certificate says, as values; nothing here judges whether it may say so."""

from __future__ import annotations

import hashlib
import math
import ssl
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeVar

import attrs

from trio_argoagent.net.protocol.fields import one_line

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    E = TypeVar("E", bound=x509.ExtensionType)

MAX_NAME: Final = 120
"""Characters of a name that are shown: a stranger may have written it."""
REMEMBERED: Final = 2048
"""Certificates whose term is remembered, the latest: an agent that comes back shows the one it had."""
USUAL: Final = 4096
"""Bytes of a certificate; a longer one is read each time it is shown. So 9 MB are remembered at most."""
_DER: Final = 2
"""``_ssl.ENCODING_DER``."""
CLIENTS: Final = "clientAuth"
SERVERS: Final = "serverAuth"
DATED_BACK: Final = 3600.0
"""Seconds by which a certificate may be dated back; one that says more is not believed."""


@attrs.frozen
class Facts:
    """One certificate.

    Attributes:
        subject: whose it is (RFC 4514), one line.
        issuer: likewise, who has signed it.
        fingerprint: SHA-256, upper-case hexadecimal.
        anchor: the same for all certificates of one CA key under one name, however often it was issued anew.
        not_before: the first second at which it is valid (Unix time).
        not_after: the last one.
        is_ca: may it certify others?
        purposes: of its extended key usage, as RFC 5280 calls them; empty: any.
        hosts: names and addresses that it is for.
        key: kind and size of its key.
        issued: when it was made (Unix time): at ``not_before``, unless it says that it is dated back.
    """

    subject: str
    issuer: str
    fingerprint: str
    anchor: str
    not_before: float
    not_after: float
    is_ca: bool
    purposes: tuple[str, ...]
    hosts: tuple[str, ...]
    key: str
    issued: float

    @property
    def is_self_signed(self) -> bool:
        """Is it of nobody but itself, as roots are?"""
        return self.subject == self.issuer

    def serves(self, purpose: str) -> bool:
        """Is it one for this purpose?"""
        return not self.purposes or purpose in self.purposes or "anyExtendedKeyUsage" in self.purposes


@attrs.frozen
class Standing:
    """What a peer's verified chain says of how long it counts.

    Attributes:
        expires: when the first certificate of it does (Unix time).
        issued: when the peer's own certificate was (``Facts.issued``); minus infinity: nothing says so.
        anchor: the CA that it hangs on (``Facts.anchor``); empty: there is none.
        is_ca: is the peer's own certificate one that may certify others?
    """

    expires: float = math.inf
    anchor: str = ""
    is_ca: bool = False
    issued: float = -math.inf


UNBOUND: Final = Standing()


@attrs.frozen
class _Term:
    """Of what ``Facts`` says, as much as ``standing`` asks for."""

    issued: float
    expires: float
    anchor: str
    is_ca: bool


def unbound() -> Standing:
    """Of a peer without a certificate."""
    return UNBOUND


def standing(chain: Sequence[bytes]) -> Standing:
    """What this chain says; of one that cannot be read: that it has expired.

    Args:
        chain: DER, leaf first, and the root last; empty: there is none.
    """
    if not chain:
        return UNBOUND
    known = [each for each in map(_term, chain) if each is not None]
    if len(known) != len(chain):
        return Standing(expires=0.0)
    leaf = known[0]
    return Standing(min(each.expires for each in known), known[-1].anchor, leaf.is_ca, leaf.issued)


def _term(der: bytes) -> _Term | None:
    """What this certificate says; the same bytes say the same, whoever shows them."""
    return _remembered(der) if len(der) <= USUAL else _read_term(der)


def _read_term(der: bytes) -> _Term | None:
    known = facts(der)
    return None if known is None else _Term(known.issued, known.not_after, known.anchor, known.is_ca)


_remembered: Final = lru_cache(maxsize=REMEMBERED)(_read_term)


def facts(der: bytes) -> Facts | None:
    """What this certificate says; None: nothing that can be read."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        loaded = x509.load_der_x509_certificate(der)
        subject, key = loaded.subject, loaded.public_key()
        return Facts(
            subject=_name(subject),
            issuer=_name(loaded.issuer),
            fingerprint=hashlib.sha256(der).hexdigest().upper(),
            anchor=_anchor(subject, key),
            not_before=loaded.not_valid_before_utc.timestamp(),
            not_after=loaded.not_valid_after_utc.timestamp(),
            is_ca=_is_ca(loaded),
            purposes=_purposes(loaded),
            hosts=_hosts(loaded),
            key=_key(key),
            issued=_issued(loaded),
        )
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        return None


def all_facts(certificates: Iterable[bytes]) -> tuple[Facts, ...]:
    """Of each that can be read."""
    return tuple(each for each in map(facts, certificates) if each is not None)


def pem_blocks(pem: bytes) -> tuple[bytes, ...]:
    """The certificates of a PEM file (DER), in their order; keys and comments are left out.

    Raises:
        ValueError: one of them is not readable as PEM.
    """
    text = pem.decode("ascii", "replace")
    head, tail = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    parts = [part.partition(tail)[0] for part in text.split(head)[1:]]
    return tuple(ssl.PEM_cert_to_DER_cert(f"{head}{part}{tail}\n") for part in parts)


def seen_chain(connection: ssl.SSLObject) -> tuple[bytes, ...]:
    """The peer's chain (DER), leaf first, as far as OpenSSL could follow it: to a trusted root, if it did.

    It is there also when the verification has failed, which ``getpeercert`` is not: then it proves nothing,
    but it says whom we have refused. Python has it as a method of ``SSLObject`` from 3.13 on.
    """
    if hasattr(connection, "get_verified_chain"):
        return tuple(connection.get_verified_chain())
    chain = connection._sslobj.get_verified_chain()  # type: ignore[attr-defined]
    return tuple(each.public_bytes(_DER) for each in chain or ())


def timestamp(seconds: float) -> str:
    """For people, in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _name(name: x509.Name) -> str:
    return one_line(name.rfc4514_string())[:MAX_NAME] or "nobody"


def _anchor(subject: x509.Name, key: CertificatePublicKeyTypes) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(subject.public_bytes() + encoded).hexdigest().upper()


def _is_ca(loaded: x509.Certificate) -> bool:
    from cryptography import x509

    found = _extension(loaded, x509.BasicConstraints)
    return found is not None and found.ca


def _purposes(loaded: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    found = _extension(loaded, x509.ExtendedKeyUsage)
    return tuple(each._name if each._name != "Unknown OID" else each.dotted_string for each in found or ())


def _hosts(loaded: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    names = _extension(loaded, x509.SubjectAlternativeName)
    kinds = (x509.DNSName, x509.IPAddress)
    return tuple(one_line(str(each.value))[:MAX_NAME] for each in names or () if isinstance(each, kinds))


def _issued(loaded: x509.Certificate) -> float:
    """When its authority lets its key be used, it was there (RFC 3280, section 4.2.1.4)."""
    from cryptography import x509

    begins = loaded.not_valid_before_utc.timestamp()
    found = _extension(loaded, x509.PrivateKeyUsagePeriod)
    if found is None or found.not_before is None:
        return begins
    used = found.not_before.replace(tzinfo=UTC).timestamp()
    return used if begins <= used <= begins + DATED_BACK else begins


def _extension(loaded: x509.Certificate, kind: type[E]) -> E | None:
    """Its extension of this kind; None: it has none that can be read."""
    from cryptography import x509

    try:
        return loaded.extensions.get_extension_for_class(kind).value
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return None


def _key(key: CertificatePublicKeyTypes) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"ECDSA {key.curve.name}"
    return type(key).__name__.removesuffix("PublicKey").lstrip("_")
