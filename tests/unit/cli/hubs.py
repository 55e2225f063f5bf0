"""A hub in process, as ``ctl`` reaches it through the Cluster port."""

from __future__ import annotations

import random

from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import Gate, LocalCluster
from trio_argoagent.model.resources import NAMESPACES
from trio_argoagent.ports.env import Env

HUB = "argocd"
NOW = 1_800_000_000.0
"""Wall time in it."""


async def make_cluster(*namespaces: str, gate: Gate | None = None) -> LocalCluster:
    """An empty cluster with Argo CD's kinds and these namespaces."""
    chance = random.Random(1)
    env = Env(now=lambda: NOW, random=chance, entropy=chance.randbytes)
    cluster = LocalCluster(argocd_server(entropy=chance.randbytes), env=env, actor="user", gate=gate)
    for name in namespaces or (HUB,):
        value = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        await cluster.create(NAMESPACES, value)
    return cluster
