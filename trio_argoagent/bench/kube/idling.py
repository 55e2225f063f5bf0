"""What does it cost to have watches open on which nothing happens: our client and the official one?

All are opened, held for a second, and ended at once. Ours share one connection; the official client needs
a thread and a connection for each.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import trio

from trio_argoagent.bench.kube.side import Amount, Load, Work, clients, official
from trio_argoagent.bench.questions import Question, Side
from trio_argoagent.bench.usage import resident
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.testing.machine import NAMESPACE

OBJECTS: Final = 10
HELD: Final = 1.0
"""Seconds for which all are open."""


def _resident() -> float:
    """KiB now."""
    gc.collect()
    return resident(os.getpid()) / 1024


async def _held(count: int, before: float, end: Callable[[], None]) -> float:
    await trio.sleep(HELD)
    each = (_resident() - before) / count
    end()
    return each


async def ours(load: Load) -> float:
    """Streams of one connection."""
    from trio_argoagent.kube.client import open_cluster
    from trio_argoagent.kube.credentials import from_kubeconfig

    async with (
        open_cluster(await from_kubeconfig(load.kubeconfig)) as cluster,
        trio.open_nursery() as nursery,
    ):
        await cluster.list(APPLICATIONS, NAMESPACE, limit=1)

        async def follow(*, task_status: trio.TaskStatus[None]) -> None:
            async with cluster.watch(APPLICATIONS, NAMESPACE, resource_version=load.version) as events:
                task_status.started()
                async for _ in events:
                    pass

        before = _resident()
        for _ in range(load.count):
            await nursery.start(follow)
        added = await _held(load.count, before, nursery.cancel_scope.cancel)
    return added


async def theirs(load: Load) -> float:
    """Threads; each is ended by its watch's ``stop``."""
    from kubernetes import client, config, watch
    from urllib3.exceptions import ProtocolError

    config.load_kube_config(load.kubeconfig)  # type: ignore[no-untyped-call]
    api: Any = client.CustomObjectsApi()
    where = (APPLICATIONS.group, APPLICATIONS.version, NAMESPACE, APPLICATIONS.plural)
    api.list_namespaced_custom_object(*where, limit=1)
    followers: list[Any] = [watch.Watch() for _ in range(load.count)]  # type: ignore[no-untyped-call]

    def follow(follower: Any) -> None:
        try:
            for _ in follower.stream(
                api.list_namespaced_custom_object, *where, resource_version=load.version, timeout_seconds=60
            ):
                pass
        except ProtocolError:
            pass  # What stop() does to whoever reads.

    def stop() -> None:
        for follower in followers:
            follower.stop()

    limiter, before = trio.CapacityLimiter(load.count), _resident()
    async with trio.open_nursery() as nursery:
        for follower in followers:
            nursery.start_soon(partial(trio.to_thread.run_sync, follow, follower, limiter=limiter))
        added = await _held(load.count, before, stop)
    return added


WORK: Final[Mapping[str, Work]] = {"ours": ours, "official": theirs}
"""By the side's name."""


def _amount(case: int, quick: bool) -> Amount:
    return Amount(case, OBJECTS)


QUESTION: Final = Question(
    "kube-idle",
    "kube",
    "watches are opened, and nothing happens on them",
    (10, 100),
    "watches",
    clients(__name__, _amount),
    sides=(
        Side("ours", "", "streams of one connection"),
        official("official", "the official client, a thread and a connection for each"),
    ),
    quick_cases=(10,),
    rounds=1,
)
