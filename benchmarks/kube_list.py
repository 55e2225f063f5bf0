"""What does it cost to read a collection of 4 KB Applications: our client, our informer, the official client?

    python -m benchmarks.kube_list [--count 5000] [--quick]

The goal for 5,000 is 0.25 s of CPU and no stall of the event loop above 15 ms. The official client runs in a
thread, as it must beside Trio.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import trio

from benchmarks import kube_side
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.testing.machine import NAMESPACE


async def informer(kubeconfig: str, count: int, version: str, *, streams: bool = True) -> int:
    """Ours, into an informer's cache: as the initial events of a watch, or in pages."""
    from trio_argoagent.kube.client import open_cluster
    from trio_argoagent.kube.credentials import from_kubeconfig
    from trio_argoagent.kube.informer import Informer
    from trio_argoagent.ports.forwarding import ForwardingCluster
    from trio_argoagent.runtime.world import real_env

    class Seen(ForwardingCluster):
        @property
        def streams(self) -> bool:
            return streams

    async with open_cluster(await from_kubeconfig(kubeconfig)) as cluster, trio.open_nursery() as nursery:
        found = Informer(Seen(cluster), APPLICATIONS, NAMESPACE, env=real_env())
        await nursery.start(found.run)
        nursery.cancel_scope.cancel()
    return len(found.objects)


async def one_list(kubeconfig: str, count: int, version: str) -> int:
    """Ours, all in one answer."""
    from trio_argoagent.kube.client import open_cluster
    from trio_argoagent.kube.credentials import from_kubeconfig

    async with open_cluster(await from_kubeconfig(kubeconfig)) as cluster:
        return len((await cluster.list(APPLICATIONS, NAMESPACE)).items)


def _official(kubeconfig: str, page: int) -> int:
    from kubernetes import client, config

    config.load_kube_config(kubeconfig)  # type: ignore[no-untyped-call]
    api: Any = client.CustomObjectsApi()
    where = (APPLICATIONS.group, APPLICATIONS.version, NAMESPACE, APPLICATIONS.plural)
    found: list[Any] = []
    token: str | None = None
    while True:
        more = {"limit": page, "_continue": token} if page else {}
        answer = api.list_namespaced_custom_object(*where, **more)
        found += answer["items"]
        token = answer["metadata"].get("continue")
        if not token:
            return len(found)


async def official(kubeconfig: str, count: int, version: str, *, page: int = 0) -> int:
    """The official client, in a thread."""
    return await trio.to_thread.run_sync(_official, kubeconfig, page)


WORK: dict[str, kube_side.Work] = {
    "ours, informer": informer,
    "ours, informer in pages": partial(informer, streams=False),
    "ours, one list": one_list,
    "official, one list": official,
    "official, pages of 500": partial(official, page=500),
}

if __name__ == "__main__":
    kube_side.main("benchmarks.kube_list", "Read a collection of Applications.", WORK, 5000)
