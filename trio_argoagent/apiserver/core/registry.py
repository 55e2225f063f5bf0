"""Which resources are served now, and whether there is room for something new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from trio_argoagent.apiserver.core import builtin, definitions, failures, views
from trio_argoagent.apiserver.core.kinds import CRDS, ResourceType
from trio_argoagent.apiserver.core.store import Store, key_of
from trio_argoagent.apiserver.core.values import Stored
from trio_argoagent.errors import BadRequest, MethodNotAllowed
from trio_argoagent.model.resources import NAMESPACES, Resource

Target: TypeAlias = Resource | ResourceType


class Registry:
    """The types by their request path, and where their objects are."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._types: dict[tuple[str, str, str], ResourceType] = {}
        self.add(builtin.core_types())

    def add(self, types: Sequence[ResourceType]) -> None:
        """Serve these, in place of what was served there."""
        for kind in types:
            self._types[kind.resource.group, kind.resource.version, kind.resource.plural] = kind

    def replace(self, old: Mapping[str, Any], types: Sequence[ResourceType]) -> None:
        """Serve these in place of what an earlier state of their definition has defined."""
        wanted = [kind.resource for kind in types]
        gone = [kind for kind in definitions.crd_types(old) if kind.resource not in wanted]
        self._drop(gone)
        self.add(types)

    def remove(self, crd: Mapping[str, Any]) -> None:
        """Serve no longer what that definition defines; who follows it is told by the end of the watch."""
        self._drop(definitions.crd_types(crd))

    def _drop(self, types: Sequence[ResourceType]) -> None:
        for kind in types:
            for watch in tuple(self._store.collection(kind.storage).watches):
                watch.close()
            del self._types[kind.resource.group, kind.resource.version, kind.resource.plural]

    def get(self, group: str, version: str, plural: str) -> ResourceType:
        """The type behind a request path.

        Raises:
            NotFound: nothing of that name is served.
        """
        kind = self._types.get((group, version, plural))
        if kind is None:
            raise failures.no_such_resource()
        return kind

    def all(self) -> Sequence[ResourceType]:
        """Everything that is served, in the order in which it was added."""
        return tuple(self._types.values())

    def resource_of(self, group: str, plural: str) -> Resource | None:
        """The resource of a collection in its first served version; None if it is not served."""
        for kind in self._types.values():
            if kind.resource.plural == plural and kind.resource.group == group:
                return kind.resource
        return None

    def for_request(
        self, target: Target, verb: str, namespace: str, *, of_one: bool = True, subresource: str = ""
    ) -> ResourceType:
        """The type that a request is about, if it may be made at all.

        Args:
            target: what the request names.
            verb: what it wants to do.
            namespace: where.
            of_one: is it about one object? Then a namespaced one needs its namespace.
            subresource: the part of it that the request is about, if it is not the whole.

        Raises:
            NotFound: there is no such resource or subresource.
            MethodNotAllowed: the resource has no such verb.
            BadRequest: a namespace is missing.
        """
        resource = target.resource if isinstance(target, ResourceType) else target
        kind = self.get(resource.group, resource.version, resource.plural)
        if subresource and subresource not in kind.subresources:
            raise failures.no_such_resource()
        if verb not in kind.verbs:
            raise failures.no_such_verb(verb)
        if of_one and kind.resource.namespaced and not namespace:
            raise BadRequest("an empty namespace may not be set when a resource name is provided")
        return kind

    def find(self, kind: ResourceType, namespace: str, name: str) -> Stored:
        """One stored object.

        Raises:
            NotFound: there is none.
        """
        key = key_of(namespace if kind.resource.namespaced else "", name)
        stored = self._store.collection(kind.storage).objects.get(key)
        if stored is None:
            raise failures.not_found(kind.resource, name)
        return views.shown(kind, stored)

    def check_room(self, kind: ResourceType, namespace: str, name: str) -> None:
        """May an object of that name be created there?

        Raises:
            NotFound: there is no such namespace.
            Forbidden: the namespace is Terminating.
            MethodNotAllowed: the definition is.
            AlreadyExists: the name is taken.
        """
        if kind.custom:
            definition = self._object(CRDS, f"{kind.resource.plural}.{kind.resource.group}")
            if definition is not None and definition.deleting:
                raise MethodNotAllowed("create not allowed while custom resource definition is terminating")
        if namespace:
            self._check_namespace(kind, namespace, name)
        if key_of(namespace, name) in self._store.collection(kind.storage).objects:
            raise failures.already_exists(kind.resource, name)

    def _check_namespace(self, kind: ResourceType, namespace: str, name: str) -> None:
        space = self._object(NAMESPACES, namespace)
        if space is None:
            raise failures.not_found(NAMESPACES, namespace)
        if space.deleting:
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            text = f"namespace {namespace} is being terminated"
            cause = failures.Problem("metadata.namespace", "NamespaceTerminating", text)
            raise failures.forbidden(kind.resource, name, why, [cause])

    def _object(self, resource: Resource, name: str) -> Stored | None:
        return self._store.collection(resource).objects.get(key_of("", name))
