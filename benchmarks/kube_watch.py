"""What does it cost to follow changes of Applications of 4 KB: our client and the official one?

    python -m benchmarks.kube_watch [--count 10000] [--quick]

The changes have happened already: both replay them from the same resourceVersion, as fast as they can.
"""

from __future__ import annotations

from typing import Any

import trio

from benchmarks import kube_side
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.testing.machine import NAMESPACE


async def ours(kubeconfig: str, count: int, version: str) -> int:
    """Events, parsed, in Trio."""
    from trio_argoagent.kube.client import open_cluster
    from trio_argoagent.kube.credentials import from_kubeconfig

    seen = 0
    async with open_cluster(await from_kubeconfig(kubeconfig)) as cluster:
        async with cluster.watch(APPLICATIONS, NAMESPACE, resource_version=version) as events:
            async for _ in events:
                seen += 1
                if seen == count:
                    break
    return seen


def _official(kubeconfig: str, count: int, version: str, *, hand_over: bool) -> int:
    from kubernetes import client, config, watch

    config.load_kube_config(kubeconfig)  # type: ignore[no-untyped-call]
    api: Any = client.CustomObjectsApi()
    where = (APPLICATIONS.group, APPLICATIONS.version, NAMESPACE, APPLICATIONS.plural)
    follower: Any = watch.Watch()  # type: ignore[no-untyped-call]
    seen: list[Any] = []
    stream = follower.stream(api.list_namespaced_custom_object, *where, resource_version=version)
    for event in stream:
        if hand_over:
            trio.from_thread.run_sync(seen.append, event["type"])
        else:
            seen.append(event["type"])
        if len(seen) == count:
            break
    return len(seen)


async def official(kubeconfig: str, count: int, version: str) -> int:
    """The official client; its events stay in its thread."""
    return await trio.to_thread.run_sync(lambda: _official(kubeconfig, count, version, hand_over=False))


async def official_into_trio(kubeconfig: str, count: int, version: str) -> int:
    """The same, but each event is handed to Trio, where a program of ours would need it."""
    return await trio.to_thread.run_sync(lambda: _official(kubeconfig, count, version, hand_over=True))


WORK: dict[str, kube_side.Work] = {
    "ours": ours,
    "official, in its thread": official,
    "official, into Trio": official_into_trio,
}

if __name__ == "__main__":
    what = "Follow changes of Applications."
    kube_side.main("benchmarks.kube_watch", what, WORK, 10_000, changes=True)
