"""Certificates and requests with a byte changed: whoever reads what a stranger has made says so at most."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from trio_argoagent.errors import UserError
from trio_argoagent.net.certificates import facts, standing
from trio_argoagent.pki import bundles, keys, names, rejoin, requests, subject

from .certificates import KEY, authority, client, made

ROOT = authority()


def last_key(der: bytes) -> None:
    """Show it as a last certificate."""
    rejoin.judge(der, b"x", b"y", authorities=[ROOT.certificate], window=1.0, now=2e9)


def as_text(der: bytes) -> None:
    """What expressions look at."""
    found = subject.read(der)
    subject.subject_text(found), subject.uris(found), subject.common_names(found)


READERS: list[Callable[[bytes], object]] = [
    last_key,
    as_text,
    names.agent_name,
    facts,
    lambda der: standing([der]),
]


@pytest.mark.filterwarnings("ignore")  # cryptography warns of serial numbers that are none.
@pytest.mark.parametrize("reader", READERS)
def test_a_byte_of_a_certificate(reader: Callable[[bytes], object]) -> None:
    """Each is a certificate, or a refusal in one line."""
    der = keys.load_certificates(client(ROOT))[0].public_bytes(Encoding.DER)
    for place in range(len(der)):
        for value in (0, 5, 0x30, 0xFF):
            try:
                reader(der[:place] + bytes([value]) + der[place + 1 :])
            except UserError as exc:
                assert "\n" not in str(exc)


@pytest.mark.parametrize("reader", READERS)
def test_an_extension_that_is_there_twice(reader: Callable[[bytes], object]) -> None:
    """RFC 5280 forbids it, OpenSSL does not look."""
    one, two = (x509.ObjectIdentifier(f"1.2.3.4.5.{last}") for last in (6, 7))
    odd = made(
        (x509.UnrecognizedExtension(one, b"\x05\x00"), False),
        (x509.UnrecognizedExtension(two, b"\x05\x00"), False),
        subject="edge",
    )
    der = odd.public_bytes(Encoding.DER)
    twice = der.replace(bytes.fromhex("06052a03040507"), bytes.fromhex("06052a03040506"))
    assert twice != der and not bundles.is_authority(x509.load_der_x509_certificate(twice))
    try:
        reader(twice)
    except UserError as exc:
        assert "cannot be read" in str(exc)


def test_a_byte_of_a_request() -> None:
    """Likewise, the version among them."""
    whole = requests.make(KEY, "edge")
    for place in range(len(whole)):
        for value in (0, 5, 0x30, 0xFF):
            requests.judge(whole[:place] + bytes([value]) + whole[place + 1 :])
