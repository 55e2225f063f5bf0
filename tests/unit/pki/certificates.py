"""Certificates for tests: ours, argocd-agent's, and odd ones."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from trio_argoagent.pki import keys
from trio_argoagent.pki.authority import DAY, Authority

START: Final = datetime(2020, 1, 1, tzinfo=UTC).timestamp()
LONG: Final = 36_500 * DAY
"""OpenSSL judges by the real clock: what must be valid now is valid for a hundred years."""
KEY: Final = keys.new_key()
SERIAL: Final = 2**120 + 7
CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
Extension = tuple[x509.ExtensionType, bool]


def authority(name: str = "argocd-agent-ca", lifetime: float = LONG, serial: int = SERIAL) -> Authority:
    """A root of ours with a key of its own."""
    return Authority.create(keys.new_key(), name=name, serial=serial, now=START, lifetime=lifetime)


def server(ca: Authority, hosts: Iterable[str] = ("localhost", "127.0.0.1")) -> bytes:
    """A server's certificate of ours for ``KEY``."""
    return ca.issue_server(
        KEY.public_key(), name="principal", hosts=hosts, serial=SERIAL + 1, now=START, lifetime=LONG
    )


def client(ca: Authority, agent: str = "edge") -> bytes:
    """An agent's certificate of ours for ``KEY``."""
    return ca.issue_client(KEY.public_key(), agent=agent, serial=SERIAL + 2, now=START, lifetime=LONG)


def first(pem: bytes) -> x509.Certificate:
    """The first of a file."""
    return keys.load_certificates(pem)[0]


def made(
    *extensions: Extension,
    subject: str = "odd",
    issuer: str = "odd",
    key: keys.PrivateKey = KEY,
    signer: keys.PrivateKey = KEY,
    serial: int = SERIAL,
) -> x509.Certificate:
    """Any certificate at all, valid for a hundred years."""

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)] if text else [])

    builder = x509.CertificateBuilder(
        name(issuer),
        name(subject),
        key.public_key(),
        serial,
        datetime.fromtimestamp(START, UTC),
        datetime.fromtimestamp(START + LONG, UTC),
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, hashes.SHA256())


def usage(*allowed: str) -> x509.KeyUsage:
    """A key usage with these alone."""
    every = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
        "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: name in allowed for name in every})


def peers_authority(key: keys.PrivateKey) -> x509.Certificate:
    """A root as argocd-agent makes it: serial number 1, both purposes, Go's subject key identifier."""
    return made(
        (usage("digital_signature", "key_cert_sign"), True),
        (x509.ExtendedKeyUsage([CLIENT, SERVER]), False),
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        subject="argocd-agent-ca",
        issuer="argocd-agent-ca",
        key=key,
        signer=key,
        serial=1,
    )


def peers_leaf(
    key: keys.PrivateKey, name: str, purpose: x509.ObjectIdentifier, hosts: Sequence[x509.GeneralName] = ()
) -> x509.Certificate:
    """A leaf as argocd-agent makes it: serial number 1, and it may sign others.

    Args:
        key: of its root.
        name: common name.
        purpose: of the extended key usage.
        hosts: alternative names.
    """
    extensions: list[Extension] = [
        (usage("digital_signature", "key_cert_sign"), True),
        (x509.ExtendedKeyUsage([purpose]), False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False),
    ]
    if hosts:
        extensions.append((x509.SubjectAlternativeName(hosts), False))
    return made(*extensions, subject=name, issuer="argocd-agent-ca", signer=key, serial=1)


def shake(accepting: ssl.SSLContext, dialling: ssl.SSLContext) -> str:
    """A mutual handshake in memory, both ways checked; the agent's name as the server sees it."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server_end = accepting.wrap_bio(to_server, to_client, server_side=True)
    client_end = dialling.wrap_bio(to_client, to_server, server_hostname="localhost")
    for _ in range(3):
        for end in (client_end, server_end):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    der = server_end.getpeercert(binary_form=True)
    assert der is not None
    return str(x509.load_der_x509_certificate(der).subject.rfc4514_string().removeprefix("CN="))
