"""The verbs that write: create, update, patch, apply, delete. Each prepares a value, then commits it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trio_argoagent.apiserver.core import definitions, deletion, tracking, views, writing
from trio_argoagent.apiserver.core.kinds import CRDS, ResourceType
from trio_argoagent.apiserver.core.reads import Reads
from trio_argoagent.apiserver.core.registry import Target
from trio_argoagent.apiserver.core.store import Ref
from trio_argoagent.apiserver.core.values import Deleted, Stored, Written
from trio_argoagent.errors import NotFound


class Writes(Reads):
    """The writing half of ``ApiServer``.

    ``actor`` is who writes, for the log; ``manager`` is what the client calls itself, for the owners of
    fields: without it, it is the actor.
    """

    def __init__(self, entropy: Callable[[int], bytes], history: int) -> None:
        super().__init__(history)
        self._entropy = entropy

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
        return self._create(kind, prepared, actor, now, dry_run)

    def _create(
        self, kind: ResourceType, prepared: writing.Prepared, actor: str, now: float, dry_run: bool
    ) -> Written:
        metadata = prepared.value["metadata"]
        name, space = metadata["name"], metadata.get("namespace", "")
        self._registry.check_room(kind, space, name)
        types, told = self._defined(kind, prepared)
        if dry_run:
            return Written(Stored(prepared.value, self._store.rv), told, created=True)
        self._registry.add(types)
        stored = self._commit(kind, space, name, prepared.value, actor, now)
        return Written(stored, told, created=True)

    @staticmethod
    def _defined(
        kind: ResourceType, prepared: writing.Prepared
    ) -> tuple[Sequence[ResourceType], Sequence[str]]:
        """What a definition makes the server serve, and all the warnings about it."""
        if kind.resource != CRDS:
            return (), prepared.warnings
        types = definitions.crd_types(prepared.value)
        return types, [*prepared.warnings, *definitions.warnings(prepared.value)]

    def update(  # noqa: PLR0913 (the parameters of the request)
        self,
        resource: Target,
        namespace: str,
        name: str,
        value: Any,
        *,
        actor: str,
        now: float,
        manager: str = "",
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
        writing.check_name(value, name)
        old = self._registry.find(kind, namespace, name)
        prepared = writing.prepare_update(kind, old, value, subresource=subresource, validation=validation)
        writer = tracking.Writer(manager or actor, subresource, now)
        return self._replace(kind, old, _noted(kind, old, prepared, value, writer), actor, now, dry_run)

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
        manager: str = "",
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
        writer = tracking.Writer(manager or actor, subresource, now)
        return self._replace(kind, old, _noted(kind, old, prepared, value, writer), actor, now, dry_run)

    def apply(  # noqa: PLR0913 (the parameters of the request)
        self,
        resource: Target,
        namespace: str,
        name: str,
        value: Any,
        *,
        manager: str,
        actor: str,
        now: float,
        force: bool = False,
        subresource: str = "",
        dry_run: bool = False,
    ) -> Written:
        """Server-side apply: make what is stored say what ``value`` says, and nothing else of one's own.

        What there is not yet is created. ``manager`` owns the fields of ``value`` from now on; what it
        owned, says no longer and shares with nobody is removed. ``force``: take what others own.

        Raises:
            Conflict: others own fields that would change; the causes name both.
            ApiError: 500, the value has fields that the schema does not know.
            NotFound, Forbidden, BadRequest, Invalid: as for a create or an update.
        """
        kind = self._registry.for_request(resource, "patch", namespace, subresource=subresource)
        applied = tracking.check_applied(kind, namespace, name, value)
        writer = tracking.Writer(manager, subresource, now)
        try:
            old = self._registry.find(kind, namespace, name)
        except NotFound:
            if subresource:
                raise
            prepared = writing.prepare_create(
                kind, namespace, applied, entropy=self._entropy, now=now, validation="Ignore"
            )
            prepared = tracking.of_new(kind, prepared, applied, writer)
            return self._create(kind, prepared, actor, now, dry_run)
        value, managed = tracking.merged(kind, old, applied, writer, force=force)
        prepared = writing.prepare_update(
            kind, old, value, subresource=subresource, validation="Ignore", patch=applied
        )
        prepared = tracking.note_apply(kind, old, prepared, managed)
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
        value = prepared.value
        types, warnings = self._defined(kind, prepared)
        if not prepared.changed:
            return Written(old, warnings, changed=False)
        if dry_run:
            return Written(Stored(value, old.rv), warnings)
        if deletion.is_finished(kind, value):
            # The last finalizer went. Watchers see one DELETED event and no MODIFIED before it.
            self._remove(kind, old, actor, now)
            return Written(Stored(value, old.rv), warnings)
        if types:
            self._registry.replace(old.value, types)
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
        where = kind.storage
        ref: Ref = (where.group, where.plural, namespace, name)
        kept = None if value is None else views.kept(kind, value)
        return self._store.commit(where, ref, kept, actor=actor, now=now)


def _noted(
    kind: ResourceType, old: Stored, prepared: writing.Prepared, value: Any, writer: tracking.Writer
) -> writing.Prepared:
    """What an update or a patch stores, with whose the fields are then, where that is kept for the object."""
    if not tracking.is_tracked(old, value):
        return prepared
    return tracking.note_update(kind, old, prepared, value, writer)
