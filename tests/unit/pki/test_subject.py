"""A certificate's subject as Go prints it."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from trio_argoagent.errors import UserError
from trio_argoagent.pki import keys, subject

KEY = keys.new_key()
DAY = datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)


def certificate(*attributes: tuple[x509.ObjectIdentifier, str]) -> x509.Certificate:
    """A certificate with this subject."""
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])
    return x509.CertificateBuilder(name, name, KEY.public_key(), 1, *DAY).sign(KEY, keys.digest_for(KEY))


# Printed by Go 1.26 for certificates with these attributes (crypto/x509/pkix.Name.String).
SUBJECTS = [
    ([(NameOID.COMMON_NAME, "a1")], "CN=a1"),
    ([(NameOID.COMMON_NAME, "a1"), (NameOID.ORGANIZATION_NAME, "o")], "CN=a1,O=o"),
    ([(NameOID.ORGANIZATION_NAME, "o"), (NameOID.COMMON_NAME, "a1")], "CN=a1,O=o"),
    (
        [
            (NameOID.COUNTRY_NAME, "DE"),
            (NameOID.STATE_OR_PROVINCE_NAME, "st"),
            (NameOID.LOCALITY_NAME, "l"),
            (NameOID.STREET_ADDRESS, "s"),
            (NameOID.POSTAL_CODE, "1"),
            (NameOID.ORGANIZATION_NAME, "o1"),
            (NameOID.ORGANIZATION_NAME, "o2"),
            (NameOID.ORGANIZATIONAL_UNIT_NAME, "ou"),
            (NameOID.COMMON_NAME, "first"),
            (NameOID.COMMON_NAME, "last"),
            (NameOID.SERIAL_NUMBER, "7"),
        ],
        "SERIALNUMBER=7,CN=last,OU=ou,O=o1+O=o2,POSTALCODE=1,STREET=s,L=l,ST=st,C=DE",
    ),
    ([(NameOID.COMMON_NAME, 'a,b+c"d\\e<f>g;h')], 'CN=a\\,b\\+c\\"d\\\\e\\<f\\>g\\;h'),
    ([(NameOID.COMMON_NAME, " a b ")], "CN=\\ a b\\ "),
    ([(NameOID.COMMON_NAME, "#a#")], "CN=\\#a#"),
    ([(NameOID.COMMON_NAME, "ä=1")], "CN=ä=1"),
    ([(NameOID.COMMON_NAME, "a"), (NameOID.DOMAIN_COMPONENT, "d")],
     "CN=a,0.9.2342.19200300.100.1.25=#130164"),
    ([(NameOID.COMMON_NAME, "a"), (NameOID.EMAIL_ADDRESS, "a@b")],
     "CN=a,1.2.840.113549.1.9.1=#0c03614062"),
    ([(NameOID.TITLE, "t" * 200)], "2.5.4.12=#1381c8" + "74" * 200),
]  # fmt: skip


@pytest.mark.parametrize(("attributes", "text"), SUBJECTS)
def test_a_subject_as_text(attributes: list[tuple[x509.ObjectIdentifier, str]], text: str) -> None:
    """By kinds, the last kind first, special characters escaped."""
    assert subject.subject_text(certificate(*attributes)) == text


def test_a_certificate_that_is_none() -> None:
    """It is told as a user's error."""
    with pytest.raises(UserError, match="cannot be read"):
        subject.read(b"nonsense")
    whole = certificate((NameOID.COMMON_NAME, "a")).public_bytes(Encoding.DER)
    assert subject.common_names(subject.read(whole)) == ["a"]
    assert subject.uris(subject.read(whole)) == []
