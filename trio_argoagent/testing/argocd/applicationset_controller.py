"""The simulated applicationset-controller: the shell round the pure reconcile.

It serves the sets of all namespaces from informers, whose copies know its own writes at once; a failed write
ends no reconcile but has the set looked at again, later each time. What the real one keeps in
``ApplicationSet.status`` (where a RollingSync stands) is in ``SetStatus``: the Cluster port has no status
subresource. Source: applicationset/controllers/applicationset_controller.go, applicationset/utils/client.go.
"""

from __future__ import annotations

from typing import Final

import attrs
import trio

from trio_argoagent.errors import ApiError, NotFound, OutcomeUnknown
from trio_argoagent.kube.informer import Informer
from trio_argoagent.kube.protocol import cache
from trio_argoagent.model import rv
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS, SECRETS
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.ports.env import Env
from trio_argoagent.testing.argocd.applicationset import (
    APPLICATION_SETS,
    Change,
    Create,
    Delete,
    SetSettings,
    SetView,
    SetWrite,
    reconcile,
    requeues,
)
from trio_argoagent.testing.argocd.generators import CLUSTER_SECRETS, clusters_of
from trio_argoagent.testing.argocd.names import Value
from trio_argoagent.testing.argocd.ownership import controlled_by
from trio_argoagent.testing.argocd.rollingsync import Rollout
from trio_argoagent.testing.argocd.workqueue import WorkQueue

WORKERS: Final = 10
"""Sets that are reconciled at once."""
FIRST_RETRY: Final = 0.005
"""Seconds until a set is looked at again after a failure; twice as long each time."""
MAX_RETRY: Final = 1000.0
"""Seconds."""

Name = tuple[str, str]


@attrs.define
class SetStatus:
    """What outlives the program: where each set's RollingSync stands; and counters for tests.

    Attributes:
        rollouts: by namespace and name of the set.
        reconciles: done.
        writes: that succeeded.
        failures: requests that failed.
    """

    rollouts: dict[Name, Rollout] = attrs.field(factory=dict)
    reconciles: int = 0
    writes: int = 0
    failures: int = 0


async def run_applicationset_controller(
    cluster: Cluster,
    namespace: str,
    *,
    env: Env,
    settings: SetSettings | None = None,
    status: SetStatus | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run the controller of all namespaces until cancelled; started once its first lists have arrived.

    Args:
        cluster: the API it reads and writes.
        namespace: Argo CD's own: AppProjects and cluster secrets are there.
        env: wall time for what it writes, randomness for its informers.
        settings: policy and progressive syncs; None: the defaults.
        status: what is kept and counted; it may be given to the next run.
        task_status: started once every first list has been seen.
    """
    controller = _Controller(cluster, namespace, env, settings or SetSettings(), status or SetStatus())
    await controller.run(task_status)


class _Controller:
    def __init__(
        self, cluster: Cluster, namespace: str, env: Env, settings: SetSettings, status: SetStatus
    ) -> None:
        self._cluster, self._env, self._settings, self._status = cluster, env, settings, status
        self._projects = Informer(cluster, APP_PROJECTS, namespace, env=env, name="appset projects")
        self._secrets = Informer(cluster, SECRETS, namespace, selector=CLUSTER_SECRETS, env=env)
        self._apps = Informer(cluster, APPLICATIONS, env=env, name="appset applications")
        self._sets = Informer(cluster, APPLICATION_SETS, env=env)
        self._queue: WorkQueue[Name] = WorkQueue()
        self._written: dict[Name, Object] = {}
        self._failed: dict[Name, int] = {}

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        self._apps.on_change(self._app_changed)
        self._sets.on_change(self._set_changed)
        self._secrets.on_change(self._cluster_changed)
        async with trio.open_nursery() as nursery:
            for informer in (self._projects, self._secrets, self._apps, self._sets):
                await nursery.start(informer.run)
            nursery.start_soon(self._queue.serve, self._reconcile, WORKERS)
            task_status.started()

    # What sets a reconcile off.

    def _app_changed(self, change: cache.Change) -> None:
        if change.new is None:
            self._written.pop(change.name, None)
        if requeues(change.old, change.new, progressive=self._settings.progressive):
            owner = controlled_by(change.object.value())
            if owner:
                self._queue.add((change.object.meta.namespace, owner))

    def _set_changed(self, change: cache.Change) -> None:
        if change.new is None:
            self._status.rollouts.pop(change.name, None)
            self._failed.pop(change.name, None)
        else:
            self._queue.add(change.name)

    def _cluster_changed(self, change: cache.Change) -> None:
        for name, appset in self._sets.objects.items():
            if any("clusters" in each for each in appset.get("spec")["generators"]):
                self._queue.add(name)

    # The reconcile.

    async def _reconcile(self, name: Name) -> None:
        appset = self._sets.get(*name)
        if appset is None:
            return
        self._status.reconciles += 1
        before = self._status.rollouts.get(name, {})
        view = SetView(
            self._seen(name[0]),
            [project for _, project in self._projects.objects],
            clusters_of(self._secrets.objects.values()),
            before,
        )
        plan = reconcile(appset.value(), view, self._env.now(), self._settings)
        self._status.rollouts[name] = plan.rollout
        if plan.rollout != before:
            # In the real one that was a write of the set's status: it is looked at again because of it.
            self._queue.add(name)
        failed = False
        for write in plan.writes:
            failed = not await self._write(name[0], write) or failed
        if failed:
            tries = self._failed[name] = self._failed.get(name, -1) + 1
            self._queue.add_after(name, min(FIRST_RETRY * 2.0**tries, MAX_RETRY))
            return
        self._failed.pop(name, None)
        if plan.again is not None:
            self._queue.add_after(name, plan.again)

    def _seen(self, namespace: str) -> dict[str, Value]:
        """The Applications of a namespace: the informer's copies, or newer answers to its own writes."""
        seen = {name: app for (where, name), app in self._apps.objects.items() if where == namespace}
        for (where, name), app in list(self._written.items()):
            if not rv.is_newer(app.meta.resource_version, self._apps.resource_version):
                del self._written[where, name]
            elif where == namespace:
                seen[name] = app
        return {name: app.value() for name, app in seen.items()}

    async def _write(self, namespace: str, write: SetWrite) -> bool:
        """Send one write; False if it failed."""
        try:
            answer = await self._send(namespace, write)
        except NotFound:
            # What is to be deleted is gone already; what is to be patched will be created next time.
            self._status.failures += 1
            return isinstance(write, Delete)
        except (ApiError, OutcomeUnknown):
            self._status.failures += 1
            return False
        self._status.writes += 1
        if answer is not None and answer.kind == APPLICATIONS.kind:
            self._written[answer.meta.namespace, answer.meta.name] = answer
        return True

    async def _send(self, namespace: str, write: SetWrite) -> Object | None:
        if isinstance(write, Create):
            return await self._cluster.create(APPLICATIONS, write.app)
        if isinstance(write, Change):
            return await self._cluster.patch(APPLICATIONS, namespace, write.name, write.patch)
        if isinstance(write, Delete):
            await self._cluster.delete(APPLICATIONS, namespace, write.name)
            return None
        kind = write.value["kind"]
        return await self._cluster.replace(
            APPLICATION_SETS if kind == APPLICATION_SETS.kind else APPLICATIONS, write.value
        )
