"""The copied kinds of one cluster in memory: what an informer shows, and the newest that is known of it.

Which kinds there are, and where they live, is said by the rows of ``sync.kinds`` alone. Kinds of one resource
share an informer, so that an object that becomes one of another kind is told of in order: it goes from the
one and comes to the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

import attrs
import trio

from trio_argoagent.kube.informer import Informer
from trio_argoagent.kube.protocol.cache import Change
from trio_argoagent.kube.protocol.packing import packed
from trio_argoagent.model.keys import Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import Resource
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.ports.env import Env
from trio_argoagent.replication.executor import Executor
from trio_argoagent.replication.known import Known
from trio_argoagent.sync import kinds
from trio_argoagent.sync.kinds import Row

OTHERS_WAIT: Final = 10.0
"""Seconds to wait for what is not Argo CD's own: without the right to read Secrets the rest works."""

Handler = Callable[[Kind, Change], None]


@attrs.frozen
class Store:
    """One resource of one cluster, and the kinds that are made of it."""

    informer: Informer
    known: Known
    rows: tuple[Row, ...]

    @property
    def is_essential(self) -> bool:
        """Can nothing be replicated without it?"""
        return bool(self.rows[0].resource.group)


class Stores:
    """See the module. ``stores[kind]`` also finds the store of a kind that hangs on another one's objects.

    Args:
        cluster: where they are read.
        namespaces: which kinds, and where each is looked for (empty: in all namespaces).
        env: for the informers.
    """

    def __init__(self, cluster: Cluster, namespaces: Mapping[Kind, str], env: Env) -> None:
        self._by_resource: dict[Resource, Store] = {}
        self._handlers: list[Handler] = []
        for kind, namespace in namespaces.items():
            resource = kinds.BASE[kind].resource
            if resource not in self._by_resource:
                rows = tuple(kinds.BASE[k] for k in namespaces if kinds.BASE[k].resource == resource)
                self._by_resource[resource] = self._store(cluster, rows, namespace, env)
        self.kinds: Final = tuple(namespaces)

    def _store(self, cluster: Cluster, rows: tuple[Row, ...], namespace: str, env: Env) -> Store:
        informer = Informer(
            cluster,
            rows[0].resource,
            namespace,
            selector=rows[0].selector,
            env=env,
            transform=partial(_kept, rows),
        )
        store = Store(informer, Known(informer, lambda obj: any(row.selects(obj) for row in rows)), rows)
        informer.on_change(partial(self._dispatch, store))
        return store

    def __getitem__(self, kind: Kind) -> Store:
        return self._by_resource[kinds.BASE[kind].resource]

    def __iter__(self) -> Iterator[Store]:
        return iter(self._by_resource.values())

    def on_change(self, handler: Handler) -> None:
        """Call ``handler`` for each change of an object of one of the kinds."""
        self._handlers.append(handler)

    def _dispatch(self, store: Store, change: Change) -> None:
        parts = [(row.kind, part) for row in store.rows if (part := change.of(row.selects)) is not None]
        for kind, part in sorted(parts, key=lambda each: each[1].new is not None):
            for handler in self._handlers:
                handler(kind, part)

    @property
    def is_synced(self) -> bool:
        """Has what is essential been listed once?"""
        return all(store.informer.is_synced for store in self if store.is_essential)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Read until cancelled. Reports started once what is essential is known."""
        async with trio.open_nursery() as nursery:
            for store in self:
                name = f"informer {store.informer.name}"
                if store.is_essential:
                    await nursery.start(store.informer.run, name=name)
                else:
                    nursery.start_soon(store.informer.run, name=name)
            task_status.started()

    async def wait_all(self) -> None:
        """Return once all is known, or after ``OTHERS_WAIT`` seconds: much works without the rest."""
        with trio.move_on_after(OTHERS_WAIT):
            for store in self:
                await store.informer.wait_synced()

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """What the informer shows; None: there is none of that kind."""
        obj = self[kind].informer.get(namespace, name)
        return obj if obj is not None and kinds.BASE[kind].selects(obj) else None

    def objects(self, kind: Kind) -> Sequence[Object]:
        """All of a kind that the informer shows."""
        row = kinds.BASE[kind]
        return [obj for obj in self[kind].informer.objects.values() if row.selects(obj)]

    def executors(self, cluster: Cluster) -> Mapping[Kind, Executor]:
        """Writers of all kinds, those included that are written on another kind's objects."""
        made = {
            resource: Executor(cluster, resource, store.known, secret=store.rows[0].secret)
            for resource, store in self._by_resource.items()
        }
        return {kind: made[row.resource] for kind, row in kinds.BASE.items() if row.resource in made}


def _kept(rows: tuple[Row, ...], obj: Object) -> Object:
    """What is kept of an object; of one that only the selector took for one of these, the metadata."""
    return packed(obj) if any(row.selects(obj) for row in rows) else attrs.evolve(obj, fields={})
