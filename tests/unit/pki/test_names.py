"""Who a certificate is for."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from trio_argoagent.errors import UserError
from trio_argoagent.pki import keys
from trio_argoagent.pki.names import agent_name, agent_uri, host_names

KEY = keys.new_key()


def certificate(*common: str, uris: tuple[str, ...] = ()) -> x509.Certificate:
    """A certificate with these names."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in common])
    builder = x509.CertificateBuilder(
        subject,
        subject,
        KEY.public_key(),
        1,
        datetime(2020, 1, 1, tzinfo=UTC),
        datetime(2021, 1, 1, tzinfo=UTC),
    )
    if uris:
        names = [x509.UniformResourceIdentifier(uri) for uri in uris]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(KEY, keys.digest_for(KEY))


def test_the_uri_of_an_agent() -> None:
    """Trust domain, program, agent."""
    assert agent_uri("a1", "fleet.example") == "spiffe://fleet.example/argocd-agent/agent/a1"


@pytest.mark.parametrize("name", ["", "A", "a.b", "a/b", "-a", "a" * 64, "ä", "a\n"])
def test_what_is_no_agents_name(name: str) -> None:
    """A name that is no DNS label goes into no certificate, and is read from none."""
    with pytest.raises(UserError, match="cannot be an agent's name"):
        agent_uri(name)
    if 0 < len(name) <= 64:
        with pytest.raises(UserError, match="not an agent's name"):
            agent_name(certificate(name))


@pytest.mark.parametrize("domain", ["", "A", "a/b", "a b", "a:1", "."])
def test_what_is_no_trust_domain(domain: str) -> None:
    """A trust domain must not change the rest of the URI."""
    with pytest.raises(UserError, match="trust domain"):
        agent_uri("a1", domain)


@pytest.mark.parametrize(
    "uris", [(), (agent_uri("a1"),), ("https://a.example/x", agent_uri("a1")), ("spiffe://d/other/a2",)]
)
def test_an_agent_is_known_by_its_name(uris: tuple[str, ...]) -> None:
    """The common name, and the URI where there is one; other URIs do not matter. DER will do."""
    shown = certificate("a1", uris=uris)
    assert agent_name(shown) == "a1"
    assert agent_name(shown.public_bytes(serialization.Encoding.DER)) == "a1"


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (certificate(), "common name"),
        (certificate("a1", "a2"), "common name"),
        (certificate("a1", uris=(agent_uri("a2"),)), "another agent"),
        (certificate("a1", uris=(agent_uri("a1"), agent_uri("a2"))), "another agent"),
        (certificate("a1", uris=(agent_uri("a1"), agent_uri("a1", "other"))), "another agent"),
        (certificate("a1", uris=(agent_uri("a1") + "/x",)), "another agent"),
    ],
    ids=["nobody", "two names", "two agents", "two uris", "two domains", "longer"],
)
def test_a_certificate_that_names_nobody(shown: x509.Certificate, text: str) -> None:
    """One that says nothing, or two things, belongs to no agent."""
    with pytest.raises(UserError, match=text):
        agent_name(shown)


def test_a_trust_domain_can_be_demanded() -> None:
    """Then a URI of another one is refused; a certificate without a URI is still taken by its name."""
    assert agent_name(certificate("a1", uris=(agent_uri("a1", "ours"),)), "ours") == "a1"
    assert agent_name(certificate("a1"), "ours") == "a1"
    with pytest.raises(UserError, match="another trust domain"):
        agent_name(certificate("a1", uris=(agent_uri("a1", "theirs"),)), "ours")


def test_bytes_that_are_no_certificate() -> None:
    """Noise is refused like everything else."""
    with pytest.raises(UserError, match="cannot be read"):
        agent_name(b"noise")


@pytest.mark.parametrize("host", ["a_b", "http://a", "a:443", "", "a..b", "a" * 254, "*", "-a", "1.2.3.4/8"])
def test_what_is_no_host(host: str) -> None:
    """Neither a DNS name nor an address."""
    with pytest.raises(UserError, match="neither a DNS name nor an IP address"):
        host_names([host])


def test_a_server_has_a_host() -> None:
    """Without any name it could not be reached."""
    with pytest.raises(UserError, match="at least one"):
        host_names([])
