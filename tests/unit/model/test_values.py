"""Keys, records, resources, names."""

from __future__ import annotations

import pytest

from trio_argoagent.model.identity import is_dns_label
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import Record
from trio_argoagent.model.resources import APPLICATIONS, NAMESPACES, SECRETS


def test_a_key_as_text() -> None:
    """It is hashed by both sides: change it only with a new scheme."""
    key = Key(Kind.APPLICATION, "argocd", "web")
    assert str(key) == "Application/argocd/web"
    assert str(key.of(Kind.INTENT, "sync")) == "Intent/argocd/web#sync"
    assert key.of(Kind.INTENT, "sync").of(Kind.APPLICATION) == key


def test_keys_have_an_order() -> None:
    """Listings are sorted by it: no set decides."""
    keys = [Key(Kind.APPLICATION, "n", name) for name in ("b", "a", "c")]
    assert [key.name for key in sorted(keys)] == ["a", "b", "c"]


def test_a_record_without_a_body_is_a_tombstone() -> None:
    """An empty body is not none."""
    key = Key(Kind.APPLICATION, "n", "a")
    assert Record(key, "u", "", "", None).tombstone and not Record(key, "u", "D", "", b"").tombstone


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (APPLICATIONS.path(), "/apis/argoproj.io/v1alpha1/applications"),
        (APPLICATIONS.path("argocd"), "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"),
        (APPLICATIONS.path("argocd", "web"), "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/web"),
        (SECRETS.path("argocd", "s"), "/api/v1/namespaces/argocd/secrets/s"),
        (NAMESPACES.path("ignored", "n"), "/api/v1/namespaces/n"),
    ],
)
def test_request_paths(path: str, expected: str) -> None:
    """Groups, the core group, and what has no namespace."""
    assert path == expected


def test_resources_as_text() -> None:
    """As kubectl writes them."""
    assert (str(APPLICATIONS), str(SECRETS)) == ("applications.argoproj.io", "secrets")
    assert (APPLICATIONS.api_version, SECRETS.api_version) == ("argoproj.io/v1alpha1", "v1")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a", True), ("agent-1", True), ("1a", True), ("a" * 63, True), ("a" * 64, False), ("", False),
     ("-a", False), ("a-", False), ("A", False), ("a.b", False), ("a\n", False)],
)  # fmt: skip
def test_dns_labels(name: str, expected: bool) -> None:
    """RFC 1123."""
    assert is_dns_label(name) is expected
