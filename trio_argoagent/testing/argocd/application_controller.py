"""The simulated application-controller: the shell round the pure passes.

Like the real one it has a queue for refreshes and one for operations and deletions, so that two passes over
one Application may cross; it reads its informer's copy (an operation: the object itself), writes what it was
given back into that copy, and forgets everything but the objects and the world when it is stopped.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

import trio

from trio_argoagent.errors import ApiError, OutcomeUnknown
from trio_argoagent.kube.informer import Informer
from trio_argoagent.kube.protocol.cache import Change
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.ports.cluster import Cluster, MergePatch
from trio_argoagent.ports.env import Env
from trio_argoagent.testing.argocd.deletion import deletion_error, finalise
from trio_argoagent.testing.argocd.hydrator import hydrate
from trio_argoagent.testing.argocd.names import (
    FAMILY,
    Dialect,
    Level,
    Settings,
    Value,
)
from trio_argoagent.testing.argocd.operations import operate
from trio_argoagent.testing.argocd.reconcile import refresh
from trio_argoagent.testing.argocd.workqueue import WorkQueue
from trio_argoagent.testing.argocd.world import World
from trio_argoagent.testing.argocd.writer import ControllerStatistics, Writer
from trio_argoagent.testing.argocd.writes import Decision, SetOperation, Write

Name = tuple[str, str]


async def run_application_controller(
    cluster: Cluster,
    namespace: str,
    *,
    env: Env,
    world: World,
    settings: Settings | None = None,
    statistics: ControllerStatistics | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run the controller of one namespace until cancelled; started once its first lists have arrived.

    Args:
        cluster: the API it reads and writes.
        namespace: where its AppProjects are, and its Applications, too (but see ``Settings.namespaces``).
        env: wall time for what it writes, randomness for the resync's jitter.
        world: the workload it manages; it outlives this run, and so may be given to the next.
        settings: dialect and durations; None: an unhurried 3.6.
        statistics: counted into, if given.
        task_status: started once both first lists have been seen.
    """
    counted = statistics or ControllerStatistics()
    controller = _Controller(cluster, namespace, env, world, settings or Settings(), counted)
    await controller.run(task_status)


