"""What does it cost to follow changes of Applications of 4 KB: our client and the official one?

The changes have happened already: both replay them from the same resourceVersion, as fast as they can.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import trio

from trio_argoagent.bench.figures import CPU, Sense
from trio_argoagent.bench.kube.side import Amount, Load, Work, clients, official
from trio_argoagent.bench.questions import Goal, Question, Side
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.testing.machine import NAMESPACE

OBJECTS: Final = 200


async def ours(load: Load) -> None:
    """Events, parsed, in Trio."""
    from trio_argoagent.kube.client import open_cluster
    from trio_argoagent.kube.credentials import from_kubeconfig

    seen = 0
    async with open_cluster(await from_kubeconfig(load.kubeconfig)) as cluster:
        async with cluster.watch(APPLICATIONS, NAMESPACE, resource_version=load.version) as events:
            async for _ in events:
                seen += 1
                if seen == load.count:
                    break


def _official(load: Load, *, hand_over: bool) -> None:
    from kubernetes import client, config, watch

    config.load_kube_config(load.kubeconfig)  # type: ignore[no-untyped-call]
    api: Any = client.CustomObjectsApi()
    where = (APPLICATIONS.group, APPLICATIONS.version, NAMESPACE, APPLICATIONS.plural)
    follower: Any = watch.Watch()  # type: ignore[no-untyped-call]
    seen: list[Any] = []
    stream = follower.stream(api.list_namespaced_custom_object, *where, resource_version=load.version)
    for event in stream:
        if hand_over:
            trio.from_thread.run_sync(seen.append, event["type"])
        else:
            seen.append(event["type"])
        if len(seen) == load.count:
            break


async def theirs(load: Load) -> None:
    """The official client; its events stay in its thread."""
    return await trio.to_thread.run_sync(lambda: _official(load, hand_over=False))


async def into_trio(load: Load) -> None:
    """The same, but each event is handed to Trio, where a program of ours would need it."""
    return await trio.to_thread.run_sync(lambda: _official(load, hand_over=True))


WORK: Final[Mapping[str, Work]] = {"ours": ours, "official": theirs, "into Trio": into_trio}
"""By the side's name."""


def _amount(case: int, quick: bool) -> Amount:
    return Amount(case, OBJECTS, case)


QUESTION: Final = Question(
    "kube-watch",
    "kube",
    "changes of Applications of 4 KB are followed, as fast as it goes",
    (10_000,),
    "changes",
    clients(__name__, _amount),
    sides=(
        Side("ours", "", "in Trio"),
        official("official", "the official client; its events stay in its thread"),
        official("into Trio", "the official client; each event is handed to Trio"),
    ),
    quick_cases=(1000,),
    quick_sides=("ours", "official"),
    rounds=1,
    goals=(
        Goal("CPU of an event, of the official one's", "ours", 10_000, CPU, Sense.AT_MOST, 1, "official"),
    ),
)
