"""A process that changes a cluster's Applications as fast as it goes, and prints how many a second.

``python -m trio_argoagent.bench.fleet.writer status|spec KUBECONFIG NAMESPACE SIZE CHANGES APPS FLYING``
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


def change_of(what: str, number: int, size: int) -> MergePatch:
    """A status with ``size`` resources, or an edit of a spec of any size."""
    part = rig.status(number, size) if what == "status" else rig.edit(number)
    return MergePatch({what: part})


async def write(
    what: str, kubeconfig: str, namespace: str, size: int, changes: int, apps: int, flying: int
) -> float:
    """How many a second.

    Args:
        what: ``status`` or ``spec``.
        kubeconfig: of the cluster.
        namespace: of the Applications.
        size: see ``change_of``.
        changes: how many.
        apps: that there are.
        flying: changes at a time.
    """
    async with open_cluster(await from_kubeconfig(kubeconfig)) as cluster:

        async def change(first: int) -> None:
            for number in range(first, changes, flying):
                patch = change_of(what, number + 7, size)
                await cluster.patch(APPLICATIONS, namespace, rig.app_name(number % apps), patch)

        # Then there is a connection, as there is in what this is beside.
        await cluster.get(APPLICATIONS, namespace, rig.app_name(0))
        began = time.perf_counter()
        async with trio.open_nursery() as nursery:
            for first in range(flying):
                nursery.start_soon(change, first)
        return changes / (time.perf_counter() - began)


if __name__ == "__main__":
    kind, where, whose, *numbers = sys.argv[1:]
    rate = trio.run(partial(write, kind, where, whose, *(int(each) for each in numbers)))
    sys.stdout.write(f"{rate}\n")
