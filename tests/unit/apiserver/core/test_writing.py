"""Creates and updates beyond what the contract of every cluster says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.apiserver.core.helpers import APPLICATION_SETS, NOW, NS, app, drop, make, merge, new_server
from trio_argoagent.apiserver.core import patches
from trio_argoagent.apiserver.core.kinds import LEASES
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.errors import ApiError, BadRequest, Conflict, Invalid, NotFound, UnsupportedMedia
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS, CONFIG_MAPS, NAMESPACES, SECRETS


def app_set(**fields: Any) -> dict[str, Any]:
    """A small ApplicationSet."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": "set"},
        "spec": {"generators": [{"list": {"elements": []}}], "template": {"spec": {"any": [1]}}},
        **fields,
    }


def put(server: ApiServer, value: Any, **more: Any) -> Any:
    """Replace an Application."""
    return server.update(APPLICATIONS, NS, "a1", value, actor="test", now=NOW, **more).stored


def test_a_created_object_is_complete() -> None:
    """Everything that the server owns is there, in the form that Kubernetes gives it."""
    made = make(new_server(), app(metadata={"labels": {}, "managedFields": [{"manager": "x"}]}))
    assert made.metadata == {
        "name": "a1",
        "namespace": NS,
        "uid": made.uid,
        "creationTimestamp": "2023-11-14T22:13:20Z",
        "generation": 1,
        "resourceVersion": str(made.rv),
    }
    assert made.uid[14] == "4"
    assert made.uid[19] in "89ab"


def test_core_kinds_have_no_generation() -> None:
    """Secrets, ConfigMaps and namespaces do not count generations."""
    server = new_server()
    made = make(server, {"metadata": {"name": "c"}, "data": {"a": "1"}}, CONFIG_MAPS)
    assert "generation" not in made.metadata
    assert "generation" not in merge(server, "c", {"data": {"b": "2"}}, CONFIG_MAPS).metadata


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"kind": "AppProject"}, BadRequest, "does not match the expected kind"),
        ({"apiVersion": "v1"}, BadRequest, "does not match the expected API version"),
        ({"kind": ""}, BadRequest, "Object 'Kind' is missing"),
        ({"metadata": {"name": "a", "namespace": "other"}}, BadRequest, "does not match the namespace sent"),
        ({"metadata": {"name": "a", "labels": {"x": 1}}}, BadRequest, "metadata.labels.x"),
        ({"metadata": []}, BadRequest, "metadata"),
        ({"metadata": {}}, Invalid, "name or generateName is required"),
        ({"metadata": {"name": "a", "labels": {"x": "-"}}}, Invalid, "a valid label must be"),
        ({"metadata": {"name": "a", "annotations": {"a b": ""}}}, Invalid, "metadata.annotations"),
        ({"metadata": {"name": "a", "annotations": {"a": "x" * 300_000}}}, Invalid, "Too long"),
        ({"metadata": {"name": "a", "finalizers": ["a b"]}}, Invalid, "metadata.finalizers"),
        (
            {"metadata": {"name": "a", "ownerReferences": [{"kind": "X"}]}},
            Invalid,
            r"ownerReferences\[0\].uid",
        ),
        ({"spec": None}, Invalid, "spec: Required value"),
    ],
)
def test_what_is_not_an_application(change: Any, error: type[ApiError], text: str) -> None:
    """Each fault has its own error, and nothing is stored."""
    server = new_server()
    before = server.rv
    with pytest.raises(error, match=text):
        make(server, app() | change)
    assert server.rv == before


def test_several_problems_are_all_named() -> None:
    """An Invalid lists every problem, in its text and as causes."""
    with pytest.raises(Invalid) as caught:
        make(new_server(), app(spec={"project": 1}, status={"sync": {}}))
    fields = [cause["field"] for cause in caught.value.details["causes"]]
    assert fields == ["spec.project", "spec.destination", "status.sync.status"]
    assert caught.value.message == (
        'Application.argoproj.io "a1" is invalid: [spec.project: Invalid value: "integer": spec.project in '
        'body must be of type string: "integer", spec.destination: Required value, '
        "status.sync.status: Required value]"
    )
    assert caught.value.details["kind"] == "Application"


