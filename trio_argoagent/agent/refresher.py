"""Applications that failed for want of their AppProject, or of credentials, are refreshed when those arrive.

Argo CD does not look again by itself before the next resync (two to three minutes): until then such an
Application stays invalid, or unknown, and one that is being deleted without its project stays for ever. Each
is refreshed once for all that has arrived by then: credentials may be wrong, and fail again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
import trio

from trio_argoagent import errors
from trio_argoagent.model.keys import Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import Cluster, MergePatch
from trio_argoagent.replication.bell import Bell
from trio_argoagent.replication.known import Known
from trio_argoagent.sync import names, repositories

ATTEMPTS: Final = 10
RETRY: Final = 3.0
"""Seconds between two attempts while the API server cannot; after the last one the next resync does it."""

Spec = Mapping[str, Any]


@attrs.frozen
class _Arrival:
    """What has come: whom it is for, and the conditions of those that have failed without it."""

    serves: Callable[[Spec], bool]
    conditions: tuple[str, ...]

    def ends(self, app: Object) -> bool:
        """Does this Application say that it has failed for want of that?"""
        if not self.serves(app.get("spec") or {}):
            return False
        status = bytes(app.fields.get("status", b""))
        if not any(each.encode() in status for each in self.conditions):
            return False  # Most are well, and a status is long to read.
        shown = (app.get("status") or {}).get("conditions") or ()
        return any(condition.get("type") in self.conditions for condition in shown)


def _arrival(kind: Kind, obj: Object) -> _Arrival | None:
    if kind is Kind.APP_PROJECT:
        name = obj.meta.name
        return _Arrival(
            lambda spec: (spec.get("project") or "default") == name, ("InvalidSpecError", "DeletionError")
        )
    found = None
    if kind in (Kind.REPOSITORY, Kind.REPO_CREDS) and not obj.unreadable:
        found = repositories.credentials(kind, obj.get("data") or {})
    if found is None:
        return None
    serve = found.serve
    return _Arrival(
        lambda spec: any(map(serve, repositories.needed(spec))), ("ComparisonError", "InvalidSpecError")
    )


class Refresher:
    """See the module.

    Args:
        cluster: the spoke's API.
        serves: is an Application for us to refresh?
    """

    def __init__(self, cluster: Cluster, serves: Callable[[Object], bool]) -> None:
        self._cluster, self._serves = cluster, serves
        self._arrived: dict[tuple[Kind, str], _Arrival] = {}
        self._bell = Bell()

    def came(self, kind: Kind, obj: Object) -> None:
        """An object that is no Application has appeared."""
        arrival = _arrival(kind, obj)
        if arrival is not None:
            self._arrived[kind, obj.meta.name] = arrival
            self._bell.ring()

    async def run(self, known: Known) -> None:
        """Refresh what needs it, until cancelled."""
        while True:
            await self._bell.wait()
            arrived, self._arrived = tuple(self._arrived.values()), {}
            for app in tuple(known.informer.objects.values()):
                if self._serves(app) and any(arrival.ends(app) for arrival in arrived):
                    await self._refresh(app)

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
