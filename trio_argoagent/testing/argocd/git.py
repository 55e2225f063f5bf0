"""Simulated Git and Helm repositories: which revision a source names, and what it deploys.

Nothing is stored but the pushes: a revision is a hash of repository, branch and the number of pushes, a
manifest's content a hash of its source and of the pushes that touched its path. So the same fleet always sees
the same revisions, in every process.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final

import attrs

from trio_argoagent.model.objects import canonical
from trio_argoagent.testing.argocd.names import Value

EXAMPLES: Final = "https://github.com/argoproj/argocd-example-apps"

_SHA: Final = re.compile(r"[0-9a-f]{40}\Z")
_ROLLED: Final = ("HEAD", "main", "master")


@attrs.frozen
class Manifest:
    """One resource that a source deploys; ``hook`` names its phase if it is a hook and no resource."""

    group: str
    version: str
    kind: str
    namespace: str
    name: str
    content: str = ""
    image: str = ""
    hook: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names it in a cluster; sorts like Argo CD's status.resources."""
        return (self.group, self.kind, self.namespace, self.name)


def _row(api: str, kind: str, name: str, image: str = "", hook: str = "") -> tuple[str, str, str, str, str]:
    return (api, kind, name, image, hook)


_UI: Final = "gcr.io/google-samples/gb-frontend:v5"


def _web(name: str, image: str = _UI) -> tuple[tuple[str, str, str, str, str], ...]:
    return (_row("v1", "Service", name), _row("apps/v1", "Deployment", name, image))


_SHOP: Final = ("carts", "catalogue", "front-end", "orders", "payment", "queue-master", "shipping", "user")
_WAVES: Final = (
    _row("v1", "Service", "backend"),
    _row("v1", "Service", "frontend"),
    _row("apps/v1", "ReplicaSet", "backend", "hashicorp/http-echo:0.2.3"),
    _row("apps/v1", "ReplicaSet", "frontend", "hashicorp/http-echo:0.2.3"),
    _row("batch/v1", "Job", "upgrade-sql-schema", "alpine:latest", "PreSync"),
    _row("batch/v1", "Job", "maint-page-up", "alpine:latest", "Sync"),
    _row("batch/v1", "Job", "maint-page-down", "alpine:latest", "PostSync"),
)
CATALOGUE: Final[Mapping[str, tuple[tuple[str, str, str, str, str], ...]]] = {
    "guestbook": _web("guestbook-ui"),
    "helm-guestbook": _web("{full}"),
    "kustomize-guestbook": _web("kustomize-guestbook-ui"),
    "jsonnet-guestbook": _web("jsonnet-guestbook-ui"),
    "plugins": _web("{name}-kasane-guestbook"),
    "sync-waves": _WAVES,
    "helm-hooks": _WAVES,
    "blue-green": (
        _row("v1", "Service", "{full}"),
        _row("v1", "Service", "{full}-preview"),
        _row("argoproj.io/v1alpha1", "Rollout", "{full}", "gcr.io/heptio-images/ks-guestbook-demo:0.1"),
    ),
    "sock-shop": tuple(
        row for name in _SHOP for row in _web(name, f"weaveworksdemos/{name}:0.4.8")
    ),
    "helm-dependency": (
        _row("v1", "Secret", "{name}-wordpress"),
        _row("v1", "Secret", "{name}-mariadb"),
        _row("v1", "ConfigMap", "{name}-mariadb"),
        _row("v1", "PersistentVolumeClaim", "{name}-wordpress"),
        _row("v1", "Service", "{name}-mariadb"),
        _row("v1", "Service", "{name}-wordpress"),
        _row("apps/v1", "Deployment", "{name}-wordpress", "bitnami/wordpress:6.4.2"),
        _row("apps/v1", "StatefulSet", "{name}-mariadb", "bitnami/mariadb:11.2.2"),
    ),
    "apps": tuple(
        _row("argoproj.io/v1alpha1", "Application", name)
        for name in ("helm-guestbook", "helm-hooks", "kustomize-guestbook", "sync-waves")
    ),
    "pre-post-sync": (
        *_web("guestbook-ui"),
        _row("batch/v1", "Job", "before", "alpine:latest", "PreSync"),
        _row("batch/v1", "Job", "after", "alpine:latest", "PostSync"),
    ),
    # Not a path of the public repository: nothing there has deletion hooks.
    "delete-hooks": (
        *_web("guestbook-ui"),
        _row("batch/v1", "Job", "farewell", "alpine:latest", "PreDelete"),
        _row("batch/v1", "Job", "sweep", "alpine:latest", "PostDelete"),
    ),
}  # fmt: skip
"""What each path of the public example repository deploys (paths under ``plugins`` count as one)."""


@attrs.frozen
class Git:
    """All repositories, as they are now: a value. ``pushes`` holds per repository the path of each push."""

    pushes: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)

    def push(self, repository: str, path: str) -> Git:
        """The repositories after one more commit there that changes that path."""
        return Git({**self.pushes, repository: (*self.pushes.get(repository, ()), path)})

    def resolve(self, source: Value) -> str:
        """The revision that the source names now: a commit hash, or a chart's version."""
        target = source.get("targetRevision") or "HEAD"
        if source.get("chart") or _SHA.match(target):
            return str(target)
        return _commit(source["repoURL"], target, len(self.pushes.get(source["repoURL"], ())))

    def manifests(self, source: Value, revision: str, app: str, namespace: str) -> tuple[Manifest, ...]:
        """What the source deploys at a revision, for an application of that name, by default there."""
        path = str(source.get("chart") or source.get("path") or ".").strip("/")
        plain = {name: part for name, part in source.items() if name != "targetRevision"}
        touched = self._version(source, revision, path)
        result = []
        for api, kind, template, image, hook in _rows(path):
            group, _, version = api.rpartition("/")
            name = template.format(name=app, full=_full(app, path.rpartition("/")[2]))
            # The example repository pins its child Applications to Argo CD's own namespace.
            where = "argocd" if kind == "Application" else namespace
            content = hashlib.sha256(canonical([plain, touched, api, kind, name])).hexdigest()[:16]
            result.append(Manifest(group, version, kind, where, name, content, image, hook))
        return tuple(result)

    def _version(self, source: Value, revision: str, path: str) -> str | int:
        """What a manifest's content depends on: a chart's version, else how often its path was pushed."""
        if source.get("chart"):
            return revision
        pushes = self.pushes.get(source["repoURL"], ())
        for branch in (source.get("targetRevision") or "HEAD", *_ROLLED):
            for count in range(len(pushes) + 1):
                if _commit(source["repoURL"], branch, count) == revision:
                    return sum(each.strip("/") == path for each in pushes[:count])
        return revision


def source_type(source: Value) -> str:
    """What Argo CD would detect in ``status.sourceType``."""
    path = str(source.get("path") or "")
    if source.get("plugin") is not None:
        return "Plugin"
    if source.get("chart") or source.get("helm") or path.startswith(("helm", "blue-green", "apps")):
        return "Helm"
    return "Kustomize" if source.get("kustomize") or "kustomize" in path else "Directory"


def _commit(repository: str, branch: str, count: int) -> str:
    return hashlib.sha1(f"{repository}@{branch}#{count}".encode(), usedforsecurity=False).hexdigest()


def _full(app: str, chart: str) -> str:
    # Helm's usual fullname template: a release that already names its chart is not prefixed again.
    return app if chart in app else f"{app}-{chart}"


def _rows(path: str) -> tuple[tuple[str, str, str, str, str], ...]:
    return CATALOGUE.get(path) or CATALOGUE.get(path.split("/")[0]) or _web("{full}")
