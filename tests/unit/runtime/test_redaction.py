"""What looks like a secret, and what does not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_argoagent.pki import keys
from trio_argoagent.pki.tokens import Token
from trio_argoagent.runtime.redaction import MAX_TEXT, REDACTED, redacted, redacted_value

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


def spelled(word: str) -> list[str]:
    """A password as programs quote it."""
    return [
        f"password={json.dumps(word)}",
        f"with client_secret={word!r}, it failed",
        f"password: {json.dumps(word)}",
        f'{{"a": "the password={json.dumps(word)[1:-1]}"}}'.replace(" ", ""),
        json.dumps({"password": word, "x": 1}),
        json.dumps({"client-secret": word}, indent=2),
        repr({"token": word}),
        repr({"sshPrivateKey": word.encode()}),
        json.dumps({"spec": json.dumps({"bearerToken": word})}),
        json.dumps(f"password={json.dumps(word)}"),
    ]


def bare(word: str) -> list[str]:
    """A password without white space, as people write it."""
    return [
        f"password={word}",
        f"connect with db_pass={word} failed",
        f"password = {word}",
        f"password: {word}",
        f"Password:{word}",
        f"oauth2_token={word}",
        f"https://host/?access_token={word}",
        f"redis://argocd:{word}@redis:6379/0",
        f"http://:{word}@proxy",
        f"is amqp://a@b:{word}@host there?",
    ]


MARKS = ";,&/@:=?#%+!$(){}[]|~^*'`\"\\.-"


@pytest.mark.parametrize("mark", [*MARKS, " ", "\t", "\n", "  ", "é"], ids=ascii)
def test_whatever_stands_in_a_password(mark: str) -> None:
    """Neither what is before it nor what is behind it is left."""
    found = list(spelled(f"s3cr{mark}3tw0rd"))
    found += [] if mark.isspace() else bare(f"s3cr{mark}3tw0rd")
    for text in found:
        hidden = redacted(text)
        assert "s3cr" in text and REDACTED in hidden
        assert "s3cr" not in hidden and "3tw0rd" not in hidden, hidden
        assert redacted(hidden) == hidden


@pytest.mark.parametrize("mark", ["'", '"', "\\", ")", "@", "<"])
def test_a_password_that_begins_or_ends_so(mark: str) -> None:
    """And one that is not quoted to its end."""
    for word in (f"{mark}s3cr3tw0rd", f"s3cr3tw0rd{mark}"):
        for text in (*bare(word), *spelled(word), f'password="{word}', f"token='two {word}"):
            assert "s3cr3tw0rd" not in redacted(text), text


def test_what_stands_beside_it() -> None:
    """Is left, with the name."""
    assert redacted('a=1 password="b; c" d=2') == f"a=1 password={REDACTED} d=2"
    assert redacted("a redis://u:p/a@ss@redis:1 b") == f"a redis://u:{REDACTED}@redis:1 b"
    assert redacted('{"a":"x://u:1/2@h","b":"c@d"}') == f'{{"a":"x://u:{REDACTED}@h","b":"c@d"}}'
    assert json.loads(redacted(json.dumps({"a": "1", "token": 'b"c', "d": ["e"]}))) == {
        "a": "1",
        "token": REDACTED,
        "d": ["e"],
    }


@pytest.mark.parametrize(
    "piece",
    [
        "a://b:", "@a://b:", "a://b@", "password=", 'password="', 'token=\\"', '"token"', "'token':",
        '"token": ',
        "eyJaaaaaa-", "eyJaaaaaa.", "bearer ", "authorization basic ", "secret=)", "-----BEGIN PRIVATE KEY",
        "-----BEGIN A", "a_", "a.", "\\", '"', "'", " ", "0" * 16 + ".",
    ],
    ids=ascii,
)  # fmt: skip
def test_a_text_that_was_made_to_take_long(piece: str) -> None:
    """It takes no longer than others: in proportion to its length, which is bounded (else hours)."""
    for text in (piece * 1_000_000, (piece * MAX_TEXT)[:MAX_TEXT], f"{piece * MAX_TEXT} "):
        assert len(redacted(text)) < 2 * MAX_TEXT


@pytest.mark.parametrize(
    "text", [f"redis://argocd:{WORD}@redis", Token("0" * 16, "1" * 64, "2" * 64).text, f"Bearer {WORD}"]
)
@pytest.mark.parametrize("shown", range(4, 40, 5))
def test_a_secret_that_is_cut(text: str, shown: int) -> None:
    """Nothing of it is shown for want of what would have told that it is one."""
    before = "x" * (MAX_TEXT - shown - 1) + " "
    found = redacted(f"{before}{text} and so on, for quite some time")
    assert len(found) < MAX_TEXT + 40 and found.endswith(" characters more")
    assert WORD[:2] not in found and "1" * 2 not in found.partition("...")[0]


def test_a_cut_text() -> None:
    """It ends with a whole word, and says how much more there was."""
    found = redacted("ab " * MAX_TEXT)
    kept = found.removesuffix(f" ... and {3 * MAX_TEXT - found.index(' ...')} characters more")
    assert kept.endswith("ab ab") and MAX_TEXT - 8 < len(kept) < MAX_TEXT
    assert redacted("a" * (MAX_TEXT + 1)) == f"... and {MAX_TEXT + 1} characters more"
    assert redacted("a" * MAX_TEXT) == "a" * MAX_TEXT


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
        "it has no token=, and no secret= either.",
        "https://hub:6443/apis/argoproj.io/v1alpha1?labelSelector=a%3Db&watch=1",
        "oci://registry:5000/charts/app is read by somebody@example.org",
        "git@github.com:org/repo.git and ssh://git@github.com/org/repo",
        "bypass=true compass=north tokens=3",
        'unknown field "spec.source.token"',
        "secretName=argocd-agent-ca, --secret-name=other",
        "the password: ",
        '{"server":"https://10.0.0.1:6443","path":"guestbook","revision":"abc","author":"a@b.c"}',
        "{'server': ['https://10.0.0.1:6443/api'],'author':'a@b.c'}",
        json.dumps('{"server":"https://10.0.0.1:6443","author":"a@b.c"}'),
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
