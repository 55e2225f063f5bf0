"""What to send to an API server for each verb. Credentials are added by who sends it.

Source: the Kubernetes API concepts (verbs, watch, chunking, patch content types, delete preconditions).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

import attrs
import msgspec

from trio_argoagent.errors import LocalProtocolError
from trio_argoagent.model.resources import Resource
from trio_argoagent.ports.cluster import JsonPatch, MergePatch

JSON: Final = "application/json"
_ACCEPT: Final = (("accept", JSON),)


@attrs.frozen
class HttpRequest:
    """One request.

    Attributes:
        method: upper case.
        target: path and query.
        headers: names in lower case.
        body: may hold secrets, so it is not shown.
        writes: may the server's state be another one afterwards?
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = _ACCEPT
    body: bytes = attrs.field(default=b"", repr=lambda body: f"<{len(body)} bytes>")
    writes: bool = False


def get(resource: Resource, namespace: str, name: str) -> HttpRequest:
    """Read one object."""
    return HttpRequest("GET", _path(resource, namespace, name))


def list_page(
    resource: Resource,
    namespace: str = "",
    *,
    selector: str = "",
    name: str = "",
    resource_version: str = "",
    limit: int = 0,
    continue_token: str = "",
) -> HttpRequest:
    """Read one page of a collection; the arguments are those of ``ports.cluster.Cluster.list``."""
    query = {
        "labelSelector": selector,
        "fieldSelector": f"metadata.name={name}" if name else "",
        # A continue token brings its own version; both together are an error.
        "resourceVersion": "" if continue_token else resource_version,
        "limit": str(limit) if limit else "",
        "continue": continue_token,
    }
    return HttpRequest("GET", _collection(resource, namespace) + _query(query))


def watch(
    resource: Resource,
    namespace: str = "",
    *,
    selector: str = "",
    name: str = "",
    resource_version: str,
    timeout: float,
    initial: bool = False,
) -> HttpRequest:
    """Follow a collection; the arguments are those of ``ports.cluster.Cluster.watch``."""
    query = {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "labelSelector": selector,
        "fieldSelector": f"metadata.name={name}" if name else "",
        "resourceVersion": resource_version,
        # 0 would mean the server's own choice.
        "timeoutSeconds": str(max(1, int(timeout))),
        "sendInitialEvents": "true" if initial else "",
        # The one value that goes with it; without a version it means the newest state.
        "resourceVersionMatch": "NotOlderThan" if initial else "",
    }
    return HttpRequest("GET", _collection(resource, namespace) + _query(query))


def create(resource: Resource, value: Mapping[str, Any]) -> HttpRequest:
    """Create an object in the namespace of its metadata."""
    target = _collection(resource, str(value.get("metadata", {}).get("namespace", "")))
    return _write("POST", target, _typed(resource, value))


def replace(resource: Resource, value: Mapping[str, Any]) -> HttpRequest:
    """Put an object in the place of the one of its name."""
    metadata = value.get("metadata", {})
    target = _path(resource, str(metadata.get("namespace", "")), str(metadata.get("name", "")))
    return _write("PUT", target, _typed(resource, value))


def patch(resource: Resource, namespace: str, name: str, change: JsonPatch | MergePatch) -> HttpRequest:
    """Change one object."""
    target = _path(resource, namespace, name)
    if isinstance(change, JsonPatch):
        return _write("PATCH", target, list(change.operations), "application/json-patch+json")
    return _write("PATCH", target, change.value, "application/merge-patch+json")


def delete(
    resource: Resource, namespace: str, name: str, *, uid: str = "", resource_version: str = ""
) -> HttpRequest:
    """Delete one object, if it still is the one that is meant."""
    given = {"uid": uid, "resourceVersion": resource_version}
    conditions = {field: wanted for field, wanted in given.items() if wanted}
    options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions"}
    if conditions:
        options["preconditions"] = conditions
    return _write("DELETE", _path(resource, namespace, name), options)


def _write(method: str, target: str, value: Any, content_type: str = JSON) -> HttpRequest:
    body = msgspec.json.encode(value)
    return HttpRequest(method, target, (*_ACCEPT, ("content-type", content_type)), body, writes=True)


def _typed(resource: Resource, value: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": resource.api_version, "kind": resource.kind, **value}


def _collection(resource: Resource, namespace: str) -> str:
    return resource.path(quote(namespace, safe=""))


def _path(resource: Resource, namespace: str, name: str) -> str:
    if not name or (resource.namespaced and not namespace):
        # Without them the path would be that of a collection: a DELETE would empty it.
        raise LocalProtocolError(f"{namespace!r} and {name!r} do not name a {resource.kind}")
    return resource.path(quote(namespace, safe=""), quote(name, safe=""))


def _query(values: Mapping[str, str]) -> str:
    given = {name: value for name, value in values.items() if value}
    return f"?{urlencode(given)}" if given else ""