class _Controller:
    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        env: Env,
        world: World,
        settings: Settings,
        statistics: ControllerStatistics,
    ) -> None:
        self._cluster, self._namespace, self._env = cluster, namespace, env
        self._world, self._settings, self._statistics = world, settings, statistics
        self._apps = Informer(
            cluster,
            APPLICATIONS,
            "" if settings.namespaces else namespace,
            env=env,
            name="argocd applications",
        )
        self._projects = Informer(cluster, APP_PROJECTS, namespace, env=env, name="argocd projects")
        self._refreshes: WorkQueue[Name] = WorkQueue()
        self._operations: WorkQueue[Name] = WorkQueue()
        self._leaving: WorkQueue[Name] = WorkQueue()
        self._timed: WorkQueue[tuple[Name, Level]] = WorkQueue()
        self._requested: dict[Name, Level] = {}
        self._writer = Writer(cluster, self._apps, statistics, self._refreshes, self._operations)

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        self._apps.on_change(self._app_changed)
        self._projects.on_change(self._project_changed)
        stop = self._world.on_change(self._workload_changed)
        settings = self._settings
        try:
            async with trio.open_nursery() as nursery:
                # Projects first: an Application that is looked at without its project shows an error for
                # up to a resync.
                await nursery.start(self._projects.run)
                await nursery.start(self._apps.run)
                nursery.start_soon(self._refreshes.serve, self._refresh, settings.refreshers)
                nursery.start_soon(self._operations.serve, self._operate, settings.operators)
                nursery.start_soon(self._leaving.serve, self._release_project, 1)
                nursery.start_soon(self._timed.serve, self._on_time, 1)
                nursery.start_soon(self._resync)
                task_status.started()
        finally:
            stop()

    # What sets a pass off.

    def _app_changed(self, change: Change) -> None:
        seen = change.new or change.old
        assert seen is not None
        name = (seen.meta.namespace, seen.meta.name)
        if not self._looks_after(name):
            return
        if change.new is None:
            self._writer.forget(name)
            self._requested.pop(name, None)
            for project in self._projects.objects:
                self._leaving.add(project)
            return
        if change.old is not None and _enabled(change.new) > _enabled(change.old):
            self._request(name, Level.LATEST)
        self._refreshes.add(name)
        # 3.6 queues what it sees for the first time for a refresh only: an operation or a deletion that was
        # pending when it started waits for the next update or resync.
        if change.old is not None or self._settings.dialect is Dialect.V35:
            self._operations.add(name)

    def _looks_after(self, name: Name) -> bool:
        namespace = name[0]
        further = self._settings.namespaces
        return namespace == self._namespace or any(fnmatchcase(namespace, each) for each in further)

    def _project_changed(self, change: Change) -> None:
        # Applications are not looked at because of their project: that is Argo CD's behaviour.
        if change.new is not None:
            self._leaving.add((change.new.meta.namespace, change.new.meta.name))

    def _workload_changed(self, namespace: str, name: str) -> None:
        if (namespace, name) in self._apps.objects:
            self._request((namespace, name), Level.RECENT)

    def _request(self, name: Name, level: Level) -> None:
        self._requested[name] = max(level, self._requested.get(name, level))
        self._refreshes.add(name)

    async def _on_time(self, item: tuple[Name, Level]) -> None:
        name, level = item
        if name in self._apps.objects:
            self._request(name, level)
        await trio.lowlevel.checkpoint()

    async def _resync(self) -> None:
        while True:
            await trio.sleep(self._settings.resync)
            for name in sorted(filter(self._looks_after, self._apps.objects)):
                delay = self._env.random.uniform(0.0, self._settings.resync_jitter)
                self._refreshes.add_after(name, delay)
                self._operations.add_after(name, delay)
            for project in sorted(self._projects.objects):
                self._leaving.add(project)

    # The passes.

    async def _refresh(self, name: Name) -> None:
        app = self._writer.read(name)
        level = self._requested.pop(name, None)
        if app is None or app.unreadable:
            return  # Argo CD's Go reads what we cannot; what it would make of it is nobody's question.
        self._statistics.refreshes += 1
        value, now = app.value(), self._env.now()
        state = self._world.state(value, self._project(value), now)
        decision = refresh(value, now, state, self._settings, level)
        if decision.steps:
            await trio.sleep(self._settings.think)
        await self._carry_out(value, decision)
        newest = self._writer.read(name) if value["spec"].get("sourceHydrator") else None
        if newest is not None and not newest.unreadable:
            value = newest.value()
            await self._carry_out(value, hydrate(value, self._env.now(), self._world.git, self._settings))

    async def _operate(self, name: Name) -> None:
        app = self._writer.read(name)
        if app is not None and app.get("operation") is not None:
            # Never from the copy: what is stale could start an operation that has ended.
            app = await self._writer.fresh(name)
        if app is None or app.unreadable:
            return
        self._statistics.operations += 1
        value, now = app.value(), self._env.now()
        state = self._world.state(value, self._project(value), now)
        if value.get("operation") is not None:
            await self._carry_out(value, operate(value, now, state, self._settings))
        elif app.deleting:
            decision = finalise(value, now, state, self._settings)
            if not await self._carry_out(value, decision):
                failed = deletion_error(value, "failed to update finalizers", now)
                await self._carry_out(value, failed)

    async def _release_project(self, name: Name) -> None:
        project = self._projects.get(*name)
        if project is None or not project.deleting or FAMILY not in project.finalizers:
            return
        if any(_project_of(app.get("spec") or {}) == name[1] for app in self._apps.objects.values()):
            return
        kept = [each for each in project.finalizers if each != FAMILY]
        try:
            await self._cluster.patch(APP_PROJECTS, *name, MergePatch({"metadata": {"finalizers": kept}}))
        except (ApiError, OutcomeUnknown):
            self._statistics.failures += 1

    def _project(self, app: Value) -> Value | None:
        found = self._projects.get(self._namespace, _project_of(app["spec"]))
        if found is None:
            return None
        # AppProject.IsAppNamespacePermitted: whoever may not use a project has none.
        project, namespace = found.value(), app["metadata"]["namespace"]
        allowed = (project.get("spec") or {}).get("sourceNamespaces") or ()
        if namespace != self._namespace and not any(fnmatchcase(namespace, each) for each in allowed):
            return None
        return project

    async def _carry_out(self, app: Value, decision: Decision) -> bool:
        """Do it, step by step; False if a write failed (the rest is done all the same)."""
        meta = app["metadata"]
        name = (meta["namespace"], meta["name"])
        done = True
        for step in decision.steps:
            if isinstance(step, Write):
                done = await self._writer.write(name, step, app) and done
            elif isinstance(step, SetOperation):
                done = await self._writer.set_operation(name, step) and done
            else:
                self._world.apply(app, step, self._env.now(), self._settings)
        for wake in decision.wakes:
            if wake.level is not None:
                self._timed.add_after((name, wake.level), wake.after)
            else:
                self._operations.add_after(name, wake.after)
        return done


def _project_of(spec: Value) -> str:
    return spec.get("project") or "default"


def _enabled(app: Object) -> int:
    """How much auto-sync is switched on: 0 none, 1 automated, 2 with self-heal."""
    automated = ((app.get("spec") or {}).get("syncPolicy") or {}).get("automated")
    if automated is None or automated.get("enabled") is False:
        return 0
    return 2 if automated.get("selfHeal") else 1
