"""Applications that had to come before their AppProject are refreshed when it arrives.

Argo CD does not look again by itself before the next resync (two to three minutes): until then such an
Application stays invalid, and one that is being deleted stays for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import trio

from trio_argoagent import errors
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import Cluster, MergePatch
from trio_argoagent.replication.bell import Bell
from trio_argoagent.replication.known import Known
from trio_argoagent.sync import names

ATTEMPTS: Final = 10
RETRY: Final = 3.0
"""Seconds between two attempts while the API server cannot; after the last one the next resync does it."""
_WANTING: Final = ("InvalidSpecError", "DeletionError")


class Refresher:
    """See the module.

    Args:
        cluster: the spoke's API.
        serves: is an Application for us to refresh?
    """

    def __init__(self, cluster: Cluster, serves: Callable[[Object], bool]) -> None:
        self._cluster, self._serves = cluster, serves
        self._projects: dict[str, None] = {}
        self._bell = Bell()

    def project_came(self, name: str) -> None:
        """An AppProject has appeared."""
        self._projects[name] = None
        self._bell.ring()

    async def run(self, known: Known) -> None:
        """Refresh what needs it, until cancelled."""
        while True:
            await self._bell.wait()
            while self._projects:
                project = next(iter(self._projects))
                del self._projects[project]
                for app in [app for app in known.informer.objects.values() if self._lacked(app, project)]:
                    await self._refresh(app)

    def _lacked(self, app: Object, project: str) -> bool:
        return self._serves(app) and _lacked(app, project)

    async def _refresh(self, app: Object) -> None:
        patch = MergePatch({"metadata": {"annotations": {names.REFRESH: "normal"}}})
        for _ in range(ATTEMPTS):
            try:
                await self._cluster.patch(APPLICATIONS, app.meta.namespace, app.meta.name, patch)
            except (errors.Throttled, errors.Unavailable, errors.OutcomeUnknown):
                await trio.sleep(RETRY)
            except errors.ApiError:
                return  # It has gone, or we may not: the next resync does it.
            else:
                return


def _lacked(app: Object, project: str) -> bool:
    """Does this Application say that it is invalid, or cannot go, for want of that project?"""
    if ((app.get("spec") or {}).get("project") or "default") != project:
        return False
    conditions = (app.get("status") or {}).get("conditions") or ()
    return any(condition.get("type") in _WANTING for condition in conditions)
