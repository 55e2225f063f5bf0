"""What does it cost to read a collection of 4 KB Applications: our client, our informer, the official client?

The official client runs in a thread, as it must beside Trio.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import trio

from trio_argoagent.bench.figures import CPU, Sense
from trio_argoagent.bench.kube.side import Amount, Load, Work, clients, official
from trio_argoagent.bench.questions import Goal, Growth, Question, Side
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.testing.machine import NAMESPACE


async def informer(load: Load, *, streams: bool = True) -> None:
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

    async with (
        open_cluster(await from_kubeconfig(load.kubeconfig)) as cluster,
        trio.open_nursery() as nursery,
    ):
        found = Informer(Seen(cluster), APPLICATIONS, NAMESPACE, env=real_env())
        await nursery.start(found.run)
        nursery.cancel_scope.cancel()


async def one_list(load: Load) -> None:
    """Ours, all in one answer."""
    from trio_argoagent.kube.client import open_cluster
    from trio_argoagent.kube.credentials import from_kubeconfig

    async with open_cluster(await from_kubeconfig(load.kubeconfig)) as cluster:
        await cluster.list(APPLICATIONS, NAMESPACE)


def _official(kubeconfig: str, page: int) -> None:
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
            return


async def theirs(load: Load, *, page: int = 0) -> None:
    """The official client, in a thread."""
    await trio.to_thread.run_sync(_official, load.kubeconfig, page)


WORK: Final[Mapping[str, Work]] = {
    "informer": informer,
    "pages": partial(informer, streams=False),
    "one list": one_list,
    "official": theirs,
    "official, pages": partial(theirs, page=500),
}
"""By the side's name."""


def _amount(case: int, quick: bool) -> Amount:
    return Amount(case, case)


QUESTION: Final = Question(
    "kube-list",
    "kube",
    "a collection of Applications of 4 KB is read",
    (500, 1500, 5000),
    "Applications",
    clients(__name__, _amount),
    sides=(
        Side("informer", "", "ours, into a cache: the initial events of a watch"),
        Side("pages", "", "ours, into a cache: pages"),
        Side("one list", "", "ours, all in one answer"),
        official("official", "the official client in a thread, one list"),
        official("official, pages", "the official client in a thread, 500 at a time"),
    ),
    ours="informer",
    quick_cases=(200,),
    quick_sides=("informer", "official"),
    rounds=1,
    goals=(
        Goal("CPU of 5,000: 0.25 s", "informer", 5000, CPU, Sense.AT_MOST, 50),
        Goal("the event loop stands still, 5,000", "informer", 5000, "stall", Sense.AT_MOST, 15),
    ),
    growth=(Growth("CPU of one against how many there are", CPU, 0.1, "informer"),),
)
