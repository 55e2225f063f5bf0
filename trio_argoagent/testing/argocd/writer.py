"""The simulated controller's copy of the Applications, and its ways of writing to them.

Source: controller/appcontroller.go:PatchAppWithWriteBack (what a write is answered with goes into the copy at
once), setOperationState (tries for ever), handleRefreshAnnotation, util/argo/argo.go:SetAppOperation. Any
other write that fails is given up: the next event, or the next resync, makes up for it.
"""

from __future__ import annotations

from typing import Final

import attrs
import trio

from trio_argoagent.errors import ApiError, Conflict, Invalid, NotFound, OutcomeUnknown
from trio_argoagent.kube.informer import Informer
from trio_argoagent.model import rv
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import Cluster, JsonPatch, MergePatch
from trio_argoagent.testing.argocd.names import REFRESH, REFRESH_TIMESTAMP, Value
from trio_argoagent.testing.argocd.reconcile import refresh_done
from trio_argoagent.testing.argocd.workqueue import WorkQueue
from trio_argoagent.testing.argocd.writes import Label, SetOperation, Write, typed_status

STATE_RETRY: Final = 1.0
"""Seconds between two tries of W3: it is tried until it succeeds or the object is gone."""

Name = tuple[str, str]


@attrs.define
class ControllerStatistics:
    """What a simulated controller has done: passes, writes that succeeded, requests that failed."""

    refreshes: int = 0
    operations: int = 0
    writes: int = 0
    failures: int = 0


class Writer:
    """Reads and writes Applications for the passes.

    Args:
        cluster: the API.
        apps: the informer whose copies are read.
        statistics: counted into.
        refreshes: the queue of refreshes, for a request that came while one was served.
        operations: the queue of operations, for a read that failed.
    """

    def __init__(
        self,
        cluster: Cluster,
        apps: Informer,
        statistics: ControllerStatistics,
        refreshes: WorkQueue[Name],
        operations: WorkQueue[Name],
    ) -> None:
        self._cluster, self._apps, self._statistics = cluster, apps, statistics
        self._refreshes, self._operations = refreshes, operations
        self._written: dict[Name, Object] = {}

    def read(self, name: Name) -> Object | None:
        """The informer's copy, or what a write of ours was answered with if that is newer."""
        cached, written = self._apps.get(*name), self._written.get(name)
        if cached is None or written is None:
            return cached
        if written.meta.uid == cached.meta.uid and rv.is_newer(
            written.meta.resource_version, cached.meta.resource_version
        ):
            return written
        del self._written[name]
        return cached

    def forget(self, name: Name) -> None:
        """The Application is gone."""
        self._written.pop(name, None)

    async def fresh(self, name: Name) -> Object | None:
        """The object itself; None if it is gone or cannot be read now (then it is queued again)."""
        try:
            return await self._cluster.get(APPLICATIONS, *name)
        except NotFound:
            return None
        except ApiError:
            self._statistics.failures += 1
            self._operations.add_after(name, STATE_RETRY)
            return None

    async def write(self, name: Name, write: Write, app: Value) -> bool:
        """Send one patch that was computed from the copy ``app``; False if it was given up."""
        if write.label == Label.OPERATION_STATE:
            return await self._persevere(name, write)
        try:
            await self._patch(name, write.patch)
        except NotFound:
            return True
        except Invalid:
            self._statistics.failures += 1
            return write.label == Label.REFRESH_DONE and await self._refresh_again(name, app)
        except (ApiError, OutcomeUnknown):
            self._statistics.failures += 1
            return False
        return True

    async def set_operation(self, name: Name, step: SetOperation) -> bool:
        """W9: start an operation unless one stands; False if it was given up."""
        while True:
            try:
                value = (await self._cluster.get(APPLICATIONS, *name)).value()
                if value.get("operation") is not None:
                    return True
                status = typed_status(value.get("status"))
                status.pop("operationState", None)
                value |= {"operation": step.operation, "status": status}
                answer = await self._cluster.replace(APPLICATIONS, value)
            except Conflict:
                continue
            except (ApiError, OutcomeUnknown):
                self._statistics.failures += 1
                return False
            self._statistics.writes += 1
            self._wrote(name, answer)
            return True

    async def _persevere(self, name: Name, write: Write) -> bool:
        while True:
            try:
                await self._patch(name, write.patch)
            except NotFound:
                return False
            except (ApiError, OutcomeUnknown):
                self._statistics.failures += 1
                await trio.sleep(STATE_RETRY)
            else:
                return True

    async def _refresh_again(self, name: Name, app: Value) -> bool:
        """W2 was refused: a newer request stays and is served next; else the request is removed once more."""
        fresh = await self.fresh(name)
        if fresh is None or REFRESH not in fresh.annotations:
            return True
        seen = app["metadata"].get("annotations") or {}
        if fresh.annotations.get(REFRESH_TIMESTAMP) != seen.get(REFRESH_TIMESTAMP):
            self._wrote(name, fresh)
            self._refreshes.add(name)
            return True
        try:
            await self._patch(name, refresh_done(fresh.value()))
        except (ApiError, OutcomeUnknown):
            self._statistics.failures += 1
            return False
        return True

    async def _patch(self, name: Name, patch: JsonPatch | MergePatch) -> None:
        answer = await self._cluster.patch(APPLICATIONS, *name, patch)
        self._statistics.writes += 1
        self._wrote(name, answer)

    def _wrote(self, name: Name, newest: Object) -> None:
        if name in self._apps.objects:
            self._written[name] = newest
