"""A certificate authority."""

import ipaddress
import ssl
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from trio_argoagent.errors import UserError
from trio_argoagent.net.contexts import client_context, server_context
from trio_argoagent.pki import keys
from trio_argoagent.pki.authority import DAY, Authority
from trio_argoagent.pki.names import agent_name

START = datetime(2020, 1, 1, tzinfo=UTC).timestamp()
LONG = 36_500 * DAY
"""OpenSSL judges by the real clock: what must be valid now is valid for a hundred years."""
KEYS: dict[str, keys.PrivateKey] = {
    "P-256": keys.new_key(),
    "P-384": ec.generate_private_key(ec.SECP384R1()),
    "RSA": rsa.generate_private_key(65_537, 3072),
}
LEAF = keys.new_key()


def authority(key: keys.PrivateKey | None = None, name: str = "a CA", lifetime: float = LONG) -> Authority:
    """A root."""
    return Authority.create(key or KEYS["P-256"], name=name, serial=7, now=START, lifetime=lifetime)


def server(
    ca: Authority, lifetime: float = LONG, hosts: tuple[str, ...] = ("hub.example", "127.0.0.1")
) -> bytes:
    """A server's certificate."""
    return ca.issue_server(
        LEAF.public_key(), name="principal", hosts=hosts, serial=8, now=START, lifetime=lifetime
    )


def client(ca: Authority, lifetime: float = LONG, agent: str = "a1") -> bytes:
    """An agent's certificate."""
    return ca.issue_client(LEAF.public_key(), agent=agent, serial=9, now=START, lifetime=lifetime)


def handshake(
    *,
    hub: bytes,
    spoke: bytes,
    trust: Authority,
    hub_trust: Authority | None = None,
    host: str = "hub.example",
) -> bytes:
    """A mutual TLS 1.3 handshake in memory, as strict as OpenSSL can be; the client's certificate (DER)."""
    key = keys.key_pem(LEAF)
    accepting = server_context(
        certificate=hub,
        key=key,
        client_ca=(hub_trust or trust).certificate_pem,
        require_client=True,
        alpn=(),
        minimum=ssl.TLSVersion.TLSv1_3,
    )
    dialling = client_context(ca=trust.certificate_pem, certificate=spoke, key=key, alpn=())
    for context in (accepting, dialling):
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    agent = dialling.wrap_bio(down, up, server_hostname=host)
    principal = accepting.wrap_bio(up, down, server_side=True)
    for _ in range(2):
        for side in (agent, principal):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    shown = principal.getpeercert(binary_form=True)
    assert shown is not None
    return shown


@pytest.mark.parametrize("kind", KEYS)
def test_both_certificates_pass_the_strict_check(kind: str) -> None:
    """Agent and principal accept each other, and the principal learns the agent's name."""
    ca = authority(KEYS[kind])
    shown = handshake(hub=server(ca), spoke=client(ca), trust=ca)
    assert agent_name(shown) == "a1"


def test_an_address_is_a_host_too() -> None:
    """A server may be reached by the IP address in its certificate, and by no other name."""
    ca = authority()
    handshake(hub=server(ca), spoke=client(ca), trust=ca, host="127.0.0.1")
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(hub=server(ca), spoke=client(ca), trust=ca, host="other.example")


def test_the_purposes_are_not_exchangeable() -> None:
    """An agent's certificate makes no server, and a server's no agent."""
    ca = authority()
    with pytest.raises(ssl.SSLCertVerificationError, match="unsuitable certificate purpose"):
        handshake(hub=client(ca), spoke=client(ca), trust=ca)
    with pytest.raises(ssl.SSLCertVerificationError, match="unsuitable certificate purpose"):
        handshake(hub=server(ca), spoke=server(ca), trust=ca)


def test_a_stranger_is_refused_even_under_the_same_name() -> None:
    """An authority with another key certifies nobody here, though it is called alike."""
    ours, theirs = authority(), authority(KEYS["P-384"])
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(hub=server(ours), spoke=client(theirs), trust=ours)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(hub=server(theirs), spoke=client(ours), trust=ours, hub_trust=ours)


def test_an_expired_certificate_is_refused() -> None:
    """A day in 2020 is over."""
    ca = authority()
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        handshake(hub=server(ca), spoke=client(ca, lifetime=DAY), trust=ca)


