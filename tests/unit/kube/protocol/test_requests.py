"""What is sent for each verb."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from trio_argoagent.errors import LocalProtocolError
from trio_argoagent.kube.protocol import requests
from trio_argoagent.kube.protocol.requests import HttpRequest
from trio_argoagent.model.resources import APPLICATIONS, NAMESPACES, SECRETS
from trio_argoagent.ports.cluster import JsonPatch, MergePatch

APPS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"


def query(request: HttpRequest) -> dict[str, list[str]]:
    """The request's query, decoded."""
    return parse_qs(urlsplit(request.target).query, strict_parsing=True)


def test_get() -> None:
    """A read of one object has no query and no body."""
    request = requests.get(APPLICATIONS, "argocd", "guestbook")
    assert (request.method, request.target) == ("GET", f"{APPS}/guestbook")
    assert request.headers == (("accept", "application/json"),)
    assert not request.body and not request.writes


def test_names_are_encoded() -> None:
    """A name cannot reach out of its path."""
    assert requests.get(SECRETS, "ns", "a/b?c").target == "/api/v1/namespaces/ns/secrets/a%2Fb%3Fc"


@pytest.mark.parametrize(("namespace", "name"), [("argocd", ""), ("", "guestbook")])
def test_half_a_name_is_refused(namespace: str, name: str) -> None:
    """It would be the path of a collection, and a DELETE would empty that."""
    with pytest.raises(LocalProtocolError):
        requests.delete(APPLICATIONS, namespace, name)


def test_cluster_scoped() -> None:
    """A resource without namespaces needs none."""
    assert requests.get(NAMESPACES, "", "argocd").target == "/api/v1/namespaces/argocd"


def test_list_asks_for_a_consistent_page() -> None:
    """No resourceVersion by default; only what is given is in the query."""
    assert requests.list_page(APPLICATIONS).target == "/apis/argoproj.io/v1alpha1/applications"
    request = requests.list_page(APPLICATIONS, "argocd", selector="a in (b, c),!d", limit=500)
    assert urlsplit(request.target).path == APPS
    assert query(request) == {"labelSelector": ["a in (b, c),!d"], "limit": ["500"]}


def test_one_object_by_its_name() -> None:
    """It is a field selector, for which a Role that names the object suffices."""
    listed = requests.list_page(APPLICATIONS, "argocd", name="web")
    followed = requests.watch(APPLICATIONS, "argocd", name="web", resource_version="7", timeout=5.0)
    assert [query(each)["fieldSelector"] for each in (listed, followed)] == [["metadata.name=web"]] * 2


def test_a_continued_list_carries_no_version() -> None:
    """The token has its own; API servers refuse both together."""
    request = requests.list_page(APPLICATIONS, resource_version="7", limit=5, continue_token="abc=")
    assert query(request) == {"limit": ["5"], "continue": ["abc="]}


def test_watch() -> None:
    """Bookmarks are asked for, and whole seconds, never 0."""
    request = requests.watch(APPLICATIONS, "argocd", resource_version="7", timeout=300.9)
    assert query(request) == {
        "watch": ["true"],
        "allowWatchBookmarks": ["true"],
        "resourceVersion": ["7"],
        "timeoutSeconds": ["300"],
    }
    short = requests.watch(APPLICATIONS, resource_version="7", timeout=0.2)
    assert query(short)["timeoutSeconds"] == ["1"]


def test_create_adds_the_type() -> None:
    """Where the value does not say what it is, the resource does."""
    request = requests.create(APPLICATIONS, {"metadata": {"namespace": "argocd", "name": "x"}})
    assert (request.method, request.target, request.writes) == ("POST", APPS, True)
    assert ("content-type", "application/json") in request.headers
    assert json.loads(request.body) == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"namespace": "argocd", "name": "x"},
    }


def test_replace() -> None:
    """The path is that of the object's own name."""
    request = requests.replace(APPLICATIONS, {"metadata": {"namespace": "argocd", "name": "x"}})
    assert (request.method, request.target, request.writes) == ("PUT", f"{APPS}/x", True)


def test_the_two_patches_differ_in_their_content_type() -> None:
    """RFC 6902 is a list of operations, RFC 7386 an object."""
    operations = [{"op": "test", "path": "/metadata/uid", "value": "u"}]
    as_json = requests.patch(APPLICATIONS, "argocd", "x", JsonPatch(operations))
    assert ("content-type", "application/json-patch+json") in as_json.headers
    assert json.loads(as_json.body) == operations
    merge = requests.patch(APPLICATIONS, "argocd", "x", MergePatch({"spec": {"project": None}}))
    assert ("content-type", "application/merge-patch+json") in merge.headers
    assert json.loads(merge.body) == {"spec": {"project": None}}
    assert merge.method == "PATCH" and merge.writes


def test_delete_with_preconditions() -> None:
    """Only those that are given are sent."""
    plain = requests.delete(APPLICATIONS, "argocd", "x")
    assert "preconditions" not in json.loads(plain.body)
    exact = requests.delete(APPLICATIONS, "argocd", "x", uid="u", resource_version="7")
    assert json.loads(exact.body)["preconditions"] == {"uid": "u", "resourceVersion": "7"}
    assert exact.writes


def test_repr_hides_the_body() -> None:
    """A Secret's data must not reach a log with its request."""
    request = requests.create(SECRETS, {"metadata": {"namespace": "n"}, "stringData": {"a": "hunter2"}})
    assert "hunter2" not in repr(request)


def test_a_watch_with_initial_events() -> None:
    """As KEP-3157 wants it; without a version it is a consistent read."""
    asked = requests.watch(APPLICATIONS, "n", resource_version="", timeout=300, initial=True)
    assert parse_qs(urlsplit(asked.target).query) == {
        "watch": ["true"],
        "allowWatchBookmarks": ["true"],
        "sendInitialEvents": ["true"],
        "resourceVersionMatch": ["NotOlderThan"],
        "timeoutSeconds": ["300"],
    }
