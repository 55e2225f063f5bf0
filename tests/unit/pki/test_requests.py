"""Certificate signing requests, from anybody; and the proof of the last key."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from trio_argoagent.pki import keys, rejoin, requests
from trio_argoagent.pki.authority import DAY, Authority
from trio_argoagent.pki.rejoin import Verdict
from trio_argoagent.pki.requests import Flaw

NOW = datetime(2026, 5, 4, tzinfo=UTC).timestamp()
WINDOW = 30 * DAY


@cache
def key(name: str = "P-256") -> keys.PrivateKey:
    """One of each kind that is taken; another name: another key."""
    if name == "RSA":
        return rsa.generate_private_key(65_537, 3072)
    return ec.generate_private_key(ec.SECP384R1()) if name == "P-384" else keys.new_key()


def raw(private: keys.PrivateKey | ed25519.Ed25519PrivateKey, digest: hashes.HashAlgorithm | None) -> bytes:
    """A request that nobody here would make."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "west")])
    builder = x509.CertificateSigningRequestBuilder(subject)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("hub.example")]), critical=True)
    return builder.sign(private, digest).public_bytes(Encoding.DER)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["P-256", "P-384", "RSA"])
def test_a_request_of_ours(name: str) -> None:
    """The key comes out, whatever it says about names."""
    private = key(name)
    ours = requests.make(private, "east"), requests.make(private, "")
    for request in (*ours, raw(private, hashes.SHA256())):
        found = requests.judge(request)
        assert not isinstance(found, Flaw) and found == private.public_key()
        assert requests.key_hash(found) == requests.key_hash(private.public_key())
    assert requests.key_hash(key("other").public_key()) != requests.key_hash(private.public_key())


def test_weak_keys() -> None:
    """Too short, of another curve, of a kind that not every verifier takes."""
    weak = (
        raw(rsa.generate_private_key(65_537, 1024), hashes.SHA256()),
        raw(ec.generate_private_key(ec.SECP192R1()), hashes.SHA256()),
    )
    assert [requests.judge(each) for each in weak] == [Flaw.WEAK] * 2


def test_a_key_of_somebody_else() -> None:
    """A request whose signature is not its own key's certifies nothing."""
    mine, others = requests.make(key(), "east"), requests.make(key("other"), "east")
    spki = keys_of(mine), keys_of(others)
    assert len(spki[0]) == len(spki[1]) and spki[0] in mine
    assert requests.judge(mine.replace(spki[0], spki[1])) is Flaw.UNPROVEN


def keys_of(request: bytes) -> bytes:
    """The point of the public key, as it stands in the request."""
    public = x509.load_der_x509_csr(request).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    numbers = public.public_numbers()
    return b"\x04" + numbers.x.to_bytes(32) + numbers.y.to_bytes(32)


@given(st.binary(max_size=100))
def test_any_bytes(data: bytes) -> None:
    """They are no request."""
    assert requests.judge(data) is Flaw.UNREADABLE


def test_cut_off_and_too_long() -> None:
    """Nor is a part of one, or more than one can be."""
    whole = requests.make(key(), "east")
    assert all(requests.judge(whole[:end]) is Flaw.UNREADABLE for end in range(0, len(whole), 7))
    assert requests.judge(whole + bytes(requests.MAX_REQUEST)) is Flaw.UNREADABLE


# The last key


@cache
def authority(name: str = "ours") -> Authority:
    """A root of its own for each name."""
    return Authority.create(key(f"ca {name}"), name=name, serial=1, now=NOW - 365 * DAY)


def last(name: str = "P-256", *, ca: str = "ours", age: float = 10 * DAY, lifetime: float = 7 * DAY) -> bytes:
    """An agent's certificate (DER) that was issued so many seconds ago."""
    issued = authority(ca).issue_client(
        key(name).public_key(), agent="east", serial=2, now=NOW - age, lifetime=lifetime
    )
    return keys.load_certificates(issued)[0].public_bytes(Encoding.DER)


def judge(certificate: bytes, signer: str = "P-256", said: bytes = b"request", now: float = NOW) -> Verdict:
    """What it gets when that key has signed that."""
    signature = rejoin.sign(key(signer), said)
    roots = [authority("old").certificate, authority().certificate]
    return rejoin.judge(certificate, signature, b"request", authorities=roots, window=WINDOW, now=now)


@pytest.mark.parametrize("name", ["P-256", "P-384", "RSA"])
def test_a_last_key(name: str) -> None:
    """Whoever has it comes back, of whatever kind it is; also by a root that is on its way out."""
    assert judge(last(name), name) is Verdict.GRANTED
    assert judge(last(name, ca="old"), name) is Verdict.GRANTED


def test_the_window() -> None:
    """From the moment when it began to be valid until a month after it ended, to the second."""
    certificate = last()
    read = x509.load_der_x509_certificate(certificate)
    begins, ends = read.not_valid_before_utc.timestamp(), read.not_valid_after_utc.timestamp()
    moments = {
        begins - 1: Verdict.EARLY,
        begins: Verdict.GRANTED,
        ends: Verdict.GRANTED,
        ends + WINDOW: Verdict.GRANTED,
        ends + WINDOW + 1: Verdict.LATE,
    }
    assert {now: judge(certificate, now=now) for now in moments} == moments


def test_a_key_that_is_another_one() -> None:
    """A certificate is public: without its key, or with a signature of something else, it is nothing."""
    assert judge(last(), signer="other") is Verdict.UNPROVEN
    assert judge(last(), said=b"another request") is Verdict.UNPROVEN
    assert judge(last(), signer="RSA") is Verdict.UNPROVEN


def test_whose_certificates_count() -> None:
    """Those of an agent, of our own authorities; an authority's own, a server's and a stranger's do not."""
    assert judge(last(ca="theirs")) is Verdict.FOREIGN
    root = authority().certificate.public_bytes(Encoding.DER)
    assert judge(root, signer="ca ours") is Verdict.FOREIGN
    pem = authority().issue_server(
        key().public_key(), name="p", hosts=["hub.example"], serial=3, now=NOW, lifetime=DAY
    )
    assert judge(keys.load_certificates(pem)[0].public_bytes(Encoding.DER)) is Verdict.FOREIGN


@given(st.binary(max_size=100))
def test_any_bytes_for_a_certificate(data: bytes) -> None:
    """They are nobody's, and any bytes are nobody's signature."""
    assert judge(data) is Verdict.FOREIGN
    roots = [authority().certificate]
    got = rejoin.judge(last(), data, b"request", authorities=roots, window=WINDOW, now=NOW)
    assert got is Verdict.UNPROVEN