@pytest.mark.parametrize("validation", ["Ignore", "Warn", "Strict"])
def test_field_validation(validation: str) -> None:
    """Unknown fields are pruned silently, pruned with a warning, or refused."""
    server = new_server()

    def create() -> Any:
        return server.create(APPLICATIONS, NS, app(bogus=1), actor="test", now=NOW, validation=validation)

    if validation == "Strict":
        with pytest.raises(BadRequest, match='strict decoding error: unknown field "bogus"'):
            create()
        with pytest.raises(NotFound):
            server.get(APPLICATIONS, NS, "a1")
    else:
        written = create()
        assert "bogus" not in written.stored.value
        assert list(written.warnings) == (['unknown field "bogus"'] if validation == "Warn" else [])


def test_a_strict_patch_with_an_unknown_field_is_invalid() -> None:
    """A patch is judged like a body, with another code."""
    server = new_server()
    make(server, app())
    with pytest.raises(Invalid, match="strict decoding error"):
        merge(server, "a1", {"spec": {"bogus": 1}}, validation="Strict")


def test_dry_run_writes_nothing() -> None:
    """Every write can be tried: the answer is what would be, and the store stays."""
    server = new_server()
    make(server, app())
    before = server.rv
    tried = server.create(APPLICATIONS, NS, app("a2"), actor="test", now=NOW, dry_run=True)
    assert tried.stored.name == "a2"
    patched = merge(server, "a1", {"spec": {"project": "p"}}, dry_run=True)
    assert patched.value["spec"]["project"] == "p"
    assert put(server, patched.value, dry_run=True).value["spec"]["project"] == "p"
    assert drop(server, "a1", dry_run=True)
    assert server.rv == before
    assert server.get(APPLICATIONS, NS, "a1").value["spec"]["project"] == "default"


def test_an_application_has_no_status_subresource() -> None:
    """Neither Application nor AppProject has one: the path leads nowhere."""
    server = new_server()
    make(server, app())
    with pytest.raises(NotFound, match="could not find the requested resource"):
        merge(server, "a1", {"status": {}}, subresource="status")
    assert not server.resource("argoproj.io", "v1alpha1", "appprojects").has_status


def test_an_application_set_has_one() -> None:
    """A main write ignores the status, a status write ignores all else and does not count the generation."""
    server = new_server()
    made = make(server, app_set(status={"resourcesCount": 1}), APPLICATION_SETS)
    assert "status" not in made.value
    written = merge(
        server, "set", {"status": {"resourcesCount": 2}, "spec": {"goTemplate": True}}, APPLICATION_SETS
    )
    assert "status" not in written.value
    assert written.metadata["generation"] == 2
    patch = {
        "status": {"resourcesCount": 3},
        "spec": {"goTemplate": False},
        "metadata": {"labels": {"a": "1"}},
    }
    status = merge(server, "set", patch, APPLICATION_SETS, subresource="status")
    assert status.value["status"] == {"resourcesCount": 3}
    assert status.value["spec"]["goTemplate"] is True
    assert status.metadata["generation"] == 2
    assert status.labels == {}
    assert status.rv > written.rv


def test_deep_fields_are_kept_as_they_are() -> None:
    """What the small definitions do not describe is not pruned."""
    source = {
        "repoURL": "r",
        "helm": {"valuesObject": {"a": [None, {"b": 1}]}, "parameters": [{"name": "x"}]},
    }
    spec = {"project": "", "destination": {}, "sources": [source]}
    assert make(new_server(), app(spec=spec)).value["spec"]["sources"] == [source]


def test_a_project_of_argo_cd_fits() -> None:
    """An AppProject with roles and tokens is stored whole; a token needs its time of issue."""
    value = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "p"},
        "spec": {"roles": [{"name": "r", "jwtTokens": [{"iat": 1, "id": "x"}], "policies": ["p, a"]}]},
        "status": {"jwtTokensByRole": {"r": {"items": [{"iat": 1}]}}},
    }
    server = new_server()
    made = make(server, value, APP_PROJECTS)
    assert made.value["spec"] == value["spec"]
    assert made.value["status"] == value["status"]
    with pytest.raises(Invalid, match=r"spec\.roles\[0\]\.jwtTokens\[0\]\.iat: Required value"):
        merge(server, "p", {"spec": {"roles": [{"name": "r", "jwtTokens": [{"id": "y"}]}]}}, APP_PROJECTS)


