"""Addresses as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.errors import UserError
from trio_argoagent.net.address import format_address, parse_address


@pytest.mark.parametrize(
    ("text", "default", "expected"),
    [
        ("example.org:8443", None, ("example.org", 8443)),
        ("example.org", 443, ("example.org", 443)),
        ("[::1]:80", None, ("::1", 80)),
        ("[::1]", 443, ("::1", 443)),
        ("127.0.0.1:0", None, ("127.0.0.1", 0)),
    ],
)
def test_parses(text: str, default: int | None, expected: tuple[str, int]) -> None:
    """Each usual form gives host and port."""
    assert parse_address(text, default_port=default) == expected


@pytest.mark.parametrize(
    "text", ["", ":80", "host", "host:", "host:x", "host:70000", "::1:80", "[::1", "[::1]80", "a b:1", "h:-1"]
)
def test_refuses(text: str) -> None:
    """What cannot be meant is refused in one line that quotes it."""
    with pytest.raises(UserError, match=r"^[^\n]+$") as caught:
        parse_address(text)
    assert repr(text) in str(caught.value)


@settings(deadline=None, max_examples=200)
@given(st.ip_addresses(), st.integers(0, 65_535))
def test_round_trip(host: object, port: int) -> None:
    """What is formatted parses to the same, for both families."""
    assert parse_address(format_address(str(host), port)) == (str(host), port)


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=30))
def test_nothing_but_user_errors(text: str) -> None:
    """Whatever is given, the answer is an address or a UserError."""
    try:
        host, port = parse_address(text, default_port=1)
    except UserError:
        return
    assert host and 0 <= port <= 65_535
