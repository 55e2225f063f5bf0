"""OpenAPI documents."""

from __future__ import annotations

from typing import Any

from trio_argoagent.apiserver.core import openapi

from .helpers import new_server

TYPES = new_server().resources()


def test_every_folder_has_a_document() -> None:
    """What the index names exists; what it does not, does not."""
    paths = openapi.index(TYPES)["paths"]
    assert {"api/v1", "apis/argoproj.io/v1alpha1", "apis/coordination.k8s.io/v1"} <= set(paths)
    for folder in paths:
        assert openapi.document(TYPES, folder) is not None
    assert openapi.document(TYPES, "apis/nobody/v1") is None


def test_the_digest_follows_the_content() -> None:
    """Clients keep a document for ever: its address must change with it."""
    before = openapi.index(TYPES)["paths"]
    kept = [kind for kind in TYPES if kind.resource.plural != "appprojects"]
    after = openapi.index(kept)["paths"]
    assert before == openapi.index(TYPES)["paths"]
    assert before["apis/argoproj.io/v1alpha1"] != after["apis/argoproj.io/v1alpha1"]
    assert before["api/v1"] == after["api/v1"]


def test_patches_can_be_validated() -> None:
    """``kubectl apply`` looks for this parameter on the patch of the kind."""
    for folder in openapi.index(TYPES)["paths"]:
        document: Any = openapi.document(TYPES, folder)
        patches = [item["patch"] for item in document["paths"].values() if "patch" in item]
        assert patches
        for patch in patches:
            assert "fieldValidation" in [parameter["name"] for parameter in patch["parameters"]]
            assert set(patch["x-kubernetes-group-version-kind"]) == {"group", "version", "kind"}


def test_schemas_are_found_by_kind() -> None:
    """``kubectl explain`` finds a schema by its kind, and all that it refers to is there."""
    document: Any = openapi.document(TYPES, "apis/argoproj.io/v1alpha1")
    schemas = document["components"]["schemas"]
    app = schemas["io.argoproj.v1alpha1.Application"]
    assert app["x-kubernetes-group-version-kind"] == [
        {"group": "argoproj.io", "version": "v1alpha1", "kind": "Application"}
    ]
    assert "project" in app["properties"]["spec"]["properties"]
    reference = app["properties"]["metadata"]["allOf"][0]["$ref"]
    assert reference.removeprefix("#/components/schemas/") in schemas


def test_cluster_scoped_paths_have_no_namespace() -> None:
    """Namespaces themselves live in none."""
    document: Any = openapi.document(TYPES, "api/v1")
    assert "/api/v1/namespaces/{name}" in document["paths"]
    assert "/api/v1/namespaces/{namespace}/secrets/{name}" in document["paths"]
    assert "delete" not in document["paths"]["/api/v1/namespaces"]