def test_a_put_must_be_about_that_object() -> None:
    """Another name is a BadRequest, another uid a Conflict, no version Invalid and a stale one a Conflict."""
    server = new_server()
    made = make(server, app())
    meta = dict(made.metadata)
    with pytest.raises(BadRequest, match="does not match the name on the URL"):
        put(server, {**made.value, "metadata": {**meta, "name": "other"}})
    with pytest.raises(BadRequest, match="does not match the namespace"):
        put(server, {**made.value, "metadata": {**meta, "namespace": "other"}})
    with pytest.raises(Conflict, match="UID in precondition"):
        put(server, {**made.value, "metadata": {**meta, "uid": "other"}})
    with pytest.raises(Invalid, match=" 0: must be specified for an update"):
        put(server, app())
    merge(server, "a1", {"spec": {"project": "p"}})
    with pytest.raises(Conflict, match="the object has been modified"):
        put(server, made.value)


def test_the_spec_is_required_on_update_too() -> None:
    """A patch may not make an object that could not be created."""
    server = new_server()
    make(server, app())
    with pytest.raises(Invalid, match=r"spec\.destination: Required value"):
        merge(server, "a1", {"spec": {"destination": None}})
    with pytest.raises(BadRequest):
        patch: Any = [{"op": "replace", "path": "", "value": []}]
        server.patch(APPLICATIONS, NS, "a1", patch, content_type=patches.JSON_PATCH, actor="test", now=NOW)


@pytest.mark.parametrize(
    ("field", "says"), [("name", "the name on the URL"), ("namespace", "the namespace sent on the request")]
)
def test_names_cannot_be_patched(field: str, says: str) -> None:
    """A patch that makes it another object is a BadRequest."""
    server = new_server()
    make(server, app())
    with pytest.raises(BadRequest, match=says):
        merge(server, "a1", {"metadata": {field: "other"}})


def test_a_put_of_another_object_that_is_not_there() -> None:
    """What is wrong with the request comes before what is missing."""
    with pytest.raises(BadRequest, match=r"\(other\) does not match the name on the URL \(a1\)"):
        put(new_server(), app("other"))


@pytest.mark.parametrize("field", ["uid", "deletionTimestamp"])
def test_identity_cannot_be_patched(field: str) -> None:
    """A patch of what identifies an object is Invalid."""
    server = new_server()
    make(server, app())
    with pytest.raises(Invalid, match=f"metadata.{field}: Invalid value: .*: field is immutable"):
        merge(server, "a1", {"metadata": {field: "other"}})


def test_strategic_patches_are_for_core_kinds() -> None:
    """A custom resource answers 415 and says what it takes; a Secret merges."""
    server = new_server()
    make(server, app())
    make(server, {"metadata": {"name": "s", "finalizers": ["example.com/a"]}}, SECRETS)

    def strategic(resource: Any, name: str, patch: Any) -> Any:
        return server.patch(
            resource,
            NS,
            name,
            patch,
            content_type="application/strategic-merge-patch+json",
            actor="t",
            now=NOW,
        ).stored

    with pytest.raises(
        UnsupportedMedia, match=r"application/json-patch\+json, application/merge-patch\+json"
    ):
        strategic(APPLICATIONS, "a1", {})
    patched = strategic(
        SECRETS, "s", {"metadata": {"finalizers": ["example.com/b"]}, "stringData": {"a": "1"}}
    )
    assert patched.finalizers == ["example.com/a", "example.com/b"]
    assert patched.value["data"] == {"a": "MQ=="}


def test_a_lease_may_not_be_overwritten_blindly() -> None:
    """Outside the core group a PUT needs a version, for built-in kinds as well."""
    server = new_server()
    made = make(server, {"metadata": {"name": "l"}, "spec": {"holderIdentity": "a"}}, LEASES)
    with pytest.raises(Invalid, match="must be specified for an update"):
        server.update(LEASES, NS, "l", {"metadata": {"name": "l"}}, actor="test", now=NOW)
    value = {**made.value, "spec": {"holderIdentity": "b"}}
    written = server.update(LEASES, NS, "l", value, actor="test", now=NOW)
    assert written.stored.value["spec"] == {"holderIdentity": "b"}


def test_namespaces_are_cluster_scoped() -> None:
    """A namespace has no namespace, and an Application cannot do without one."""
    server = new_server()
    assert "namespace" not in server.get(NAMESPACES, "ignored", NS).metadata
    with pytest.raises(BadRequest, match="an empty namespace may not be set"):
        server.get(APPLICATIONS, "", "a1")
