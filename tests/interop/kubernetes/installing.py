"""The shipped manifests on real API servers: their rights, and whether they are accepted."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio
import yaml

from trio_argoagent.cli.manifests import built
from trio_argoagent.kube.credentials import from_kubeconfig
from trio_argoagent.kube.protocol.requests import HttpRequest
from trio_argoagent.kube.session import Session, open_session
from trio_argoagent.model import yamltext

from ..installation.kit import PATHS

SERVICES = "/api/v1/namespaces/{}/services"
CLUSTER = ("ClusterRole", "ClusterRoleBinding")
RIGHTS = ("ServiceAccount", "Role", "RoleBinding", *CLUSTER)
PATIENCE = 10.0
"""Seconds to take the rights away again."""
GRANTED = 120.0
"""Seconds to grant them: requests have no deadline of their own here."""
APPLY = (("content-type", "application/apply-patch+yaml"), ("accept", "application/json"))
JSON = (("content-type", "application/json"), ("accept", "application/json"))


def target(value: dict[str, Any]) -> str:
    """The path of an object."""
    path = SERVICES if value["kind"] == "Service" else PATHS[value["kind"]]
    return f"{path.format(value['metadata'].get('namespace'))}/{value['metadata']['name']}"


async def apply(session: Session, values: Iterable[dict[str, Any]], *, dry: bool = False) -> None:
    """Server-side apply of each, with nothing unknown let through; ``dry``: and nothing stored."""
    for value in values:
        query = f"fieldManager=test&fieldValidation=Strict{'&dryRun=All' if dry else ''}"
        answer = await session.request(
            HttpRequest("PATCH", f"{target(value)}?{query}", APPLY, json.dumps(value).encode())
        )
        assert answer.status in (200, 201), (value["kind"], answer.status, answer.body)


def rights(overlay: str, namespace: str) -> list[dict[str, Any]]:
    """The account of an installation and its rights; what is in no namespace is called after this one."""
    found = [each for each in built(overlay, namespace=namespace) if each["kind"] in RIGHTS]
    for value in found:
        if value["kind"] in CLUSTER:
            value["metadata"]["name"] += f"-{namespace}"
        if value["kind"] == "ClusterRoleBinding":
            value["roleRef"]["name"] += f"-{namespace}"
    return found


@asynccontextmanager
async def entitled(
    kubeconfig: str, context: str, overlay: str, namespace: str, folder: Path
) -> AsyncIterator[str]:
    """A kubeconfig whose user has exactly the rights of an installation in that namespace."""
    granted = rights(overlay, namespace)
    account = next(each for each in granted if each["kind"] == "ServiceAccount")
    credentials = await from_kubeconfig(kubeconfig, context)
    try:
        async with open_session(credentials) as session:
            with trio.fail_after(GRANTED):
                await apply(session, granted)
                answer = await session.request(HttpRequest("POST", f"{target(account)}/token", JSON, b"{}"))
        assert answer.status == 201, answer.body
        token = json.loads(answer.body)["status"]["token"]
        path = trio.Path(folder / f"{namespace}-{overlay}.kubeconfig")
        await path.write_text(yaml.safe_dump(_as(kubeconfig, context, token)))
        yield str(path)
    finally:
        # With a connection of its own: any other may have been cancelled with the test.
        with trio.move_on_after(PATIENCE, shield=True):
            async with open_session(credentials) as session:
                for value in granted:
                    await session.request(HttpRequest("DELETE", target(value), JSON))


def _as(kubeconfig: str, context: str, token: str) -> dict[str, Any]:
    """The same cluster for whoever has that token."""
    found = yamltext.load_one(Path(kubeconfig).read_bytes())
    (chosen,) = (each["context"] for each in found["contexts"] if each["name"] == context)
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [each for each in found["clusters"] if each["name"] == chosen["cluster"]],
        "contexts": [{"name": context, "context": {"cluster": chosen["cluster"], "user": "account"}}],
        "users": [{"name": "account", "user": {"token": token}}],
    }
