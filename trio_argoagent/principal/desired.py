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
from trio_argoagent.sync import entitlement, names, projection, wants
from trio_argoagent.sync.entitlement import Entitlement
from trio_argoagent.sync.kinds import Row
from trio_argoagent.sync.mapping import NamespaceMapping
from trio_argoagent.sync.selection import WHOLE, is_ignored


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
        self.selection = WHOLE
        """The objects that take part."""

    def changed(self, key: Key, change: Change) -> None:
        """The hub's object of this key has changed, and with it maybe what is scoped to it."""
        row = self.rows.get(key.kind)
        if row is None or projection.is_same(row, change.old, change.new):
            return
        self._want(row, key, change, witnessed=change.witnessed and self._is_reason(row, change))
        if row.kind is Kind.APP_PROJECT:
            # That a project was seen to go is why its Secrets go; that it is missing is none.
            gone = change.new is None and change.witnessed
            for kind, name in self._hub.scoped.members(change.object.meta.name):
                self._follow(kind, name, witnessed=gone)

    def _want(self, row: Row, key: Key, change: Change, *, witnessed: bool) -> None:
        obj = change.new
        if wants.is_hidden(obj):
            self._outlet.hide(key)
            return
        body = self._project(key, obj) if obj is not None else None
        # A namespace that is being deleted takes everything along: nobody has asked for each of these.
        alone = not self._hub.is_leaving(change.object.meta.namespace)
        if obj is not None and body is not None:
            evidence = Evidence.WITNESSED if alone else Evidence.INFERRED
            self._outlet.want(key, wants.copy(row, obj.meta.uid, body, evidence))
        else:
            old = change.old or obj
            seen = witnessed and alone and not self._was_passed_over(change)
            gone = old.meta.uid if old is not None and seen else ""
            self._outlet.absent(key, witnessed=gone)

    def _was_passed_over(self, change: Change) -> bool:
        """Is it no longer chosen, without having been seen to leave? The selector is another one, then."""
        old, new = change.old, change.new
        if new is None or not self.selection.passes_over(new):
            return False
        return old is None or self.selection.passes_over(old)

    def _is_reason(self, row: Row, change: Change) -> bool:
        """If the spoke is to hold nothing after this change: does the change itself say why?

        Not of a Secret whose project is missing, unless it has just been told to be in that one.
        """
        if row.within is None or change.new is None or is_ignored(change.new):
            return True
        if self._entitlement(change.new) is not Entitlement.ORPHANED:
            return True
        before = change.old
        return before is not None and entitlement.project_of(before) != entitlement.project_of(change.new)

    def _follow(self, kind: Kind, name: str, *, witnessed: bool) -> None:
        """The project of this Secret has changed."""
        row, key = self.rows.get(kind), self._mapping.key(kind, self._hub.namespace, name)
        obj = self._hub.stores.get(kind, self._hub.namespace, name)
        if row is None or key is None or obj is None:
            return
        denied = self._entitlement(obj) is Entitlement.DENIED
        self._want(row, key, Change(obj, obj), witnessed=witnessed or denied)

    def body(self, key: Key) -> bytes | None:
        """The newest body of this key; None: the spoke shall hold nothing of it."""
        obj = self._hub.stores.get(key.kind, *self._mapping.hub_name(key))
        body = self._project(key, obj) if obj is not None else None
        return canonical(body) if body is not None else None

    def _project(self, key: Key, obj: Object) -> dict[str, Any] | None:
        """What the spoke shall hold of this hub object; None: nothing."""
        row = self.rows[key.kind]
        goes = obj.deleting and not (row.cascades and names.family(obj.finalizers))
        if goes or obj.unreadable or self.selection.leaves_out(obj):
            return None
        if self._mapping.find(key.kind, obj) is None:
            return None  # It has moved to another agent.
        if row.within is not None and self._entitlement(obj) is not Entitlement.GRANTED:
            return None
        return wants.lowered(row, self._mapping, key, obj)

    def _entitlement(self, secret: Object) -> Entitlement:
        """May this agent have that Secret, as the hub's projects stand now?"""
        named = entitlement.project_of(secret)
        project = self._hub.stores.get(Kind.APP_PROJECT, self._hub.namespace, named) if named else None
        key = self._mapping.find(Kind.APP_PROJECT, project) if project is not None else None
        theirs = project is not None and key is not None and self._project(key, project) is not None
        # Of a project that cannot be read nobody knows whose it is.
        stands = project is not None and not project.unreadable
        return entitlement.entitlement(named, stands, theirs)