def test_a_second_verifier_agrees() -> None:
    """The verifier of cryptography thinks like OpenSSL, and takes no agent for a server either."""
    ca = authority()
    leaf = x509.load_pem_x509_certificate(client(ca))
    policy = PolicyBuilder().store(Store([ca.certificate])).time(datetime(2021, 1, 1))
    assert policy.build_client_verifier().verify(leaf, []).chain == [leaf, ca.certificate]
    with pytest.raises(VerificationError):
        policy.build_server_verifier(x509.DNSName("a1")).verify(leaf, [])


def test_what_stands_in_an_agents_certificate() -> None:
    """Name twice, one purpose, one usage, the serial given, and five minutes for clocks that differ."""
    leaf = x509.load_pem_x509_certificate(client(authority(), lifetime=DAY))
    extensions = leaf.extensions
    assert leaf.subject.rfc4514_string() == "CN=a1"
    assert extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(
        x509.UniformResourceIdentifier
    ) == ["spiffe://argocd-agent/argocd-agent/agent/a1"]
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.CLIENT_AUTH
    ]
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature and not usage.key_cert_sign
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert leaf.serial_number == 9
    assert leaf.not_valid_before_utc.timestamp() == START - 300
    assert leaf.not_valid_after_utc.timestamp() == START + DAY


def test_what_stands_in_a_servers_certificate() -> None:
    """Each host is a DNS name or an address, and nothing else is in it."""
    leaf = x509.load_pem_x509_certificate(server(authority(), hosts=("hub.example", "::1", "*.hub.example")))
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["hub.example", "*.hub.example"]
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("::1")]


def test_nothing_outlives_its_authority() -> None:
    """A leaf is cut to the authority's own end, and an expired authority issues nothing."""
    ca = authority(lifetime=10 * DAY)
    leaf = x509.load_pem_x509_certificate(client(ca, lifetime=20 * DAY))
    assert leaf.not_valid_after_utc == ca.certificate.not_valid_after_utc
    with pytest.raises(UserError, match="the CA expired at 2020-01-11 00:00 UTC"):
        ca.issue_client(LEAF.public_key(), agent="a1", serial=1, now=START + 10 * DAY, lifetime=DAY)


@pytest.mark.parametrize("kind", KEYS)
def test_an_authority_survives_its_secret(kind: str) -> None:
    """Stored as PEM and loaded again, it is the same; the right one of several certificates is found."""
    ca, other = authority(KEYS[kind]), authority(keys.new_key())
    back = Authority.load(other.certificate_pem + ca.certificate_pem, ca.key_pem)
    assert back.certificate == ca.certificate
    handshake(hub=server(back), spoke=client(ca), trust=ca)


def test_an_authority_without_key_identifier() -> None:
    """A root that others made without one certifies agents all the same."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "old")])
    key, ca = KEYS["P-256"], authority()
    root = (
        x509.CertificateBuilder(
            subject, subject, key.public_key(), 3, ca.certificate.not_valid_before_utc,
            ca.certificate.not_valid_after_utc,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, keys.digest_for(key))
    )  # fmt: skip
    loaded = Authority.load(keys.certificate_pem(root), keys.key_pem(key))
    leaf = x509.load_pem_x509_certificate(client(loaded))
    leaf.verify_directly_issued_by(root)


def test_what_is_no_authority() -> None:
    """A leaf, a stranger's key and plain text are refused with a sentence."""
    ca = authority()
    with pytest.raises(UserError, match="not marked as a CA"):
        Authority.load(client(ca), keys.key_pem(LEAF))
    with pytest.raises(UserError, match="do not belong together"):
        Authority.load(ca.certificate_pem, keys.key_pem(LEAF))
    with pytest.raises(UserError, match="no PEM"):
        Authority.load(b"text", ca.key_pem)


def test_weak_keys_are_not_certified() -> None:
    """A key that is too short gets no certificate."""
    weak = rsa.generate_private_key(65_537, 1024).public_key()
    with pytest.raises(UserError, match="too weak"):
        authority().issue_client(weak, agent="a1", serial=1, now=START, lifetime=DAY)


def test_a_lifetime_is_positive() -> None:
    """A certificate that is never valid is a mistake."""
    with pytest.raises(UserError, match="valid for some time"):
        client(authority(), lifetime=0)


def test_an_authority_does_not_show_its_key() -> None:
    """Its repr has nothing to tell."""
    assert "PRIVATE" not in repr(authority()) and "key=" not in repr(authority())
