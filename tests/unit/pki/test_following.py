"""An agent follows the hub's authorities: roots are added, dropped by name, and never all."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from trio_argoagent.errors import UserError
from trio_argoagent.pki import keys
from trio_argoagent.pki.bundles import Bundle
from trio_argoagent.pki.following import followed

from .certificates import authority, client, peers_authority

OLD, NEW, OTHER = authority(), authority(), authority("another")


def pem(*roots: object) -> bytes:
    """A bundle."""
    return keys.certificate_pem(*(each.certificate for each in roots))  # type: ignore[attr-defined]


def name(root: object) -> str:
    """A root's fingerprint."""
    return Bundle((root.certificate,)).fingerprints[0]  # type: ignore[attr-defined]


def test_it_goes_as_a_rotation_goes() -> None:
    """Both, then the new one; what is of somebody else stays all the time."""
    both = followed(pem(OTHER, OLD), pem(OLD, NEW), ())
    assert both == pem(OTHER, OLD, NEW)
    assert followed(both, pem(OLD, NEW), ()) is both
    assert followed(both, pem(NEW), ()) is both
    after = followed(both, pem(NEW), (name(OLD),))
    assert after == pem(OTHER, NEW)
    assert followed(after, pem(NEW), (name(OLD),)) is after


def test_phases_that_were_missed() -> None:
    """Whoever comes for the last one only gets there as well."""
    assert followed(pem(OLD), pem(NEW), (name(OLD),)) == pem(NEW)


def test_the_bundle_as_it_was_written_stays() -> None:
    """Comments in it are no reason to write it anew."""
    text = b"# ours\n" + pem(OLD)
    assert followed(text, pem(OLD), ()) is text


@pytest.mark.parametrize(
    ("said", "dropped", "why"),
    [
        (b"", (), "no PEM"),
        (b"", (name(OLD),), "no PEM"),
        (pem(OLD), (name(OLD),), "both to be trusted and to be dropped"),
        (client(OLD), (), "is no CA's"),
        (
            keys.certificate_pem(peers_authority(rsa.generate_private_key(65537, 2048))),
            (),
            "the key of the root CN=argocd-agent-ca is too weak",
        ),
    ],
    ids=["nothing", "all dropped", "both", "a leaf", "weak"],
)
def test_what_is_not_followed(said: bytes, dropped: tuple[str, ...], why: str) -> None:
    """Nothing changes then."""
    with pytest.raises(UserError, match=why):
        followed(pem(OLD), said, dropped)
