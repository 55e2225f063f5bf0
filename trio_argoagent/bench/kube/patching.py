"""What does it cost to write: merge patches of one label, one after the other, and twenty at a time?

Of two clients that wait for the same server the CPU is what differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import trio

from trio_argoagent.bench.figures import CPU, Sense
from trio_argoagent.bench.kube.side import Amount, Load, Work, clients, official
from trio_argoagent.bench.questions import Goal, Question, Side
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.machine import NAMESPACE

CHANGES: Final = 2000
QUICK_CHANGES: Final = 200
OBJECTS: Final = 200


def _patch(load: Load, number: int) -> tuple[str, dict[str, Any]]:
    return f"app-{number % OBJECTS:05}", {"metadata": {"labels": {"patched": f"n{load.run}-{number}"}}}


async def ours(load: Load) -> None:
    """Our client."""
    from trio_argoagent.kube.client import open_cluster
    from trio_argoagent.kube.credentials import from_kubeconfig

    async with open_cluster(await from_kubeconfig(load.kubeconfig)) as cluster:

        async def write(first: int) -> None:
            for number in range(first, load.count, load.case):
                name, value = _patch(load, number)
                await cluster.patch(APPLICATIONS, NAMESPACE, name, MergePatch(value))

        async with trio.open_nursery() as nursery:
            for first in range(load.case):
                nursery.start_soon(write, first)


async def theirs(load: Load) -> None:
    """The official client, a thread for each writer."""
    from kubernetes import client, config

    config.load_kube_config(load.kubeconfig)  # type: ignore[no-untyped-call]
    api: Any = client.CustomObjectsApi()

    def write(first: int) -> None:
        for number in range(first, load.count, load.case):
            name, value = _patch(load, number)
            api.patch_namespaced_custom_object(
                APPLICATIONS.group, APPLICATIONS.version, NAMESPACE, APPLICATIONS.plural, name, value,
                _content_type="application/merge-patch+json",
            )  # fmt: skip

    async with trio.open_nursery() as nursery:
        for first in range(load.case):
            nursery.start_soon(trio.to_thread.run_sync, write, first)


WORK: Final[Mapping[str, Work]] = {"ours": ours, "official": theirs}
"""By the side's name."""


def _amount(case: int, quick: bool) -> Amount:
    return Amount(QUICK_CHANGES if quick else CHANGES, OBJECTS)


QUESTION: Final = Question(
    "kube-patch",
    "kube",
    "merge patches of one label",
    (1, 20),
    "at a time",
    clients(__name__, _amount),
    sides=(
        Side("ours", "", "in Trio"),
        official("official", "the official client, a thread each"),
    ),
    quick_cases=(20,),
    rounds=1,
    goals=(Goal("CPU of a patch, of the official client's", "ours", 20, CPU, Sense.AT_MOST, 1, "official"),),
)
