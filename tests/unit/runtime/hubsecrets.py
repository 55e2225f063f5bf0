"""A hub that holds Secrets, in process."""

from __future__ import annotations

import base64

from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.errors import NotFound
from trio_argoagent.model.resources import NAMESPACES, SECRETS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.runtime.tlssources import Secret
from trio_argoagent.runtime.world import real_env

NAMESPACE = "argocd"


async def hub() -> LocalCluster:
    """A cluster that holds nothing but Argo CD's namespace."""
    env = real_env()
    cluster = LocalCluster(argocd_server(entropy=env.entropy), env=env, actor="user")
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    await cluster.create(NAMESPACES, space)
    return cluster


async def put(cluster: LocalCluster, name: str, pem: tuple[bytes, bytes], ca: bytes = b"") -> None:
    """A Secret with this certificate, key and CA, in place of what it was."""
    files = {"tls.crt": pem[0], "tls.key": pem[1], "ca.crt": ca}
    data = {file: base64.b64encode(content).decode() if content else None for file, content in files.items()}
    try:
        await cluster.get(SECRETS, NAMESPACE, name)
    except NotFound:
        head = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}}
        there = {file: text for file, text in data.items() if text}
        await cluster.create(SECRETS, head | {"data": there})
    else:
        await cluster.patch(SECRETS, NAMESPACE, name, MergePatch({"data": data}))


def secret(cluster: LocalCluster, name: str, option: str = "--mine") -> Secret:
    """Where material may be."""
    return Secret(cluster, NAMESPACE, name, option)
