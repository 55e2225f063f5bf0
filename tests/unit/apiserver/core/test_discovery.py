"""What discovery says."""

from __future__ import annotations

from trio_argoagent.apiserver.core import discovery
from trio_argoagent.model.resources import Resource

from .helpers import new_server

FOUND = discovery.entries(new_server().resources())


def test_groups() -> None:
    """Every group is listed once, with a version to prefer; the core group is not among them."""
    groups = {group["name"]: group for group in discovery.group_list(FOUND)["groups"]}
    assert "" not in groups
    assert groups["argoproj.io"]["preferredVersion"] == {
        "groupVersion": "argoproj.io/v1alpha1",
        "version": "v1alpha1",
    }
    one = discovery.one_group(FOUND, "argoproj.io")
    assert one is not None
    assert one["versions"] == groups["argoproj.io"]["versions"]


def test_resources() -> None:
    """A resource shows names, scope and verbs, and its subresources stand beside it."""
    listed = discovery.resource_list(FOUND, "argoproj.io", "v1alpha1")
    assert listed is not None
    by_name = {item["name"]: item for item in listed["resources"]}
    assert by_name["applications"]["shortNames"] == ["app", "apps"]
    assert by_name["applications"]["namespaced"] is True
    assert "watch" in by_name["applications"]["verbs"]
    assert by_name["applicationsets/status"]["verbs"] == ["get", "patch", "update"]
    assert "applications/status" not in by_name


def test_the_core_group_has_no_group_in_its_version() -> None:
    """``v1``, not ``/v1``."""
    listed = discovery.resource_list(FOUND, "", "v1")
    assert listed is not None
    assert listed["groupVersion"] == "v1"


def test_nothing() -> None:
    """What is not served has no document."""
    assert discovery.one_group(FOUND, "x") is None
    assert discovery.one_group(FOUND, "") is None
    assert discovery.resource_list(FOUND, "argoproj.io", "v9") is None


def test_both_forms_tell_the_same() -> None:
    """The aggregated documents name the resources and verbs of the others."""
    documents = [discovery.aggregated(FOUND, core=core) for core in (True, False)]
    names = [[group["metadata"].get("name", "") for group in document["items"]] for document in documents]
    assert names[0] == [""]
    assert "" not in names[1]
    aggregated = {
        (group["metadata"].get("name", ""), version["version"], item["resource"]): item["verbs"]
        for document in documents
        for group in document["items"]
        for version in group["versions"]
        for item in version["resources"]
    }
    plain = {}
    for entry in FOUND:
        listed = discovery.resource_list(FOUND, entry.resource.group, entry.resource.version)
        assert listed is not None
        for item in listed["resources"]:
            if "/" not in item["name"]:
                plain[entry.resource.group, entry.resource.version, item["name"]] = item["verbs"]
    assert aggregated == plain


def test_reviews_can_only_be_asked() -> None:
    """A review is created and nothing else."""
    listed = discovery.resource_list(FOUND, "authorization.k8s.io", "v1")
    assert listed is not None
    assert all(item["verbs"] == ["create"] for item in listed["resources"])


def test_the_best_version_comes_first() -> None:
    """Stable ones before betas before alphas, later before earlier; other names last."""
    names = ["v1alpha1", "v1", "odd", "v2beta1", "v10", "v1beta2"]
    resources = [Resource("example.com", name, "widgets", "Widget") for name in names]
    found = [discovery.Entry(resource, "widget", ["get"]) for resource in resources]
    best = ["v10", "v1", "v2beta1", "v1beta2", "v1alpha1", "odd"]
    (group,) = discovery.group_list(found)["groups"]
    assert [version["version"] for version in group["versions"]] == best
    assert group["preferredVersion"]["version"] == "v10"
    (item,) = discovery.aggregated(found, core=False)["items"]
    assert [version["version"] for version in item["versions"]] == best
