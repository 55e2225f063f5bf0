"""Values of --auth, good and bad, and who comes of them."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import Peer
from trio_argoagent.net.tls import fingerprint
from trio_argoagent.pki import keys
from trio_argoagent.runtime.authentication import Method, Source
from trio_argoagent.stream.admission import Refusal, Shown

KEY = keys.new_key()
DAYS = datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)
SPIFFE = "spiffe://cluster.example/ns/argocd/sa/"
ISTIO = r"header:x-forwarded-client-cert:^.*URI=spiffe://[^/]+/ns/[^/]+/sa/([^,;]+)"


def certificate(common: str, *more: str) -> bytes:
    """One (DER) with this common name and with these URIs; what is none is a serial number."""
    uris, serial = [each for each in more if "://" in each], "".join(each for each in more if "CN=" in each)
    parts = {NameOID.COMMON_NAME: common, NameOID.ORGANIZATION_NAME: "o"}
    if serial:
        parts[NameOID.SERIAL_NUMBER] = serial
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in parts.items()])
    builder = x509.CertificateBuilder(name, name, KEY.public_key(), 1, *DAYS)
    if uris:
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri) for uri in uris])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(KEY, keys.digest_for(KEY)).public_bytes(Encoding.DER)


def who(auth: str, shown: Shown, *, matches_subject: bool = False) -> str:
    """The agent's name, or the line of our no."""
    said = Method.parse(auth).identify("argocd", matches_subject=matches_subject)(shown)
    if isinstance(said, Refusal):
        assert said.status in (401, 403)
        return f"no: {said.text}"
    proven = fingerprint(shown.certificate) if shown.certificate else ""
    assert said == Peer(said.name, proven, shown.address)
    return said.name


@pytest.mark.parametrize(
    ("auth", "source", "header"),
    [
        ("", Source.NAMES, ""),
        ("mtls:CN=([^,]+)", Source.SUBJECT, ""),
        ("mtls:subject:CN=([^,]+)", Source.SUBJECT, ""),
        ("mtls:uri:^spiffe://[^/]+/agent/([^/]+)$", Source.URI, ""),
        ("header:X-Client-Id:^(.+)$", Source.HEADER, "x-client-id"),
        (ISTIO, Source.HEADER, "x-forwarded-client-cert"),
    ],
)
def test_values_that_are_taken(auth: str, source: Source, header: str) -> None:
    """As argocd-agent's documentation has them."""
    method = Method.parse(auth)
    assert (method.source, method.header) == (source, header)


@pytest.mark.parametrize(
    ("auth", "line"),
    [
        ("mtls", "write mtls:<regex>"),
        ("CN=([^,]+)", "write mtls:<regex>"),
        ("oidc:x", "write mtls:<regex>"),
        ("MTLS:CN=(.*)", "write mtls:<regex>"),
        ("mtls:", "no group"),
        ("mtls:uri:", "no group"),
        ("mtls:CN=[^,]+", "no group"),
        ("mtls:CN=([^,]+", "unterminated subpattern"),
        ("mtls:CN=((a+)+)", "repeats a group"),
        ("header:x-id", "no group"),
        ("header::(.*)", "no header's name"),
        ("header:x id:(.*)", "no header's name"),
        ("header::authority:(.*)", "no header's name"),
        ("userpass:/etc/passwd", "is not supported .* use --auth 'mtls:"),
        ("userpass", "is not supported"),
    ],
)
def test_values_that_are_refused(auth: str, line: str) -> None:
    """One line that says what to write."""
    with pytest.raises(UserError, match=line) as caught:
        Method.parse(auth)
    assert "\n" not in str(caught.value) and str(caught.value).startswith("--auth")


