"""What one agent's spoke shall hold of the hub's objects: their half of the desired feed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trio_argoagent.kube.protocol.cache import Change
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.objects import Object, canonical
from trio_argoagent.model.records import Evidence
from trio_argoagent.principal.hub import Hub
from trio_argoagent.replication.outlet import Outlet
from trio_argoagent.sync import mapping, names, projection, wants
from trio_argoagent.sync.kinds import Row
from trio_argoagent.sync.mapping import NamespaceMapping


class Desired:
    """See the module.

    Args:
        hub: the informers that all peers share.
        to_spoke: the mapping between the hub and this agent.
        rows: the kinds of the feed.
        outlet: of the feed.
    """

    def __init__(
        self, hub: Hub, to_spoke: NamespaceMapping, rows: Mapping[Kind, Row], outlet: Outlet
    ) -> None:
        self._hub, self._mapping, self.rows, self._outlet = hub, to_spoke, rows, outlet

    def changed(self, key: Key, change: Change) -> None:
        """The hub's object of this key has changed."""
        row = self.rows.get(key.kind)
        if row is None:
            return
        obj = change.new
        if wants.is_hidden(obj):
            self._outlet.hide(key)
            return
        body = self._project(row, obj) if obj is not None else None
        # A namespace that is being deleted takes everything along: nobody has asked for each of these.
        alone = not self._hub.is_leaving(change.object.meta.namespace)
        if obj is not None and body is not None:
            evidence = Evidence.WITNESSED if alone else Evidence.INFERRED
            self._outlet.want(key, wants.copy(row, obj.meta.uid, body, evidence))
        else:
            old = change.old or obj
            gone = old.meta.uid if old is not None and change.witnessed and alone else ""
            self._outlet.absent(key, witnessed=gone)

    def body(self, key: Key) -> bytes | None:
        """The newest body of this key; None: the spoke shall hold nothing of it."""
        obj = self._hub.stores.get(key.kind, *self._mapping.hub_name(key))
        body = self._project(self.rows[key.kind], obj) if obj is not None else None
        return canonical(body) if body is not None else None

    def _project(self, row: Row, obj: Object) -> dict[str, Any] | None:
        """What the spoke shall hold of this hub object; None: nothing."""
        goes = obj.deleting and not (row.cascades and names.family(obj.finalizers))
        if goes or obj.unreadable or wants.is_ignored(obj):
            return None
        shown = projection.copy_projection(row, obj)
        if row.kind is Kind.APP_PROJECT:
            if not mapping.project_matches(shown["spec"], self._mapping.agent):
                return None
            # Hub and spoke each have Argo CD's own finalizers on a project, or not: they do not travel.
            shown["finalizers"] = []
        body = self._mapping.down(row.kind, shown)
        return body | {projection.DELETING: True} if obj.deleting else body
