"""What a certificate says of itself: when it was issued, as the blocklist asks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from trio_argoagent.net.certificates import DATED_BACK, facts, pem_blocks
from trio_argoagent.pki import keys
from trio_argoagent.pki.authority import BACKDATE, Authority

NOW = 1_767_225_600.0
KEY = keys.new_key()


def at(seconds: float) -> datetime:
    """A moment, counted from now."""
    return datetime.fromtimestamp(NOW + seconds, UTC)


def issued(*extensions: x509.ExtensionType) -> float:
    """When a certificate says that it was issued which is valid from now on; counted from now."""
    name = x509.Name([])
    builder = x509.CertificateBuilder(name, name, KEY.public_key(), 7, at(0), at(86_400))
    for each in extensions:
        builder = builder.add_extension(each, critical=False)
    found = facts(builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER))
    assert found is not None
    return found.issued - NOW


def test_ours_say_it() -> None:
    """Though they are valid earlier."""
    root = Authority.create(KEY, name="ca", serial=1, now=NOW - 86_400)
    pem = root.issue_client(KEY.public_key(), agent="east", serial=5, now=NOW, lifetime=86_400)
    found = facts(pem_blocks(pem)[0])
    assert found is not None
    assert (found.not_before, found.issued) == (NOW - BACKDATE, NOW)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, 0), (60, 60), (DATED_BACK, DATED_BACK), (DATED_BACK + 1, 0), (-1, 0), (1e7, 0)],
)
def test_what_is_believed(seconds: float, expected: float) -> None:
    """Not more than a clock can be wrong by, and nothing from before it was valid."""
    assert issued(x509.PrivateKeyUsagePeriod(at(seconds), None)) == expected


def test_others_count_from_when_they_are_valid() -> None:
    """Whatever they say otherwise."""
    assert issued() == 0.0
    assert issued(x509.PrivateKeyUsagePeriod(None, at(60))) == 0.0
    assert issued(x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.16"), b"nonsense")) == 0.0
