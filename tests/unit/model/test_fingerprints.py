"""Fingerprints as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_argoagent.errors import UserError
from trio_argoagent.model.fingerprints import is_fingerprint, parse_fingerprint

ONE = "0123456789ABCDEF" * 4
COLONS = ":".join(ONE[at : at + 2] for at in range(0, 64, 2))


@pytest.mark.parametrize(
    "text",
    [ONE, ONE.lower(), COLONS, COLONS.lower(), f" {ONE}\n", f"sha256 Fingerprint={COLONS}"],
    ids=["as kept", "lower", "colons", "lower with colons", "white space", "openssl's line"],
)
def test_what_is_taken(text: str) -> None:
    """Each of them is the same certificate's."""
    assert parse_fingerprint(text) == ONE


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "it is no SHA-256"),
        (ONE[:-1], "it is no SHA-256"),
        (ONE + "0", "it is no SHA-256"),
        (ONE[:-1] + "G", "it is no SHA-256"),
        (ONE[:40], "as long as a SHA-1"),
        ("x" * 10_000, "it is no SHA-256"),
    ],
    ids=["nothing", "short", "long", "no digit", "SHA-1", "huge"],
)
def test_what_is_refused(text: str, what: str) -> None:
    """In one line of bounded length that says how to get one."""
    with pytest.raises(UserError, match=what) as refused:
        parse_fingerprint(text)
    assert "openssl x509" in str(refused.value)
    assert len(str(refused.value)) < 400


@given(st.text(max_size=200))
def test_whatever_is_taken_is_a_fingerprint(text: str) -> None:
    """Or it is refused."""
    try:
        found = parse_fingerprint(text)
    except UserError:
        return
    assert is_fingerprint(found)
