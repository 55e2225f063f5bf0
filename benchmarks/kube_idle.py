"""What does it cost to have watches open on which nothing happens: our client and the official one?

    python -m benchmarks.kube_idle [--count 100] [--quick]

All are opened, held for two seconds, and ended at once. Ours share one connection; the official client needs
a thread and a connection for each. ``done`` is the memory that each of them adds.
"""

from __future__ import annotations

import resource
from collections.abc import Callable
from typing import Any, Final

import trio

from benchmarks import kube_side
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.testing.machine import NAMESPACE

HELD: Final = 2.0
"""Seconds for which all are open."""


def _resident() -> float:
    """KiB at most until now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


async def _held(count: int, before: float, end: Callable[[], None]) -> str:
    await trio.sleep(HELD)
    each = (_resident() - before) / count
    end()
    return f"{each:.0f} KiB"


async def ours(kubeconfig: str, count: int, version: str) -> str:
    """Streams of one connection."""
    from trio_argoagent.kube.client import open_cluster
    from trio_argoagent.kube.credentials import from_kubeconfig

    async with open_cluster(await from_kubeconfig(kubeconfig)) as cluster, trio.open_nursery() as nursery:
        await cluster.list(APPLICATIONS, NAMESPACE, limit=1)

        async def follow(*, task_status: trio.TaskStatus[None]) -> None:
            async with cluster.watch(APPLICATIONS, NAMESPACE, resource_version=version) as events:
                task_status.started()
                async for _ in events:
                    pass

        before = _resident()
        for _ in range(count):
            await nursery.start(follow)
        return await _held(count, before, nursery.cancel_scope.cancel)


async def official(kubeconfig: str, count: int, version: str) -> str:
    """Threads; each is ended by its watch's ``stop``."""
    from kubernetes import client, config, watch
    from urllib3.exceptions import ProtocolError

    config.load_kube_config(kubeconfig)  # type: ignore[no-untyped-call]
    api: Any = client.CustomObjectsApi()
    where = (APPLICATIONS.group, APPLICATIONS.version, NAMESPACE, APPLICATIONS.plural)
    api.list_namespaced_custom_object(*where, limit=1)
    followers: list[Any] = [watch.Watch() for _ in range(count)]  # type: ignore[no-untyped-call]

    def follow(follower: Any) -> None:
        try:
            for _ in follower.stream(
                api.list_namespaced_custom_object, *where, resource_version=version, timeout_seconds=60
            ):
                pass
        except ProtocolError:
            pass  # What stop() does to whoever reads.

    def stop() -> None:
        for follower in followers:
            follower.stop()

    limiter, before = trio.CapacityLimiter(count), _resident()
    async with trio.open_nursery() as nursery:
        for follower in followers:
            nursery.start_soon(lambda each=follower: trio.to_thread.run_sync(follow, each, limiter=limiter))
        return await _held(count, before, stop)


WORK: dict[str, kube_side.Work] = {"ours": ours, "official": official}

if __name__ == "__main__":
    kube_side.main("benchmarks.kube_idle", "Hold watches on which nothing happens.", WORK, 100)
