"""One-time tokens: what each of those who show one gets."""

from __future__ import annotations

import itertools

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_argoagent.errors import UserError
from trio_argoagent.pki import tokens
from trio_argoagent.pki.tokens import Kept, Token, Verdict

PIN = "AB" * 32
TOKEN = tokens.make(bytes(range(40)), PIN)
KEPT = tokens.keep(TOKEN, "east", 1000.0)
MINE, OTHER = "11" * 32, "22" * 32
V = Verdict


@given(st.binary(min_size=40, max_size=40), st.binary(min_size=32, max_size=32))
def test_there_and_back(entropy: bytes, pin: bytes) -> None:
    """As it is printed, so it is read; what the hub keeps of it is not the secret."""
    token = tokens.make(entropy, pin.hex())
    assert tokens.parse(token.text) == tokens.parse(f" {token.text}\n") == token
    kept = tokens.keep(token, "a", 1.0)
    assert kept.id == token.id and token.secret not in str(attrs.astuple(kept))


def test_secrets_are_not_shown() -> None:
    """Neither the token's nor its hash, in any line."""
    assert TOKEN.secret not in repr(TOKEN) and KEPT.hash not in repr(KEPT)
    assert TOKEN.pin == PIN.lower()


@pytest.mark.parametrize(
    "text",
    ["", "a.b.c", TOKEN.text[:-1], TOKEN.text + "0", TOKEN.text.upper(), TOKEN.text.replace(".", ":")],
)
def test_what_is_no_token(text: str) -> None:
    """The line says where tokens come from, and repeats nothing of what was given."""
    with pytest.raises(UserError) as caught:
        tokens.parse(text)
    assert "ctl agent token" in str(caught.value)
    assert not text or text not in str(caught.value)


def test_too_little_entropy() -> None:
    """A bug here, not a weak token."""
    with pytest.raises(ValueError, match="40 bytes"):
        tokens.make(bytes(39), PIN)


def expected(
    *,
    exists: bool,
    right: bool,
    claims: str,
    used: str,
    in_time: bool,
    holder: str,
    taken: bool,
    replaces: bool,
) -> Verdict:
    """The table, in the order in which the rows count."""
    rows = (
        (not exists, V.UNKNOWN),
        (not right, V.WRONG),
        (claims == "west", V.OTHER_NAME),
        (used == OTHER, V.USED),
        (not in_time, V.EXPIRED),
        (used == MINE and holder == OTHER, V.USED),
        (used == MINE, V.REPEATED),
        (taken and not replaces, V.TAKEN),
        (True, V.GRANTED),
    )
    return next(verdict for holds, verdict in rows if holds)


@pytest.mark.parametrize("holder", ["", MINE, OTHER], ids=["nobody", "we", "another"])
@pytest.mark.parametrize("used", ["", MINE, OTHER], ids=["unused", "by-us", "by-another"])
@pytest.mark.parametrize("claims", ["", "east", "west"], ids=["nameless", "its-name", "another-name"])
def test_every_cell(claims: str, used: str, holder: str) -> None:
    """All that can be so at once: 3 x 3 x 3 x 32 cells."""
    for exists, right, in_time, taken, replaces in itertools.product((True, False), repeat=5):
        kept = attrs.evolve(KEPT, used=used, replaces=replaces) if exists else None
        secret = TOKEN.secret if right else "00" * 32
        now = 999.9 if in_time else 1000.0
        got = tokens.judge(kept, secret, claims=claims, key=MINE, holder=holder, taken=taken, now=now)
        assert got is expected(
            exists=exists,
            right=right,
            claims=claims,
            used=used,
            in_time=in_time,
            holder=holder,
            taken=taken,
            replaces=replaces,
        )


def test_what_came_of_a_used_token_may_not_be_known() -> None:
    """Whose certificate was the last one before it was used is still that: the answer never came about."""
    used = attrs.evolve(KEPT, used=MINE, holder=OTHER)
    judged = {
        holder: tokens.judge(used, TOKEN.secret, claims="", key=MINE, holder=holder, taken=True, now=0.0)
        for holder in (OTHER, MINE, "ab" * 32)
    }
    assert judged == {OTHER: V.REPEATED, MINE: V.REPEATED, "ab" * 32: V.USED}


def test_the_hash_is_of_id_and_secret() -> None:
    """The hash of one token is none of another with the same secret."""
    other = Token("ff" * 8, TOKEN.secret, TOKEN.pin)
    assert tokens.hash_of(other.id, other.secret) != KEPT.hash
    moved: Kept = attrs.evolve(KEPT, id=other.id)
    assert tokens.judge(moved, other.secret, claims="", key=MINE, holder="", taken=False, now=0.0) is V.WRONG