@pytest.mark.parametrize(
    ("auth", "shown", "said"),
    [
        ("", ("a1",), "a1"),
        ("", ("a1", "spiffe://t/argocd-agent/agent/a2"), "no: the certificate's URI names"),
        ("", ("argocd",), "no: the certificate's common name: argocd is the principal's own"),
        ("", ("No Agent",), "no: the certificate's common name is not an agent's name"),
        ("mtls:CN=([^,]+)", ("a1",), "a1"),
        ("mtls:CN=agent-([^,]+),O=o$", ("agent-a1",), "a1"),
        ("mtls:CN=([^,]+)", ("A1",), "no: the certificate's subject: what --auth finds there"),
        ("mtls:CN=([^,]+)", ("a.b",), "no: the certificate's subject: what --auth finds there"),
        ("mtls:CN=([^,]+)", ("a,b",), "no: the certificate's subject: what --auth finds there"),
        ("mtls:CN=([^,]+)", ("a" * 64,), "no: the certificate's subject: what --auth finds there"),
        ("mtls:CN=([^,]+)", ("argocd",), "no: the certificate's subject: argocd is the"),
        ("mtls:CN=([^,]+)", ("a1", "CN=a2"), "no: the principal's --auth matches more"),
        ("mtls:OU=([^,]+)", ("a1",), "no: the principal's --auth does not match"),
        (f"mtls:uri:^{SPIFFE}(.+)$", ("x", SPIFFE + "a1"), "a1"),
        (f"mtls:uri:^{SPIFFE}(.+)$", ("x", "https://b/", SPIFFE + "a1"), "a1"),
        (f"mtls:uri:^{SPIFFE}(.+)$", ("x", SPIFFE + "a1", SPIFFE + "a2"), "no: the principal's"),
        (f"mtls:uri:^{SPIFFE}(.+)$", ("x", SPIFFE + "a/b"), "no: the certificate's URIs: what"),
        (f"mtls:uri:^{SPIFFE}(.+)$", ("a1",), "no: the principal's --auth does not match"),
        ("", None, "no: a link needs a client certificate"),
        ("mtls:CN=([^,]+)", None, "no: a link needs a client certificate"),
    ],
)  # fmt: skip
def test_who_a_certificate_is(auth: str, shown: tuple[str, ...] | None, said: str) -> None:
    """The name, or one line that the agent's log shows."""
    der = None if shown is None else certificate(*shown)
    found = who(auth, Shown(der, (), "192.0.2.1:7"))
    assert found == said or (said.startswith("no: ") and found.startswith(said))


@pytest.mark.parametrize(("common", "said"), [("a1", "a1"), ("a2", "no: the certificate's common name is")])
def test_the_subject_must_match_too(common: str, said: str) -> None:
    """With --client-cert-subject-match, whatever --auth reads."""
    shown = Shown(certificate(common, SPIFFE + "a1"))
    assert who(f"mtls:uri:^{SPIFFE}(.+)$", shown, matches_subject=True).startswith(said)


@pytest.mark.parametrize(
    ("auth", "headers", "said"),
    [
        ("header:X-Id:^(.+)$", [("x-id", "a1"), ("other", "a2")], "a1"),
        ("header:x-id:^(.+)$", [], "no: the mesh's proxy says who an agent is in x-id, and there is none"),
        ("header:x-id:^(.+)$", [("x-id", "a1"), ("x-id", "a2")],
         "no: the mesh's proxy says who an agent is in x-id, and there are 2 of them"),
        ("header:x-id:^(.+)$", [("x-id", "a1"), ("x-id", "a1")], "no: the mesh's proxy"),
        ("header:x-id:^(.+)$", [("x-id", "a1, a2")], "no: the header x-id: what --auth finds there"),
        ("header:x-id:^(.+)$", [("x-id", "argocd")], "no: the header x-id: argocd is the principal's own"),
        ("header:x-id:([a-z0-9]+)", [("x-id", "a1,a2")], "no: the principal's --auth matches more than once"),
        (ISTIO, [("x-forwarded-client-cert",
                  f"By=spiffe://t/ns/h/sa/p;Hash=1;URI={SPIFFE}evil,By=x;URI={SPIFFE}a1")], "a1"),
    ],
)  # fmt: skip
def test_who_a_header_names(auth: str, headers: list[tuple[str, str]], said: str) -> None:
    """Exactly one header; what a client has put before the proxy's own words does not count."""
    assert who(auth, Shown(None, tuple(headers))).startswith(said)


def test_a_certificate_that_is_none() -> None:
    """It is told in a line."""
    assert who("mtls:CN=([^,]+)", Shown(b"nonsense")) == "no: the certificate cannot be read"
