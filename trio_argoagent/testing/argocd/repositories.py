"""Sample credentials and keys: the Secrets and the ConfigMap that Argo CD reads repositories with."""

from __future__ import annotations

import base64
from typing import Any, Final

from trio_argoagent.testing.argocd.git import EXAMPLES

SECRET_TYPE: Final = "argocd.argoproj.io/secret-type"
GPG_KEYS: Final = "argocd-gpg-keys-cm"


def repository(
    name: str, *, namespace: str = "argocd", project: str = "", url: str = EXAMPLES, password: str = "hunter2"
) -> dict[str, Any]:
    """A Secret for one repository; ``project`` empty: it is scoped to none."""
    return _secret("repository", name, namespace, project, {"type": "git", "url": url, "password": password})


def repo_creds(
    name: str,
    *,
    namespace: str = "argocd",
    project: str = "",
    url: str = EXAMPLES.rpartition("/")[0],
    password: str = "hunter2",
) -> dict[str, Any]:
    """A Secret for all repositories whose URL begins with ``url``."""
    return _secret("repo-creds", name, namespace, project, {"type": "git", "url": url, "password": password})


def _secret(kind: str, name: str, namespace: str, project: str, told: dict[str, str]) -> dict[str, Any]:
    fields = told | ({"project": project} if project else {})
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, "labels": {SECRET_TYPE: kind}},
        "data": {field: encoded(text) for field, text in fields.items()},
    }


def encoded(text: str) -> str:
    """As a Secret's ``data`` has it."""
    return base64.b64encode(text.encode()).decode()


def gpg_keys(*, namespace: str = "argocd", **keys: str) -> dict[str, Any]:
    """The ConfigMap with these public keys, by their ids."""
    metadata = {"name": GPG_KEYS, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": keys}
