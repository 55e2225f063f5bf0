"""Certificates with one thing wrong each, made for the occasion; the rest of each is as it should be."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from trio_argoagent.pki import keys
from trio_argoagent.runtime.world import real_env

DAY: Final = timedelta(days=1)
HOST: Final = "127.0.0.1"
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@attrs.frozen(eq=False)
class Made:
    """A certificate and its key.

    Attributes:
        certificate: as it was signed.
        key: its own.
        chain: certificates that go with it.
    """

    certificate: x509.Certificate
    key: Key
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> bytes:
        """All of it, leaf first."""
        return keys.certificate_pem(self.certificate, *self.chain)

    @property
    def key_pem(self) -> bytes:
        """The key."""
        return keys.key_pem(self.key)

    @property
    def name(self) -> str:
        """Its common name."""
        return str(self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


@attrs.frozen
class Shape:
    """What a certificate says beside whose it is; by default nothing that anybody could object to."""

    server: bool = False
    ca: bool = False
    path_length: int | None = None
    begins: timedelta = -DAY
    ends: timedelta = 100 * DAY
    names: Sequence[x509.GeneralName] | None = None
    purpose: x509.ObjectIdentifier | None = None


def make(name: str, shape: Shape, issuer: Made | None, key: Key | None = None) -> Made:
    """A certificate; without an issuer it signs itself."""
    key, now = key or keys.new_key(), datetime.fromtimestamp(real_env().now(), UTC)
    signer = issuer.key if issuer is not None else key
    usage = ExtendedKeyUsageOID.SERVER_AUTH if shape.server else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = (
        x509.CertificateBuilder(
            _named(issuer.name if issuer is not None else name),
            _named(name),
            key.public_key(),
            x509.random_serial_number(),
            now + shape.begins,
            now + shape.ends,
        )
        .add_extension(x509.BasicConstraints(shape.ca, shape.path_length), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if not (shape.ca and shape.purpose is None):
        builder = builder.add_extension(x509.ExtendedKeyUsage([shape.purpose or usage]), critical=False)
        names = shape.names if shape.names is not None else [x509.IPAddress(ipaddress.ip_address(HOST))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return Made(builder.sign(signer, hashes.SHA256()), key)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@cache
def root(name: str = "hub", twin: int = 0) -> Made:
    """A root of its own for each name and twin. It allows one CA below it, and outlives all its leaves."""
    return make(name, Shape(ca=True, path_length=1, ends=200 * DAY), None)


def faulty(fault: str, *, server: bool) -> Made:
    """A leaf with that fault, to be judged by whoever trusts ``root()`` (or ``weak_root()``)."""
    name = "principal" if server else "a1"
    good = Shape(server=server)
    middle = make("middle", Shape(ca=True), root())
    deep = make("deep", Shape(ca=True), middle)
    match fault:
        case "expired":
            return make(name, attrs.evolve(good, begins=-2 * DAY, ends=-DAY), root())
        case "not yet valid":
            return make(name, attrs.evolve(good, begins=DAY), root())
        case "for something else":
            return make(name, Shape(server=not server), root())
        case "another CA":
            return make(name, good, root("other"))
        case "another CA that is shown":
            other = root("other")
            return attrs.evolve(make(name, good, other), chain=(other.certificate,))
        case "a CA made anew":
            return make(name, good, root(twin=1))
        case "intermediate missing":
            return make(name, good, middle)
        case "signed by itself":
            return make(name, good, None)
        case "chain too long":
            leaf = make(name, good, deep)
            return attrs.evolve(leaf, chain=(deep.certificate, middle.certificate))
        case "weak CA":
            return make(name, good, weak_root())
        case "expired intermediate":
            old = make("middle", Shape(ca=True, begins=-2 * DAY, ends=-DAY), root())
            return attrs.evolve(make(name, good, old), chain=(old.certificate,))
        case "a CA's own":
            own = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
            return make(name, attrs.evolve(good, ca=True, purpose=own), root())
        case "another name":
            return make(name, attrs.evolve(good, names=[x509.DNSName("hub.example")]), root())
        case "odd names":
            odd = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x01x")
            names = [x509.RFC822Name("hub@example.org"), odd, x509.DNSName("*.example")]
            return make(name, attrs.evolve(good, names=names), root())
    raise ValueError(fault)


@cache
def weak_root() -> Made:
    """One whose key nobody takes any more."""
    return make("weak", Shape(ca=True), None, rsa.generate_private_key(65537, 1024))


@cache
def sound(*, server: bool) -> Made:
    """A leaf with nothing wrong."""
    return make("principal" if server else "a1", Shape(server=server), root())
