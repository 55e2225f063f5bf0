"""CA bundles: merged, thinned out, compared; who has signed what."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.errors import UserError
from trio_argoagent.pki import keys
from trio_argoagent.pki.bundles import MAX_ROOTS, Bundle, fingerprint, is_authority, issued_by

from .certificates import CLIENT, authority, client, first, made, peers_leaf, server

OLD, NEW, OTHER = authority(), authority(), authority("another")
ROOTS = tuple(each.certificate for each in (OLD, NEW, OTHER))
bundles = st.lists(st.sampled_from(ROOTS)).map(Bundle.of)


@settings(deadline=None, max_examples=50)
@given(bundles, bundles)
def test_merging(one: Bundle, two: Bundle) -> None:
    """Each root once; the first keep their order; the fingerprint does not depend on the order."""
    merged = one.merged(two)
    assert len(set(merged.roots)) == len(merged.roots)
    assert merged.roots[: len(one.roots)] == one.roots
    assert set(merged.roots) == {*one.roots, *two.roots}
    assert merged.fingerprint == two.merged(one).fingerprint
    assert (one.fingerprint == two.fingerprint) == (set(one.roots) == set(two.roots))
    for each in merged.fingerprints:
        assert set(merged.without(each).fingerprints) == set(merged.fingerprints) - {each}


def test_it_survives_its_secret() -> None:
    """Written and read it is the same, and what stands twice is one."""
    bundle = Bundle.of(ROOTS)
    assert Bundle.read(bundle.pem) == bundle == Bundle.read(bundle.pem + OLD.certificate_pem)
    assert bundle.fingerprints[0] == fingerprint(OLD.certificate)
    assert len(bundle.fingerprint) == 64


@pytest.mark.parametrize(
    ("pem", "said"),
    [
        (b"", "no PEM"),
        (client(OLD), "the certificate of CN=edge is no CA's"),
        (keys.certificate_pem(made()), "is no CA's"),
    ],
    ids=["nothing", "a leaf", "neither"],
)
def test_what_is_no_bundle(pem: bytes, said: str) -> None:
    """A leaf among them would be a mistake that nobody notices until the next renewal."""
    with pytest.raises(UserError, match=said):
        Bundle.read(pem)


def test_too_many() -> None:
    """The limit is said."""
    many = [made(serial=each) for each in range(1, MAX_ROOTS + 2)]
    assert len(Bundle.of(many[:MAX_ROOTS]).roots) == MAX_ROOTS
    with pytest.raises(UserError, match="there are 17 CA certificates, at most 16"):
        Bundle.of(many)


def test_the_signature_says_who_has_issued() -> None:
    """Of two roots with one name, too, which is what a rotation has."""
    assert OLD.certificate.subject == NEW.certificate.subject
    bundle = Bundle.of(ROOTS)
    assert bundle.issuer_of(first(client(OLD))) == OLD.certificate
    assert bundle.issuer_of(first(server(NEW))) == NEW.certificate
    assert Bundle.of([OLD.certificate]).issuer_of(first(client(NEW))) is None
    assert bundle.issuer_of(made()) is None
    theirs = keys.new_key()
    assert not issued_by(peers_leaf(theirs, "edge", CLIENT), OLD.certificate)
    assert not is_authority(first(client(OLD)))
