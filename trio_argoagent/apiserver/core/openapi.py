"""OpenAPI v3: enough for ``kubectl apply`` to let the server validate, and for ``kubectl explain``.

``kubectl`` looks whether the ``patch`` operation of a kind has a ``fieldValidation`` parameter; if so, it
sends Strict and believes the answer. The index names each document with its digest, because clients cache
them for ever. Source: KEP-2896 (OpenAPI v3), KEP-2885 (server-side unknown field validation).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from trio_argoagent.apiserver.core.kinds import ResourceType
from trio_argoagent.apiserver.core.values import encode
from trio_argoagent.model.resources import Resource

_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_TEXT: Final = {"type": "string"}
_TEXTS: Final = {"type": "object", "additionalProperties": _TEXT}
_FLAG: Final = {"type": "boolean"}
_META_SCHEMA: Final = {
    "type": "object",
    "description": "What every stored object has: its name, and what the server keeps about it.",
    "properties": {
        "name": {**_TEXT, "description": "Unique within the namespace; does not change."},
        "generateName": {**_TEXT, "description": "The beginning of a name that the server completes."},
        "namespace": {**_TEXT, "description": "Where the object lives."},
        "labels": {**_TEXTS, "description": "What selectors select by."},
        "annotations": {**_TEXTS, "description": "Anything that programs want to remember."},
        "finalizers": {
            "type": "array",
            "items": _TEXT,
            "description": "Who still has to act before a deleted object goes.",
        },
        "managedFields": {
            "type": "array",
            "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "description": "Who owns which fields, once somebody applies on the server's side.",
        },
        "uid": _TEXT,
        "resourceVersion": _TEXT,
        "generation": {"type": "integer", "format": "int64"},
        "creationTimestamp": {**_TEXT, "format": "date-time"},
        "deletionTimestamp": {**_TEXT, "format": "date-time"},
        "deletionGracePeriodSeconds": {"type": "integer", "format": "int64"},
        "ownerReferences": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    **dict.fromkeys(("apiVersion", "kind", "name", "uid"), _TEXT),
                    **dict.fromkeys(("controller", "blockOwnerDeletion"), _FLAG),
                },
            },
        },
    },
}
_BODY: Final = {"content": {"application/json": {"schema": {"type": "object"}}}}


def _query(name: str, kind: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": kind}, "description": description}


_WRITING: Final = (
    _query("dryRun", "string", "All: answer, but write nothing."),
    _query("fieldManager", "string", "Who writes."),
    _query("fieldValidation", "string", "Ignore, Warn or Strict: what to do about unknown fields."),
)
_READING: Final = (
    _query("labelSelector", "string", "Only objects with such labels."),
    _query("fieldSelector", "string", "Only objects with such fields."),
    _query("resourceVersion", "string", "Of the state to show, or to follow from."),
    _query("limit", "integer", "The most items of a page."),
    _query("continue", "string", "The token of the page before."),
    _query("watch", "boolean", "Follow instead of list."),
)
# (of one object?, method) -> verb, Kubernetes' name of the action, parameters
_OPERATIONS: Final[Mapping[tuple[bool, str], tuple[str, str, tuple[Mapping[str, Any], ...]]]] = {
    (False, "get"): ("list", "list", _READING),
    (False, "post"): ("create", "post", _WRITING),
    (False, "delete"): ("deletecollection", "deletecollection", _READING),
    (True, "get"): ("get", "get", ()),
    (True, "put"): ("update", "put", _WRITING),
    (True, "patch"): ("patch", "patch", _WRITING),
    (True, "delete"): ("delete", "delete", ()),
}


def _folder(resource: Resource) -> str:
    return f"apis/{resource.api_version}" if resource.group else f"api/{resource.version}"


def _by_folder(types: Iterable[ResourceType]) -> dict[str, list[ResourceType]]:
    folders: dict[str, list[ResourceType]] = {}
    for kind in types:
        folders.setdefault(_folder(kind.resource), []).append(kind)
    return folders


def index(types: Iterable[ResourceType]) -> dict[str, Any]:
    """``/openapi/v3``."""
    paths = {}
    for folder, kinds in _by_folder(types).items():
        digest = hashlib.sha256(encode(_describe(kinds))).hexdigest().upper()
        paths[folder] = {"serverRelativeURL": f"/openapi/v3/{folder}?hash={digest}"}
    return {"paths": paths}


def document(types: Iterable[ResourceType], folder: str) -> dict[str, Any] | None:
    """``/openapi/v3/FOLDER``, such as ``apis/argoproj.io/v1alpha1``; None if nothing is there."""
    kinds = _by_folder(types).get(folder)
    return _describe(kinds) if kinds else None


def _describe(kinds: Iterable[ResourceType]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {_META: _META_SCHEMA}
    for kind in kinds:
        paths |= _paths(kind)
        schemas[_schema_name(kind.resource)] = _schema(kind)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "unversioned"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _gvk(resource: Resource) -> dict[str, str]:
    return {"group": resource.group, "version": resource.version, "kind": resource.kind}


def _schema_name(resource: Resource) -> str:
    domain = ".".join(reversed(resource.group.split("."))) if resource.group else "io.k8s.api.core"
    return f"{domain}.{resource.version}.{resource.kind}"


def _schema(kind: ResourceType) -> dict[str, Any]:
    head = {
        "apiVersion": {**_TEXT, "description": "The group and version of this kind."},
        "kind": {**_TEXT, "description": "What this is."},
        "metadata": {"allOf": [{"$ref": f"#/components/schemas/{_META}"}], "description": "Its metadata."},
    }
    properties = {**kind.schema.get("properties", {}), **head}
    gvk = [_gvk(kind.resource)]
    return {**kind.schema, "properties": properties, "x-kubernetes-group-version-kind": gvk}


def _paths(kind: ResourceType) -> dict[str, Any]:
    resource = kind.resource
    space = "/namespaces/{namespace}" if resource.namespaced else ""
    base = f"/{_folder(resource)}{space}/{resource.plural}"
    places = [(False, base), (True, f"{base}/{{name}}")]
    if space:
        places.append((False, f"/{_folder(resource)}/{resource.plural}"))
    return {path: _operations(kind, path, of_one) for of_one, path in places}


def _operations(kind: ResourceType, path: str, of_one: bool) -> dict[str, Any]:
    names = [name for name in ("namespace", "name") if f"{{{name}}}" in path]
    item: dict[str, Any] = {
        "parameters": [{"name": n, "in": "path", "required": True, "schema": _TEXT} for n in names]
    }
    for (one, method), (verb, action, parameters) in _OPERATIONS.items():
        if one is not of_one or verb not in kind.verbs:
            continue
        operation: dict[str, Any] = {
            "operationId": f"{verb}{kind.resource.kind}{len(names)}",
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": _gvk(kind.resource),
            "parameters": list(parameters),
            "responses": {"200": {"description": "OK"}},
        }
        if method in ("post", "put", "patch"):
            operation["requestBody"] = _BODY
        item[method] = operation
    return item
