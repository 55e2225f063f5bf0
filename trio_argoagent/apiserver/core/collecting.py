"""What controllers do in a real cluster, as one step: namespaces, owner references, definitions.

``note`` is told of every committed write and remembers what may have to be done because of it; ``collect``
does it. The two are apart because they are in a real cluster: between a namespace's DELETE and the end of
its content others see it Terminating, and a simulation wants to choose how long.

Source: k8s.io/kubernetes pkg/controller/{namespace,garbagecollector}, apiextensions-apiserver
pkg/controller/finalizer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from trio_argoagent.apiserver.core import patches
from trio_argoagent.apiserver.core.deletion import CRD_CLEANUP, FOREGROUND, ORPHAN
from trio_argoagent.apiserver.core.kinds import CRDS
from trio_argoagent.apiserver.core.store import Ref, Store, key_of
from trio_argoagent.apiserver.core.values import LogEntry, Stored
from trio_argoagent.errors import NotFound
from trio_argoagent.model.resources import NAMESPACES, Resource

MAX_ROUNDS: Final = 64  # levels of ownership that one collect works through; the rest stays due

_GC: Final = "system:garbage-collector"
_NAMESPACES: Final = "system:namespace-controller"
_DEFINITIONS: Final = "system:crd-finalizer"


class Writer(Protocol):
    """The part of ``ApiServer`` that is needed here."""

    def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        *,
        actor: str,
        now: float,
        uid: str,
        propagation: str,
    ) -> object:
        """Delete one object."""

    def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        patch: Any,
        *,
        content_type: str,
        actor: str,
        now: float,
        subresource: str,
    ) -> object:
        """Change one object."""

    def resource_of(self, group: str, plural: str) -> Resource | None:
        """The resource of a collection, if it is still served."""


class Collector:
    """Work that is due, in the order in which it became so."""

    def __init__(self, store: Store, writer: Writer) -> None:
        self._store = store
        self._writer = writer
        self._dependents: dict[Ref, None] = {}
        self._owners: dict[Ref, None] = {}
        self._terminating: dict[str, None] = {}
        self._touched: dict[str, None] = {}
        self._definitions: dict[str, None] = {}
        self._definitions_touched: dict[str, None] = {}

    @property
    def due(self) -> bool:
        """Is there anything to do?"""
        return bool(self._dependents or self._owners or self._touched or self._definitions_touched)

    def note(self, entry: LogEntry) -> None:
        """Remember what a committed write may make necessary."""
        ref = (entry.resource.group, entry.resource.plural, entry.namespace, entry.name)
        self._note_containers(entry)
        new, old = entry.new, entry.old
        if new is None and old is not None:
            self._dependents.update(self._store.dependents.get(old.uid, {}))
            self._note_owners(old)
            return
        assert new is not None
        owners = new.metadata.get("ownerReferences")
        if owners and (old is None or owners is not old.metadata.get("ownerReferences")):
            self._dependents[ref] = None
        if old is not None and old.metadata.get("ownerReferences") and not owners:
            self._note_owners(old)
        if new.deleting and (FOREGROUND in new.finalizers or ORPHAN in new.finalizers):
            self._owners[ref] = None

    def _note_owners(self, gone: Stored) -> None:
        for owner in gone.metadata.get("ownerReferences") or ():
            ref = self._store.uids.get(owner["uid"])
            stored = self._stored(ref) if ref is not None else None
            if ref is not None and stored is not None and stored.deleting and FOREGROUND in stored.finalizers:
                self._owners[ref] = None

    def _note_containers(self, entry: LogEntry) -> None:
        if entry.resource == NAMESPACES:
            if entry.new is None:
                self._terminating.pop(entry.name, None)
            elif entry.new.deleting and entry.name not in self._terminating:
                self._terminating[entry.name] = self._touched[entry.name] = None
        elif entry.namespace in self._terminating:
            self._touched[entry.namespace] = None
        if entry.resource == CRDS:
            if entry.new is None:
                self._definitions.pop(entry.name, None)
            elif entry.new.deleting and entry.name not in self._definitions:
                self._definitions[entry.name] = self._definitions_touched[entry.name] = None
        else:
            definition = f"{entry.resource.plural}.{entry.resource.group}"
            if definition in self._definitions:
                self._definitions_touched[definition] = None

    def collect(self, now: float) -> int:
        """Do what is due, and what that makes due in turn. Returns how many writes it took."""
        before = self._store.rv
        for _ in range(MAX_ROUNDS):
            if not self.due:
                break
            self._collect_dependents(now)
            self._collect_owners(now)
            self._collect_namespaces(now)
            self._collect_definitions(now)
        return self._store.rv - before

    def _collect_dependents(self, now: float) -> None:
        work, self._dependents = self._dependents, {}
        for ref in work:
            stored = self._stored(ref)
            owners = stored.metadata.get("ownerReferences") if stored is not None else None
            if stored is None or not owners:
                continue
            alive = [owner for owner in owners if self._is_alive(owner, stored)]
            if not alive:
                self._delete(ref, stored, _GC, now)
            elif len(alive) < len(owners):
                self._patch(ref, stored, {"ownerReferences": alive}, _GC, now)

    def _is_alive(self, owner: Mapping[str, Any], dependent: Stored) -> bool:
        ref = self._store.uids.get(owner["uid"])
        return ref is not None and ref[2] in ("", dependent.namespace)

    def _collect_owners(self, now: float) -> None:
        work, self._owners = self._owners, {}
        for ref in work:
            stored = self._stored(ref)
            if stored is None or not stored.deleting:
                continue
            blocked = False
            for dependent in tuple(self._store.dependents.get(stored.uid, {})):
                blocked |= self._release(dependent, stored, now)
            if not blocked:
                rest = [item for item in stored.finalizers if item not in (FOREGROUND, ORPHAN)]
                self._patch(ref, stored, {"finalizers": rest or None}, _GC, now)

    def _release(self, dependent: Ref, owner: Stored, now: float) -> bool:
        """Deal with one dependent of a deleting owner. Must the owner still wait for it?"""
        stored = self._stored(dependent)
        if stored is None:
            return False
        owners = stored.metadata.get("ownerReferences") or ()
        others = [item for item in owners if item["uid"] != owner.uid]
        if ORPHAN in owner.finalizers or any(self._is_alive(item, stored) for item in others):
            self._patch(dependent, stored, {"ownerReferences": others or None}, _GC, now)
            return False
        blocks = any(item["uid"] == owner.uid and item.get("blockOwnerDeletion") for item in owners)
        if not stored.deleting:
            self._delete(dependent, stored, _GC, now, "Foreground" if blocks else "Background")
        return blocks and self._stored(dependent) is not None

    def _collect_namespaces(self, now: float) -> None:
        work, self._touched = self._touched, {}
        for name in work:
            left = False
            for (group, plural), collection in tuple(self._store.collections().items()):
                for key in tuple(collection.keys(name)):
                    stored = collection.objects[key]
                    if not stored.deleting:
                        self._delete((group, plural, name, stored.name), stored, _NAMESPACES, now)
                    left |= key in collection.objects
            ref = ("", NAMESPACES.plural, "", name)
            namespace = self._stored(ref)
            if not left and namespace is not None and namespace.value.get("spec", {}).get("finalizers"):
                self._writer.patch(
                    NAMESPACES, "", name, {"spec": {"finalizers": None}}, content_type=patches.MERGE_PATCH,
                    actor=_NAMESPACES, now=now, subresource="finalize",
                )  # fmt: skip

    def _collect_definitions(self, now: float) -> None:
        work, self._definitions_touched = self._definitions_touched, {}
        for name in work:
            plural, _, group = name.partition(".")
            collection = self._store.collections().get((group, plural))
            for stored in tuple(collection.objects.values()) if collection is not None else ():
                if not stored.deleting:
                    self._delete((group, plural, stored.namespace, stored.name), stored, _DEFINITIONS, now)
            ref = (CRDS.group, CRDS.plural, "", name)
            definition = self._stored(ref)
            if definition is not None and not (collection is not None and collection.objects):
                rest = [item for item in definition.finalizers if item != CRD_CLEANUP]
                self._patch(ref, definition, {"finalizers": rest or None}, _DEFINITIONS, now)

    def _stored(self, ref: Ref) -> Stored | None:
        collection = self._store.collections().get(ref[:2])
        return collection.objects.get(key_of(ref[2], ref[3])) if collection is not None else None

    def _delete(self, ref: Ref, stored: Stored, actor: str, now: float, policy: str = "Background") -> None:
        resource = self._writer.resource_of(ref[0], ref[1])
        if resource is not None:
            self._writer.delete(
                resource, ref[2], ref[3], actor=actor, now=now, uid=stored.uid, propagation=policy
            )

    def _patch(self, ref: Ref, stored: Stored, metadata: Mapping[str, Any], actor: str, now: float) -> None:
        resource = self._writer.resource_of(ref[0], ref[1])
        if resource is None:
            return
        try:
            self._writer.patch(
                resource, ref[2], ref[3], {"metadata": metadata},
                content_type=patches.MERGE_PATCH, actor=actor, now=now, subresource="",
            )  # fmt: skip
        except NotFound:
            # An earlier step of this very collection removed it (owners may form a circle).
            return
