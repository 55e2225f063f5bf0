"""The simulated image updater: at each round it writes the newest images into the specs it is told of.

It reads the Application, sets ``spec.source.kustomize.images``, and PUTs it with its resourceVersion; on a
conflict it does so again, for ever. It writes no annotations. Source: argocd-image-updater
pkg/argocd/argocd.go, UpdateSpec.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import trio

from trio_argoagent.errors import ApiError, Conflict, OutcomeUnknown
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import Cluster

INTERVAL: Final = 120.0
"""Seconds between two rounds, as it comes."""


async def run_image_updater(
    cluster: Cluster, namespace: str, images: Mapping[str, str], *, interval: float = INTERVAL
) -> None:
    """Run until cancelled.

    Args:
        cluster: the API it reads and writes.
        namespace: of its Applications.
        images: the newest image of each Application, by its name; may be changed at will.
        interval: seconds between two rounds.
    """
    while True:
        for name, image in list(images.items()):
            try:
                await update(cluster, namespace, name, image)
            except (ApiError, OutcomeUnknown):
                continue  # The next round tries again.
        await trio.sleep(interval)


async def update(cluster: Cluster, namespace: str, name: str, image: str) -> bool:
    """Set the image of one Application. Returns: did anything have to be written?

    Raises:
        ApiError: anything but a conflict.
    """
    while True:
        value = (await cluster.get(APPLICATIONS, namespace, name)).value()
        source = value["spec"]["source"]
        if (source.get("kustomize") or {}).get("images") == [image]:
            return False
        source["kustomize"] = {**(source.get("kustomize") or {}), "images": [image]}
        try:
            await cluster.replace(APPLICATIONS, value)
        except Conflict:
            continue
        return True
