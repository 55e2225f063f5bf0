"""The user's own YAML: several documents, checked as a whole before any of them is applied.

An Application goes where its namespace says: an agent's name is that agent (on the hub for a managed one, on
the spoke itself for an autonomous one). AppProjects without a namespace go to Argo CD's on the hub. Anything
else goes to the hub as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import yaml

from trio_argoagent import errors
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS, NAMESPACES, Resource

Entropy = Callable[[int], bytes]


@attrs.frozen
class Document:
    """One object to apply: ``node`` is the hub (empty) or an autonomous agent."""

    node: str
    resource: Resource
    value: dict[str, Any]


def read_documents(
    paths: Sequence[str], modes: Mapping[str, Mode], namespace: str, entropy: Entropy, now: float
) -> tuple[Document, ...]:
    """Read and check all documents of these files.

    Args:
        paths: of YAML files.
        modes: of the agents, by name.
        namespace: Argo CD's, on the hub and on every spoke.
        entropy: for the scratch server that judges them.
        now: wall seconds, likewise.

    Raises:
        UserError: naming the file, the document and the field.
    """
    scratch = argocd_server(entropy=entropy, now=now)
    found: list[Document] = []
    for path in paths:
        for number, value in enumerate(_load(path), start=1):
            if value is not None:
                found.append(_check(scratch, f"{path}, document {number}", value, modes, namespace, now))
    return tuple(found)


def _load(path: str) -> list[Any]:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8"
        raise UserError(f"--apply: cannot read {path}: {reason}") from exc
    try:
        return list(yaml.safe_load_all(text))
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        raise UserError(f"{path}{where}: this is not YAML: {getattr(exc, 'problem', exc)}") from exc


def _check(
    scratch: ApiServer, where: str, value: Any, modes: Mapping[str, Mode], namespace: str, now: float
) -> Document:
    if not isinstance(value, dict):
        raise UserError(f"{where}: this is a {type(value).__name__}, not a Kubernetes object")
    for field in ("apiVersion", "kind"):
        if not isinstance(value.get(field), str):
            raise UserError(f"{where}: {field}: missing")
    resource = _resource(scratch, where, value)
    metadata = value.setdefault("metadata", {})
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        raise UserError(f"{where}: metadata.name: missing")
    node = _place(metadata, resource, modes, namespace)
    if resource.namespaced and _lacks(scratch, metadata["namespace"]):
        head = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": metadata["namespace"]}}
        scratch.create(NAMESPACES, "", head, actor="check", now=now)
    try:
        scratch.create(
            resource, metadata.get("namespace", ""), value, actor="check", now=now, validation="Strict"
        )
    except errors.AlreadyExists:
        pass
    except errors.ApiError as exc:
        raise UserError(f"{where}: {_field(exc)}") from exc
    return Document(node, resource, value)


def _resource(scratch: ApiServer, where: str, value: Mapping[str, Any]) -> Resource:
    group, _, version = value["apiVersion"].rpartition("/")
    for kind in scratch.resources():
        resource = kind.resource
        if (resource.group, resource.version, resource.kind) == (group, version, value["kind"]):
            return resource
    raise UserError(f"{where}: kind: there is no {value['kind']} in {value['apiVersion']} here")


def _place(metadata: dict[str, Any], resource: Resource, modes: Mapping[str, Mode], namespace: str) -> str:
    """Where it goes; sets the namespace it has there."""
    if not resource.namespaced:
        return ""
    asked = metadata.get("namespace") or namespace
    autonomous = modes.get(asked) is Mode.AUTONOMOUS
    metadata["namespace"] = namespace if autonomous else asked
    if resource == APPLICATIONS and asked == namespace:
        metadata["namespace"] = next(iter(modes))
    return asked if autonomous and resource in (APPLICATIONS, APP_PROJECTS) else ""


def _lacks(scratch: ApiServer, namespace: str) -> bool:
    """Does the server have no such namespace yet?"""
    try:
        scratch.get(NAMESPACES, "", namespace)
    except errors.NotFound:
        return True
    return False


def _field(exc: errors.ApiError) -> str:
    """The field and what is wrong with it, as the server says."""
    causes = exc.details.get("causes") or ()
    if causes:
        return "; ".join(f"{cause.get('field', '')}: {cause.get('message', '')}" for cause in causes)
    return exc.message
