"""Statuses and the headers that go with them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.apiserver.core import statuses
from trio_argoagent.errors import Expired, NotFound, Throttled


def test_failure() -> None:
    """A refusal says what, why and with which code."""
    status = statuses.failure(NotFound("no", details={"name": "a", "kind": "secrets"}))
    assert (status["status"], status["reason"], status["code"]) == ("Failure", "NotFound", 404)
    assert status["message"] == "no"
    assert status["details"] == {"name": "a", "kind": "secrets"}


def test_a_fresh_token_goes_where_clients_look() -> None:
    """The token after an expired one is list metadata, not a detail."""
    status = statuses.failure(Expired("old", details={"continue": "t"}))
    assert status["metadata"] == {"continue": "t"}
    assert "details" not in status


def test_retry_after() -> None:
    """Seconds are whole and never too few."""
    assert statuses.retry_after(Throttled("slow", retry_after=1.2)) == [("retry-after", "2")]
    assert statuses.retry_after(Throttled("slow")) == []


@settings(deadline=None)
@given(st.lists(st.text(max_size=400), max_size=30))
def test_warnings_are_harmless_headers(texts: list[str]) -> None:
    """Whatever a client sent, a warning stays one quoted header of plain characters, and there are few."""
    found = statuses.warnings(texts)
    assert len(found) == min(len(texts), statuses.MAX_WARNINGS)
    for name, value in found:
        assert name == "warning"
        assert value.startswith('299 - "')
        assert value.endswith('"')
        assert len(value) <= 2 * statuses.MAX_WARNING + len('299 - ""')
        assert value.isascii()
        assert value.isprintable()
        inside = value[len('299 - "') : -1].replace("\\\\", "").replace('\\"', "")
        assert '"' not in inside
        assert "\\" not in inside


def test_long_warnings_are_cut() -> None:
    """A header stays short whatever the field was called."""
    assert statuses.warnings(["x" * 5000]) == [("warning", f'299 - "{"x" * statuses.MAX_WARNING}"')]
