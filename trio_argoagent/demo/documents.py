"""The user's own YAML: several documents, checked as a whole before any of them is applied.

An Application goes where its namespace says: an agent's name is that agent (on the hub for a managed one, on
the spoke itself for an autonomous one); without one it goes to the first agent. AppProjects without a
namespace go to Argo CD's on the hub. Anything else goes to the hub as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from trio_argoagent import errors
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.errors import UserError
from trio_argoagent.model import yamltext
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS, NAMESPACES, Resource

Entropy = Callable[[int], bytes]

MAX_SIZE: Final = 8 * 1024 * 1024
"""Bytes of a file."""


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
    check = _Check(modes, namespace, entropy, now)
    return tuple(
        check.document(f"{path}, document {number}", value)
        for path in paths
        for number, value in enumerate(_read(path), start=1)
        if value is not None
    )


def _read(path: str) -> list[Any]:
    """The documents of a file; raises UserError where there are none to be had."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_SIZE + 1)
    except OSError as exc:
        raise UserError(f"--apply: cannot read {path}: {exc.strerror}; give the path of a YAML file") from exc
    if len(content) > MAX_SIZE:
        raise UserError(f"--apply: cannot read {path}: it is longer than {MAX_SIZE} bytes")
    try:
        return yamltext.documents(content)
    except yamltext.NotYaml as exc:
        if exc.document:
            raise UserError(f"{path}, document {exc.document}: {exc.field or 'it'}: {exc.problem}") from exc
        where = f", line {exc.line}" if exc.line else ""
        raise UserError(f"{path}{where}: this is not YAML: {exc.problem}") from exc


class _Check:
    """Judges documents by applying them to scratch servers, one for each cluster they go to."""

    def __init__(self, modes: Mapping[str, Mode], namespace: str, entropy: Entropy, now: float) -> None:
        self._modes, self._namespace, self._entropy, self._now = modes, namespace, entropy, now
        self._scratch: dict[str, ApiServer] = {}
        self._seen: dict[tuple[str, Resource, str, str], str] = {}

    def document(self, where: str, value: Any) -> Document:
        """One document, placed."""
        if not isinstance(value, dict):
            raise UserError(f"{where}: this is a {type(value).__name__}, not a Kubernetes object")
        for field in ("apiVersion", "kind"):
            _text(where, field, value.get(field))
        resource = self._resource(where, value)
        metadata = value.setdefault("metadata", {})
        if not isinstance(metadata, dict):
            raise UserError(f"{where}: metadata: this is no object with a name")
        name = _text(where, "metadata.name", metadata.get("name"))
        node = self._place(where, metadata, resource)
        key = (node, resource, metadata.get("namespace", ""), name)
        if key in self._seen:
            raise UserError(f"{where}: metadata.name: {resource.kind} {name} is in {self._seen[key]} already")
        self._seen[key] = where
        self._try(where, node, resource, value)
        return Document(node, resource, value)

    def _resource(self, where: str, value: Mapping[str, Any]) -> Resource:
        group, _, version = value["apiVersion"].rpartition("/")
        for kind in self._server("").resources():
            resource = kind.resource
            if (resource.group, resource.version, resource.kind) == (group, version, value["kind"]):
                return resource
        raise UserError(f"{where}: kind: there is no {value['kind']} in {value['apiVersion']} here")

    def _place(self, where: str, metadata: dict[str, Any], resource: Resource) -> str:
        """The cluster it goes to; sets the namespace it has there."""
        if not resource.namespaced:
            return ""
        asked = _text(where, "metadata.namespace", metadata.get("namespace") or self._namespace)
        ours = resource in (APPLICATIONS, APP_PROJECTS)
        if ours and self._modes.get(asked) is Mode.AUTONOMOUS:
            metadata["namespace"] = self._namespace
            return asked
        first = resource == APPLICATIONS and asked == self._namespace
        metadata["namespace"] = next(iter(self._modes)) if first else asked
        return ""

    def _try(self, where: str, node: str, resource: Resource, value: dict[str, Any]) -> None:
        server, namespace = self._server(node), value["metadata"].get("namespace", "")
        if resource.namespaced and not _has(server, namespace):
            raise UserError(
                f"{where}: metadata.namespace: there is no {namespace!r}; choose one of"
                f" {', '.join((self._namespace, *self._modes))}, or make a Namespace in an earlier document"
            )
        try:
            server.create(resource, namespace, value, actor="check", now=self._now, validation="Strict")
        except errors.AlreadyExists:
            pass  # A namespace that every cluster has.
        except errors.ApiError as exc:
            raise UserError(f"{where}: {_field(exc)}") from exc

    def _server(self, node: str) -> ApiServer:
        """The scratch server of a cluster, with the namespaces that the demo makes there."""
        if node not in self._scratch:
            server = self._scratch[node] = argocd_server(entropy=self._entropy, now=self._now)
            for name in (self._namespace,) if node else (self._namespace, *self._modes):
                head = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
                server.create(NAMESPACES, "", head, actor="check", now=self._now)
        return self._scratch[node]


def _text(where: str, field: str, value: Any) -> str:
    if value is None:
        raise UserError(f"{where}: {field}: missing")
    if not isinstance(value, str) or not value:
        raise UserError(f"{where}: {field}: {value!r} is not a text; put it in quotes")
    return value


def _has(server: ApiServer, namespace: str) -> bool:
    try:
        server.get(NAMESPACES, "", namespace)
    except errors.NotFound:
        return False
    return True


def _field(exc: errors.ApiError) -> str:
    """The field and what is wrong with it, as the server says."""
    causes = exc.details.get("causes") or ()
    if causes:
        return "; ".join(f"{cause.get('field', '')}: {cause.get('message', '')}" for cause in causes)
    # The server begins with the kind, which the user knows.
    return exc.message.partition(" cannot be handled as a ")[2].partition(": ")[2] or exc.message
