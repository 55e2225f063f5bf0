"""Who may come in."""

from __future__ import annotations

import base64
import json
import ssl

import pytest

from trio_argoagent.apiserver.core.users import User
from trio_argoagent.apiserver.http import Access, kubeconfig
from trio_argoagent.apiserver.http import access as module
from trio_argoagent.errors import Unauthorized

from .exchanges import exchange
from .world import authority

TOKENS = {"t": "alice", "u": User("bob", ("devs",))}


def certificate(name: str) -> bytes:
    """DER of a client's certificate."""
    return ssl.PEM_cert_to_DER_cert(authority().issue(name).certificate.decode())


def test_tokens() -> None:
    """A token is a user's."""
    access = Access(TOKENS)
    assert access(exchange("GET", "/", token="t").request) == User.admin("alice")
    assert access(exchange("GET", "/", token="", authorization="bearer u").request) == User("bob", ("devs",))


def test_certificates() -> None:
    """Without a token the common name counts."""
    request = exchange("GET", "/", token="", certificate=certificate("carol")).request
    assert Access(TOKENS)(request) == User("carol")


@pytest.mark.parametrize("authorization", ["Bearer x", "Bearer ", "Basic dDp0", "t"])
def test_bad_credentials(authorization: str) -> None:
    """Bad ones are refused, even beside a good certificate."""
    request = exchange("GET", "/", token="", certificate=certificate("carol"), authorization=authorization)
    with pytest.raises(Unauthorized):
        Access(TOKENS)(request.request)


def test_nobody() -> None:
    """Neither token nor certificate: refused."""
    with pytest.raises(Unauthorized):
        Access(TOKENS)(exchange("GET", "/", token="").request)


def test_certificates_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """More certificates than are remembered still have their own names."""
    monkeypatch.setattr(module, "MAX_REMEMBERED", 2)
    access, ders = Access({}), [(name, certificate(name)) for name in ("a", "b", "c")]
    for _ in range(2):
        for name, der in ders:
            assert access(exchange("GET", "/", token="", certificate=der).request).name == name
            assert len(access._named) <= 2


def test_kubeconfig() -> None:
    """One context with all that a client needs; an IPv6 host is bracketed."""
    value = json.loads(kubeconfig("::1", 6443, b"PEM", "t", "hub", "argocd"))
    assert value["current-context"] == "hub"
    assert value["contexts"][0]["context"] == {"cluster": "hub", "user": "hub", "namespace": "argocd"}
    assert value["users"][0]["user"] == {"token": "t"}
    cluster = value["clusters"][0]["cluster"]
    assert cluster["server"] == "https://[::1]:6443"
    assert base64.b64decode(cluster["certificate-authority-data"]) == b"PEM"
