"""What a certificate says, and every finding; argocd-agent's certificates are used, and are findings."""

from __future__ import annotations

import ipaddress
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from trio_argoagent.net.contexts import client_context, server_context
from trio_argoagent.pki import keys
from trio_argoagent.pki.authority import DAY
from trio_argoagent.pki.inspection import Role, inspect, moment

from .certificates import (
    CLIENT,
    KEY,
    LONG,
    SERVER,
    START,
    authority,
    client,
    first,
    made,
    peers_authority,
    peers_leaf,
    server,
    shake,
    usage,
)

NOW = START + DAY
CA = authority()
HOSTS = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
AKI = (x509.AuthorityKeyIdentifier.from_issuer_public_key(KEY.public_key()), False)
FOR_SERVER = (x509.ExtendedKeyUsage([SERVER]), False)
FOR_CLIENT = (x509.ExtendedKeyUsage([CLIENT]), False)
NAMES = (x509.SubjectAlternativeName(HOSTS), False)


def problems(certificate: x509.Certificate, role: Role, now: float = NOW) -> str:
    """All of them as one text."""
    return "\n".join(inspect(certificate, role, now).problems)


def test_ours_have_no_problems() -> None:
    """And say what they are."""
    assert problems(CA.certificate, Role.AUTHORITY) == ""
    assert problems(first(client(CA)), Role.CLIENT) == ""
    found = inspect(first(server(CA)), Role.SERVER, NOW)
    assert found.problems == ()
    assert (found.subject, found.issuer) == ("CN=principal", "CN=argocd-agent-ca")
    assert (found.dns, found.ips, found.uris) == (("localhost",), ("127.0.0.1",), ())
    assert (found.usages, found.key_type, found.key_bits) == (("serverAuth",), "ECDSA", 256)
    assert len(found.fingerprint) == 64
    assert found.fingerprint == found.fingerprint.upper()
    assert moment(found.not_before) == "2019-12-31T23:55:00Z"
    assert inspect(first(client(CA)), Role.CLIENT, NOW).uris == (
        "spiffe://argocd-agent/argocd-agent/agent/edge",
    )


@pytest.mark.parametrize(
    ("certificate", "role", "said"),
    [
        (made(), Role.AUTHORITY, "it is no CA's certificate"),
        (made((x509.BasicConstraints(True, None), False)), Role.AUTHORITY, "are not critical"),
        (made((x509.BasicConstraints(True, None), True)), Role.AUTHORITY, "does not allow it to sign"),
        (made(), Role.AUTHORITY, "no subject key identifier"),
        (made((x509.BasicConstraints(True, None), True)), Role.CLIENT, "it is a CA's certificate"),
        (made((usage("key_cert_sign"), True)), Role.CLIENT, "allows it to sign certificates, though"),
        (made(), Role.CLIENT, "no authority key identifier"),
        (made(), Role.CLIENT, "good for anything"),
        (made(FOR_SERVER), Role.CLIENT, "it is not for clientAuth, so TLS refuses it as a client's"),
        (made(FOR_CLIENT, NAMES), Role.SERVER, "it is not for serverAuth, so TLS refuses it as a server's"),
        (made(FOR_SERVER), Role.SERVER, "it names no host"),
        (made(FOR_CLIENT, subject="Not A Label"), Role.CLIENT, "common name is not an agent's name"),
        (made(serial=1), Role.CLIENT, "its serial number 1 is counted"),
        (made(subject=""), Role.SERVER, "it has no subject"),
        (made(key=rsa.generate_private_key(65537, 1024)), Role.CLIENT, "its key is weak"),
    ],
    ids=[
        "no CA", "basic constraints", "cannot sign", "no SKI", "CA as leaf", "leaf that signs", "no AKI",
        "any purpose", "client", "server", "no host", "no name", "serial", "subject", "key",
    ],
)  # fmt: skip
def test_findings(certificate: x509.Certificate, role: Role, said: str) -> None:
    """Each in one line."""
    assert said in problems(certificate, role)


def test_times() -> None:
    """Too early, too late, and a root that ends before long; all by the caller's clock."""
    ca = authority(lifetime=100 * DAY).certificate
    assert "not valid before 2019-12-31T23:55:00Z: is a clock wrong?" in problems(
        ca, Role.AUTHORITY, START - DAY
    )
    assert problems(ca, Role.AUTHORITY, START + 40 * DAY) == ""
    assert "it expires in 59 days: rotate the CA" in problems(ca, Role.AUTHORITY, START + 40.5 * DAY)
    assert problems(ca, Role.AUTHORITY, START + 101 * DAY) == "it expired at 2020-04-10T00:00:00Z"
    assert "expired" in problems(first(client(CA)), Role.CLIENT, START + LONG + DAY)


def test_the_peers_own_certificates_work_and_are_findings() -> None:
    """In a handshake with our contexts; being strict, OpenSSL would refuse them."""
    key = keys.new_key()
    root = peers_authority(key)
    hub, spoke = peers_leaf(key, "principal", SERVER, HOSTS), peers_leaf(key, "edge", CLIENT)
    assert "serial number 1" in problems(root, Role.AUTHORITY)
    assert "though it is no CA's" in problems(spoke, Role.CLIENT)
    assert "though it is no CA's" in problems(hub, Role.SERVER)
    ca = keys.certificate_pem(root)

    def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
        mine = {"key": keys.key_pem(KEY), "alpn": ("h2",)}
        return (
            server_context(certificate=keys.certificate_pem(hub), client_ca=ca, require_client=True, **mine),  # type: ignore[arg-type]
            client_context(ca=ca, certificate=keys.certificate_pem(spoke), **mine),  # type: ignore[arg-type]
        )

    assert shake(*contexts()) == "edge"
    strict = contexts()
    strict[0].verify_flags |= ssl.VERIFY_X509_STRICT
    with pytest.raises(ssl.SSLError):
        shake(*strict)
