"""A process that patches statuses onto a cluster as fast as it goes, and prints how many a second.

``python -m trio_argoagent.bench.fleet.writer KUBECONFIG NAMESPACE ENTRIES CHANGES APPS FLYING``
"""

from __future__ import annotations

import sys
import time
from functools import partial

import trio

from trio_argoagent.bench.fleet import rig
from trio_argoagent.kube.client import open_cluster
from trio_argoagent.kube.credentials import from_kubeconfig
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch


async def write(kubeconfig: str, namespace: str, entries: int, changes: int, apps: int, flying: int) -> float:
    """How many a second.

    Args:
        kubeconfig: of the cluster.
        namespace: of the Applications.
        entries: of ``resources`` in a status.
        changes: how many.
        apps: that there are.
        flying: changes at a time.
    """
    async with open_cluster(await from_kubeconfig(kubeconfig)) as cluster:

        async def change(first: int) -> None:
            for number in range(first, changes, flying):
                patch = MergePatch({"status": rig.status(number + 7, entries)})
                await cluster.patch(APPLICATIONS, namespace, rig.app_name(number % apps), patch)

        began = time.perf_counter()
        async with trio.open_nursery() as nursery:
            for first in range(flying):
                nursery.start_soon(change, first)
        return changes / (time.perf_counter() - began)


if __name__ == "__main__":
    where, whose, *numbers = sys.argv[1:]
    rate = trio.run(partial(write, where, whose, *(int(each) for each in numbers)))
    sys.stdout.write(f"{rate}\n")
