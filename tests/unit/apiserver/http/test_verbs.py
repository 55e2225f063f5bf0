"""What each verb does, over requests."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.apiserver.core import protobuf
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.values import Verb
from trio_argoagent.apiserver.http import ApiHandler
from trio_argoagent.apiserver.http.replies import BODY
from trio_argoagent.model.resources import APPLICATIONS, CONFIG_MAPS, NAMESPACES

from ..core.helpers import NS, app, make
from ..core.test_protobuf import body, entry, field
from .exchanges import ask

APPS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"
MAPS = "/api/v1/namespaces/argocd/configmaps"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


async def test_create(handler: ApiHandler, server: ApiServer) -> None:
    """201 with the object, and the log says who."""
    answer = await ask(handler, "POST", APPS, app(), content_type="application/json; charset=utf-8")
    assert answer.status == 201
    assert answer.value == server.get(APPLICATIONS, NS, "a1").value
    assert (server.log[-1].actor, server.log[-1].verb) == ("alice", Verb.CREATE)


async def test_create_in_protobuf(handler: ApiHandler, server: ApiServer) -> None:
    """As kubectl does it; the answer is JSON."""
    message = field(1, field(1, "c1")) + entry(2, "k", "v")
    answer = await ask(
        handler, "POST", MAPS, body("ConfigMap", message), content_type=protobuf.MEDIA_TYPE
    )  # fmt: skip
    assert (answer.status, answer.value["data"]) == (201, {"k": "v"})


async def test_get_and_list(handler: ApiHandler, server: ApiServer) -> None:
    """One, some by label, and those of all namespaces."""
    make(server, app("a1", metadata={"labels": {"x": "y"}}))
    make(server, app("a2"))
    assert (await ask(handler, "GET", f"{APPS}/a1")).value["metadata"]["name"] == "a1"
    chosen = await ask(handler, "GET", f"{APPS}?labelSelector=x%3Dy&fieldSelector=metadata.name%3Da1")
    assert [item["metadata"]["name"] for item in chosen.value["items"]] == ["a1"]
    everywhere = await ask(handler, "GET", "/apis/argoproj.io/v1alpha1/applications")
    assert len(everywhere.value["items"]) == 2


async def test_pages(handler: ApiHandler, server: ApiServer) -> None:
    """The token of one page leads to the next, and an old one is told so."""
    for number in range(3):
        make(server, app(f"a{number}"))
    first = (await ask(handler, "GET", f"{APPS}?limit=2")).value
    token = first["metadata"]["continue"]
    second = (await ask(handler, "GET", f"{APPS}?limit=2&continue={token}")).value
    assert [len(first["items"]), len(second["items"])] == [2, 1]
    make(server, app("a9"))
    server.compact(server.rv)
    late = await ask(handler, "GET", f"{APPS}?limit=2&continue={token}")
    assert (late.status, late.value["reason"]) == (410, "Expired")
    assert late.value["metadata"]["continue"]


async def test_update_and_status(handler: ApiHandler, server: ApiServer) -> None:
    """A PUT replaces; of a kind with a status subresource it leaves the status alone."""
    made = (await ask(handler, "POST", APPS, app())).value
    made["spec"]["project"] = "other"
    assert (await ask(handler, "PUT", f"{APPS}/a1", made)).value["metadata"]["generation"] == 2
    stale = await ask(handler, "PUT", f"{APPS}/a1", made)
    assert (stale.status, stale.value["reason"]) == (409, "Conflict")
    space: Any = {"metadata": {"name": "argocd"}, "status": {"phase": "Odd"}}
    assert (await ask(handler, "PUT", "/api/v1/namespaces/argocd", space)).value["status"][
        "phase"
    ] == "Active"
    changed = await ask(handler, "PUT", "/api/v1/namespaces/argocd/status", space)
    assert changed.value["status"]["phase"] == "Odd"


@pytest.mark.parametrize(
    ("content_type", "patch"),
    [
        (MERGE, {"spec": {"project": "p"}}),
        (JSON_PATCH, [{"op": "replace", "path": "/spec/project", "value": "p"}]),
    ],
)
async def test_patches(handler: ApiHandler, server: ApiServer, content_type: str, patch: Any) -> None:
    """Both kinds that a custom resource takes."""
    make(server, app())
    answer = await ask(handler, "PATCH", f"{APPS}/a1", patch, content_type=content_type)
    assert answer.value["spec"]["project"] == "p"


@pytest.mark.parametrize(
    ("content_type", "says"),
    [
        ("application/strategic-merge-patch+json", "application/merge-patch+json"),
        ("text/plain", "application/merge-patch+json"),
    ],
)
async def test_other_patches(handler: ApiHandler, server: ApiServer, content_type: str, says: str) -> None:
    """415 with a text that says what there is instead."""
    make(server, app())
    answer = await ask(handler, "PATCH", f"{APPS}/a1", b"{}", content_type=content_type)
    assert answer.status == 415
    assert says in answer.value["message"]


async def test_delete(handler: ApiHandler, server: ApiServer) -> None:
    """A Status when it is gone, the object while it waits for its finalizers."""
    make(server, app("a1", metadata={"finalizers": ["example.com/f"]}))
    make(server, app("a2"))
    waiting = await ask(handler, "DELETE", f"{APPS}/a1", {"propagationPolicy": "Background"})
    assert waiting.value["metadata"]["deletionTimestamp"]
    gone = await ask(handler, "DELETE", f"{APPS}/a2")
    assert (gone.status, gone.value["status"]) == (200, "Success")
    assert gone.value["details"]["name"] == "a2"


async def test_delete_preconditions(handler: ApiHandler, server: ApiServer) -> None:
    """Another uid: nothing happens."""
    make(server, app())
    answer = await ask(handler, "DELETE", f"{APPS}/a1", {"preconditions": {"uid": "x"}})
    assert answer.status == 409
    assert server.get(APPLICATIONS, NS, "a1")


async def test_delete_in_the_foreground(handler: ApiHandler, server: ApiServer) -> None:
    """The policy arrives: the object waits for its dependents."""
    make(server, app())
    answer = await ask(handler, "DELETE", f"{APPS}/a1", {"propagationPolicy": "Foreground"})
    assert answer.value["metadata"]["finalizers"] == ["foregroundDeletion"]


async def test_a_subresource_cannot_be_deleted(handler: ApiHandler, server: ApiServer) -> None:
    """405, and the object stays."""
    assert (await ask(handler, "DELETE", "/api/v1/namespaces/argocd/status")).status == 405
    assert not server.get(NAMESPACES, "", "argocd").deleting


async def test_delete_many(handler: ApiHandler, server: ApiServer) -> None:
    """The selected ones go, and are what is answered."""
    make(server, app("a1", metadata={"labels": {"x": "y"}}))
    make(server, app("a2"))
    answer = await ask(handler, "DELETE", f"{APPS}?labelSelector=x")
    assert answer.value["kind"] == "ApplicationList"
    assert [item["metadata"]["name"] for item in answer.value["items"]] == ["a1"]
    assert [item.name for item in server.list(APPLICATIONS, NS).items] == ["a2"]
    await ask(handler, "DELETE", f"{APPS}?fieldSelector=metadata.name%3Dother")
    assert [item.name for item in server.list(APPLICATIONS, NS).items] == ["a2"]


async def test_dry_run(handler: ApiHandler, server: ApiServer) -> None:
    """Each write answers as if, and writes nothing."""
    make(server, {"metadata": {"name": "c1"}}, CONFIG_MAPS)
    before = server.rv
    for method, target, value in (
        ("POST", MAPS, {"metadata": {"name": "c2"}}),
        ("PUT", f"{MAPS}/c1", {"metadata": {"name": "c1"}, "data": {"a": "b"}}),
        ("PATCH", f"{MAPS}/c1", {"data": {"a": "b"}}),
        ("DELETE", f"{MAPS}/c1", None),
    ):
        headers = {"content_type": MERGE if method == "PATCH" else ""}
        answer = await ask(handler, method, f"{target}?dryRun=All", value, **headers)
        assert answer.status in (200, 201)
    assert server.rv == before


async def test_unknown_fields(handler: ApiHandler) -> None:
    """Warned about unless one is strict, or does not care."""
    odd = app("a1") | {"bogus": 1}
    warned = await ask(handler, "POST", APPS, odd)
    assert warned.status == 201
    assert warned.headers["warning"] == '299 - "unknown field \\"bogus\\""'
    silent = await ask(handler, "POST", f"{APPS}?fieldValidation=Ignore", app("a2") | {"bogus": 1})
    assert "warning" not in silent.headers
    strict = await ask(handler, "POST", f"{APPS}?fieldValidation=Strict", app("a3") | {"bogus": 1})
    assert strict.status == 400
    assert "bogus" in strict.value["message"]


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b'{"a":"\xff"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"[]", "application/json", 400),
        (b"a: b: c", "application/yaml", 400),
        (b"a: b", "application/cbor", 415),
        (b"{}", protobuf.MEDIA_TYPE, 400),
        (b" " * (BODY + 1), "application/json", 413),
    ],
)
async def test_bad_bodies(handler: ApiHandler, data: bytes, content_type: str, status: int) -> None:
    """Each is refused with a Status of its own."""
    answer = await ask(handler, "POST", MAPS, data, content_type=content_type)
    assert (answer.status, answer.value["kind"]) == (status, "Status")
    assert answer.value["code"] == status


async def test_an_answer_nobody_wants(handler: ApiHandler, server: ApiServer) -> None:
    """A client that takes no form that there is is refused before the write."""
    before = server.rv
    answer = await ask(handler, "POST", MAPS, {"metadata": {"name": "c1"}}, accept="text/html")
    assert answer.status == 406
    assert server.rv == before


async def test_a_table(handler: ApiHandler, server: ApiServer) -> None:
    """What ``kubectl get`` asks for."""
    make(server, app())
    table = await ask(handler, "GET", APPS, accept="application/json;as=Table;g=meta.k8s.io;v=v1")
    assert table.value["kind"] == "Table"
    assert table.value["rows"][0]["cells"][0] == "a1"


async def test_a_version_from_the_future(handler: ApiHandler) -> None:
    """504, and when to ask again."""
    answer = await ask(handler, "GET", f"{APPS}?resourceVersion=99999")
    assert (answer.status, answer.headers["retry-after"]) == (504, "1")
