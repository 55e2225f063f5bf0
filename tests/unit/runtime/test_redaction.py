"""What looks like a secret, and what does not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_argoagent.pki import keys
from trio_argoagent.pki.tokens import Token
from trio_argoagent.runtime.redaction import REDACTED, redacted, redacted_value

WORD = "s3cr3t-w0rd"
PEM = keys.key_pem(keys.new_key()).decode()
HEART = PEM.splitlines()[2]
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl-_x"


@pytest.mark.parametrize(
    "text",
    [
        f"password={WORD}",
        f"redis://argocd:{WORD}@redis:6379",
        f"http://:{WORD}@proxy",
        f"connect with PASSWORD='{WORD}' failed",
        f"password: {WORD}",
        f"?access_token={WORD}&x=1",
        f"client_secret={WORD}",
        f"Authorization: Bearer {WORD}",
        f"authorization: basic {WORD}",
        json.dumps({"password": WORD, "x": 1}),
        json.dumps({"spec": json.dumps({"bearerToken": WORD})}),
        repr({"sshPrivateKey": WORD.encode()}),
        json.dumps({"password": f'{WORD} with "quotes"'}),
        f"the token was {JWT.replace('c2lnbmF0dXJl', WORD)} and expired",
        Token("0" * 16, "1" * 64, "2" * 64).text,
    ],
    ids=range(15),
)
def test_what_looks_like_one(text: str) -> None:
    """Is replaced, wherever it stands."""
    found = redacted(text)
    assert REDACTED in found
    assert WORD not in found and "1" * 64 not in found


def test_a_private_key() -> None:
    """Whole, cut short, in JSON, and between other words."""
    for text in (PEM, PEM[:120], json.dumps(PEM), f"a {PEM} b", repr(PEM.encode())):
        assert HEART[:10] in text and HEART[:10] not in redacted(text)
    assert redacted(f"a {PEM.strip()} b") == f"a {REDACTED} b"


@pytest.mark.parametrize(
    "text",
    [
        "the token is used up",
        "Secret argocd-agent-client-tls: renew it",
        "token: good for one key",
        "--tls-secret-name=argocd-agent-ca",
        "a bearer token is wanted",
        "the password is wrong",
        "certificate SHA-256 " + "ab" * 32,
        "https://hub:6443/api?watch=true",
        "-----BEGIN CERTIFICATE-----",
        "refused: no such agent (agent=east, secret=)",
    ],
)
def test_what_does_not(text: str) -> None:
    """Is left alone: a log in which half is redacted helps nobody."""
    assert redacted(text) == text


def test_values() -> None:
    """However it is packed; numbers stay numbers, and an empty secret is none."""
    value = {"a": [{"token": WORD}, (WORD.encode(), 1, None, True)], "password": "", "b": 1.5}
    expected = {"a": [{"token": REDACTED}, [WORD, 1, None, True]], "password": "", "b": 1.5}
    assert redacted_value(value) == expected


def test_depth() -> None:
    """What is packed too deeply is not looked through."""
    value: object = WORD
    for _ in range(20):
        value = [value]
    assert WORD not in repr(redacted_value(value))


@given(st.text(max_size=40), st.text(max_size=40))
def test_anything_around_it(before: str, after: str) -> None:
    """Once redacted, nothing changes any more; and a key never survives."""
    found = redacted(f"{before}{PEM}{after}")
    assert HEART not in found
    assert redacted(found) == found
