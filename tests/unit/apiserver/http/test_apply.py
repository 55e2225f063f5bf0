"""Server-side apply and YAML as requests."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.apiserver.core.patches import APPLY_PATCH
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.http import ApiHandler
from trio_argoagent.model.resources import CONFIG_MAPS

from ..core.helpers import NS
from .exchanges import MemoryExchange, ask

MAPS = f"/api/v1/namespaces/{NS}/configmaps"
YAML = b"""
apiVersion: v1
kind: ConfigMap
metadata: {name: c1, annotations: {made: 2026-01-02}}
data:
  a: "1"
"""


async def apply(handler: ApiHandler, body: Any, query: str = "fieldManager=m", **more: Any) -> MemoryExchange:
    """Apply it as c1."""
    return await ask(handler, "PATCH", f"{MAPS}/c1?{query}", body, content_type=APPLY_PATCH, **more)


async def test_apply_creates_and_changes(handler: ApiHandler, server: ApiServer) -> None:
    """201 for what is new, then 200; YAML and JSON alike, dates are texts."""
    made = await apply(handler, YAML)
    assert made.status == 201
    assert made.value["metadata"]["annotations"] == {"made": "2026-01-02"}
    changed = await apply(handler, {"apiVersion": "v1", "kind": "ConfigMap", "data": {"b": "2"}})
    assert changed.status == 200
    assert changed.value["data"] == {"b": "2"}
    assert server.log[-1].actor == "alice"
    (entry,) = changed.value["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"]) == ("m", "Apply")


async def test_a_conflict(handler: ApiHandler) -> None:
    """409 with its causes; forced it is done."""
    await apply(handler, YAML)
    other = YAML.replace(b'"1"', b'"2"')
    refused = await apply(handler, other, "fieldManager=n")
    assert refused.status == 409
    assert refused.value["details"]["causes"][0]["reason"] == "FieldManagerConflict"
    assert (await apply(handler, other, "fieldManager=n&force=true")).value["data"] == {"a": "2"}


@pytest.mark.parametrize(
    ("body", "query", "status", "says"),
    [
        (YAML, "", 422, "fieldManager: Required value: is required for apply patch"),
        (YAML, f"fieldManager={'x' * 129}", 422, "Too long"),
        (YAML, "fieldManager=%00", 422, "printable"),
        (b"a: [", "fieldManager=m", 400, "not YAML: line "),
        (b"a: 1\n---\nb: 2\n", "fieldManager=m", 400, "2 documents"),
        (b"", "fieldManager=m", 400, "0 documents"),
        (b"\xff", "fieldManager=m", 400, "UTF-8"),
        (b"[]", "fieldManager=m", 400, "must be an object"),
        (YAML + b"extra: 1\n", "fieldManager=m", 500, ".extra: field not declared in schema"),
    ],
)
async def test_refusals(handler: ApiHandler, body: bytes, query: str, status: int, says: str) -> None:
    """What is wrong stands in the Status."""
    answer = await apply(handler, body, query)
    assert answer.status == status
    assert says in answer.value["message"]


async def test_force_is_for_applies(handler: ApiHandler) -> None:
    """On another patch it is refused."""
    answer = await ask(
        handler, "PATCH", f"{MAPS}/c1?force=true", {}, content_type="application/merge-patch+json"
    )
    assert answer.status == 422
    assert "may not be specified for non-apply patch" in answer.value["message"]


async def test_the_manager_of_other_writes(handler: ApiHandler, server: ApiServer) -> None:
    """Its name is what the client says, else that of its program, else the user's."""
    await apply(handler, YAML)

    async def write(number: int, query: str = "", **headers: str) -> str:
        patch = {"data": {f"k{number}": "v"}}
        media = "application/merge-patch+json"
        await ask(handler, "PATCH", f"{MAPS}/c1?{query}", patch, content_type=media, **headers)
        entries = server.get(CONFIG_MAPS, NS, "c1").metadata["managedFields"]
        return next(e["manager"] for e in entries if f"f:k{number}" in e["fieldsV1"].get("f:data", {}))

    assert await write(1, "fieldManager=ctl", user_agent="kubectl/v1 (linux)") == "ctl"
    assert await write(2, user_agent="kubectl/v1 (linux)") == "kubectl"
    assert await write(3) == "alice"


async def test_dry_run(handler: ApiHandler, server: ApiServer) -> None:
    """The answer as if, and nothing stored."""
    rv = server.rv
    assert (await apply(handler, YAML, "fieldManager=m&dryRun=All")).value["data"] == {"a": "1"}
    assert server.rv == rv


@pytest.mark.parametrize("media", ["application/yaml", "text/yaml", "application/x-yaml; charset=utf-8"])
async def test_yaml_bodies(handler: ApiHandler, media: str) -> None:
    """A create and a replace take YAML, too."""
    made = await ask(handler, "POST", MAPS, YAML, content_type=media)
    assert made.status == 201
    put = await ask(handler, "PUT", f"{MAPS}/c1", YAML.replace(b'"1"', b"'2'"), content_type=media)
    assert put.value["data"] == {"a": "2"}
    bad = await ask(handler, "POST", MAPS, b"a: b: c", content_type=media)
    assert (bad.status, "line 1" in bad.value["message"]) == (400, True)
