"""The copied kinds of one cluster in memory: for each an informer, and the newest that is known of it.

Which kinds there are, and where they live, is said by the rows of ``sync.kinds`` alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from trio_argoagent.kube.informer import Informer
from trio_argoagent.kube.protocol.packing import packed
from trio_argoagent.model.keys import Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.ports.env import Env
from trio_argoagent.replication.executor import Executor
from trio_argoagent.replication.known import Known
from trio_argoagent.sync import kinds


@attrs.frozen
class Store:
    """One kind of one cluster."""

    informer: Informer
    known: Known


class Stores:
    """See the module. ``stores[kind]`` also finds the store of a kind that hangs on another one's objects.

    Args:
        cluster: where they are read.
        namespaces: which kinds, and where each is looked for (empty: in all namespaces).
        env: for the informers.
    """

    def __init__(self, cluster: Cluster, namespaces: Mapping[Kind, str], env: Env) -> None:
        self._stores: dict[Kind, Store] = {}
        for kind, namespace in namespaces.items():
            informer = Informer(
                cluster, kinds.BASE[kind].resource, namespace, env=env, transform=packed
            )
            self._stores[kind] = Store(informer, Known(informer))

    def __getitem__(self, kind: Kind) -> Store:
        return self._stores[kinds.BASE[kind].kind]

    def __iter__(self) -> Iterator[tuple[Kind, Store]]:
        return iter(self._stores.items())

    @property
    def is_synced(self) -> bool:
        """Has each been listed once?"""
        return all(store.informer.is_synced for store in self._stores.values())

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """What the informer shows; None: there is none."""
        return self[kind].informer.get(namespace, name)

    def executors(self, cluster: Cluster) -> Mapping[Kind, Executor]:
        """Writers of all kinds, those included that are written on another kind's objects."""
        made = {
            kind: Executor(cluster, kinds.BASE[kind].resource, store.known)
            for kind, store in self._stores.items()
        }
        return {kind: made[base.kind] for kind, base in kinds.BASE.items() if base.kind in made}
