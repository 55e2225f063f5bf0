"""What does it cost to write: merge patches of one label, one after the other, and twenty at a time?

    python -m benchmarks.kube_patch [--count 2000] [--quick]

Of two clients that wait for the same server the CPU is what differs.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import trio

from benchmarks import kube_side
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.machine import NAMESPACE

MANY: Final = 20
"""Writers at once."""
OBJECTS: Final = 200


def _patch(number: int) -> tuple[str, dict[str, Any]]:
    return f"app-{number % OBJECTS:05}", {"metadata": {"labels": {"patched": f"n{number}"}}}


async def ours(kubeconfig: str, count: int, version: str, *, writers: int) -> int:
    """Our client."""
    from trio_argoagent.kube.client import open_cluster
    from trio_argoagent.kube.credentials import from_kubeconfig

    async with open_cluster(await from_kubeconfig(kubeconfig)) as cluster:

        async def write(first: int) -> None:
            for number in range(first, count, writers):
                name, value = _patch(number)
                await cluster.patch(APPLICATIONS, NAMESPACE, name, MergePatch(value))

        async with trio.open_nursery() as nursery:
            for first in range(writers):
                nursery.start_soon(write, first)
    return count


async def official(kubeconfig: str, count: int, version: str, *, writers: int) -> int:
    """The official client, a thread for each writer."""
    from kubernetes import client, config

    config.load_kube_config(kubeconfig)  # type: ignore[no-untyped-call]
    api: Any = client.CustomObjectsApi()

    def write(first: int) -> None:
        for number in range(first, count, writers):
            name, value = _patch(number)
            api.patch_namespaced_custom_object(
                APPLICATIONS.group, APPLICATIONS.version, NAMESPACE, APPLICATIONS.plural, name, value,
                _content_type="application/merge-patch+json",
            )  # fmt: skip

    async with trio.open_nursery() as nursery:
        for first in range(writers):
            nursery.start_soon(trio.to_thread.run_sync, write, first)
    return count


WORK: dict[str, kube_side.Work] = {
    "ours, one at a time": partial(ours, writers=1),
    f"ours, {MANY} at a time": partial(ours, writers=MANY),
    "official, one at a time": partial(official, writers=1),
    f"official, {MANY} at a time": partial(official, writers=MANY),
}

if __name__ == "__main__":
    kube_side.main("benchmarks.kube_patch", "Write merge patches.", WORK, 2000, changes=True)
