"""The embedded Kubernetes API server without its wire: synchronous, deterministic, in memory.

Every method either answers or raises the ``ApiError`` that a real server would answer with, in its words.
Time comes with each call, randomness from the ``entropy`` the server was made with. Nothing here waits:
HTTP (``apiserver.http``) and the in-process port (``apiserver.local``) are shells round this class.

What a client hands in (values, patches) becomes part of the store, and what it gets back is part of it:
neither may be changed. The shells decode and encode JSON, which keeps them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from trio_argoagent.apiserver.core import definitions, deletion, reading, writing
from trio_argoagent.apiserver.core.collecting import Collector
from trio_argoagent.apiserver.core.kinds import CRDS, ResourceType
from trio_argoagent.apiserver.core.registry import Registry, Target
from trio_argoagent.apiserver.core.store import HISTORY, Ref, Store
from trio_argoagent.apiserver.core.values import (
    Deleted,
    LogEntry,
    Page,
    ServerStatistics,
    Stored,
    Written,
)
from trio_argoagent.apiserver.core.watching import Watch
from trio_argoagent.errors import ApiError
from trio_argoagent.model.resources import NAMESPACES, Resource

SYSTEM: Final = "system:apiserver"
"""The actor of what the server does on its own account."""


class ApiServer:
    """One API server with its store.

    Args:
        entropy: that many random bytes: uids and generated names.
        history: committed writes that are remembered, for watches and in ``log``; 0: all of them.
        now: wall seconds of the birth of the namespaces that are always there.
    """

    def __init__(self, *, entropy: Callable[[int], bytes], history: int = HISTORY, now: float = 0.0) -> None:
        self._entropy = entropy
        self._store = Store(history)
        self._registry = Registry(self._store)
        self._collector = Collector(self._store, self)
        self._listeners = 0
        self._store.listeners[0] = self._collector.note
        for name in deletion.PROTECTED:
            self.create(NAMESPACES, "", {"metadata": {"name": name}}, actor=SYSTEM, now=now)

    # --- what is served -----------------------------------------------------------------------------------

    def add_crd(self, crd: Mapping[str, Any], *, now: float) -> None:
        """Serve what a CustomResourceDefinition defines, as creating it does.

        Raises:
            Invalid: it is not usable.
            AlreadyExists: it is there.
        """
        self.create(CRDS, "", dict(crd), actor=SYSTEM, now=now)

    def resource(self, group: str, version: str, plural: str) -> ResourceType:
        """The type behind a request path.

        Raises:
            NotFound: nothing of that name is served.
        """
        return self._registry.get(group, version, plural)

    def resources(self) -> Sequence[ResourceType]:
        """Everything that is served, in the order in which it was added."""
        return self._registry.all()

    def resource_of(self, group: str, plural: str) -> Resource | None:
        """The resource of a collection in its first served version; None if it is not served."""
        return self._registry.resource_of(group, plural)

    # --- reading ------------------------------------------------------------------------------------------

    def get(self, resource: Target, namespace: str, name: str) -> Stored:
        """One object as it is now.

        Raises:
            NotFound: there is none.
        """
        return self._registry.find(self._registry.for_request(resource, "get", namespace), namespace, name)

    def list(
        self,
        resource: Target,
        namespace: str = "",
        *,
        labels: str = "",
        fields: str = "",
        resource_version: str = "",
        match: str = "",
        limit: int = 0,
        continue_token: str = "",
    ) -> Page:
        """One page of a collection; ``namespace`` empty: of all namespaces; ``limit`` 0: all of it.

        ``resource_version`` empty or "0" is the newest state, else ``match`` (``Exact``, ``NotOlderThan`` or
        empty) decides. ``continue_token`` is that of the page before: all pages show the first one's state.

        Raises:
            BadRequest: a selector or the token is not one.
            Invalid: the options contradict each other.
            Expired: that state is no longer known.
            Unavailable: 504, nobody has written that version yet.
        """
        kind = self._registry.for_request(resource, "list", namespace, of_one=False)
        return reading.list_page(
            self._store,
            kind,
            reading.Selection(namespace if kind.resource.namespaced else "", labels, fields),
            resource_version=resource_version,
            match=match,
            limit=limit,
            continue_token=continue_token,
        )

    def watch(
        self,
        resource: Target,
        namespace: str = "",
        *,
        labels: str = "",
        fields: str = "",
        resource_version: str = "",
        match: str = "",
        initial_events: bool | None = None,
        bookmarks: bool = False,
    ) -> Watch:
        """Follow a collection from just after ``resource_version``.

        Empty or "0" begins with the state as ADDED events. So does ``initial_events``, which wants ``match``
        to be ``NotOlderThan`` and, with bookmarks, ends them with one; None: it was not asked for.

        Raises:
            BadRequest: a selector is not one.
            Invalid: the options contradict each other.
            Expired: the history does not reach back that far. On the wire: a 200 and one ERROR event.
            Unavailable: 504, initial events of a version that nobody has written yet.
        """
        kind = self._registry.for_request(resource, "watch", namespace, of_one=False)
        return reading.open_watch(
            self._store,
            kind,
            reading.Selection(namespace if kind.resource.namespaced else "", labels, fields),
            resource_version=resource_version,
            match=match,
            initial_events=initial_events,
            bookmarks=bookmarks,
        )

    # --- writing ------------------------------------------------------------------------------------------

    def create(
        self,
        resource: Target,
        namespace: str,
        value: Any,
        *,
        actor: str,
        now: float,
        dry_run: bool = False,
        validation: str = "Ignore",
    ) -> Written:
        """Create an object.

        Raises:
            AlreadyExists: the name is taken.
            NotFound: the namespace does not exist.
            Forbidden: the namespace is Terminating.
            BadRequest, Invalid: see ``writing.prepare_create``.
        """
        kind = self._registry.for_request(resource, "create", namespace)
        prepared = writing.prepare_create(
            kind, namespace, value, entropy=self._entropy, now=now, validation=validation
        )
        metadata = prepared.value["metadata"]
        name, space = metadata["name"], metadata.get("namespace", "")
        self._registry.check_room(kind, space, name)
        types = definitions.crd_types(prepared.value) if kind.resource == CRDS else ()
        if dry_run:
            return Written(Stored(prepared.value, self._store.rv), prepared.warnings)
        self._registry.add(types)
        return Written(self._commit(kind, space, name, prepared.value, actor, now), prepared.warnings)

    def update(  # noqa: PLR0913 (the parameters of the request)
        self,
        resource: Target,
        namespace: str,
        name: str,
        value: Any,
        *,
        actor: str,
        now: float,
        subresource: str = "",
        dry_run: bool = False,
        validation: str = "Ignore",
    ) -> Written:
        """Replace an object (PUT), or with ``subresource`` that part of it.

        Raises:
            NotFound: there is none, or no such subresource.
            Conflict: its resourceVersion or uid is not that of ``value``.
            BadRequest, Invalid: see ``writing.prepare_update``.
        """
        kind = self._registry.for_request(resource, "update", namespace, subresource=subresource)
        old = self._registry.find(kind, namespace, name)
        prepared = writing.prepare_update(kind, old, value, subresource=subresource, validation=validation)
        return self._replace(kind, old, prepared, actor, now, dry_run)

    def patch(  # noqa: PLR0913 (the parameters of the request)
        self,
        resource: Target,
        namespace: str,
        name: str,
        patch: Any,
        *,
        content_type: str,
        actor: str,
        now: float,
        subresource: str = "",
        dry_run: bool = False,
        validation: str = "Ignore",
    ) -> Written:
        """Change an object by the decoded JSON of a patch; ``content_type`` is a constant of ``patches``.

        Raises:
            NotFound: there is none, or no such subresource.
            Conflict: the patch sets a resourceVersion that is not the object's.
            UnsupportedMedia: not with this content type.
            Invalid: a test failed, a path is missing, or the result is not acceptable.
        """
        kind = self._registry.for_request(resource, "patch", namespace, subresource=subresource)
        old = self._registry.find(kind, namespace, name)
        value = writing.apply_patch(kind, old, content_type, patch)
        prepared = writing.prepare_update(
            kind, old, value, subresource=subresource, validation=validation, patch=patch
        )
        return self._replace(kind, old, prepared, actor, now, dry_run)

    def delete(  # noqa: PLR0913 (the parameters of the request)
        self,
        resource: Target,
        namespace: str,
        name: str,
        *,
        actor: str,
        now: float,
        uid: str = "",
        resource_version: str = "",
        propagation: str = "",
        dry_run: bool = False,
    ) -> Deleted:
        """Delete an object; with finalizers it only gets its deletionTimestamp, and again is no change.

        ``uid`` and ``resource_version`` are preconditions where given; ``propagation`` is ``Background``,
        ``Foreground``, ``Orphan`` or empty (as Background).

        Raises:
            NotFound: there is none.
            Conflict: a precondition does not hold.
        """
        kind = self._registry.for_request(resource, "delete", namespace)
        old = self._registry.find(kind, namespace, name)
        deletion.check(kind, old, uid, resource_version)
        return self._delete(kind, old, propagation, actor, now, dry_run)

    def delete_collection(
        self,
        resource: Target,
        namespace: str = "",
        *,
        actor: str,
        now: float,
        labels: str = "",
        fields: str = "",
        propagation: str = "",
        dry_run: bool = False,
    ) -> Sequence[Deleted]:
        """Delete every object that the selectors match, in key order; see ``list`` and ``delete``."""
        kind = self._registry.for_request(resource, "deletecollection", namespace, of_one=False)
        found = self.list(resource, namespace, labels=labels, fields=fields).items
        return [self._delete(kind, old, propagation, actor, now, dry_run) for old in found]

    def _replace(
        self,
        kind: ResourceType,
        old: Stored,
        prepared: writing.Prepared,
        actor: str,
        now: float,
        dry_run: bool,
    ) -> Written:
        value, warnings = prepared.value, prepared.warnings
        if not prepared.changed:
            return Written(old, warnings, changed=False)
        types = definitions.crd_types(value) if kind.resource == CRDS else ()
        if dry_run:
            return Written(Stored(value, old.rv), warnings)
        if deletion.is_finished(kind, value):
            # The last finalizer went. Watchers see one DELETED event and no MODIFIED before it.
            self._remove(kind, old, actor, now)
            return Written(Stored(value, old.rv), warnings)
        self._registry.add(types)
        return Written(self._commit(kind, old.namespace, old.name, value, actor, now), warnings)

    def _delete(
        self, kind: ResourceType, old: Stored, propagation: str, actor: str, now: float, dry_run: bool
    ) -> Deleted:
        value = deletion.mark(kind, old, propagation, now)
        if dry_run or value is old.value:
            return Deleted(old if value is None else Stored(value, old.rv), gone=value is None)
        if value is None:
            return Deleted(self._remove(kind, old, actor, now), gone=True)
        return Deleted(self._commit(kind, old.namespace, old.name, value, actor, now), gone=False)

    def _remove(self, kind: ResourceType, old: Stored, actor: str, now: float) -> Stored:
        stored = self._commit(kind, old.namespace, old.name, None, actor, now)
        if kind.resource == CRDS:
            self._registry.remove(old.value)
        return stored

    def _commit(
        self,
        kind: ResourceType,
        namespace: str,
        name: str,
        value: Mapping[str, Any] | None,
        actor: str,
        now: float,
    ) -> Stored:
        ref: Ref = (kind.resource.group, kind.resource.plural, namespace, name)
        return self._store.commit(kind.resource, ref, value, actor=actor, now=now)

    # --- what is not a request ----------------------------------------------------------------------------

    @property
    def rv(self) -> int:
        """The newest resourceVersion."""
        return self._store.rv

    @property
    def log(self) -> Sequence[LogEntry]:
        """The committed writes, oldest first; all of them with ``history=0``, else the newest ones."""
        return self._store.log

    def subscribe(self, listener: Callable[[LogEntry], None]) -> Callable[[], None]:
        """Be told of every committed write, from within it; the listener must not write.

        Returns: what ends that.
        """
        self._listeners += 1
        number = self._listeners
        self._store.listeners[number] = listener
        return lambda: self._store.listeners.pop(number, None) and None

    @property
    def collect_due(self) -> bool:
        """Is there anything for ``collect`` to do?"""
        return self._collector.due

    def collect(self, now: float) -> int:
        """Do what namespace and garbage-collecting controllers do. Returns how many writes it took."""
        return self._collector.collect(now)

    def compact(self, before_rv: int) -> None:
        """Forget, for watches and snapshots, what was before that version; the log stays."""
        self._store.compacted = max(self._store.compacted, min(before_rv, self._store.rv))

    def bookmark(self) -> None:
        """Show every watch that wants to know how far it has got."""
        for collection in self._store.collections().values():
            for watch in tuple(collection.watches):
                watch.bookmark(self._store.rv)

    def drop_watches(self, error: ApiError | None = None) -> int:
        """End every watch, as a restart of the server does; ``error``: not cleanly. Returns how many."""
        watches = [watch for c in self._store.collections().values() for watch in c.watches]
        for watch in watches:
            watch.close(error)
        return len(watches)

    def statistics(self) -> ServerStatistics:
        """What it holds and has done."""
        store = self._store
        collections = store.collections().values()
        return ServerStatistics(
            rv=store.rv,
            compacted=store.compacted,
            objects=sum(len(collection.objects) for collection in collections),
            log_entries=len(store.log),
            log_dropped=store.dropped,
            watches=sum(len(collection.watches) for collection in collections),
            watches_overflowed=store.overflowed,
        )
